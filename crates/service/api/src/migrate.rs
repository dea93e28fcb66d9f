//! `holdfast-api migrate`: for the owner of the tables, where the API itself may not change them.

use holdfast_ops::{Environment, EnvironmentError};
use tokio::runtime::Handle;

use crate::causes::chain;
use crate::config::database;
use crate::resolver::Resolver;
use crate::store::{DatabaseError, MigrationError, Store, migrate_patiently};

/// Why the schema is not current.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// `DATABASE_URL` is missing or cannot be used.
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    /// No session.
    #[error("{}", chain(.0))]
    Session(#[from] DatabaseError),
    /// Postgres refuses.
    #[error("{}", chain(.0))]
    Migration(#[from] MigrationError),
}

/// Brings the schema of `DATABASE_URL` up to date, waiting for as long as it takes.
///
/// # Errors
/// See [`MigrateError`]; nothing of a migration that fails is applied, but for indexes, which are taken up again.
pub async fn migrate(environment: &Environment) -> Result<(), MigrateError> {
    let database = database(environment)?;
    let runtime = Handle::current();
    let resolver = Resolver::new(runtime.clone(), None);
    let store = Store::naive(&database, 1, resolver, runtime)?;
    Ok(migrate_patiently(&store).await?)
}
