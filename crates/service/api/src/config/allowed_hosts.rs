//! Under which names the API answers.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use holdfast_ops::{Environment, EnvironmentError};

const NAME: &str = "HOLDFAST_ALLOWED_HOSTS";

/// What a client that asks by `http` means and does not write.
pub(crate) const HTTP_PORT: &str = "80";

/// The names that a request's `Host` may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedHosts(Rule);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Rule {
    Any,
    Loopback,
    /// With a port, only that one.
    Named(Arc<[String]>),
}

impl AllowedHosts {
    /// Those the operator names; else loopback's if that is all it listens on, else any.
    ///
    /// # Errors
    /// When what is named is no host.
    pub(super) fn read(
        environment: &Environment,
        bind: SocketAddr,
    ) -> Result<Self, EnvironmentError> {
        let Some(text) = environment.get(NAME) else {
            let loopback = bind.ip().is_loopback();
            return Ok(Self(if loopback { Rule::Loopback } else { Rule::Any }));
        };
        let names: Vec<_> = text.split(',').map(|it| it.trim().to_owned()).collect();
        if names.iter().any(|it| it == "*") {
            return Ok(Self(Rule::Any));
        }
        let is_name = |name: &String| {
            let wrong = |it: char| it.is_whitespace() || "/@?#*".contains(it);
            !name.is_empty() && !name.contains(wrong)
        };
        if names.iter().all(is_name) {
            return Ok(Self(Rule::Named(names.into())));
        }
        Err(EnvironmentError::Invalid {
            name: NAME,
            value: text.to_owned(),
            problem: "give names or addresses, with a port or without, between commas; * for any"
                .to_owned(),
        })
    }

    /// Whether a request may name `host`, whose port may be left out.
    pub(crate) fn contains(&self, host: &str) -> bool {
        match &self.0 {
            Rule::Any => true,
            Rule::Loopback => is_loopback(split(host).0),
            Rule::Named(_) => self.names(host, HTTP_PORT),
        }
    }

    /// Whether the operator named `host`, which means `default_port` where it has none: a client leaves out the usual one.
    pub(crate) fn names(&self, host: &str, default_port: &str) -> bool {
        let Rule::Named(names) = &self.0 else {
            return false;
        };
        let (name, port) = split(host);
        let port = port.unwrap_or(default_port);
        names.iter().map(|it| split(it)).any(|(ours, wanted)| {
            ours.eq_ignore_ascii_case(name) && wanted.is_none_or(|wanted| wanted == port)
        })
    }
}

/// `host` without the brackets around an IPv6 address, and its port.
pub(crate) fn split(host: &str) -> (&str, Option<&str>) {
    if let Some((address, rest)) = host.strip_prefix('[').and_then(|it| it.split_once(']')) {
        return (address, rest.strip_prefix(':'));
    }
    match host.split_once(':') {
        Some((name, port)) if !port.contains(':') => (name, Some(port)),
        _ => (host, None),
    }
}

fn is_loopback(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|it| it.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bind: &str, named: &str) -> Result<AllowedHosts, EnvironmentError> {
        let environment = Environment::from([(NAME, named)]);
        AllowedHosts::read(&environment, bind.parse().unwrap())
    }

    #[test]
    fn on_loopback_only_its_names_are_answered_and_elsewhere_any() {
        let loopback = read("127.0.0.1:8080", "").unwrap();
        for host in [
            "localhost",
            "LOCALHOST:1",
            "127.0.0.1:8080",
            "127.8.9.1",
            "[::1]:80",
            "localhost.",
        ] {
            assert!(loopback.contains(host), "{host}");
        }
        for host in [
            "example.com",
            "localhost.example.com",
            "10.0.0.1",
            "",
            "[::2]",
            "127.0.0.1.example.com",
        ] {
            assert!(!loopback.contains(host), "{host}");
        }
        assert!(read("0.0.0.0:8080", "").unwrap().contains("example.com"));
    }

    #[test]
    fn named_ones_are_answered_by_any_port_unless_one_is_named() {
        let named = read("127.0.0.1:1", "Example.com, api:8080,[::1]").unwrap();
        for host in ["example.com", "EXAMPLE.com:9", "api:8080", "[::1]:80"] {
            assert!(
                named.contains(host) && named.names(host, HTTP_PORT),
                "{host}"
            );
        }
        for host in ["localhost", "api", "api:80", "a.example.com"] {
            assert!(!named.contains(host), "{host}");
        }
        assert!(read("127.0.0.1:1", "*").unwrap().contains("any"));
    }

    #[test]
    fn a_host_without_a_port_is_the_one_on_port_80() {
        let named = read("127.0.0.1:1", "localhost:80,[::1]:80,api:8080").unwrap();
        for host in ["localhost", "localhost:80", "[::1]", "[::1]:80"] {
            assert!(named.contains(host), "{host}");
        }
        for host in ["localhost:8080", "[::1]:443", "api", "api:80"] {
            assert!(!named.contains(host), "{host}");
        }
        assert!(!named.names("localhost", "443"));
    }

    /// As both generations of Compose put in what is set, which only the newer does inside of a default.
    fn on_compose(port: &str, named: &str) -> AllowedHosts {
        let compose = include_str!("../../../../../deploy/compose.yml");
        let key = format!("{NAME}: ");
        let value = compose.lines().find_map(|it| it.trim().strip_prefix(&key));
        let value = value
            .unwrap()
            .replace("${API_PORT:-8080}", port)
            .replace("${HOLDFAST_ALLOWED_HOSTS:-api:8080}", named);
        assert!(!value.contains('$'), "{value}");
        read("0.0.0.0:8080", &value).unwrap()
    }

    #[test]
    fn on_compose_loopbacks_names_are_answered_on_the_published_port_and_the_operators_beside_them()
    {
        let alone = on_compose("80", "api:8080");
        for host in ["localhost", "127.0.0.1:80", "[::1]", "api:8080"] {
            assert!(alone.contains(host), "{host}");
        }
        for host in ["localhost:8080", "example.com"] {
            assert!(!alone.contains(host), "{host}");
        }
        let named = on_compose("8080", "example.com");
        assert!(named.contains("example.com") && named.contains("localhost:8080"));
        assert!(on_compose("8080", "*").contains("any"));
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for bad in ["http://x", "a,,b", "two words", "*.example.com", "me@x"] {
            assert!(read("127.0.0.1:1", bad).is_err(), "{bad}");
        }
    }
}
