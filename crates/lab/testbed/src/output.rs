//! The one place that writes to the terminal: results to stdout, progress to stderr, each with colour only where it is
//! wanted: one of them may be a terminal and the other a file.

use std::fmt::{self, Display};
use std::io::{self, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use holdfast_ops::Environment;

const DEFAULT_WIDTH: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
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
        let told = environment.get("COLUMNS");
        let told = told.and_then(|text| text.parse().ok());
        let measured = || Some(rustix::termios::tcgetwinsize(&stdout).ok()?.ws_col.into());
        let width = told.or_else(measured).filter(|width| *width > 0);
        let wanted = environment.get("NO_COLOR").is_none();
        Self {
            colours: [stdout.is_terminal(), io::stderr().is_terminal()].map(|it| it && wanted),
            width: width.unwrap_or(DEFAULT_WIDTH),
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

    pub fn width(&self) -> usize {
        self.width
    }

    /// A result, to stdout.
    pub fn print(&self, line: impl Display) {
        let mut stdout = AutoStream::new(io::stdout().lock(), choice(self.colours[0]));
        // A reader who has gone away (`lab status | head -1`) is no error of ours.
        let _ = stdout.write_all(format!("{line}\n").as_bytes());
    }

    /// Progress, to stderr.
    pub fn say(&self, line: impl Display) {
        if !self.quiet {
            let mut stderr = AutoStream::new(io::stderr().lock(), choice(self.colours[1]));
            let _ = stderr.write_all(format!("{line}\n").as_bytes());
        }
    }

    /// `text` as it is to be shown in this tone; a stream without colour leaves that out.
    pub fn paint<T: Display>(&self, tone: Tone, text: T) -> Painted<T> {
        let coloured = self.colours.contains(&true);
        let tone = if coloured { tone } else { Tone::Plain };
        Painted { tone, text }
    }
}

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

fn choice(colour: bool) -> ColorChoice {
    match colour {
        true => ColorChoice::AlwaysAnsi,
        false => ColorChoice::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_surrounds_text_only_where_it_is_wanted() {
        let on = |colours| Console {
            colours,
            width: 80,
            quiet: false,
        };
        let plain = on([false, false]).paint(Tone::Bad, "fell").to_string();
        assert_eq!(plain, "fell");
        let colourful = on([true, false]);
        let bad = colourful.paint(Tone::Bad, "fell").to_string();
        assert_eq!(bad, "\x1b[31mfell\x1b[0m");
        let padded = format!("{:>6}|", colourful.paint(Tone::Plain, "fell"));
        assert_eq!(padded, "  fell|");
    }

    #[test]
    fn a_stream_without_colour_gets_the_text_alone() {
        let text = "a \x1b[31mred\x1b[0m and \x1b[1mstrong\x1b[0m word";
        let told = |colour| {
            let mut stream = AutoStream::new(Vec::new(), choice(colour));
            write!(stream, "{text}").unwrap();
            stream.into_inner()
        };
        assert_eq!(told(false), b"a red and strong word");
        assert_eq!(told(true), text.as_bytes());
    }
}
