//! The `Idempotency-Key` of a call, GET or POST: bare or quoted, as clients send it.

use actix_web::HttpRequest;
use holdfast_wire::ProblemCode;
use sfv::{BareItem, Item, Parser};

use super::problem::Failure;

const HEADER: &str = "idempotency-key";
const MAX_LENGTH: usize = 255;

/// The key, if there is one.
pub(super) fn read(request: &HttpRequest) -> Result<Option<String>, Failure> {
    let mut values = request.headers().get_all(HEADER);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(invalid("there must be one, not several"));
    }
    let text = value
        .to_str()
        .map_err(|_| invalid("it must be of visible ASCII characters"))?;
    parse(text.trim()).map(Some)
}

/// Quoted it is a string as structured fields have it (RFC 9651), with spaces and escapes; the same without them is the same key.
fn parse(text: &str) -> Result<String, Failure> {
    let bare = |text: &str| {
        let visible = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
        text.bytes().all(visible).then(|| text.to_owned())
    };
    let key = match text.starts_with('"') {
        true => quoted(text),
        false => bare(text),
    };
    key.filter(|key| (1..=MAX_LENGTH).contains(&key.len()))
        .ok_or_else(|| {
            invalid(&format!(
                "it must be 1 to {MAX_LENGTH} visible ASCII characters without quotes, backslashes and spaces, or a quoted string of them"
            ))
        })
}

fn quoted(text: &str) -> Option<String> {
    let item = Parser::new(text.as_bytes()).parse::<Item>().ok()?;
    match item.bare_item {
        BareItem::String(key) if item.params.is_empty() => Some(key.as_str().to_owned()),
        _ => None,
    }
}

fn invalid(detail: &str) -> Failure {
    Failure::new(ProblemCode::InvalidKey, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_key_is_the_same_as_a_bare_one() {
        assert_eq!(parse("order-17").unwrap(), "order-17");
        assert_eq!(parse("\"order-17\"").unwrap(), "order-17");
        assert_eq!(parse("\"order 17\"").unwrap(), "order 17");
        assert_eq!(parse(r#""a\"b\\""#).unwrap(), r#"a"b\"#);
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let long = "x".repeat(256);
        for bad in [
            "",
            "\"\"",
            "\"",
            "two words",
            "a\"b",
            "tab\there",
            "\"open",
            "\"a\" \"b\"",
            "\"a\";b=1",
            r#""a\b""#,
            "\"\u{e4}\"",
            &long,
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert!(parse(&long[..255]).is_ok());
    }
}
