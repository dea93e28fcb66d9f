//! `lab wire`: the process that stands between the API and what it depends on.

use std::net::SocketAddr;

use holdfast_ops::signals::StopSignals;
use holdfast_system::error::SystemError;
use tokio::net::TcpListener;

use super::arguments::Wire;
use crate::load;
use crate::output::Console;
use crate::wire::{Controller, WireError, Wires, serve};

/// Serves until SIGTERM or SIGINT, or asks the one that does.
pub(super) async fn run(wanted: Wire, console: Console) -> Result<(), SystemError> {
    let address = wanted.control;
    if wanted.health {
        return health(address).await;
    }
    load::raise_limit(console);
    let mut signals = StopSignals::listen().map_err(SystemError::file("listen for", "signals"))?;
    let seed = wanted.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    let wires = Wires::start(&wanted.wires, seed).await?;
    let control = TcpListener::bind(address)
        .await
        .map_err(|source| WireError::Bind { address, source })?;
    for wire in &wanted.wires {
        console.say(format_args!(
            "  {}: {} leads to {}",
            wire.name, wire.address, wire.upstream
        ));
    }
    console.say(format_args!("  controlled on {address}, seed {seed}"));
    tokio::select! {
        () = serve(wires, control) => {}
        signal = signals.next() => console.say(format_args!("  {signal}: stopped")),
    }
    Ok(())
}

/// It answers if it refuses a wire that is none.
async fn health(address: SocketAddr) -> Result<(), SystemError> {
    let controller = Controller::connect(address).await?;
    match controller.wire("").requests().await {
        Ok(_) | Err(WireError::Refused { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
