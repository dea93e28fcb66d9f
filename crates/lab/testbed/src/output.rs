//! The one place that writes to the terminal: results to stdout, progress to stderr, each with colour only where it is
//! wanted: one of them may be a terminal and the other a file.

use std::fmt::{self, Display};
use std::io::{self, IsTerminal, Write};

use holdfast_ops::Environment;

/// Columns assumed where nothing tells.
const DEFAULT_WIDTH: usize = 100;

/// What a piece of text means to the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Nothing special.
    Plain,
    /// As it should be.
    Good,
    /// Not as it should be.
    Bad,
    /// In between.
    Warning,
    /// Structure.
    Strong,
    /// Background.
    Faint,
}

/// A terminal, or what stands in for one.
#[derive(Debug, Clone, Copy)]
pub struct Console {
    /// On stdout, on stderr.
    colours: [bool; 2],
    width: usize,
    quiet: bool,
}

impl Console {
    /// Colour only on a terminal and without `NO_COLOR`; as wide as the terminal, or `COLUMNS`, or 100.
    pub fn new(environment: &Environment) -> Self {
        let stdout = io::stdout();
        let columns = environment
            .get("COLUMNS")
            .and_then(|text| text.parse().ok());
        let measured = || {
            Some(usize::from(
                rustix::termios::tcgetwinsize(&stdout).ok()?.ws_col,
            ))
        };
        Self {
            colours: [stdout.is_terminal(), io::stderr().is_terminal()]
                .map(|terminal| terminal && environment.get("NO_COLOR").is_none()),
            width: columns
                .or_else(measured)
                .filter(|width| *width > 0)
                .unwrap_or(DEFAULT_WIDTH),
            quiet: false,
        }
    }

    /// The same, but silent about progress: for what is done as a part of something that shows its own.
    pub fn quietly(self) -> Self {
        Self {
            quiet: true,
            ..self
        }
    }

    /// Columns there are.
    pub fn width(&self) -> usize {
        self.width
    }

    /// A result, to stdout.
    pub fn print(&self, line: impl Display) {
        write_line(&mut io::stdout().lock(), self.colours[0], &line);
    }

    /// Progress, to stderr.
    pub fn say(&self, line: impl Display) {
        if self.quiet {
            return;
        }
        write_line(&mut io::stderr().lock(), self.colours[1], &line);
    }

    /// `text` as it is to be shown in this tone; a stream without colour leaves that out.
    pub fn paint<T: Display>(&self, tone: Tone, text: T) -> Painted<T> {
        Painted {
            tone: if self.colours.contains(&true) {
                tone
            } else {
                Tone::Plain
            },
            text,
        }
    }
}

/// Text with the escape codes of its tone around it.
#[derive(Debug)]
pub struct Painted<T> {
    tone: Tone,
    text: T,
}

impl<T: Display> Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = match self.tone {
            Tone::Plain => return self.text.fmt(f),
            Tone::Good => "32",
            Tone::Bad => "31",
            Tone::Warning => "33",
            Tone::Strong => "1",
            Tone::Faint => "2",
        };
        write!(f, "\x1b[{code}m")?;
        self.text.fmt(f)?;
        f.write_str("\x1b[0m")
    }
}

fn write_line(to: &mut impl Write, colour: bool, line: &impl Display) {
    // A reader who has gone away (`lab status | head -1`) is no error of ours.
    let _ = match colour {
        true => writeln!(to, "{line}"),
        false => writeln!(to, "{}", uncoloured(&line.to_string())),
    };
}

/// Without the escape codes that set colours: `ESC [ … m`.
fn uncoloured(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |mut plain, part| {
        let (code, rest) = part.split_once('m').unwrap_or(("", part));
        let is_colour = code
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b';');
        plain.push_str(if is_colour { rest } else { part });
        plain
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_surrounds_text_only_where_it_is_wanted() {
        let plain = Console {
            colours: [false, false],
            width: 80,
            quiet: false,
        };
        assert_eq!(plain.paint(Tone::Bad, "fell").to_string(), "fell");
        let colourful = Console {
            colours: [true, false],
            width: 80,
            quiet: false,
        };
        assert_eq!(
            colourful.paint(Tone::Bad, "fell").to_string(),
            "\x1b[31mfell\x1b[0m"
        );
        assert_eq!(
            format!("{:>6}|", colourful.paint(Tone::Plain, "fell")),
            "  fell|"
        );
    }

    #[test]
    fn a_stream_without_colour_gets_the_text_alone() {
        let mut told = Vec::new();
        let text = "a \x1b[31mred\x1b[0m and \x1b[1mstrong\x1b[0m word";
        write_line(&mut told, false, &text);
        assert_eq!(told, b"a red and strong word\n");
        told.clear();
        write_line(&mut told, true, &text);
        assert!(told.starts_with(b"a \x1b[31mred"));
    }
}
