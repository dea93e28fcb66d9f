//! `/openapi.json` against what is served.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::header::ALLOW;
use serde_json::Value;

use crate::support::{Api, System};

const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
/// The routes that clients are told of.
const CONTRACT: [&str; 16] = [
    "/",
    "/assets/{path}",
    "/events",
    "/livez",
    "/metrics",
    "/naive/process",
    "/openapi.json",
    "/policies",
    "/process",
    "/readyz",
    "/requests",
    "/requests/retry",
    "/requests/{id}",
    "/requests/{id}/cancel",
    "/requests/{id}/retry",
    "/status",
];

/// The methods of each path in the document, as `Allow` names them.
async fn documented(api: &Api) -> BTreeMap<String, Vec<String>> {
    let document: Value = api.get("/openapi.json").await.json().await.unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().unwrap();
    let methods = |item: &Value| -> Vec<String> {
        let methods = item.as_object().unwrap().keys();
        methods.map(|method| method.to_uppercase()).collect()
    };
    paths
        .iter()
        .map(|(path, item)| (path.clone(), methods(item)))
        .collect()
}

#[tokio::test]
async fn every_route_of_the_contract_is_documented() {
    let system = System::start().await;
    let documented = documented(&system.api).await;
    for path in CONTRACT {
        assert!(documented.contains_key(path), "{path}");
    }
}

#[tokio::test]
async fn what_is_documented_is_served_and_any_other_method_is_told_what_is() {
    let system = System::start().await;
    for (path, allowed) in documented(&system.api).await {
        let path = path.replace("{id}", "0198c0de-0000-7000-8000-000000000001");
        for method in METHODS {
            let answer = system.api.request(method, &path).send().await.unwrap();
            let allow = answer.headers().get(ALLOW);
            if allowed.iter().any(|it| it == method) {
                assert_ne!(answer.status(), 405, "{method} {path}");
                assert_eq!(allow, None, "{method} {path}");
            } else {
                assert_eq!(answer.status(), 405, "{method} {path}");
                assert_eq!(allow.unwrap(), &allowed.join(", "), "{method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn an_unknown_route_is_told_the_documented_ones() {
    let system = System::start().await;
    let problem: Value = system.api.get("/proces").await.json().await.unwrap();
    let named = problem["detail"].as_str().unwrap();
    for path in documented(&system.api).await.keys() {
        assert!(named.contains(path.as_str()), "{path} is not in {named:?}");
    }
}

#[tokio::test]
async fn a_client_generator_finds_names_tags_examples_and_a_server_for_every_operation() {
    let system = System::start().await;
    let document: Value = system.api.get("/openapi.json").await.json().await.unwrap();
    assert_eq!(document["servers"][0]["url"], "/");
    let tags = document["tags"].as_array().unwrap();
    let mut ids = BTreeSet::new();
    let paths = document["paths"].as_object().unwrap();
    for operation in paths
        .values()
        .flat_map(|item| item.as_object().unwrap().values())
    {
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id), "{id} is there twice");
        let tag = &operation["tags"][0];
        assert!(tags.iter().any(|it| &it["name"] == tag), "{id}: {tag}");
        let summary = operation["summary"].as_str().unwrap();
        assert!(!summary.is_empty(), "{id}");
        for parameter in operation["parameters"].as_array().unwrap() {
            assert!(parameter.get("example").is_some(), "{id}: {parameter}");
        }
    }
    let scheme = &document["components"]["securitySchemes"]["admin_token"];
    assert_eq!(scheme["scheme"], "bearer");
}

/// The schema's part for the value at `path`.
fn typed<'a>(schema: &'a Value, path: &str) -> &'a Value {
    let inner = |schema: &'a Value, key| &schema["properties"][key];
    &path.split('.').fold(schema, inner)["type"]
}

#[tokio::test]
async fn what_events_carry_and_every_key_of_the_policies_has_a_type() {
    let system = System::start().await;
    let document: Value = system.api.get("/openapi.json").await.json().await.unwrap();
    let schemas = &document["components"]["schemas"];
    for (path, kind) in [
        ("worker.breaker.open_for", "string"),
        ("worker.breaker.failure_rate", "number"),
        ("worker.retry.max_attempts", "integer"),
        ("worker.idempotent", "boolean"),
        ("database.pool.max_size", "integer"),
        ("idempotency.keep", "string"),
    ] {
        assert_eq!(typed(&schemas["PolicyTables"], path), kind, "{path}");
    }
    let tables = "#/components/schemas/PolicyTables";
    assert_eq!(
        schemas["Policies"]["properties"]["policies"]["$ref"],
        tables
    );
    let answer: Value = system.api.get("/policies").await.json().await.unwrap();
    every_key_is_typed(&answer["policies"], &schemas["PolicyTables"], "policies");
    every_key_is_typed(&answer["process"], &schemas["ProcessPolicy"], "process");
    let load = &schemas["Live"]["properties"]["load"]["$ref"];
    assert_eq!(load, "#/components/schemas/Load");
    assert_eq!(typed(&schemas["Transition"], "generation"), "integer");
}

fn every_key_is_typed(value: &Value, schema: &Value, path: &str) {
    let Some(keys) = value.as_object() else {
        assert!(schema.get("type").is_some(), "{path}");
        return;
    };
    for (key, value) in keys {
        every_key_is_typed(value, &schema["properties"][key], &format!("{path}.{key}"));
    }
}
