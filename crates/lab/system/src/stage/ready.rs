//! Waiting until a service's process is ready, and finding out why it never is.

use std::path::Path;
use std::time::Duration;

use super::{AdminClient, Service};
use crate::error::SystemError;
use crate::logs;
use crate::process::{Launched, ProcessTree};
use crate::wait::Patience;

const READY: Patience = Patience::new(Duration::from_secs(20), Duration::from_millis(10));
const LOG_LINES: usize = 10;
/// The exit code by which a service refuses its configuration.
pub(super) const BAD_CONFIGURATION: i32 = 64;

/// A service's process: whose it is, who belongs to it, where it answers and logs.
#[derive(Debug)]
pub(super) struct Awaited<'a> {
    pub(super) service: Service,
    pub(super) tree: &'a ProcessTree,
    pub(super) probe: &'a AdminClient,
    pub(super) log: &'a Path,
    /// As it was started, if it was just now.
    pub(super) launched: Option<Launched>,
}

impl Awaited<'_> {
    /// Returns once it answers that it is ready.
    pub(super) async fn ready(mut self) -> Result<(), SystemError> {
        let mut wait = READY.begin();
        while let Err(problem) = self.probe.ready().await {
            if let Some(error) = self.ended() {
                return Err(error);
            }
            if wait.is_over().await {
                return Err(self.unhealthy(problem));
            }
        }
        Ok(())
    }

    /// Why it does not run any more; none: it runs.
    fn ended(&mut self) -> Option<SystemError> {
        let status = self.launched.as_mut().and_then(Launched::ended);
        match status {
            Some(status) if status.code() == Some(BAD_CONFIGURATION) => {
                Some(SystemError::Refused(refusal(self.service, &self.said())))
            }
            Some(status) => Some(self.unhealthy(format!("ended ({status})"))),
            None if self.tree.is_alive() => None,
            None => Some(self.unhealthy("ended".to_owned())),
        }
    }

    fn said(&self) -> Vec<String> {
        match &self.launched {
            Some(launched) => launched.said(LOG_LINES),
            None => logs::tail(self.log, LOG_LINES),
        }
    }

    fn unhealthy(&self, problem: String) -> SystemError {
        SystemError::Unhealthy {
            service: self.service,
            problem,
            log: self.said(),
            file: Some(self.log.to_owned()),
        }
    }
}

/// What a service says when it refuses its configuration: its last line of the kind `holdfast-api: …`, and what follows.
pub(super) fn refusal(service: Service, said: &[String]) -> String {
    let name = format!("holdfast-{service}: ");
    let own = said.iter().rposition(|line| line.starts_with(&name));
    let words = &said[own.unwrap_or(said.len().saturating_sub(1))..];
    if words.is_empty() {
        return format!("{name}refuses its configuration without a word");
    }
    words.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_the_services_own_words_without_the_lines_before() {
        let said = |lines: &[&str]| {
            lines
                .iter()
                .map(|line| (*line).to_owned())
                .collect::<Vec<_>>()
        };
        let all = said(&[
            "{\"level\":\"INFO\"}",
            "holdfast-api: bad configuration: x",
            "  see y",
        ]);
        assert_eq!(
            refusal(Service::Api, &all),
            "holdfast-api: bad configuration: x\n  see y"
        );
        assert_eq!(refusal(Service::Api, &said(&["what"])), "what");
        assert!(refusal(Service::Api, &[]).contains("holdfast-api"));
    }
}
