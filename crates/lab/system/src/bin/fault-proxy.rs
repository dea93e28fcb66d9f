//! `fault-proxy`: the link that breaks on command as a process of its own, between the API and what it depends on.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser};
use holdfast_checker::plan::Target;
use holdfast_ops::signals::StopSignals;
use holdfast_ops::{Environment, exit};
use holdfast_system::error::SystemError;
use holdfast_system::probe::Probe;
use holdfast_testbed::link::{self, Controller, LinkError, Links, Listen};
use holdfast_testbed::open_files;
use holdfast_testbed::output::Console;
use tokio::net::TcpListener;

const CONTROL: &str = "127.0.0.1:7070";

/// The link that breaks on command: clients connect to it and are led on, until its controller says otherwise.
#[derive(Debug, Parser)]
#[command(version)]
enum Task {
    /// Forward, and break on command
    Serve(Serve),
    /// Ask the one controlled there whether it answers: exit 0 if so, 1 if not
    Health {
        /// Where it is controlled
        #[arg(long, value_name = "ADDRESS:PORT", default_value = CONTROL)]
        control: SocketAddr,
    },
    /// Look at a service from where this runs, and say what is seen
    Look {
        /// At what
        kind: Target,
        /// HOST:PORT
        address: String,
        /// How long its answer may take
        #[arg(long, value_name = "MILLISECONDS", default_value_t = 400)]
        patience: u64,
    },
}

#[derive(Debug, Args)]
struct Serve {
    /// A link: what it is called, where it listens, where it leads
    #[arg(
        long = "listen",
        value_name = "NAME=ADDRESS:PORT=HOST:PORT",
        required = true
    )]
    links: Vec<Listen>,
    /// Where it is controlled: one JSON object per line sets a fault; when the connection ends, all heals
    #[arg(long, value_name = "ADDRESS:PORT", default_value = CONTROL)]
    control: SocketAddr,
    /// Of which requests are hit where a share is [random, and printed]
    #[arg(long)]
    seed: Option<u64>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let console = Console::new(&Environment::of_process());
    let result = match Task::parse() {
        Task::Serve(wanted) => serve(wanted, console).await,
        Task::Health { control } => health(control).await.map_err(SystemError::from),
        Task::Look {
            kind,
            address,
            patience,
        } => {
            let seen = Probe::at(kind, &address, Duration::from_millis(patience)).await;
            // Plain data: nothing in it can fail to be written.
            console.print(serde_json::to_string(&seen).unwrap_or_default());
            Ok(())
        }
    };
    if let Err(failure) = result {
        console.say(format_args!("fault-proxy: {failure}"));
        return exit::failure();
    }
    ExitCode::SUCCESS
}

/// Serves until SIGTERM or SIGINT.
async fn serve(wanted: Serve, console: Console) -> Result<(), SystemError> {
    let address = wanted.control;
    open_files::raise_limit(console);
    let mut signals = StopSignals::listen().map_err(SystemError::file("listen for", "signals"))?;
    let seed = wanted.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    let links = Links::start(&wanted.links, seed).await?;
    let control = TcpListener::bind(address)
        .await
        .map_err(|source| LinkError::Bind { address, source })?;
    for link in &wanted.links {
        console.say(format_args!(
            "  {}: {} leads to {}",
            link.name, link.address, link.upstream
        ));
    }
    console.say(format_args!("  controlled on {address}, seed {seed}"));
    tokio::select! {
        () = link::serve(links, control) => {}
        signal = signals.next() => console.say(format_args!("  {signal}: stopped")),
    }
    Ok(())
}

/// It answers if it refuses a link that is none.
async fn health(address: SocketAddr) -> Result<(), LinkError> {
    let controller = Controller::connect(address).await?;
    match controller.link("").requests().await {
        Ok(_) | Err(LinkError::Refused { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
