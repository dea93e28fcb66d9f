//! What the API can be told: its settings from the environment, its failure policies from one file.
//!
//! Everything is validated before anything starts. An incoherent file is refused with one line that names key, value
//! and rule.

mod admin_token;
mod allowed_hosts;
mod error;
mod load;
mod place;
mod policies;
mod rules;
mod settings;

pub use admin_token::AdminToken;
pub use allowed_hosts::AllowedHosts;
pub(crate) use allowed_hosts::{HTTP_PORT, split};
pub use error::PolicyFileError;
pub(crate) use load::load;
pub use load::{Loaded, parse};
pub use policies::Policies;
pub(crate) use policies::{
    ClientBy, DatabasePolicy, OnDatabaseUnavailable, OnWorkerUnavailable, PoolConfig,
    RateLimitPolicy,
};
pub(crate) use rules::{READERS, RECOVERERS};
pub use settings::{Settings, SettingsError, journal_folder};
pub(crate) use settings::{WorkerAddress, database};
