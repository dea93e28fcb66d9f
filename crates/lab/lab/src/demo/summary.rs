//! The tour in one table, and where to go from here.

use super::Stop;
use crate::output::{Console, Tone};

const NEXT: &str = "
Go on yourself:
  make up             bring the stage up and keep it
  make kill-worker    or kill-db, pause-worker, pause-db: break something
  make compare        see what both endpoints make of it
  make start-worker   or start-db, resume-worker, resume-db: heal it
  make down           stop everything";

/// One line per stop, with both verdicts, and what became of the promises.
pub(super) fn print(stops: &[Stop], nothing_lost: bool, console: Console) {
    console.print(console.paint(Tone::Strong, "\n=== in short ===\n"));
    for stop in stops {
        let naive = stop.seen.naive.verdict.painted(console);
        let mut resilient = stop.seen.resilient.verdict.painted(console);
        if !stop.held() {
            let instead = format_args!(" instead of {}", stop.leg.expected.in_words);
            resilient += &console.paint(Tone::Bad, instead).to_string();
        }
        let title = stop.leg.title;
        console.print(format_args!(
            "  {title}\n    naive      {naive}\n    resilient  {resilient}"
        ));
    }
    let (tone, promises) = if nothing_lost {
        (Tone::Good, "nothing: all that was accepted is done")
    } else {
        (Tone::Bad, "see above: not all that was accepted is done")
    };
    let promises = console.paint(tone, promises);
    console.print(format_args!("  {}\n    {promises}", "lost"));
    console.print(NEXT);
}
