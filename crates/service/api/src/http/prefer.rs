//! `Prefer: wait=N` (RFC 7240): a client that would rather wait than ask again.

use std::time::Duration;

use actix_web::http::header::HeaderMap;

/// No answer is held for longer.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(30);

/// How long the client would wait, [`MAX_WAIT`] at most. As the RFC has it, what is not understood is ignored, and of
/// several waits the first counts.
pub(super) fn wait(headers: &HeaderMap) -> Option<Duration> {
    let preferences = headers.get_all("prefer");
    let preferences = preferences.filter_map(|value| value.to_str().ok());
    let mut preferences = preferences.flat_map(|value| split(value, ','));
    let value = preferences.find_map(|preference| {
        let preference = split(preference, ';').into_iter().next()?;
        let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
        name.trim().eq_ignore_ascii_case("wait").then_some(value)
    })?;
    let value = value.trim().trim_matches('"');
    let is_number = !value.is_empty() && value.bytes().all(|it| it.is_ascii_digit());
    let seconds = is_number.then(|| value.parse().unwrap_or(u64::MAX))?;
    Some(Duration::from_secs(seconds).min(MAX_WAIT))
}

/// The parts of `text` between separators, of which those in a quoted string are none.
fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    let separates = |it: char| {
        let literal = std::mem::take(&mut escaped);
        match it {
            _ if literal => false,
            '\\' => {
                escaped = quoted;
                false
            }
            '"' => {
                quoted = !quoted;
                false
            }
            _ => it == separator && !quoted,
        }
    };
    text.split(separates).collect()
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn waits(values: &[&str]) -> Option<u64> {
        let mut headers = HeaderMap::new();
        for value in values {
            let value = HeaderValue::from_str(value).unwrap();
            headers.append(HeaderName::from_static("prefer"), value);
        }
        wait(&headers).map(|it| it.as_secs())
    }

    #[test]
    fn a_wait_is_found_among_other_preferences_and_is_bounded() {
        for (values, expected) in [
            (&["wait=5"][..], Some(5)),
            (&["respond-async, WAIT = \"7\"; x=1"], Some(7)),
            (&["return=minimal", "wait=30"], Some(30)),
            (&["wait=31"], Some(30)),
            (&["wait=99999999999999999999"], Some(30)),
            (&["wait=0"], Some(0)),
            (&["wait=3, wait=9"], Some(3)),
            (&["x=\"a, wait=9\", wait=3"], Some(3)),
            (&["x=\"a\\\", wait=9\"; y, wait=3"], Some(3)),
            (&["x; y=\", wait=9\"", "wait=3"], Some(3)),
        ] {
            assert_eq!(waits(values), expected, "{values:?}");
        }
    }

    #[test]
    fn what_is_no_wait_is_ignored() {
        for values in [
            &[][..],
            &["wait"],
            &["wait="],
            &["wait=-1"],
            &["wait=1.5"],
            &["await=5"],
            &["wait=soon, wait=5"],
            &["wait", "wait=5"],
            &["x=\"wait=5\""],
        ] {
            assert_eq!(waits(values), None, "{values:?}");
        }
    }
}
