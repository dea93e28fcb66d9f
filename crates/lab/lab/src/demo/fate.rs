//! What became of the requests the resilient side answered, as the API itself tells it afterwards.

use holdfast_system::error::SystemError;
use holdfast_wire::{RecordedIn, RequestStatus};

use super::Stop;
use crate::output::{Console, Tone};
use crate::stage::AdminClient;

/// One line per answer that promised something, then the sum. Whether every promise was kept.
pub(super) async fn show(
    stops: &[Stop],
    probe: &AdminClient,
    console: Console,
) -> Result<bool, SystemError> {
    console.print(console.paint(Tone::Strong, "\n=== what became of the requests ===\n"));
    console.print(console.paint(
        Tone::Faint,
        format_args!("  $ curl -sS {}/requests/ID\n", probe.base()),
    ));
    let (mut promised, mut kept) = (0_usize, 0_usize);
    for stop in stops {
        if let Some(processed) = stop.seen.resilient.processed() {
            let found = probe.request(processed.request_id).await?;
            let found = found.map(|request| request.status);
            let (tone, fate) = fate(processed.recorded_in, found);
            promised += 1;
            kept += usize::from(tone == Tone::Good);
            let fate = console.paint(tone, fate);
            let id = console.paint(Tone::Faint, processed.request_id);
            console.print(format_args!("  {:<24}{fate}\n    {id}", stop.leg.title));
        }
    }
    let open = probe.requests("status=received&limit=1").await?.total;
    let (tone, sum) = if promised < stops.len() {
        (Tone::Bad, "not every stop had a promise")
    } else if kept == promised && open == 0 {
        (Tone::Good, "nothing was lost")
    } else {
        (Tone::Bad, "not every promise was kept")
    };
    console.print(format_args!(
        "\n  promised {promised}, done {kept}, accepted and not done yet {open}: {}",
        console.paint(tone, sum)
    ));
    Ok(tone == Tone::Good)
}

/// What was promised against what is there now.
fn fate(promised: RecordedIn, found: Option<RequestStatus>) -> (Tone, &'static str) {
    match (found, promised) {
        (Some(RequestStatus::Done), RecordedIn::Database) => (Tone::Good, "done, in Postgres"),
        (Some(RequestStatus::Done), RecordedIn::Journal) => {
            (Tone::Good, "done, in Postgres, by way of the journal")
        }
        (Some(RequestStatus::Received), _) => (Tone::Warning, "accepted, not done yet"),
        (Some(RequestStatus::Failed | RequestStatus::Cancelled), _) => (Tone::Bad, "failed"),
        (None, RecordedIn::Database) => (Tone::Bad, "lost: said to be in Postgres, and is not"),
        (None, RecordedIn::Journal) => (Tone::Bad, "lost: said to be in the journal, and is not"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_without_a_record_is_a_loss_wherever_it_was_said_to_be() {
        let (tone, text) = fate(RecordedIn::Journal, None);
        assert_eq!(tone, Tone::Bad);
        assert!(text.contains("lost") && text.contains("the journal"));
        assert_eq!(fate(RecordedIn::Database, None).0, Tone::Bad);
    }

    #[test]
    fn only_what_is_done_is_a_promise_kept() {
        let tone = |place, status| fate(place, Some(status)).0;
        assert_eq!(tone(RecordedIn::Journal, RequestStatus::Done), Tone::Good);
        assert_eq!(
            tone(RecordedIn::Database, RequestStatus::Received),
            Tone::Warning
        );
        assert_eq!(tone(RecordedIn::Database, RequestStatus::Failed), Tone::Bad);
    }
}
