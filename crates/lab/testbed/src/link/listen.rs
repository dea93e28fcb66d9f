//! A link's argument: its name, where it listens, where it leads.

use std::net::SocketAddr;
use std::str::FromStr;

/// `NAME=ADDRESS:PORT=HOST:PORT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// What the controller calls it.
    pub name: String,
    pub address: SocketAddr,
    /// Where they are led, `host:port`.
    pub upstream: String,
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            "give NAME=ADDRESS:PORT=HOST:PORT, such as worker=0.0.0.0:8081=worker:8081".to_owned()
        };
        let (name, rest) = text.split_once('=').ok_or_else(wrong)?;
        let (address, upstream) = rest.split_once('=').ok_or_else(wrong)?;
        let (host, port) = upstream.rsplit_once(':').ok_or_else(wrong)?;
        if name.is_empty() || host.is_empty() || !port.parse::<u16>().is_ok_and(|port| port > 0) {
            return Err(wrong());
        }
        Ok(Self {
            name: name.to_owned(),
            address: address.parse().map_err(|_| wrong())?,
            upstream: upstream.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_has_a_name_an_address_and_somewhere_to_lead() {
        let link: Listen = "worker=0.0.0.0:8081=worker:8081".parse().unwrap();
        assert_eq!((link.name.as_str(), link.address.port()), ("worker", 8081));
        assert_eq!(link.upstream, "worker:8081");
        for bad in [
            "worker",
            "worker=0.0.0.0:1",
            "=0.0.0.0:1=a:1",
            "w=here:1=a:1",
            "w=0.0.0.0:1=a",
            "w=0.0.0.0:1=a:0",
        ] {
            assert!(bad.parse::<Listen>().is_err(), "{bad}");
        }
    }
}
