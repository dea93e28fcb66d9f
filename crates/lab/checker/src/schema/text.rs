//! Values with more than one form: times as text, figures as text or number, one thing or a list of them.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What an editor holds a time against; the parser takes what jiff takes.
const TIME: &str = r"^\d+(\.\d+)?(ms|s|m|h)$";

/// `"250ms"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Time(pub(super) Duration);

/// `0.95` or `"4s"`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Figure {
    Number(f64),
    Time(Duration),
}

/// One, or a list.
#[derive(Debug)]
pub(super) struct Several<T> {
    pub(super) items: Vec<T>,
    /// Whether they stand in a list, where each has a location of its own.
    pub(super) in_a_list: bool,
}

fn parse<E: Error>(text: &str) -> Result<Duration, E> {
    let signed: Option<jiff::SignedDuration> = text.parse().ok();
    signed
        .and_then(|signed| signed.try_into().ok())
        .ok_or_else(|| E::custom("give a time such as \"5s\" or \"250ms\""))
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Time;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time such as \"5s\" or \"250ms\"")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Time, E> {
                parse(text).map(Time)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

impl<'de> Deserialize<'de> for Figure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = Figure;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or a time such as \"4s\"")
            }
            fn visit_f64<E: Error>(self, number: f64) -> Result<Figure, E> {
                Ok(Figure::Number(number))
            }
            #[expect(clippy::cast_precision_loss, reason = "a limit")]
            fn visit_i64<E: Error>(self, number: i64) -> Result<Figure, E> {
                Ok(Figure::Number(number as f64))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Figure, E> {
                parse(text).map(Figure::Time)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Several<T> {
    // An untagged enum would say of every mistake that nothing matches, and not where.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrMany<T> {
            type Value = Several<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table, or a list of tables")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Several<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(|item| Several {
                    items: vec![item],
                    in_a_list: false,
                })
            }
            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Several<T>, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(|items| Several {
                    items,
                    in_a_list: true,
                })
            }
        }
        deserializer.deserialize_any(OneOrMany(PhantomData))
    }
}

/// Defaults stand in the JSON schema in the form they have in files.
impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let milliseconds = self.0.as_millis();
        match milliseconds % 1000 {
            0 => serializer.collect_str(&format_args!("{}s", milliseconds / 1000)),
            _ => serializer.collect_str(&format_args!("{milliseconds}ms")),
        }
    }
}

impl JsonSchema for Time {
    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "A time such as 5s or 250ms.", "pattern": TIME })
    }
}

impl JsonSchema for Figure {
    fn schema_name() -> Cow<'static, str> {
        "Figure".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let time = generator.subschema_for::<Time>();
        json_schema!({ "anyOf": [{ "type": "number", "minimum": 0 }, time] })
    }
}

impl<T: JsonSchema> JsonSchema for Several<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("Several{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }] })
    }
}
