//! The naive and the resilient endpoint, called at the same moment, shown beside each other.

mod answer;
mod contract;
mod curl;
mod json;
mod layout;
mod verdict;

pub use answer::{Answer, Http};
pub use contract::Journal;
pub use verdict::Verdict;

use curl::Call;
use holdfast_system::error::SystemError;
use holdfast_wire::Processed;
use layout::Side;

use crate::debian;
use crate::output::{Console, Tone};
use crate::settings::Settings;
use crate::stage::AdminClient;

/// How long past the bound a call is given, in seconds: an answer that comes late is to be seen as late.
const BEYOND: f64 = 1.0;
/// In place of the published bound when the API cannot tell it, in seconds.
const UNKNOWN_BOUND: f64 = 8.0;

/// What both endpoints did with one call each.
#[derive(Debug, Clone)]
pub struct Comparison {
    calls: [Call; 2],
    naive: Answer,
    resilient: Answer,
    bound: f64,
    journal: Journal,
}

/// Sees to it that there is curl.
///
/// # Errors
/// There is none, and it is not the lab's to install.
pub async fn ensure_curl(settings: &Settings) -> Result<(), SystemError> {
    debian::ensure("curl", "curl", settings).await
}

/// Calls both endpoints of the API.
///
/// # Errors
/// When curl is not installed. An API that does not answer is a result.
pub async fn compare(probe: &AdminClient) -> Result<Comparison, SystemError> {
    let bound = probe.policies().await.map_or(UNKNOWN_BOUND, |policies| {
        policies.process.worst_case_seconds
    });
    let call = |path: &str| Call::new(format!("{}{path}", probe.base()), bound + BEYOND);
    let calls = [call("/naive/process"), call("/process")];
    let (naive, resilient) = tokio::try_join!(calls[0].make(), calls[1].make())?;
    Ok(Comparison {
        calls,
        naive,
        resilient,
        bound,
        // As it is now, not before: an outage is what is being compared.
        journal: Journal::of(probe).await,
    })
}

impl Comparison {
    /// Whether the resilient side answered as documented within its bound.
    #[must_use]
    pub fn held(&self) -> bool {
        self.resilient().held
    }

    /// The judgement on the naive side.
    #[must_use]
    pub fn naive(&self) -> Verdict {
        Verdict::of_naive(&self.naive)
    }

    /// The judgement on the resilient side.
    #[must_use]
    pub fn resilient(&self) -> Verdict {
        Verdict::of_resilient(&self.resilient, self.bound, self.journal)
    }

    /// The status the resilient side answered with; none: it did not.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match &self.resilient {
            Answer::Http(http) => Some(http.status),
            _ => None,
        }
    }

    /// What the resilient side answered; none: it gave no promise.
    #[must_use]
    pub fn processed(&self) -> Option<Processed> {
        match &self.resilient {
            Answer::Http(http) => serde_json::from_str(&http.body).ok(),
            _ => None,
        }
    }

    /// The commands, both answers, and one line that says who held.
    pub fn print(&self, console: Console) {
        let (naive, resilient) = (self.naive(), self.resilient());
        for call in &self.calls {
            console.print(console.paint(Tone::Faint, format_args!("  $ {}", call.command_line())));
        }
        console.print("");
        let side = |name, answer, verdict: &Verdict| Side {
            name,
            answer,
            tone: verdict.tone(),
        };
        let naive_side = side("naive", &self.naive, &naive);
        for line in layout::lay_out(
            naive_side,
            side("resilient", &self.resilient, &resilient),
            console,
        ) {
            console.print(line);
        }
        console.print("");
        let (naive, resilient) = (
            console.paint(naive.tone(), &naive),
            console.paint(resilient.tone(), &resilient),
        );
        console.print(format_args!(
            "  naive:     {naive}\n  resilient: {resilient}"
        ));
    }
}
