//! The places where the database may be.

use std::net::IpAddr;

use tokio_postgres::Config;
use tokio_postgres::config::Host;

use super::database::DatabaseUrlError;

/// One place where the database may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    /// Its name, which its certificate must bear where that is looked at.
    pub(super) host: String,
    /// Its address, where the name need not be resolved.
    pub(super) address: Option<IpAddr>,
    pub(super) port: u16,
}

/// Those of `config`, in its order.
pub(super) fn nodes(config: &Config) -> Result<Vec<Node>, DatabaseUrlError> {
    let hosts: Vec<Option<String>> = config
        .get_hosts()
        .iter()
        .map(|host| match host {
            Host::Tcp(name) => Ok(Some(name.clone())),
            Host::Unix(_) => Err(DatabaseUrlError::value(
                "host",
                "must be a TCP host, not a socket's path",
            )),
        })
        .collect::<Result<_, DatabaseUrlError>>()?;
    let addresses = config.get_hostaddrs();
    let ports = config.get_ports();
    let count = hosts.len().max(addresses.len());
    if count == 0 {
        return Err(DatabaseUrlError::value("host", "must be given"));
    }
    let fits = |given: usize| given == 0 || given == count;
    if !fits(hosts.len()) || !fits(addresses.len()) {
        let problem = "must be as many as there are hosts";
        return Err(DatabaseUrlError::value("hostaddr", problem));
    }
    if ports.len() > 1 && ports.len() != count {
        let problem = "must be one, or as many as there are hosts";
        return Err(DatabaseUrlError::value("port", problem));
    }
    let node = |index: usize| {
        let address = addresses.get(index).copied();
        let host = hosts.get(index).cloned().flatten();
        Node {
            host: host
                .or_else(|| address.map(|it| it.to_string()))
                .unwrap_or_default(),
            address,
            port: ports.get(index).or(ports.first()).copied().unwrap_or(5432),
        }
    };
    Ok((0..count).map(node).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_port_serves_all_hosts_and_an_address_can_stand_alone() {
        let nodes_of = |text: &str| nodes(&text.parse().unwrap()).unwrap();
        assert!(
            nodes_of("host=a,b port=7")
                .iter()
                .all(|node| node.port == 7)
        );
        assert_eq!(nodes_of("hostaddr=10.0.0.1")[0].host, "10.0.0.1");
    }
}
