//! What became of the requests the resilient side answered, as the API itself tells it afterwards.

use holdfast_system::error::SystemError;
use holdfast_wire::{Processed, RecordedIn, Request, RequestStatus};

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
        if let Some(processed) = stop.seen.processed() {
            let request = probe.request(processed.request_id).await?;
            let (tone, fate) = fate(&processed, request.as_ref());
            promised += 1;
            kept += usize::from(tone == Tone::Good);
            let fate = console.paint(tone, fate);
            let id = console.paint(Tone::Faint, processed.request_id);
            console.print(format_args!("  {:<24}{fate}\n    {id}", stop.title));
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
fn fate(promised: &Processed, found: Option<&Request>) -> (Tone, String) {
    let place = match promised.recorded_in {
        RecordedIn::Database => "Postgres",
        RecordedIn::Journal => "the journal",
    };
    match found.map(|request| request.status) {
        Some(RequestStatus::Done) => {
            let way = match promised.recorded_in {
                RecordedIn::Database => "",
                RecordedIn::Journal => ", by way of the journal",
            };
            (Tone::Good, format!("done, in Postgres{way}"))
        }
        Some(RequestStatus::Received) => (Tone::Warning, "accepted, not done yet".to_owned()),
        Some(RequestStatus::Failed | RequestStatus::Cancelled) => (Tone::Bad, "failed".to_owned()),
        None => (
            Tone::Bad,
            format!("lost: said to be in {place}, and is not"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0198c0de-0000-7000-8000-000000000000";

    fn fate_of(recorded_in: &str, status: Option<&str>) -> (Tone, String) {
        let promised = format!(
            r#"{{"request_id":"{ID}","status":"ok","worker_response":null,"latency_seconds":0.2,
                "recorded_in":"{recorded_in}","degraded":[]}}"#
        );
        let found = status.map(|status| {
            let text = format!(
                r#"{{"request_id":"{ID}","status":"{status}","worker_response":null,"attempts":1,"error":null,
                    "received_at":"2026-01-02T03:04:05Z","completed_at":null}}"#
            );
            serde_json::from_str(&text).unwrap()
        });
        fate(&serde_json::from_str(&promised).unwrap(), found.as_ref())
    }

    #[test]
    fn a_promise_without_a_record_is_a_loss_wherever_it_was_said_to_be() {
        let (tone, text) = fate_of("journal", None);
        assert_eq!(tone, Tone::Bad);
        assert!(text.contains("lost") && text.contains("the journal"));
        assert_eq!(fate_of("database", None).0, Tone::Bad);
    }

    #[test]
    fn only_what_is_done_is_a_promise_kept() {
        assert_eq!(fate_of("journal", Some("done")).0, Tone::Good);
        assert_eq!(fate_of("database", Some("received")).0, Tone::Warning);
        assert_eq!(fate_of("database", Some("failed")).0, Tone::Bad);
    }
}
