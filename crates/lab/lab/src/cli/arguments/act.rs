//! Breaking and healing.

use clap::Subcommand;

use crate::stage::{Node, NodeAction, Service};

/// What is done to a service, or a node, of the stage that is up.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Act {
    /// Have the API read its policy file again (SIGHUP): all of it takes effect, or nothing does and the reason is told
    Reload,
    /// Kill a service (SIGKILL): its port refuses
    Kill {
        /// Which
        service: Service,
    },
    /// Start a dead service on the data it had, or let a paused one go on
    Start {
        /// Which
        service: Service,
    },
    /// Break or heal one machine of several, with all that runs on it; on the Swarm stage
    Node {
        /// How
        action: NodeAction,
        /// Which: 1, 2 or 3
        #[arg(value_parser = clap::value_parser!(u8).range(1..=3))]
        node: Node,
    },
    /// Stop a service with its port open (SIGSTOP): it accepts and never answers
    Pause {
        /// Which
        service: Service,
    },
    /// Let a paused service go on
    Resume {
        /// Which
        service: Service,
    },
}
