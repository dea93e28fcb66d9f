//! Who may come in: a page of this service's own, with its token. Pure.

use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, HOST, HeaderMap, HeaderName, ORIGIN};
use sha2::{Digest, Sha256};

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What grants access: the hosts it is served under, and its token.
#[derive(Debug, Clone)]
pub(super) struct Access {
    hosts: [String; 2],
    token: String,
}

impl Access {
    pub(super) fn new(port: u16, token: String) -> Self {
        let hosts = ["127.0.0.1", "localhost"].map(|name| format!("{name}:{port}"));
        Self { hosts, token }
    }

    /// Whether the caller means this service: a foreign name that was made to lead here (DNS rebinding) does not.
    pub(super) fn is_meant(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let host = text(headers, &HOST).unwrap_or_default();
        if self.hosts.iter().any(|own| own == host) {
            Ok(())
        } else {
            let why = "this service answers to its loopback names only".to_owned();
            Err((StatusCode::MISDIRECTED_REQUEST, why))
        }
    }

    /// Whether the caller may break and heal.
    pub(super) fn may_act(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        self.is_meant(headers)?;
        let origin = text(headers, &ORIGIN);
        if text(headers, &FETCH_SITE).is_some_and(|site| site != "same-origin")
            || origin.is_some_and(|origin| !self.is_own(origin))
        {
            let why = "only the page that this service serves may break and heal".to_owned();
            return Err((StatusCode::FORBIDDEN, why));
        }
        let told = text(headers, &AUTHORIZATION).and_then(|it| it.strip_prefix("Bearer "));
        if told.is_some_and(|told| is_same(told, &self.token)) {
            Ok(())
        } else {
            let why = "the token is wrong or missing: open the address that `lab control` printed";
            Err((StatusCode::UNAUTHORIZED, why.to_owned()))
        }
    }

    /// Whether a page came from here.
    pub(super) fn is_own(&self, origin: &str) -> bool {
        let host = origin.strip_prefix("http://");
        host.is_some_and(|host| self.hosts.iter().any(|own| own == host))
    }
}

/// A status, and why in words.
pub(super) type Refusal = (StatusCode, String);

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Of digests: how long it takes tells nothing of the token.
fn is_same(told: &str, token: &str) -> bool {
    Sha256::digest(told) == Sha256::digest(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [(&str, &str); 4] = [
        ("host", "127.0.0.1:8090"),
        ("origin", "http://127.0.0.1:8090"),
        ("sec-fetch-site", "same-origin"),
        ("authorization", "Bearer abc"),
    ];

    /// The good headers, one of them replaced or, if empty, left out.
    fn status_with(name: &str, value: &str) -> Option<u16> {
        let headers = GOOD.iter().map(|&(own, good)| {
            let value = if own == name { value } else { good };
            (own, value)
        });
        let headers: HeaderMap = headers
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
            .collect();
        let access = Access::new(8090, "abc".to_owned());
        access
            .may_act(&headers)
            .err()
            .map(|(status, _)| status.as_u16())
    }

    #[test]
    fn its_own_page_with_the_token_comes_in_also_by_the_other_name() {
        assert_eq!(status_with("", ""), None);
        assert_eq!(status_with("host", "localhost:8090"), None);
        assert_eq!(status_with("origin", ""), None);
    }

    #[test]
    fn who_has_no_token_comes_from_elsewhere_or_calls_another_name_stays_out() {
        for (name, value, status) in [
            ("authorization", "", 401),
            ("authorization", "Bearer abd", 401),
            ("authorization", "abc", 401),
            ("origin", "http://evil.example", 403),
            ("origin", "http://127.0.0.1:8080", 403),
            ("origin", "null", 403),
            ("sec-fetch-site", "cross-site", 403),
            ("sec-fetch-site", "same-site", 403),
            ("host", "evil.example:8090", 421),
            ("host", "", 421),
        ] {
            assert_eq!(status_with(name, value), Some(status), "{name}: {value}");
        }
    }
}
