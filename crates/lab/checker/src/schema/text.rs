//! Values with more than one form: figures as number or text, one thing or a list of them.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::file::Limits;
use crate::time::{Time, parse};

/// `0.95` or `"4s"`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Figure {
    Number(f64),
    Time(Duration),
}

/// The limits of a figure, or a list of them.
#[derive(Debug)]
pub(super) struct Several {
    pub(super) items: Vec<Limits>,
    /// Whether they stand in a list, where each has a location of its own.
    pub(super) in_a_list: bool,
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

impl<'de> Deserialize<'de> for Several {
    // An untagged enum would say of every mistake that nothing matches, and not where.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;
        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Several;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table, or a list of tables")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Several, A::Error> {
                Limits::deserialize(MapAccessDeserializer::new(map)).map(|item| Several {
                    items: vec![item],
                    in_a_list: false,
                })
            }
            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Several, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(|items| Several {
                    items,
                    in_a_list: true,
                })
            }
        }
        deserializer.deserialize_any(OneOrMany)
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

impl JsonSchema for Several {
    fn schema_name() -> Cow<'static, str> {
        "SeveralLimits".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<Limits>();
        json_schema!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }] })
    }
}
