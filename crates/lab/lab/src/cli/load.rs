//! `lab load`.

use std::path::PathBuf;
use std::time::Duration;

use holdfast_ops::signals::StopSignals;
use holdfast_system::error::SystemError;
use tokio::time::Instant;

use super::arguments::Load;
use crate::accepted::{self, AcceptedFile};
use crate::error::LabError;
use crate::load::{self, Arriving, Plan, Summary};
use crate::open_files;
use crate::output::Console;
use crate::settings::Settings;
use crate::stage::{AdminClient, Stage};

/// How long past the bound a try is given.
const BEYOND: Duration = Duration::from_secs(2);
/// In place of the bound of an API that cannot tell it.
const UNKNOWN_BOUND: Duration = Duration::from_secs(8);

/// Sends, writes down, sums up; Ctrl-C ends it early.
pub(super) async fn run(
    wanted: Load,
    settings: &Settings,
    console: Console,
) -> Result<(), LabError> {
    open_files::raise_limit(console);
    let mut signals = StopSignals::listen().map_err(SystemError::file("listen for", "signals"))?;
    let (folder, urls, bound) = target(wanted.urls, settings, console).await?;
    let arriving = Arriving {
        rate: wanted.rate,
        lasts: wanted.duration,
        arrivals: wanted.arrivals,
        seed: wanted.seed.unwrap_or_else(|| fastrand::u64(..1_000_000)),
    };
    let plan = Plan::balanced(urls, arriving, bound + BEYOND);
    let out = wanted.out.unwrap_or_else(|| folder.join(accepted::FILE));
    console.say(format_args!(
        "{} requests/s for {:?} on {}, seed {}; what is accepted goes to {}",
        arriving.rate,
        arriving.lasts,
        plan.urls.join(" and "),
        arriving.seed,
        out.display()
    ));
    let mut file = AcceptedFile::append(&out)?;
    let stop = async {
        signals.next().await;
        console.say("stopping; calls under way are given up, and count as unanswered");
    };
    let histories = load::run(&plan, Instant::now(), stop, |history| {
        history.accepted().map_or(Ok(()), |one| file.add(&one))
    });
    Summary::of(&histories.await?.histories).print(console);
    Ok(())
}

/// Where what is accepted belongs, the APIs to call, and the bound of the first.
async fn target(
    urls: Vec<String>,
    settings: &Settings,
    console: Console,
) -> Result<(PathBuf, Vec<String>, Duration), LabError> {
    let (folder, urls) = if urls.is_empty() {
        let stage = Stage::to_act_on(settings, console).await?;
        // Or whatever else listens on that port would be called.
        stage.conditions().await?;
        let url = format!("http://127.0.0.1:{}", stage.api_port().await?);
        (stage.folder().to_owned(), vec![url])
    } else {
        let urls = urls.iter().map(|url| url.trim_end_matches('/').to_owned());
        (settings.folder(), urls.collect())
    };
    let bound = AdminClient::at(urls[0].clone()).bound().await;
    Ok((folder, urls, bound.unwrap_or(UNKNOWN_BOUND)))
}
