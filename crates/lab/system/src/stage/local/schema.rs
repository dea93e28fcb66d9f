//! The schema of a database that was there before: an earlier release may have made it.

use tokio::process::Command;
use tokio_postgres::NoTls;

use super::state::State;
use super::{Local, launch};
use crate::error::SystemError;
use crate::postgres::{self, ROLE_SQL};
use crate::stage::Service;

impl Local {
    /// Migrates it and sees that the API's role is there. By the tables' owner, which the API itself is not.
    pub(super) async fn bring_schema_up_to_date(&self, state: &State) -> Result<(), SystemError> {
        let url = postgres::url(state.ports.db);
        let api = launch::binary(&self.settings.binaries, Service::Api)?;
        let mut migrate = Command::new(api);
        migrate.arg("migrate").env_clear().env("DATABASE_URL", &url);
        let failed = |output: String| SystemError::Program {
            command: "holdfast-api migrate".to_owned(),
            output,
        };
        let output = migrate.output().await;
        let output = output.map_err(|error| failed(error.to_string()))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(failed(said.trim().to_owned()));
        }
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
        let connection = tokio::spawn(connection);
        client.batch_execute(ROLE_SQL).await?;
        drop(client);
        // The session's own error, if any, is the statement's error as well.
        let _ = connection.await;
        Ok(())
    }
}
