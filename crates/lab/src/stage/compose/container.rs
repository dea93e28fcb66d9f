//! What `docker ps` says of the project's containers.

use super::engine::Engine;
use crate::error::LabError;
use crate::stage::{Condition, Service};

/// Tab-separated: which container, of which service, in which state, healthy or not, on which ports.
const FORMAT: &str =
    "{{.ID}}\t{{.Label \"com.docker.compose.service\"}}\t{{.State}}\t{{.Status}}\t{{.Ports}}";

/// One service's container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Container {
    pub(super) id: String,
    pub(super) service: Service,
    pub(super) condition: Condition,
    /// On the host.
    pub(super) port: Option<u16>,
}

impl Container {
    /// The project's containers, in the order in which a stage comes up.
    pub(super) async fn all(engine: &Engine) -> Result<Vec<Self>, LabError> {
        let mut found: Vec<Self> = engine
            .containers(FORMAT)
            .await?
            .lines()
            .filter_map(parse)
            .collect();
        found.sort_by_key(|container| {
            Service::ALL
                .iter()
                .position(|service| *service == container.service)
        });
        Ok(found)
    }

    pub(super) fn is_alive(&self) -> bool {
        self.condition != Condition::Dead
    }

    pub(super) fn is_paused(&self) -> bool {
        matches!(self.condition, Condition::Paused { .. })
    }

    pub(super) fn is_healthy(&self) -> bool {
        matches!(self.condition, Condition::Running { ill: None, .. })
    }
}

fn parse(line: &str) -> Option<Container> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [id, service, state, status, ports] = fields.as_slice() else {
        return None;
    };
    let service = Service::ALL
        .into_iter()
        .find(|known| known.name() == *service)?;
    let condition = match *state {
        "running" => Condition::Running {
            pid: None,
            ill: illness(status),
        },
        "paused" => Condition::Paused { pid: None },
        _ => Condition::Dead,
    };
    Some(Container {
        id: (*id).to_owned(),
        service,
        condition,
        port: published(ports),
    })
}

/// From `Up 2 minutes (health: starting)`; none: healthy.
fn illness(status: &str) -> Option<String> {
    match status
        .rsplit_once('(')
        .map(|(_, health)| health.trim_end_matches(')'))
    {
        Some("healthy") => None,
        Some("health: starting") => Some("is starting".to_owned()),
        Some(other) => Some(format!("is {other}")),
        None => Some("has no health check".to_owned()),
    }
}

/// From `127.0.0.1:8080->8080/tcp`.
fn published(ports: &str) -> Option<u16> {
    let (host, _) = ports.split_once("->")?;
    host.rsplit_once(':')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_docker_ps_tells_service_state_health_and_port() {
        let api =
            parse("4f\tapi\trunning\tUp 2 minutes (healthy)\t127.0.0.1:9000->8080/tcp").unwrap();
        assert_eq!(
            (api.service, api.port, api.is_healthy()),
            (Service::Api, Some(9000), true)
        );
        let starting =
            parse("4f\tworker\trunning\tUp 1 second (health: starting)\t8081/tcp").unwrap();
        assert_eq!(
            (starting.is_alive(), starting.is_healthy(), starting.port),
            (true, false, None)
        );
        let paused = parse("4f\tdb\tpaused\tUp 2 minutes (Paused)\t5432/tcp").unwrap();
        assert!(paused.is_paused() && paused.is_alive());
        let dead = parse("4f\tdb\texited\tExited (137) 3 seconds ago\t").unwrap();
        assert!(!dead.is_alive());
        assert_eq!(parse("4f\tsomething\trunning\tUp\t"), None);
    }
}
