//! The tables of the policy file as schemas, told by the defaults: which keys there are, and of what kind each is.

use serde_json::Value;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr, Schema};

use crate::config::parse;
use crate::http::policies::{TABLES, table};

/// What `policies` is called in the document.
const NAME: &str = "PolicyTables";
/// Keys that an operator may set to `false`, or leave out where they are not among the defaults.
const OPTIONAL: [&str; 2] = ["adaptive", "hedge"];

/// The schema under its name.
pub(super) fn schema() -> (String, RefOr<Schema>) {
    let defaults = parse("").map(|loaded| loaded.table).unwrap_or_default();
    let tables = TABLES.map(|name| (name.to_owned(), table(&defaults, name)));
    let tables = Value::Object(tables.into_iter().collect());
    (NAME.to_owned(), of(NAME, &tables))
}

/// Has the schema of the whole answer, which knows nothing of the keys, refer to it.
pub(super) fn refer_to(whole: &mut RefOr<Schema>) {
    if let RefOr::T(Schema::Object(whole)) = whole {
        let tables = Ref::from_schema_name(NAME);
        whole
            .properties
            .insert("policies".to_owned(), tables.into());
    }
}

fn of(key: &str, default: &Value) -> RefOr<Schema> {
    let schema = match default {
        Value::Object(keys) => {
            let object = ObjectBuilder::new().schema_type(kind(key, Type::Object));
            keys.iter().fold(object, |object, (key, default)| {
                object.property(key, of(key, default)).required(key)
            })
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
