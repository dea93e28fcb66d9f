//! Server-sent events as bytes.

use actix_web::web::Bytes;
use serde::Serialize;

/// One event. JSON has no line breaks of its own, so the data is one line.
pub(super) fn event(name: &str, data: &impl Serialize) -> Option<Bytes> {
    let data = serde_json::to_string(data).ok()?;
    Some(format!("event: {name}\ndata: {data}\n\n").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_its_name_and_one_line_of_data() {
        let bytes = event("live", &serde_json::json!({"text": "two\nlines"})).unwrap();
        assert_eq!(
            &bytes[..],
            b"event: live\ndata: {\"text\":\"two\\nlines\"}\n\n"
        );
    }
}
