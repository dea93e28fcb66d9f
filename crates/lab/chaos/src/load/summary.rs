//! A run in figures.

use std::collections::BTreeMap;

use super::{Attempt, CallHistory, Completion};
use crate::figures::percentile;
use crate::output::{Console, Tone};

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Summary {
    /// All, the unanswered included.
    pub sent: usize,
    /// Answers with a promise, by status: 200, 202.
    pub promised: BTreeMap<u16, usize>,
    /// Other answers, by status and code.
    pub refused: BTreeMap<String, usize>,
    /// Given up without an answer, or cut off at the end.
    pub unanswered: usize,
    /// Those that had to wait because this client had no file left for a connection.
    pub no_file: usize,
    /// Answers that had to do without something.
    pub degraded: usize,
    pub retried: usize,
    /// Of the answered, sorted, in milliseconds.
    latencies: Vec<f64>,
}

impl Summary {
    pub fn of(histories: &[CallHistory]) -> Self {
        let mut summary = Self::default();
        for history in histories {
            summary.sent += 1;
            summary.retried += usize::from(history.attempts.len() > 1);
            let no_file = |made: &Attempt| made.end == Completion::NoFile;
            summary.no_file += usize::from(history.attempts.iter().any(no_file));
            let Some(answer) = history.answer() else {
                summary.unanswered += 1;
                continue;
            };
            summary.degraded += usize::from(!answer.degraded.is_empty());
            summary
                .latencies
                .push(history.latency().as_secs_f64() * 1_000.0);
            match (answer.status, &answer.code) {
                (status @ (200 | 202), _) => *summary.promised.entry(status).or_default() += 1,
                (status, code) => {
                    let code = code.as_deref().unwrap_or("no code");
                    let kind = format!("{status} {code}");
                    *summary.refused.entry(kind).or_default() += 1;
                }
            }
        }
        summary.latencies.sort_by(f64::total_cmp);
        summary
    }

    pub fn promised(&self, status: u16) -> usize {
        self.promised.get(&status).copied().unwrap_or_default()
    }

    pub fn print(&self, console: Console) {
        let line = |name: &str, count: usize, bad: bool| {
            let tone = match bad && count > 0 {
                true => Tone::Bad,
                false => Tone::Plain,
            };
            let count = console.paint(tone, format!("{count:>8}"));
            console.print(format_args!("{name:<22}{count}"));
        };
        line("sent", self.sent, false);
        line("200", self.promised(200), false);
        line("202", self.promised(202), false);
        for (kind, count) in &self.refused {
            line(kind, *count, true);
        }
        line("unanswered", self.unanswered, true);
        if self.no_file > 0 {
            line("no file (this client)", self.no_file, true);
        }
        line("tried more than once", self.retried, false);
        let answered = self.latencies.len();
        #[expect(clippy::cast_precision_loss, reason = "a share")]
        let share = 100.0 * self.degraded as f64 / answered.max(1) as f64;
        console.print(format_args!("{:<22}{share:>7.1}%", "degraded"));
        if answered > 0 {
            for (name, rank) in [("p50 of the answered", 0.5), ("p99 of the answered", 0.99)] {
                let milliseconds = percentile(&self.latencies, rank);
                console.print(format_args!("{name:<22}{milliseconds:>8.0} ms"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::load::Answer;

    fn history(status: Option<u16>, code: Option<&str>) -> CallHistory {
        let end = status.map_or(Completion::GivenUp, |status| {
            let degraded = (status != 200).then(|| "worker_unavailable:circuit_open".to_owned());
            Completion::Answered(Answer {
                status,
                code: code.map(str::to_owned),
                degraded: degraded.into_iter().collect(),
                ..Answer::default()
            })
        });
        CallHistory {
            number: 0,
            key: "k".to_owned(),
            intended: Duration::from_millis(10),
            surge: false,
            attempts: vec![Attempt {
                api: 0,
                from: Duration::from_millis(15),
                to: Duration::from_millis(30),
                end,
            }],
        }
    }

    #[test]
    fn each_end_is_counted_once_and_latency_from_the_intended_start() {
        let summary = Summary::of(&[
            history(Some(200), None),
            history(Some(202), None),
            history(Some(503), Some("overloaded")),
            history(None, None),
        ]);
        let counted = [summary.sent, summary.unanswered, summary.degraded];
        assert_eq!(counted, [4, 1, 2]);
        assert_eq!(summary.no_file, 0);
        assert_eq!((summary.promised(200), summary.promised(202)), (1, 1));
        assert_eq!(summary.refused["503 overloaded"], 1);
        assert_eq!(summary.latencies.len(), 3);
        assert!((summary.latencies[0] - 20.0).abs() < 1e-9);
    }

    #[test]
    fn a_client_without_files_is_told_apart_and_one_cut_off_before_its_first_try_counts_as_unanswered()
     {
        let mut starved = history(None, None);
        starved.attempts[0].end = Completion::NoFile;
        let mut cut = history(None, None);
        cut.attempts.clear();
        let summary = Summary::of(&[starved, cut]);
        let counted = [summary.sent, summary.unanswered, summary.no_file];
        assert_eq!(counted, [2, 2, 1]);
    }
}
