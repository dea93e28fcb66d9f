//! What the server under the routes refuses by itself, because it is no request: it writes a 400 or, for a head that is too large,
//! a 431, without a body, and no route hears of it. The client reads a problem all the same, unless a call before it on the same
//! connection is still under way: then that server ends the connection, without an answer to either.

use std::str::from_utf8;

use holdfast_wire::{Problem, ProblemCode};
use uuid::Uuid;

use super::super::problem::row;

const BARE: [&[u8]; 2] = [
    b"HTTP/1.1 400 Bad Request\r\n",
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n",
];
const DETAIL: &str =
    "it is no HTTP/1.1 request with one Host and one length, or its head is too large";

/// Longer than such a refusal is, by far.
const LONGEST: usize = 256;

/// What to write in place of `written`, where that ends with such a refusal; answers to requests pipelined before it stay as
/// they are. `None` where it ends otherwise. What a route answers has an id.
pub(super) fn told(written: &[u8]) -> Option<Vec<u8>> {
    if !written.ends_with(b"\r\n\r\n") {
        return None;
    }
    // No answer's body is mistaken for one: JSON has no bare line ends in its texts.
    let start = written.len().saturating_sub(LONGEST);
    let tail = written.get(start..)?;
    let last = |bare: &[u8]| tail.windows(bare.len()).rposition(|it| it == bare);
    let (at, bare) = BARE
        .iter()
        .find_map(|bare| Some((start + last(bare)?, bare)))?;
    let (answers, refusal) = written.split_at_checked(at)?;
    let problem = problem(refusal.strip_prefix(*bare)?)?;
    Some([answers, &problem].concat())
}

/// In place of a refusal with these `headers`.
fn problem(headers: &[u8]) -> Option<Vec<u8>> {
    let head = headers.strip_suffix(b"\r\n\r\n")?;
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
        "HTTP/1.1 400 Bad Request\r\n{date}\r\nconnection: close\r\ncontent-length: {length}\r\ncontent-type: application/problem+json\r\n\
         cache-control: no-store\r\nx-request-id: {id}\r\n\r\n"
    );
    Some([head.as_bytes(), body.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refusal_that_no_route_made_is_put_into_words() {
        let bare = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\ndate: Sat, 28 Nov 2026 21:00:00 GMT\r\n\r\n";
        let words = String::from_utf8(told(bare.as_bytes()).unwrap()).unwrap();
        assert!(
            words.contains("\r\ndate: Sat, 28 Nov 2026 21:00:00 GMT\r\n"),
            "{words}"
        );
        let (_, body) = words.split_once("\r\n\r\n").unwrap();
        assert!(words.contains(&format!("content-length: {}\r\n", body.len())));
        let body: Problem = serde_json::from_str(body).unwrap();
        assert_eq!((body.status, body.code), (400, ProblemCode::InvalidRequest));
        for other in [
            bare.replace("400", "200"),
            bare.replace("date:", "x-request-id: 1\r\ndate:"),
            bare.replace("length: 0", "length: 5"),
            format!("{bare}more"),
        ] {
            assert_eq!(told(other.as_bytes()), None, "{other}");
        }
    }
    #[test]
    fn answers_written_together_with_a_refusal_stay_as_they_are() {
        let bare = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\ndate: Sat, 28 Nov 2026 21:00:00 GMT\r\n\r\n";
        let large = bare.replace("400 Bad Request", "431 Request Header Fields Too Large");
        let long = format!("HTTP/1.1 200 OK\r\n\r\n\"{}\"", "x".repeat(1000));
        for answer in ["HTTP/1.1 204 No Content\r\n\r\n", "rest of a body", &long] {
            for refusal in [bare, &large] {
                let words = told(format!("{answer}{refusal}").as_bytes()).unwrap();
                let words = String::from_utf8(words).unwrap();
                let (kept, refusal) = words.split_at(answer.len());
                assert_eq!(kept, answer);
                assert!(refusal.starts_with("HTTP/1.1 400 Bad Request\r\n"));
                assert!(refusal.contains("invalid_request"), "{refusal}");
            }
            assert_eq!(told(answer.as_bytes()), None, "{answer}");
        }
    }
}
