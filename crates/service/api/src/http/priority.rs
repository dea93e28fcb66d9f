//! `Priority: u=0` to `u=7` of RFC 9218: how urgent a call is. What is no priority counts as none, as the RFC wants it.

use actix_web::HttpRequest;
use actix_web::http::header::HeaderValue;
use holdfast_policy::Priority;
use ipnet::IpNet;
use sfv::{BareItem, Dictionary, ListEntry, Parser};

use super::client;

const HEADER: &str = "priority";

/// How urgent `request` is. Anybody may be less urgent than usual; more, only callers from the `trusted` networks.
pub(super) fn read(request: &HttpRequest, trusted: &[IpNet]) -> Priority {
    let fields = request.headers().get_all(HEADER);
    // Several fields are one list, RFC 9110 says.
    let fields: Vec<_> = fields.map(HeaderValue::as_bytes).collect();
    let asked = match fields.is_empty() {
        true => return Priority::USUAL,
        false => parse(&fields.join(&b", "[..])),
    };
    let is_trusted = || {
        let address = client::address(request);
        address.is_some_and(|address| trusted.iter().any(|network| network.contains(&address)))
    };
    match asked < Priority::USUAL && !is_trusted() {
        true => Priority::USUAL,
        false => asked,
    }
}

fn parse(field: &[u8]) -> Priority {
    let urgency = || {
        let dictionary = Parser::new(field).parse::<Dictionary>().ok()?;
        let ListEntry::Item(item) = dictionary.get("u")? else {
            return None;
        };
        let BareItem::Integer(urgency) = item.bare_item else {
            return None;
        };
        u8::try_from(i64::from(urgency)).ok().filter(|it| *it <= 7)
    };
    urgency().map_or(Priority::USUAL, Priority::new)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn urgency_is_an_integer_from_0_to_7_and_all_else_is_the_usual_one() {
        for (field, urgency) in [
            ("u=0", 0),
            ("u=7, i", 7),
            ("i,u=5;x=1", 5),
            ("u=1, u=6", 6),
            ("", 3),
            ("i", 3),
            ("u", 3),
            ("u=8", 3),
            ("u=-1", 3),
            ("u=1.0", 3),
            ("u=\"1\"", 3),
            ("u=(1)", 3),
            ("u=1,", 3),
            ("U=1", 3),
            ("u=99999999999999999999", 3),
            ("\u{fc}=1", 3),
        ] {
            assert_eq!(parse(field.as_bytes()), Priority::new(urgency), "{field}");
        }
    }

    #[test]
    fn only_the_trusted_are_more_urgent_than_usual_and_anybody_may_be_less() {
        let asking = |from: &str, field: &str| {
            let request = TestRequest::default().peer_addr(from.parse().unwrap());
            let request = request.insert_header((HEADER, field)).to_http_request();
            read(&request, &["10.0.0.0/8".parse().unwrap()])
        };
        assert_eq!(asking("10.1.2.3:1", "u=1"), Priority::new(1));
        assert_eq!(asking("[::ffff:10.1.2.3]:1", "u=1"), Priority::new(1));
        assert_eq!(asking("11.1.2.3:1", "u=1"), Priority::USUAL);
        assert_eq!(asking("11.1.2.3:1", "u=6"), Priority::new(6));
    }
}
