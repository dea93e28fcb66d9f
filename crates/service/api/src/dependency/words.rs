//! What an answer says of a dependency that failed it.

use holdfast_wire::Reason;

/// Safe to show: names no host, no statement, no version.
pub(super) fn in_words(reason: Reason) -> &'static str {
    match reason {
        Reason::CircuitOpen => {
            "failed too often lately: calls are held back until it is probed again"
        }
        Reason::AttemptTimeout => "did not answer in time",
        Reason::DeadlineExceeded => "could not be tried in the time that was left",
        Reason::ConnectRefused => "refuses connections",
        Reason::ConnectTimeout => "did not accept a connection in time",
        Reason::ConnectionReset => "ended the connection before it answered",
        Reason::DnsFailure => "cannot be found under its name",
        Reason::PoolExhausted => "has no free connection for this call",
        Reason::BulkheadFull => "has as many calls under way as allowed",
        Reason::BadStatus => "answered with an error",
        Reason::BadResponse => "answered with something that makes no sense",
        Reason::SchemaOutdated => "lacks a table or column that this call needs",
        Reason::TlsFailure => "gave no encrypted connection that can be trusted",
        Reason::NotWritable => "takes no writes: it is a standby",
        Reason::Shed => "has as much to do as it can: more urgent calls went first",
    }
}
