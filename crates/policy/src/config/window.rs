//! Over what a breaker counts: `"10s"` is a span of time, `100` a number of calls.

use std::fmt;
use std::time::Duration;

use jiff::fmt::friendly::SpanParser;
use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::duration;

/// The window of a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// The calls that ended within this time.
    Time(Duration),
    /// The last so many calls.
    Calls(u32),
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(span) => f.write_str(&duration::text(*span)),
            Self::Calls(calls) => calls.fmt(f),
        }
    }
}

impl Serialize for Window {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Time(span) => duration::serialize(span, serializer),
            Self::Calls(calls) => serializer.serialize_u32(*calls),
        }
    }
}

impl<'de> Deserialize<'de> for Window {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WindowVisitor)
    }
}

struct WindowVisitor;

impl Visitor<'_> for WindowVisitor {
    type Value = Window;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration such as \"10s\" or a number of calls such as 100")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Window, E> {
        let span = SpanParser::new().parse_unsigned_duration(text);
        span.map(Window::Time)
            .map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
    }

    fn visit_u64<E: de::Error>(self, calls: u64) -> Result<Window, E> {
        let few = u32::try_from(calls);
        few.map(Window::Calls)
            .map_err(|_| E::invalid_value(Unexpected::Unsigned(calls), &self))
    }

    fn visit_i64<E: de::Error>(self, calls: i64) -> Result<Window, E> {
        let few = u32::try_from(calls);
        few.map(Window::Calls)
            .map_err(|_| E::invalid_value(Unexpected::Signed(calls), &self))
    }
}
