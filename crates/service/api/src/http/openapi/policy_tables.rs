//! The tables of the policy file as schemas, told by the defaults: which keys there are, and of what kind each is.

use holdfast_wire::{Policies, ProcessPolicy};
use serde_json::Value;
use toml::Table;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr, Schema};

use crate::config::parse;
use crate::http::policies::{PROCESS, TABLES, table};

/// What `policies` is called in the document.
const NAME: &str = "PolicyTables";
/// Keys that an operator may set to `false`, or leave out where they are not among the defaults.
const OPTIONAL: [&str; 2] = ["adaptive", "hedge"];

/// The schema under its name.
pub(super) fn schema() -> (String, RefOr<Schema>) {
    let defaults = defaults();
    let tables = TABLES.map(|name| (name.to_owned(), table(&defaults, name)));
    let tables = Value::Object(tables.into_iter().collect());
    (NAME.to_owned(), of(NAME, &tables))
}

/// Gives the schemas of the answer what their types do not know: the whole refers to the tables, and the part of `[process]` has
/// all of its keys.
pub(super) fn complete(schemas: &mut [(String, RefOr<Schema>)]) {
    for (name, schema) in schemas {
        let RefOr::T(Schema::Object(schema)) = schema else {
            continue;
        };
        if *name == Policies::name() {
            let tables = Ref::from_schema_name(NAME).into();
            schema.properties.insert("policies".to_owned(), tables);
        } else if *name == ProcessPolicy::name()
            && let Value::Object(keys) = table(&defaults(), PROCESS)
        {
            for (key, default) in keys {
                let typed = || of(&key, &default);
                schema.properties.entry(key.clone()).or_insert_with(typed);
            }
        }
    }
}

fn defaults() -> Table {
    parse("").map(|loaded| loaded.table).unwrap_or_default()
}

fn of(key: &str, default: &Value) -> RefOr<Schema> {
    let schema = match default {
        Value::Object(keys) => {
            let object = ObjectBuilder::new().schema_type(kind(key, Type::Object));
            keys.iter().fold(object, |object, (key, default)| {
                object.property(key, of(key, default)).required(key)
            })
        }
        // Of text: there is no other.
        Value::Array(_) => {
            let text = ObjectBuilder::new().schema_type(Type::String);
            return Schema::from(ArrayBuilder::new().items(text)).into();
        }
        Value::Bool(_) => ObjectBuilder::new().schema_type(Type::Boolean),
        Value::Number(number) if number.is_u64() => ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(0)),
        Value::Number(_) => ObjectBuilder::new().schema_type(Type::Number),
        _ => ObjectBuilder::new().schema_type(Type::String),
    };
    let schema = match default {
        Value::Object(_) => schema,
        default => schema.default(Some(default.clone())),
    };
    Schema::from(schema).into()
}

fn kind(key: &str, kind: Type) -> SchemaType {
    if OPTIONAL.contains(&key) {
        SchemaType::from_iter([kind, Type::Boolean])
    } else {
        kind.into()
    }
}
