//! `lab logs`.

use std::process::ExitCode;

use holdfast_ops::exit;
use tokio::process::Command;

use crate::error::LabError;
use crate::stage::{Service, Stage};

/// Hands over to the tool that knows how to follow: `tail`, or Compose.
pub(super) async fn show(
    stage: &Stage,
    service: Option<Service>,
    follow: bool,
) -> Result<ExitCode, LabError> {
    let mut command = match stage {
        Stage::Local(local) => {
            let files = local.logs(service);
            if files.is_empty() {
                return Err(LabError::NotUp);
            }
            let mut tail = Command::new("tail");
            tail.args(["-n", "100"])
                .args(follow.then_some("-F"))
                .args(files);
            tail
        }
        Stage::Compose(compose) => compose.logs(service, follow),
    };
    let status = command
        .status()
        .await
        .map_err(LabError::file("run", "the log viewer"))?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        exit::failure()
    })
}
