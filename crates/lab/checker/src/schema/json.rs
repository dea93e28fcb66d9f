//! The schema as editors understand it, `experiments/schema.json`: completion, descriptions and red lines while one writes.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::file::File;
use super::text::Several;
use crate::plan::Metric;

/// The JSON schema of an experiment's file. It knows keys and types; the rules between keys are the parser's.
pub fn json_schema() -> Value {
    // The TOML extensions of editors read this draft.
    let generator = SchemaSettings::draft07().into_generator();
    generator.into_root_schema_for::<File>().to_value()
}

/// Of a side: each metric, with what its documentation says.
pub(super) fn side(generator: &mut SchemaGenerator) -> Schema {
    let limits = generator.subschema_for::<Several>();
    let metrics = Metric::json_schema(generator).to_value();
    let figure = |metric: &Value| {
        let name = metric.get("const")?.as_str()?.to_owned();
        let description = metric.get("description")?;
        let figure = json!({ "description": description, "allOf": [limits] });
        Some((name, figure))
    };
    let metrics = metrics.get("oneOf").and_then(Value::as_array);
    let figures: Map<String, Value> = metrics.into_iter().flatten().filter_map(figure).collect();
    json_schema!({
        "type": "object",
        "properties": figures,
        "additionalProperties": false,
        "minProperties": 1,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::plan::Unit;

    fn experiments(file: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../../experiments")
            .join(file)
    }

    #[test]
    fn the_file_for_editors_is_up_to_date() {
        let path = experiments("schema.json");
        let schema = json_schema();
        let written = fs::read_to_string(&path).unwrap_or_default();
        // As values: the order of keys is that of serde_json's features, which others in the build choose.
        if serde_json::from_str::<Value>(&written).ok().as_ref() != Some(&schema) {
            fs::write(&path, format!("{schema:#}\n")).unwrap();
            panic!(
                "{} was out of date, and has been written anew",
                path.display()
            );
        }
    }

    #[test]
    fn both_sides_offer_every_metric_and_no_other_key() {
        let schema = json_schema();
        for side in ["naive", "resilient"] {
            let side = &schema["properties"][side];
            let mut offered: Vec<_> = side["properties"].as_object().unwrap().keys().collect();
            offered.sort_unstable();
            let mut known: Vec<_> = Metric::ALL.iter().map(|it| it.name()).collect();
            known.sort_unstable();
            assert_eq!(offered, known);
            assert_eq!(side["additionalProperties"], false);
        }
    }

    /// The first cells of the rows of the guide's table under this heading, and the whole rows.
    fn rows(title: &str) -> Vec<(String, String)> {
        let guide = fs::read_to_string(experiments("README.md")).unwrap();
        let mut sections = guide.split("\n### ");
        let section = sections.find(|text| text.starts_with(title)).unwrap();
        let section = section.split("\n## ").next().unwrap();
        let cell = |row: &str| Some(row.strip_prefix("| `")?.split_once('`')?.0.to_owned());
        let rows = section
            .lines()
            .filter_map(|row| Some((cell(row)?, row.to_owned())));
        rows.collect()
    }

    /// Every key of the file, dotted, but for the metrics.
    fn keys(schema: &Value, table: &Value, path: &str) -> Vec<String> {
        let Some(properties) = table["properties"].as_object() else {
            return vec![path.to_owned()];
        };
        let mut found = Vec::new();
        for (key, value) in properties {
            let path = if path.is_empty() {
                key.clone()
            } else {
                format!("{path}.{key}")
            };
            let text = value.to_string();
            let inner = ["System", "Load", "Fault", "Leaving", "SeveralLimits"].into_iter();
            let mut inner = inner.filter(|name| text.contains(&format!("definitions/{name}\"")));
            match inner.next() {
                Some(name) => found.extend(keys(schema, &schema["definitions"][name], &path)),
                None => found.push(path),
            }
        }
        found
    }

    #[test]
    fn the_guide_names_every_key_and_no_other() {
        let schema = json_schema();
        let mut known = keys(&schema, &schema, "");
        known.retain(|key| !key.starts_with("naive") && !key.starts_with("resilient"));
        let limits = schema["definitions"]["Limits"]["properties"]
            .as_object()
            .unwrap();
        known.extend(limits.keys().map(|key| format!("METRIC.{key}")));
        known.sort_unstable();
        let mut told: Vec<_> = rows("Keys").into_iter().map(|row| row.0).collect();
        told.sort_unstable();
        assert_eq!(told, known);
    }

    #[test]
    fn the_guide_names_every_metric_with_its_unit_in_order() {
        let told = rows("Figures");
        assert_eq!(told.len(), Metric::ALL.len());
        for (metric, (name, row)) in Metric::ALL.iter().zip(&told) {
            assert_eq!(name, metric.name());
            let unit = match metric.unit() {
                Unit::Count => "| count |",
                Unit::Share => "| share |",
                Unit::Seconds => "| time |",
                Unit::PerSecond => "| per second |",
                Unit::PerCall => "| per call |",
            };
            assert!(row.contains(unit), "{row}");
            assert_eq!(
                row.contains("| whole trial |"),
                !metric.has_window(),
                "{row}"
            );
        }
    }
}
