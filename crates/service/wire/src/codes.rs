//! The closed sets of codes that clients branch on.

use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;

/// Gives a unit enum its one text form, used in JSON, in metric labels and in logs alike. The text is taken as a token
/// tree: a `literal` of a macro is no literal to the derive macro of the schema.
macro_rules! code {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:tt),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $text)] $variant),+
        }

        impl $name {
            /// Every code, in declaration order.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The code as it stands in JSON and in metric labels.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

code! {
    /// What an answer had to do without.
    DegradedCode {
        /// The worker gave no result in time.
        WorkerUnavailable = "worker_unavailable",
        /// Postgres could not record.
        DbUnavailable = "db_unavailable",
        /// The API has as much to do as it takes on.
        Overloaded = "overloaded",
    }
}

code! {
    /// The last real cause of a degradation.
    Reason {
        /// The breaker refused the call; the dependency was not touched.
        CircuitOpen = "circuit_open",
        /// A try took longer than the attempt timeout.
        AttemptTimeout = "attempt_timeout",
        /// The caller's time was used up before a try could start.
        DeadlineExceeded = "deadline_exceeded",
        /// Nobody listens on the port.
        ConnectRefused = "connect_refused",
        /// No connection, or no session, within the connect timeout.
        ConnectTimeout = "connect_timeout",
        /// The connection ended in the middle of an answer.
        ConnectionReset = "connection_reset",
        /// The dependency's name does not resolve.
        DnsFailure = "dns_failure",
        /// Every pooled session was taken for the whole wait.
        PoolExhausted = "pool_exhausted",
        /// Too many attempts at once; the dependency was not touched.
        BulkheadFull = "bulkhead_full",
        /// The dependency answered with an error status.
        BadStatus = "bad_status",
        /// The dependency answered with something that is not an answer.
        BadResponse = "bad_response",
        /// The database lacks a table or column that the call needs.
        SchemaOutdated = "schema_outdated",
        /// No encrypted connection, or not with the peer that was meant.
        TlsFailure = "tls_failure",
        /// The database takes no writes: a standby.
        NotWritable = "not_writable",
        /// Others were more urgent; the dependency was not touched.
        Shed = "shed",
    }
}

code! {
    /// The `code` of a problem body; its `type` is `urn:holdfast:problem:CODE`.
    ProblemCode {
        /// 503: the worker is unavailable and its policy says `reject`.
        WorkerUnavailable = "worker_unavailable",
        /// 503: the database is unavailable and no promise could be made.
        DbUnavailable = "db_unavailable",
        /// 503: more work than the service accepts at once.
        Overloaded = "overloaded",
        /// 503: the service ends what is under way and stops.
        Draining = "draining",
        /// 429: this client has had its share.
        QuotaExceeded = "quota-exceeded",
        /// 400: it is no HTTP request, or an ambiguous one.
        InvalidRequest = "invalid_request",
        /// 400: the body is not JSON.
        InvalidJson = "invalid_json",
        /// 400: the request id in the path is not a UUID.
        InvalidId = "invalid_id",
        /// 400: a query parameter has a value it cannot have.
        InvalidQuery = "invalid_query",
        /// 400: the `Idempotency-Key` is not a key.
        InvalidKey = "invalid_idempotency_key",
        /// 401: an operator's route without the operator's token, or with another one.
        Unauthorized = "unauthorized",
        /// 403: an operator's route of a service that was given no token.
        OperatorsDisabled = "operators_disabled",
        /// 409: what has neither failed nor been cancelled cannot be asked for again.
        NotFailed = "not_failed",
        /// 409: the request has its end, or is about to.
        AlreadyFinished = "already_finished",
        /// 409: the request under this `Idempotency-Key` has failed for good.
        RequestFailed = "request_failed",
        /// 422: the `Idempotency-Key` was used with another body.
        KeyReused = "idempotency_key_reused",
        /// 403: a browser sent it from another site's page.
        CrossSite = "cross_site_request",
        /// 421: the `Host` is none of the service's.
        MisdirectedRequest = "misdirected_request",
        /// 415: the body has a `Content-Encoding`.
        UnsupportedEncoding = "unsupported_content_encoding",
        /// 404: no such request.
        RequestNotFound = "request_not_found",
        /// 404: no such route.
        NotFound = "not_found",
        /// 405: the route exists, the method does not.
        MethodNotAllowed = "method_not_allowed",
        /// 408: the body did not arrive in time.
        RequestTimeout = "request_timeout",
        /// 413: the body is larger than the limit.
        BodyTooLarge = "body_too_large",
        /// 500: a defect of the service.
        Internal = "internal",
    }
}
