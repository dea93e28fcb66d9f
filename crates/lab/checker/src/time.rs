//! Times as they stand in an experiment's file, `"250ms"`: for `#[serde(with)]`, and for the schema that editors read.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use jiff::SignedDuration;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serializer};

/// What an editor holds a time against; the parser takes what jiff takes.
const PATTERN: &str = r"^\d+(\.\d+)?(ms|s|m|h)$";

pub(crate) struct Time;

pub(crate) struct OptionalTime;

struct Written(Duration);

pub(crate) fn parse<E: Error>(text: &str) -> Result<Duration, E> {
    let signed: Option<SignedDuration> = text.parse().ok();
    let time = signed.and_then(|signed| signed.try_into().ok());
    time.ok_or_else(|| E::custom("give a time such as \"5s\" or \"250ms\""))
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Written;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time such as \"5s\" or \"250ms\"")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Written, E> {
                parse(text).map(Written)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

impl Time {
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        Ok(Written::deserialize(from)?.0)
    }

    pub(crate) fn serialize<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
        let signed = SignedDuration::try_from(*time).map_err(serde::ser::Error::custom)?;
        to.collect_str(&format_args!("{signed:#}"))
    }
}

impl OptionalTime {
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<Written>::deserialize(from)?.map(|it| it.0))
    }

    pub(crate) fn serialize<S: Serializer>(
        time: &Option<Duration>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => Time::serialize(time, to),
            None => to.serialize_none(),
        }
    }
}

impl JsonSchema for Time {
    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "A time such as 5s or 250ms.", "pattern": PATTERN })
    }
}

impl JsonSchema for OptionalTime {
    fn schema_name() -> Cow<'static, str> {
        "OptionalTime".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Option::<Time>::json_schema(generator)
    }
}
