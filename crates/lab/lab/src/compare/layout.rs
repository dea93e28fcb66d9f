//! Two answers beside each other, or below each other where the terminal is narrow.

use super::answer::{Answer, Seconds};
use super::json;
use crate::output::{Console, Tone};

const LABEL: usize = 12;
const MARGIN: usize = 2;
/// The naive side's bodies are small; the rest of the width is for the resilient side.
const NAIVE: usize = 28;
/// Narrower than this, a request id would no longer fit beside the naive side.
const SIDE_BY_SIDE: usize = 96;

/// One side's answer with its tone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Side<'a> {
    pub(super) name: &'static str,
    pub(super) answer: &'a Answer,
    pub(super) tone: Tone,
}

/// A line of the picture: what it shows, and each side's text and tone.
struct Row {
    label: &'static str,
    cells: Vec<(Tone, Vec<String>)>,
}

/// The lines of the picture.
pub(super) fn lay_out(naive: Side<'_>, resilient: Side<'_>, console: Console) -> Vec<String> {
    let width = console.width();
    if width < SIDE_BY_SIDE {
        let column = width.saturating_sub(MARGIN + LABEL).max(NAIVE);
        let below = |side| lay_out_rows(&rows(&[(side, column)]), &[column], console);
        return [below(naive), below(resilient)].concat();
    }
    let rest = width - MARGIN - LABEL - NAIVE - MARGIN;
    lay_out_rows(
        &rows(&[(naive, NAIVE), (resilient, rest)]),
        &[NAIVE, rest],
        console,
    )
}

fn rows(sides: &[(Side<'_>, usize)]) -> Vec<Row> {
    type Cell = fn(&Answer) -> Option<String>;
    let heading = sides
        .iter()
        .map(|(side, _)| (Tone::Strong, vec![side.name.to_owned()]))
        .collect();
    let mut rows = vec![Row {
        label: "",
        cells: heading,
    }];
    let simple: [(&str, Cell); 4] = [
        ("status", status),
        ("time", time),
        ("Location", location),
        ("Retry-After", retry_after),
    ];
    for (label, cell) in simple {
        let cells: Vec<_> = sides
            .iter()
            .map(|(side, width)| {
                let tone = if label == "status" {
                    side.tone
                } else {
                    Tone::Plain
                };
                (tone, wrap(&cell(side.answer).unwrap_or_default(), *width))
            })
            .collect();
        if cells.iter().any(|(_, lines)| !lines.is_empty()) {
            rows.push(Row { label, cells });
        }
    }
    let bodies = sides
        .iter()
        .map(|(side, width)| (Tone::Plain, body(side.answer, *width)))
        .collect();
    rows.push(Row {
        label: "body",
        cells: bodies,
    });
    rows
}

fn lay_out_rows(rows: &[Row], widths: &[usize], console: Console) -> Vec<String> {
    let mut lines = Vec::new();
    for row in rows {
        let height = row
            .cells
            .iter()
            .map(|(_, cell)| cell.len())
            .max()
            .unwrap_or_default();
        for index in 0..height {
            let label = if index == 0 { row.label } else { "" };
            let label = console.paint(Tone::Faint, format!("{label:<LABEL$}"));
            let mut line = format!("{:MARGIN$}{label}", "");
            for ((tone, cell), width) in row.cells.iter().zip(widths) {
                let text = cell.get(index).map(String::as_str).unwrap_or_default();
                line += &console.paint(*tone, format!("{text:<width$}")).to_string();
                line += "  ";
            }
            lines.push(line.trim_end().to_owned());
        }
    }
    lines
}

fn status(answer: &Answer) -> Option<String> {
    Some(match answer {
        Answer::Http(http) => format!("{} {}", http.status, http.phrase),
        Answer::Silence { .. } | Answer::Broken { .. } => "none".to_owned(),
    })
}

fn time(answer: &Answer) -> Option<String> {
    Some(match answer {
        Answer::Http(http) => Seconds(http.seconds).to_string(),
        Answer::Silence { cut_after } => format!("cut after {cut_after} s"),
        Answer::Broken { seconds, .. } => Seconds(*seconds).to_string(),
    })
}

fn location(answer: &Answer) -> Option<String> {
    header(answer, "location")
}

fn retry_after(answer: &Answer) -> Option<String> {
    header(answer, "retry-after").map(|seconds| format!("{seconds} s"))
}

fn header(answer: &Answer, name: &str) -> Option<String> {
    match answer {
        Answer::Http(http) => http.header(name).map(str::to_owned),
        _ => None,
    }
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
    use super::*;
    use crate::compare::answer::Http;
    use holdfast_ops::Environment;

    fn console(columns: &str) -> Console {
        Console::new(&Environment::from([
            ("COLUMNS", columns),
            ("NO_COLOR", "1"),
        ]))
    }

    fn sides() -> (Answer, Answer) {
        let http = Http {
            status: 202,
            phrase: "Accepted".to_owned(),
            headers: vec![("retry-after".to_owned(), "4".to_owned())],
            body: r#"{"status":"degraded","worker_response":null}"#.to_owned(),
            seconds: 0.21,
        };
        (Answer::Silence { cut_after: 8.5 }, Answer::Http(http))
    }

    fn lines(columns: &str) -> Vec<String> {
        let (naive, resilient) = sides();
        let side = |name, answer| Side {
            name,
            answer,
            tone: Tone::Plain,
        };
        lay_out(
            side("naive", &naive),
            side("resilient", &resilient),
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
