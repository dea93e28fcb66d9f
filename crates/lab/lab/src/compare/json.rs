//! JSON laid out for reading in a narrow column: members in their own order, on one line where that fits.

use std::fmt;

use indexmap::IndexMap;
use serde::Deserialize;

const INDENT: usize = 2;

/// JSON with the order of its members kept, which `serde_json::Value` does not.
#[derive(Deserialize)]
#[serde(untagged)]
enum Json {
    Object(IndexMap<String, Json>),
    List(Vec<Json>),
    Leaf(serde_json::Value),
}

/// The text laid out in lines of at most `width` columns where that is possible; none: it is not JSON.
pub(super) fn lay_out(text: &str, width: usize) -> Option<Vec<String>> {
    let json: Json = serde_json::from_str(text).ok()?;
    let mut lines = Vec::new();
    json.write(&mut lines, String::new(), 0, "", width);
    Some(lines)
}

impl Json {
    /// Appends the lines of this value: `start` goes before the first, `end` after the last.
    fn write(&self, lines: &mut Vec<String>, start: String, depth: usize, end: &str, width: usize) {
        let line = format!("{start}{self}{end}");
        let items: Vec<(String, &Self)> = match self {
            Self::List(items) => items.iter().map(|item| (String::new(), item)).collect(),
            Self::Object(members) => members
                .iter()
                .map(|(name, value)| (format!("{}: ", quoted(name)), value))
                .collect(),
            Self::Leaf(_) => Vec::new(),
        };
        // A whole body on one line is hard to read even where it fits.
        if items.is_empty() || (depth > 0 && line.chars().count() <= width) {
            lines.push(line);
            return;
        }
        let (open, close) = match self {
            Self::List(_) => ('[', ']'),
            Self::Object(_) | Self::Leaf(_) => ('{', '}'),
        };
        lines.push(format!("{start}{open}"));
        let last = items.len() - 1;
        for (index, (name, value)) in items.into_iter().enumerate() {
            let start = format!("{}{name}", " ".repeat((depth + 1) * INDENT));
            let end = if index == last { "" } else { "," };
            value.write(lines, start, depth + 1, end, width);
        }
        lines.push(format!("{}{close}{end}", " ".repeat(depth * INDENT)));
    }
}

/// On one line.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leaf(value) => value.fmt(f),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(ToString::to_string).collect();
                write!(f, "[{}]", items.join(", "))
            }
            Self::Object(members) => {
                let member = |(name, value): (&String, &Self)| format!("{}: {value}", quoted(name));
                let members: Vec<String> = members.iter().map(member).collect();
                write!(f, "{{{}}}", members.join(", "))
            }
        }
    }
}

fn quoted(name: &str) -> serde_json::Value {
    serde_json::Value::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order_and_small_ones_share_a_line() {
        let text = r#"{"worker_response":{"status":"done"},"latency_seconds":2.01,"list":[]}"#;
        let expected = [
            "{",
            "  \"worker_response\": {\"status\": \"done\"},",
            "  \"latency_seconds\": 2.01,",
            "  \"list\": []",
            "}",
        ];
        assert_eq!(lay_out(text, 60).unwrap(), expected);
    }

    #[test]
    fn what_does_not_fit_is_broken_at_its_members() {
        let text = r#"{"degraded":[{"code":"worker_unavailable","reason":"circuit_open"}]}"#;
        let expected = [
            "{",
            "  \"degraded\": [",
            "    {",
            "      \"code\": \"worker_unavailable\",",
            "      \"reason\": \"circuit_open\"",
            "    }",
            "  ]",
            "}",
        ];
        assert_eq!(lay_out(text, 40).unwrap(), expected);
    }

    #[test]
    fn what_is_no_json_is_left_to_others() {
        assert_eq!(lay_out("Internal Server Error", 40), None);
    }
}
