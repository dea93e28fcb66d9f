//! The schema of a database that was there before: an earlier release may have made it.

use tokio::process::Command;

use super::Local;
use super::state::State;
use crate::error::SystemError;
use crate::postgres::{self, ROLE_SQL};
use crate::program;

impl Local {
    /// Migrates it and sees that the API's role is there. By the tables' owner, which the API itself is not.
    pub(super) async fn bring_schema_up_to_date(&self, state: &State) -> Result<(), SystemError> {
        let url = postgres::url(state.ports.db);
        let api = self.settings.program("holdfast-api")?;
        let mut migrate = Command::new(api);
        migrate.arg("migrate").env_clear().env("DATABASE_URL", &url);
        let output = program::output(&mut migrate).await?;
        if !output.status.success() {
            return Err(SystemError::Program {
                command: "holdfast-api migrate".to_owned(),
                output: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            });
        }
        Ok(postgres::execute(state.ports.db, "holdfast", &[ROLE_SQL]).await?)
    }
}
