//! What became of the requests the resilient side answered, as the API itself tells it afterwards.

use holdfast_wire::{Processed, RecordedIn, Request, RequestStatus};

use super::Stop;
use crate::error::LabError;
use crate::output::{Console, Tone};
use crate::stage::Probe;

/// One line per answer that promised something, then how much work is still open.
pub(super) async fn show(stops: &[Stop], probe: &Probe, console: Console) -> Result<(), LabError> {
    console.print(console.paint(Tone::Strong, "\n=== what became of the requests ===\n"));
    console.print(console.paint(
        Tone::Faint,
        format_args!("  $ curl -sS {}/requests/ID\n", probe.base()),
    ));
    for stop in stops {
        if let Some(processed) = stop.seen.processed() {
            let request = probe.request(processed.request_id).await?;
            let (tone, fate) = fate(&processed, request.as_ref());
            let fate = console.paint(tone, fate);
            console.print(format_args!(
                "  {:<24}{} {fate}",
                stop.title, processed.request_id
            ));
        }
    }
    let open = probe.requests("status=received&limit=1").await?.total;
    console.print(format_args!("\n  accepted and not done yet: {open}"));
    Ok(())
}

/// What was promised against what is there now.
fn fate(promised: &Processed, found: Option<&Request>) -> (Tone, String) {
    match (found.map(|request| request.status), promised.recorded_in) {
        (Some(RequestStatus::Done), _) => (Tone::Good, "done, in Postgres".to_owned()),
        (Some(RequestStatus::Received), _) => (
            Tone::Warning,
            "accepted, safe in Postgres, not done yet".to_owned(),
        ),
        (Some(RequestStatus::Failed), _) => (Tone::Bad, "failed".to_owned()),
        (None, None) => (
            Tone::Warning,
            "answered, but recorded nowhere, as the answer said".to_owned(),
        ),
        (None, Some(RecordedIn::Database)) => (
            Tone::Bad,
            "lost: said to be in Postgres, and is not".to_owned(),
        ),
        (None, Some(RecordedIn::Journal)) => (
            Tone::Bad,
            "lost: said to be in the journal, and is not".to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn promised(recorded_in: &str) -> Processed {
        let text = format!(
            r#"{{"request_id":"0198c0de-0000-7000-8000-000000000000","status":"ok","worker_response":null,
                "latency_seconds":0.2,"recorded_in":{recorded_in},"degraded":[]}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_promise_without_a_record_is_a_loss_only_if_a_record_was_promised() {
        assert_eq!(fate(&promised("\"database\""), None).0, Tone::Bad);
        assert_eq!(fate(&promised("null"), None).0, Tone::Warning);
    }
}
