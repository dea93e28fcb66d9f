//! Two answers beside each other, or below each other where the terminal is narrow.

use super::answer::{Answer, Seconds};
use super::{Side, json};
use crate::output::{Console, Tone};

const LABEL: usize = 12;
const MARGIN: usize = 2;
/// The naive side's bodies are small; the rest of the width is for the resilient side.
const NAIVE: usize = 28;
/// Narrower than this, a request id would no longer fit beside the naive side.
const SIDE_BY_SIDE: usize = 96;

/// What each line of the picture shows of a side.
const LABELS: [&str; 6] = ["", "status", "time", "Location", "Retry-After", "body"];

/// A side's part of such a line, which may need several of the terminal, or none.
type Cell = (Tone, Vec<String>);

/// The lines of the picture.
pub(super) fn lay_out(naive: &Side, resilient: &Side, console: Console) -> Vec<String> {
    let width = console.width();
    if width < SIDE_BY_SIDE {
        let column = width.saturating_sub(MARGIN + LABEL).max(NAIVE);
        let below = |side| lay_out_columns(&[(side, column)], console);
        return [below(naive), below(resilient)].concat();
    }
    let rest = width - MARGIN - LABEL - NAIVE - MARGIN;
    lay_out_columns(&[(naive, NAIVE), (resilient, rest)], console)
}

fn lay_out_columns(columns: &[(&Side, usize)], console: Console) -> Vec<String> {
    let columns = columns
        .iter()
        .map(|(side, width)| (cells(side, *width), *width));
    let columns: Vec<([Cell; 6], usize)> = columns.collect();
    let mut lines = Vec::new();
    for (row, label) in LABELS.into_iter().enumerate() {
        let heights = columns.iter().map(|(cells, _)| cells[row].1.len());
        for index in 0..heights.max().unwrap_or_default() {
            let label = if index == 0 { label } else { "" };
            let label = console.paint(Tone::Faint, format!("{label:<LABEL$}"));
            let mut line = format!("{:MARGIN$}{label}", "");
            for (cells, width) in &columns {
                let (tone, cell) = &cells[row];
                let text = cell.get(index).map(String::as_str).unwrap_or_default();
                line += &console.paint(*tone, format!("{text:<width$}")).to_string();
                line += "  ";
            }
            lines.push(line.trim_end().to_owned());
        }
    }
    lines
}

/// One for each label.
fn cells(side: &Side, width: usize) -> [Cell; 6] {
    let (status, time) = match &side.answer {
        Answer::Http(http) => {
            let status = format!("{} {}", http.status, http.phrase);
            (status, Seconds(http.seconds).to_string())
        }
        Answer::Silence { cut_after } => ("none".to_owned(), format!("cut after {cut_after} s")),
        Answer::Broken { seconds, .. } => ("none".to_owned(), Seconds(*seconds).to_string()),
    };
    let header = |name| side.answer.http()?.header(name);
    let location = header("location").unwrap_or_default();
    let again = header("retry-after").map(|seconds| format!("{seconds} s"));
    [
        (Tone::Strong, vec![side.name.to_owned()]),
        (side.verdict.tone(), wrap(&status, width)),
        (Tone::Plain, wrap(&time, width)),
        (Tone::Plain, wrap(location, width)),
        (Tone::Plain, wrap(&again.unwrap_or_default(), width)),
        (Tone::Plain, body(&side.answer, width)),
    ]
}

fn body(answer: &Answer, width: usize) -> Vec<String> {
    match answer {
        Answer::Http(http) if http.body.trim().is_empty() => vec!["(empty)".to_owned()],
        Answer::Http(http) => match json::lay_out(&http.body, width) {
            Some(lines) => lines.iter().flat_map(|line| wrap(line, width)).collect(),
            None => http
                .body
                .lines()
                .flat_map(|line| wrap(line, width))
                .collect(),
        },
        Answer::Silence { .. } => vec!["(no answer)".to_owned()],
        Answer::Broken { problem, .. } => wrap(&format!("({problem})"), width),
    }
}

/// Breaks at spaces where it can; the lines that follow are indented a little more than the first.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let first = text.len() - text.trim_start().len();
    let further = (first + 2).min(width / 2);
    let mut lines = Vec::new();
    let mut indent = first.min(width / 2);
    let mut rest: Vec<char> = text.trim_start().chars().collect();
    while !rest.is_empty() {
        let room = width - indent;
        let cut = if rest.len() <= room {
            rest.len()
        } else {
            rest[1..=room]
                .iter()
                .rposition(|letter| *letter == ' ')
                .map_or(room, |at| at + 1)
        };
        let line: String = rest.drain(..cut).collect();
        lines.push(format!("{:indent$}{}", "", line.trim_end()));
        indent = further;
        let start = rest
            .iter()
            .position(|letter| *letter != ' ')
            .unwrap_or(rest.len());
        rest.drain(..start);
    }
    lines
}

#[cfg(test)]
mod tests {
    use holdfast_ops::Environment;
    use reqwest::header::{HeaderMap, RETRY_AFTER};

    use super::super::answer::Http;
    use super::super::curl::Call;
    use super::super::verdict::Verdict;
    use super::*;

    fn console(columns: &str) -> Console {
        Console::new(&Environment::from([
            ("COLUMNS", columns),
            ("NO_COLOR", "1"),
        ]))
    }

    fn lines(columns: &str) -> Vec<String> {
        let http = Http {
            status: 202,
            phrase: "Accepted".to_owned(),
            headers: HeaderMap::from_iter([(RETRY_AFTER, "4".parse().unwrap())]),
            body: r#"{"status":"degraded","worker_response":null}"#.to_owned(),
            seconds: 0.21,
        };
        let side = |name, answer| Side {
            name,
            call: Call::new(String::new(), 8.5),
            verdict: Verdict::of_naive(&answer),
            answer,
        };
        let naive = side("naive", Answer::Silence { cut_after: 8.5 });
        lay_out(
            &naive,
            &side("resilient", Answer::Http(http)),
            console(columns),
        )
    }

    #[test]
    fn on_a_wide_terminal_both_answers_stand_beside_each_other() {
        let expected = [
            "              naive                         resilient",
            "  status      none                          202 Accepted",
            "  time        cut after 8.5 s               0.21 s",
            "  Retry-After                               4 s",
            "  body        (no answer)                   {",
            "                                              \"status\": \"degraded\",",
            "                                              \"worker_response\": null",
            "                                            }",
        ];
        assert_eq!(lines("100"), expected);
    }

    #[test]
    fn on_a_narrow_terminal_they_stand_below_each_other_and_nothing_is_wider() {
        let lines = lines("60");
        let headings: Vec<_> = lines
            .iter()
            .filter(|line| line.ends_with("naive") || line.ends_with("resilient"))
            .collect();
        assert_eq!(headings.len(), 2);
        assert!(lines.iter().all(|line| line.chars().count() <= 60));
    }

    #[test]
    fn long_text_is_broken_at_spaces_and_long_words_anywhere() {
        assert_eq!(wrap("  one two three", 10), ["  one two", "    three"]);
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "  ef", "  gh", "  ij"]);
        assert_eq!(wrap("", 4), Vec::<String>::new());
    }
}
