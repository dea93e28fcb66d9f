//! What an engine says of the stage's containers.

use std::collections::BTreeMap;

use serde::Deserialize;
use tokio::process::Command;

use super::{Condition, Service, program};
use crate::error::SystemError;

const COMPOSE: &str = "com.docker.compose.service";
/// With the stack's name before it.
const SWARM: &str = "com.docker.swarm.service.name";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Container {
    pub(super) id: String,
    pub(super) service: Service,
    pub(super) condition: Condition,
    /// By which it ended, if it did.
    pub(super) exit_code: Option<i32>,
    pub(super) port: Option<u16>,
}

/// What `docker inspect` tells, as far as it matters here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
    id: String,
    config: Config,
    state: State,
    #[serde(default)]
    network_settings: Network,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Config {
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct State {
    status: String,
    #[serde(default)]
    exit_code: i32,
    health: Option<Health>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Health {
    status: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Network {
    ports: Option<BTreeMap<String, Option<Vec<Binding>>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Binding {
    host_port: String,
}

impl Container {
    /// From what `docker inspect` printed, in the order in which a stage comes up.
    pub(super) fn read(told: &str) -> Result<Vec<Self>, SystemError> {
        let all: Result<Vec<Inspected>, _> = serde_json::from_str(told);
        let all = all.map_err(|error| SystemError::Program {
            command: "docker inspect".to_owned(),
            output: error.to_string(),
        })?;
        let mut found: Vec<Self> = all.into_iter().filter_map(container).collect();
        found.sort_by_key(|one| Service::ALL.iter().position(|it| *it == one.service));
        Ok(found)
    }

    /// Those that an engine lists, `which` being arguments of `docker ps`.
    pub(super) async fn list(
        docker: impl Fn(&[&str]) -> Command,
        which: &[&str],
    ) -> Result<Vec<Self>, SystemError> {
        let list = [&["ps", "--no-trunc", "--quiet"][..], which].concat();
        let ids = program::printed(docker(&list)).await?;
        let ids: Vec<&str> = ids.lines().collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let inspect = [&["inspect", "--type", "container"][..], &ids].concat();
        Self::read(&program::printed(docker(&inspect)).await?)
    }

    pub(super) fn is_alive(&self) -> bool {
        self.condition != Condition::Dead
    }

    pub(super) fn is_paused(&self) -> bool {
        matches!(self.condition, Condition::Paused { .. })
    }

    pub(super) fn is_healthy(&self) -> bool {
        self.condition.is_healthy()
    }
}

/// None: it is of no service of ours.
fn container(told: Inspected) -> Option<Container> {
    let labels = told.config.labels.unwrap_or_default();
    let service = match labels.get(COMPOSE) {
        Some(name) => service(name)?,
        None => service(labels.get(SWARM)?.rsplit('_').next()?)?,
    };
    let condition = match told.state.status.as_str() {
        "running" => Condition::Running {
            pid: None,
            ill: illness(told.state.health.as_ref()),
        },
        "paused" => Condition::Paused { pid: None },
        _ => Condition::Dead,
    };
    let ports = told.network_settings.ports.unwrap_or_default();
    let mut bindings = ports.into_values().flatten().flatten();
    Some(Container {
        id: told.id,
        service,
        exit_code: (condition == Condition::Dead).then_some(told.state.exit_code),
        condition,
        port: bindings.find_map(|binding| binding.host_port.parse().ok()),
    })
}

/// By its name in Compose, or in a Swarm, where each node of Postgres is a service of its own.
fn service(name: &str) -> Option<Service> {
    let is_postgres = name.starts_with("postgres");
    let mut known = Service::ALL.into_iter();
    known.find(|known| known.name() == name || (*known == Service::Db && is_postgres))
}

/// None: healthy.
fn illness(health: Option<&Health>) -> Option<String> {
    match health.map(|health| health.status.as_str()) {
        Some("healthy") => None,
        Some("starting") => Some("is starting".to_owned()),
        Some(other) => Some(format!("is {other}")),
        None => Some("has no health check".to_owned()),
    }
}

/// As an engine would tell of one container.
#[cfg(test)]
fn labelled(label: &str, service: &str, state: &str, ports: &str) -> Option<Container> {
    let labels = format!(r#"{{"{label}":"{service}"}}"#);
    let network = format!(r#"{{"Ports":{ports}}}"#);
    let told = format!(
        r#"[{{"Id":"4f","Config":{{"Labels":{labels}}},"State":{state},"NetworkSettings":{network}}}]"#
    );
    Container::read(&told).unwrap().pop()
}

/// A task of a Swarm.
#[cfg(test)]
pub(super) fn task(service: &str, state: &str) -> Option<Container> {
    labelled(SWARM, &format!("holdfast_{service}"), state, "{}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(service: &str, state: &str, ports: &str) -> Option<Container> {
        labelled(COMPOSE, service, state, ports)
    }

    #[test]
    fn a_task_of_a_swarm_is_known_by_the_service_it_is_of() {
        let of = |name: &str| Some(task(name, r#"{"Status":"exited"}"#)?.service);
        assert_eq!(of("worker"), Some(Service::Worker));
        assert_eq!(of("postgres2"), Some(Service::Db));
        assert_eq!(of("etcd2"), None);
    }

    #[tokio::test]
    async fn what_an_engine_lists_is_inspected_and_where_it_lists_nothing_there_is_nothing() {
        let state = r#"{"Status":"running"}"#;
        let listed = async |ids: &str| {
            let labels = format!(r#"{{"{COMPOSE}":"api"}}"#);
            let told = format!(r#"[{{"Id":"4f","Config":{{"Labels":{labels}}},"State":{state}}}]"#);
            let docker = |words: &[&str]| match words {
                ["ps", "--no-trunc", "--quiet", "--all"] => program::command("printf", [ids]),
                ["inspect", "--type", "container", "4f"] => program::command("echo", [&told]),
                _ => program::command("false", words),
            };
            Container::list(docker, &["--all"]).await.unwrap()
        };
        assert_eq!(listed("4f\n").await[0].service, Service::Api);
        assert_eq!(listed("").await, []);
    }

    #[test]
    fn what_the_engine_tells_gives_service_state_health_and_port() {
        let bound = r#"{"8080/tcp":[{"HostIp":"127.0.0.1","HostPort":"9000"}],"1/tcp":null}"#;
        let healthy = r#"{"Status":"running","ExitCode":0,"Health":{"Status":"healthy"}}"#;
        let api = one("api", healthy, bound).unwrap();
        assert_eq!(
            (api.service, api.port, api.is_healthy()),
            (Service::Api, Some(9000), true)
        );
        let starting = r#"{"Status":"running","Health":{"Status":"starting"}}"#;
        let starting = one("worker", starting, "{}").unwrap();
        assert_eq!(
            (starting.is_alive(), starting.is_healthy(), starting.port),
            (true, false, None)
        );
        let paused = one("db", r#"{"Status":"paused"}"#, "null").unwrap();
        assert!(paused.is_paused() && paused.is_alive());
        let dead = one("db", r#"{"Status":"exited","ExitCode":64}"#, "{}").unwrap();
        assert_eq!((dead.is_alive(), dead.exit_code), (false, Some(64)));
        assert_eq!(one("something", healthy, "{}"), None);
        assert!(Container::read("no json").is_err());
    }
}
