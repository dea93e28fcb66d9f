//! The queries of a Grafana dashboard: of its panels, in rows or not, and of its variables.

use std::fmt;

use serde_json::Value;

/// What a user's choice and Grafana itself put in place of variables. Four scrapes are what Grafana makes of a rate's
/// interval.
const VARIABLES: [(&str, &str); 3] = [
    ("$__rate_interval", "4s"),
    ("$__interval", "1s"),
    ("$instance", ".*"),
];

/// A query and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Query {
    /// The panel's title, or the variable's name.
    pub(super) of: String,
    /// In PromQL, without variables.
    pub(super) expr: String,
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.of, self.expr)
    }
}

/// Every query of the dashboard.
///
/// # Errors
/// When it is none, a panel asks nothing, or a query has a variable that nothing stands for.
pub(super) fn queries(dashboard: &str) -> Result<Vec<Query>, String> {
    let dashboard: Value = serde_json::from_str(dashboard).map_err(|error| error.to_string())?;
    let mut queries = Vec::new();
    of_panels(&dashboard, &mut queries)?;
    for variable in items(&dashboard["templating"], "list") {
        let name = variable["name"].as_str().unwrap_or("a variable");
        let asked = variable["query"]["query"].as_str();
        if let Some(metric) = asked.and_then(label_values) {
            queries.push(query(name, metric)?);
        }
    }
    if queries.is_empty() {
        return Err("it asks nothing".to_owned());
    }
    Ok(queries)
}

fn of_panels(parent: &Value, queries: &mut Vec<Query>) -> Result<(), String> {
    for panel in items(parent, "panels") {
        let title = panel["title"].as_str().unwrap_or("a panel");
        let before = queries.len();
        for target in items(panel, "targets") {
            let expr = target["expr"].as_str();
            let expr = expr.ok_or_else(|| format!("{title}: a target without an expr"))?;
            queries.push(query(title, expr)?);
        }
        of_panels(panel, queries)?;
        if queries.len() == before && panel["type"] != "text" {
            return Err(format!("{title}: it asks nothing"));
        }
    }
    Ok(())
}

fn items<'a>(parent: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    parent[key].as_array().into_iter().flatten()
}

/// The metric of `label_values(metric, label)`.
fn label_values(query: &str) -> Option<&str> {
    let inner = query.strip_prefix("label_values(")?.strip_suffix(')')?;
    inner.rsplit_once(',').map(|(metric, _)| metric)
}

fn query(of: &str, expr: &str) -> Result<Query, String> {
    let mut expr = expr.to_owned();
    for (variable, value) in VARIABLES {
        expr = expr.replace(variable, value);
    }
    if expr.contains('$') {
        return Err(format!("{of}: nothing stands for a variable of {expr}"));
    }
    let of = of.to_owned();
    Ok(Query { of, expr })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn queries_are_found_in_panels_rows_and_variables_and_their_variables_filled_in() {
        let dashboard = json!({
            "panels": [
                {"title": "a", "targets": [{"expr": "rate(x{i=~\"$instance\"}[$__rate_interval])"}, {"expr": "y"}]},
                {"title": "row", "type": "row", "panels": [{"title": "b", "targets": [{"expr": "z"}]}]},
            ],
            "templating": {"list": [
                {"name": "instance", "query": {"query": "label_values(up{job=\"a\"}, instance)"}},
                {"name": "datasource", "query": "prometheus"},
            ]},
        });
        let found = queries(&dashboard.to_string()).unwrap();
        let shown: Vec<_> = found.iter().map(ToString::to_string).collect();
        let first = "a: rate(x{i=~\".*\"}[4s])";
        assert_eq!(shown, [first, "a: y", "b: z", "instance: up{job=\"a\"}"]);
    }

    #[test]
    fn a_dashboard_that_asks_nothing_or_what_nobody_can_answer_is_refused() {
        let with = |panel: Value| queries(&json!({"panels": [panel]}).to_string());
        assert!(with(json!({"title": "a", "targets": []})).is_err());
        assert!(with(json!({"title": "a", "targets": [{"expr": "x[$other]"}]})).is_err());
        assert!(with(json!({"title": "a", "targets": [{"query": "x"}]})).is_err());
        assert!(queries("{}").is_err() && queries("[").is_err());
    }
}
