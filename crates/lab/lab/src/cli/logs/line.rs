//! A line of a log, of whichever service, as a person reads it.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::output::{Console, Tone};
use crate::stage::Service;

/// Told elsewhere in the line, or of no use to a reader.
const LEFT_OUT: [&str; 7] = [
    "timestamp",
    "level",
    "message",
    "target",
    "span",
    "spans",
    "line_number",
];

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub(super) at: Timestamp,
    service: Service,
    level: String,
    text: String,
    fields: Vec<(String, String)>,
    /// Of the requests and traces it belongs to.
    ids: Vec<String>,
}

impl Line {
    /// Reads a line; one without a time of its own belongs to the one `before`.
    pub(super) fn read(service: Service, line: &str, before: Timestamp) -> Self {
        match serde_json::from_str(line) {
            Ok(Value::Object(told)) => Self::of_service(service, &told, before),
            _ => Self::of_postgres(service, line, before),
        }
    }

    fn of_service(service: Service, told: &Map<String, Value>, before: Timestamp) -> Self {
        let text = |key: &str| told.get(key).map(words).unwrap_or_default();
        let spans = told.get("spans").and_then(Value::as_array);
        let spans = spans.into_iter().flatten().filter_map(Value::as_object);
        let all = spans.chain([told]).flat_map(|fields| fields.iter());
        let is_id = |key: &str| matches!(key, "request_id" | "trace_id" | "correlation_id");
        let ids = all
            .filter(|(key, _)| is_id(key))
            .map(|(_, value)| words(value));
        let fields = told
            .iter()
            .filter(|(key, _)| !LEFT_OUT.contains(&key.as_str()));
        Self {
            at: text("timestamp").parse().unwrap_or(before),
            service,
            level: text("level"),
            text: text("message"),
            fields: fields
                .map(|(key, value)| (key.clone(), words(value)))
                .collect(),
            ids: ids.collect(),
        }
    }

    /// `2026-01-02 03:04:05.678 UTC [42] LOG:  text`, or anything else.
    fn of_postgres(service: Service, line: &str, before: Timestamp) -> Self {
        let read = || {
            let (time, rest) = line.split_once(" UTC ")?;
            let at = format!("{}Z", time.replace(' ', "T")).parse().ok()?;
            let (level, text) = rest.split_once("] ")?.1.split_once(':')?;
            Some((at, level.to_owned(), text.trim().to_owned()))
        };
        let (at, level, text) = read().unwrap_or((before, String::new(), line.to_owned()));
        Self {
            at,
            service,
            level,
            text,
            fields: Vec::new(),
            ids: Vec::new(),
        }
    }

    /// Whether it belongs to one of these requests or traces.
    pub(super) fn is_of(&self, ids: &[String]) -> bool {
        ids.iter().any(|id| self.ids.contains(id))
    }

    /// Whether it names this one.
    pub(super) fn names(&self, id: &str) -> bool {
        self.text.contains(id) || self.fields.iter().any(|(_, value)| value.contains(id))
    }

    pub(super) fn ids(&self) -> &[String] {
        &self.ids
    }

    pub(super) fn print(&self, console: Console) {
        let time = self.at.to_string();
        let time = time.split_once('T').map_or("", |(_, time)| time);
        let time: String = time.trim_end_matches('Z').chars().take(12).collect();
        let tone = match self.level.as_str() {
            "ERROR" | "FATAL" | "PANIC" => Tone::Bad,
            "WARN" | "WARNING" => Tone::Warning,
            "DEBUG" | "TRACE" => Tone::Faint,
            _ => Tone::Plain,
        };
        let fields: String = self
            .fields
            .iter()
            .map(|(key, value)| format!("  {key}={value}"))
            .collect();
        console.print(format_args!(
            "{} {} {} {}{}",
            console.paint(Tone::Faint, format!("{time:<12}")),
            console.paint(Tone::Strong, format!("{:<6}", self.service.name())),
            console.paint(tone, format!("{:<5}", self.level)),
            console.paint(tone, &self.text),
            console.paint(Tone::Faint, fields),
        ));
    }
}

fn words(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"timestamp":"2026-01-02T03:04:05.6Z","level":"WARN","message":"gone","dependency":"worker","spans":[{"name":"request","request_id":"r1","trace_id":"t1"}]}"#;

    #[test]
    fn a_services_line_has_its_time_its_fields_and_the_ids_of_its_spans() {
        let line = Line::read(Service::Api, LINE, Timestamp::UNIX_EPOCH);
        assert_eq!(line.at.to_string(), "2026-01-02T03:04:05.6Z");
        assert_eq!((&*line.level, &*line.text), ("WARN", "gone"));
        assert_eq!(
            line.fields,
            [("dependency".to_owned(), "worker".to_owned())]
        );
        assert_eq!(line.ids(), ["r1", "t1"]);
        assert!(line.is_of(&["t1".to_owned()]) && !line.is_of(&["r2".to_owned()]));
    }

    #[test]
    fn a_line_of_postgres_has_its_time_and_what_is_no_line_follows_the_one_before() {
        let told = "2026-01-02 03:04:05.678 UTC [42] LOG:  ready";
        let line = Line::read(Service::Db, told, Timestamp::UNIX_EPOCH);
        assert_eq!((&*line.level, &*line.text), ("LOG", "ready"));
        assert!(line.at > Timestamp::UNIX_EPOCH);
        let next = Line::read(Service::Db, "  and more", line.at);
        assert_eq!((next.at, &*next.text), (line.at, "  and more"));
    }
}
