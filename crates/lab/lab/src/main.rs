//! The `lab` command.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    holdfast_lab::cli::run().await
}
