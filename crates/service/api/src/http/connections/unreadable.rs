//! What the server under the routes refuses by itself, because it is no request: it writes a 400 without a body, of which no
//! route hears. The client reads a problem all the same.

use std::str::from_utf8;

use holdfast_wire::{Problem, ProblemCode};
use uuid::Uuid;

use super::super::problem::row;

const BARE: &[u8] = b"HTTP/1.1 400 Bad Request\r\n";
const DETAIL: &str =
    "it is no HTTP/1.1 request with one Host and one length, or its head is too large";

/// What to write in place of such a refusal; `None` where `written` is something else. What a route answers has an id.
pub(super) fn problem(written: &[u8]) -> Option<Vec<u8>> {
    let head = written.strip_prefix(BARE)?.strip_suffix(b"\r\n\r\n")?;
    let lines: Vec<&str> = from_utf8(head).ok()?.split("\r\n").collect();
    let line = |name: &str| {
        let is_it = |line: &&&str| {
            let found = line.split_once(':').map(|(found, _)| found);
            found.is_some_and(|it| it.eq_ignore_ascii_case(name))
        };
        lines.iter().find(is_it).copied()
    };
    if line("x-request-id").is_some() || line("content-length")? != "content-length: 0" {
        return None;
    }
    let (code, id) = (ProblemCode::InvalidRequest, Uuid::now_v7());
    let (status, title) = row(code);
    let problem = Problem {
        kind: Problem::kind_of(code),
        title: title.to_owned(),
        status: status.as_u16(),
        detail: DETAIL.to_owned(),
        code,
        request_id: id,
        degraded: None,
    };
    let body = serde_json::to_string(&problem).ok()?;
    let (date, length) = (line("date")?, body.len());
    let head = format!(
        "{date}\r\nconnection: close\r\ncontent-length: {length}\r\ncontent-type: application/problem+json\r\n\
         cache-control: no-store\r\nx-request-id: {id}\r\n\r\n"
    );
    Some([BARE, head.as_bytes(), body.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refusal_that_no_route_made_is_put_into_words() {
        let bare = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\ndate: Sat, 28 Nov 2026 21:00:00 GMT\r\n\r\n";
        let told = String::from_utf8(problem(bare.as_bytes()).unwrap()).unwrap();
        assert!(
            told.contains("\r\ndate: Sat, 28 Nov 2026 21:00:00 GMT\r\n"),
            "{told}"
        );
        let (_, body) = told.split_once("\r\n\r\n").unwrap();
        assert!(told.contains(&format!("content-length: {}\r\n", body.len())));
        let body: Problem = serde_json::from_str(body).unwrap();
        assert_eq!((body.status, body.code), (400, ProblemCode::InvalidRequest));
        for other in [
            bare.replace("400", "200"),
            bare.replace("date:", "x-request-id: 1\r\ndate:"),
            bare.replace("length: 0", "length: 5"),
            format!("{bare}more"),
        ] {
            assert_eq!(problem(other.as_bytes()), None, "{other}");
        }
    }
}
