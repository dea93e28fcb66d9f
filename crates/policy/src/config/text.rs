//! The values that are told apart by how they are written: `"10s"` or `100`, `"p95"` or `"200ms"`.

use std::fmt;

use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::duration;
use super::hedge::HedgeDelay;
use super::window::Window;

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
        let span = duration::parse(text);
        span.map(Window::Time)
            .ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
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

impl Serialize for HedgeDelay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Percentile(_) => serializer.collect_str(self),
            Self::Fixed(time) => duration::serialize(time, serializer),
        }
    }
}

impl<'de> Deserialize<'de> for HedgeDelay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(DelayVisitor)
    }
}

struct DelayVisitor;

impl Visitor<'_> for DelayVisitor {
    type Value = HedgeDelay;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a percentile such as \"p95\" or a duration such as \"200ms\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<HedgeDelay, E> {
        let percentile = text.strip_prefix('p').and_then(|it| it.parse().ok());
        let delay = percentile.map(HedgeDelay::Percentile);
        let delay = delay.or_else(|| duration::parse(text).map(HedgeDelay::Fixed));
        delay.ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}
