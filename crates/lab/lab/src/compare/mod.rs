//! The naive and the resilient endpoint, called at the same moment, shown beside each other.

mod answer;
mod contract;
mod curl;
mod json;
mod layout;
mod verdict;

use holdfast_system::error::SystemError;
use holdfast_wire::Processed;

use self::answer::Answer;
use self::contract::Journal;
use self::curl::Call;
use self::verdict::Verdict;
use crate::debian;
use crate::output::{Console, Tone};
use crate::settings::Settings;
use crate::stage::AdminClient;

/// How long past the bound a call is given, in seconds: an answer that comes late is to be seen as late.
const BEYOND: f64 = 1.0;
/// In place of the published bound when the API cannot tell it, in seconds.
const UNKNOWN_BOUND: f64 = 8.0;

/// What both endpoints did with one call each.
pub(crate) struct Comparison {
    pub(crate) naive: Side,
    pub(crate) resilient: Side,
}

/// What one of them did, and what that is worth.
pub(crate) struct Side {
    name: &'static str,
    call: Call,
    answer: Answer,
    pub(crate) verdict: Verdict,
}

/// Sees to it that there is curl.
pub(crate) async fn ensure_curl(settings: &Settings) -> Result<(), SystemError> {
    debian::ensure("curl", "curl", settings).await
}

/// Calls both endpoints of the API. If it does not answer, that is a result; if curl is not installed, an error.
pub(crate) async fn compare(probe: &AdminClient) -> Result<Comparison, SystemError> {
    let policies = probe.policies().await;
    let bound = policies.map_or(UNKNOWN_BOUND, |it| it.process.worst_case_seconds);
    let call = |path: &str| Call::new(format!("{}{path}", probe.base()), bound + BEYOND);
    let (naive, resilient) = (call("/naive/process"), call("/process"));
    let (fell, held) = tokio::try_join!(naive.make(), resilient.make())?;
    // As it is now, not before: an outage is what is being compared.
    let journal = Journal::of(probe).await;
    Ok(Comparison {
        naive: Side {
            name: "naive",
            call: naive,
            verdict: Verdict::of_naive(&fell),
            answer: fell,
        },
        resilient: Side {
            name: "resilient",
            call: resilient,
            verdict: Verdict::of_resilient(&held, bound, journal),
            answer: held,
        },
    })
}

impl Side {
    /// The status it answered with; none: it did not.
    pub(crate) fn status(&self) -> Option<u16> {
        self.answer.http().map(|http| http.status)
    }

    /// What it answered; none: it gave no promise.
    pub(crate) fn processed(&self) -> Option<Processed> {
        serde_json::from_str(&self.answer.http()?.body).ok()
    }
}

impl Comparison {
    /// The commands, both answers, and one line that says who held.
    pub(crate) fn print(&self, console: Console) {
        for side in [&self.naive, &self.resilient] {
            let command = format!("  $ {}", side.call.command_line());
            console.print(console.paint(Tone::Faint, command));
        }
        console.print("");
        for line in layout::lay_out(&self.naive, &self.resilient, console) {
            console.print(line);
        }
        let [naive, resilient] =
            [&self.naive, &self.resilient].map(|side| side.verdict.painted(console));
        console.print(format_args!(
            "\n  naive:     {naive}\n  resilient: {resilient}"
        ));
    }
}
