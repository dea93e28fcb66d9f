//! The Holdfast API: the course's naive endpoint and the resilient one, side by side.
//!
//! One request on its way: `http` reads it and hands it to the use case (`process`), which records it, has the work done
//! and records the result. What the use case sees of Postgres and of the worker goes through one policy per
//! dependency (`dependency`); behind it stand the plain `store` and `worker_client`, which the naive endpoint (`naive`)
//! calls with no policy at all. `assembly` puts the parts together.
//!
//! What must not be true: a handler speaks SQL; the use case knows HTTP; a policy decision stands outside `policy`.

mod application;
mod assembly;
mod background;
mod causes;
mod clock;
mod config;
mod current;
mod dependencies;
mod dependency;
pub mod embedded;
mod ends;
mod http;
mod journal;
mod last_success;
mod limit;
mod live;
mod main_runtime;
mod metrics;
mod migrate;
mod naive;
mod open_work;
mod operator;
mod overview;
mod postgres;
mod process;
mod rate_limit;
mod records;
mod recovery;
mod reload;
mod replica;
mod resolver;
mod seconds;
mod store;
mod tls;
mod trace;
mod worker_client;

pub use application::{Application, StartError};
pub use assembly::AssemblyError;
pub use config::{AdminToken, AllowedHosts, Settings, SettingsError, journal_folder};
pub use journal::{SetAside, SetAsideError};
pub use migrate::{MigrateError, migrate};
