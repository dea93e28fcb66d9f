//! A key that an operator may leave out of a policy altogether: `breaker = false`. Absent, its default
//! holds; in Rust it is an `Option`.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A table, `true` for its defaults, or `false`.
///
/// # Errors
/// If it is none of these, or the table cannot be read.
pub fn deserialize<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    deserializer.deserialize_any(Section(PhantomData))
}

/// The table, or `false`.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S, T>(section: &Option<T>, serializer: S) -> Result<S::Ok, S::Error>
where
    S: Serializer,
    T: Serialize,
{
    match section {
        Some(section) => section.serialize(serializer),
        None => serializer.serialize_bool(false),
    }
}

struct Section<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + Default> Visitor<'de> for Section<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table, or false to leave it out")
    }

    fn visit_bool<E: de::Error>(self, wanted: bool) -> Result<Self::Value, E> {
        Ok(wanted.then(T::default))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Some)
    }
}

/// The same for a duration: text, or `false`.
pub(super) mod duration {
    use std::time::Duration;

    use super::super::duration;
    use super::{Deserializer, Serializer, Unexpected, Visitor, de, fmt};

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        deserializer.deserialize_any(Span)
    }

    pub(in super::super) fn serialize<S: Serializer>(
        span: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match span {
            Some(span) => duration::serialize(span, serializer),
            None => serializer.serialize_bool(false),
        }
    }

    struct Span;

    impl Visitor<'_> for Span {
        type Value = Option<Duration>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a duration such as \"250ms\", or false to leave it out")
        }

        fn visit_bool<E: de::Error>(self, wanted: bool) -> Result<Self::Value, E> {
            if wanted {
                Err(E::invalid_value(Unexpected::Bool(true), &self))
            } else {
                Ok(None)
            }
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
            let span = duration::parse(text);
            span.map(Some)
                .ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
        }
    }
}
