//! The `Idempotency-Key` of a call, GET or POST: bare or quoted, as clients send it.

use actix_web::HttpRequest;
use holdfast_wire::ProblemCode;

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

fn parse(text: &str) -> Result<String, Failure> {
    let bare = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(text);
    let visible = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    if bare.is_empty() || bare.len() > MAX_LENGTH || !bare.bytes().all(visible) {
        return Err(invalid(&format!(
            "it must be 1 to {MAX_LENGTH} visible ASCII characters without quotes, backslashes and spaces"
        )));
    }
    Ok(bare.to_owned())
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
            &long,
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert!(parse(&long[..255]).is_ok());
    }
}
