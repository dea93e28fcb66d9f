//! What came back from one call.

use std::fmt;

use reqwest::header::{HeaderMap, HeaderName};

/// One call's outcome as the client saw it. All times are in seconds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    /// An HTTP answer, of whatever status.
    Http(Http),
    /// Nothing, until the call was cut.
    Silence { cut_after: f64 },
    /// The connection was refused or ended without an answer.
    Broken {
        /// What the client said.
        problem: String,
        seconds: f64,
    },
}

/// An HTTP answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Http {
    pub(super) status: u16,
    /// The words after it.
    pub(super) phrase: String,
    pub(super) headers: HeaderMap,
    /// As received.
    pub(super) body: String,
    /// From the first byte sent to the last received.
    pub(super) seconds: f64,
}

impl Answer {
    pub(super) fn http(&self) -> Option<&Http> {
        match self {
            Self::Http(http) => Some(http),
            Self::Silence { .. } | Self::Broken { .. } => None,
        }
    }
}

impl Http {
    /// Reads `HTTP/1.1 202 Accepted`, headers, an empty line and the body.
    pub(super) fn parse(text: &str, seconds: f64) -> Option<Self> {
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.split("\r\n");
        let (_version, status) = lines.next()?.split_once(' ')?;
        let (code, phrase) = status.split_once(' ').unwrap_or((status, ""));
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.parse::<HeaderName>().ok()?, value.trim().parse().ok()?))
        };
        Some(Self {
            status: code.parse().ok()?,
            phrase: phrase.to_owned(),
            headers: lines.filter_map(header).collect(),
            body: body.to_owned(),
            seconds,
        })
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Seconds as they are shown: to the hundredth, or finer where that would be nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seconds(pub(super) f64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = if self.0 < 0.01 { 3 } else { 2 };
        write!(f, "{:.digits$} s", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_times_are_not_shown_as_nothing() {
        assert_eq!(Seconds(2.013).to_string(), "2.01 s");
        assert_eq!(Seconds(0.0012).to_string(), "0.001 s");
    }

    #[test]
    fn an_answer_is_taken_apart_into_status_headers_and_body() {
        let text = "HTTP/1.1 202 Accepted\r\nRetry-After: 4\r\nx: y\r\n\r\n{\"a\":\r\n\r\n1}";
        let http = Http::parse(text, 0.2).unwrap();
        assert_eq!((http.status, http.phrase.as_str()), (202, "Accepted"));
        assert_eq!(http.header("retry-after"), Some("4"));
        assert_eq!(http.header("location"), None);
        assert_eq!(http.body, "{\"a\":\r\n\r\n1}");
    }

    #[test]
    fn what_is_no_answer_is_not_taken_for_one() {
        assert_eq!(Http::parse("", 0.0), None);
        assert_eq!(Http::parse("HTTP/1.1 banana\r\n\r\n", 0.0), None);
    }
}
