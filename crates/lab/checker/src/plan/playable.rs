//! On which stages an experiment can be played.

use super::{Experiment, Fault, Kind, Target};
use crate::stage::StageKind;

impl Experiment {
    /// Why it cannot be played on `stage`; none: it can.
    pub fn unplayable_on(&self, stage: StageKind) -> Option<&'static str> {
        match stage {
            StageKind::Virtual => self.beyond_the_model(),
            StageKind::Local | StageKind::Compose | StageKind::Swarm => {
                (!self.stages.contains(&stage)).then_some("its file does not name it")
            }
        }
    }

    /// What of it the modelled world does not have.
    fn beyond_the_model(&self) -> Option<&'static str> {
        let replaced = |fault: &Fault| fault.kind == Kind::Replace;
        let process = self.system.policies.get("process");
        let limits_clients = process.is_some_and(|it| it.get("rate_limit").is_some());
        let on_node = |fault: &Fault| fault.target == Target::Node;
        let worker = self.system.policies.get("worker");
        let asks_when_connected = worker.is_some_and(|it| it.get("connect_timeout").is_some());
        let on_postgres_wire = |fault: &Fault| {
            let garbled = matches!(fault.kind, Kind::Reset { .. } | Kind::Garbage { .. });
            garbled && fault.target == Target::Database
        };
        let slows_some = |fault: &Fault| {
            let is_slow = matches!(fault.kind, Kind::Latency { .. });
            is_slow && fault.target == Target::Database && !fault.kind.affects_all()
        };
        if self.faults.iter().any(slows_some) {
            Some("in the model Postgres is slow for all statements or for none")
        } else if self.faults.iter().any(on_postgres_wire) {
            Some("what comes over Postgres' wire is not modelled")
        } else if self.faults.iter().any(replaced) {
            Some("names and addresses are not modelled")
        } else if self.faults.iter().any(on_node) {
            Some("there are no nodes in the model")
        } else if self.system.replication.is_some() {
            Some("the model has one server of Postgres")
        } else if self.system.workers.get() > 1 {
            Some("the model has one worker")
        } else if asks_when_connected {
            Some("how long a connection takes is not modelled")
        } else if limits_clients {
            Some("clients' quotas belong to HTTP, which is not modelled")
        } else {
            None
        }
    }
}
