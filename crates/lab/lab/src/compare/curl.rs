//! Calling an endpoint the way a reader would: with curl.

use std::io::ErrorKind;
use std::process::{Output, Stdio};

use holdfast_system::error::SystemError;
use tokio::process::Command;

use super::answer::{Answer, Http};
use crate::debian;

/// Exit codes of curl(1), EXIT CODES.
const TIMED_OUT: i32 = 28;
const SHORT_WORDS: [(i32, &str); 3] = [
    (7, "connection refused"),
    (52, "closed without an answer"),
    (56, "connection reset"),
];

/// One call, to be made and to be shown.
#[derive(Debug, Clone)]
pub(super) struct Call {
    url: String,
    /// Seconds after which the call is given up.
    cut_after: f64,
}

impl Call {
    pub(super) fn new(url: String, cut_after: f64) -> Self {
        Self { url, cut_after }
    }

    /// The command line, to be repeated by hand.
    pub(super) fn command_line(&self) -> String {
        format!("curl -q -sSi --max-time {} {}", self.cut_after, self.url)
    }

    /// Calls, and waits for the answer or the cut.
    pub(super) async fn make(&self) -> Result<Answer, SystemError> {
        let mut command = Command::new("curl");
        // First of all: without the reader's own configuration file, which may send the answer elsewhere.
        command.arg("-q");
        command.args(["-sSi", "--max-time", &self.cut_after.to_string(), &self.url]);
        // Beyond what the reader is shown: the time, as curl measures it, after everything else; and no proxy.
        command.args(["--write-out", "\n%{time_total}", "--noproxy", "*"]);
        let output = command
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await;
        match output {
            Ok(output) => Ok(self.understand(&output)),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(debian::missing("curl")),
            Err(error) => Err(SystemError::file("start", "curl")(error)),
        }
    }

    fn understand(&self, output: &Output) -> Answer {
        let text = String::from_utf8_lossy(&output.stdout);
        let (text, seconds) = text.rsplit_once('\n').unwrap_or((&text, ""));
        let seconds = seconds.parse().unwrap_or(0.0);
        if output.status.code() == Some(TIMED_OUT) {
            return Answer::Silence {
                cut_after: self.cut_after,
            };
        }
        match Http::parse(text, seconds) {
            Some(http) if output.status.success() => Answer::Http(http),
            _ => Answer::Broken {
                problem: problem(output),
                seconds,
            },
        }
    }
}

fn problem(output: &Output) -> String {
    let known = SHORT_WORDS
        .iter()
        .find(|(code, _)| output.status.code() == Some(*code));
    known.map_or_else(
        || complaint(&output.stderr),
        |(_, words)| (*words).to_owned(),
    )
}

/// `curl: (7) Failed to connect to …` without the name and the number.
fn complaint(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let line = text.lines().next().unwrap_or_default();
    let line = line.strip_prefix("curl: ").unwrap_or(line);
    let words = line.split_once(") ").map_or(line, |(_, words)| words);
    if words.is_empty() {
        "no answer".to_owned()
    } else {
        words.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_command_is_one_a_reader_can_type() {
        let call = Call::new("http://127.0.0.1:8080/process".to_owned(), 8.5);
        assert_eq!(
            call.command_line(),
            "curl -q -sSi --max-time 8.5 http://127.0.0.1:8080/process"
        );
    }

    #[test]
    fn a_complaint_loses_its_number() {
        assert_eq!(
            complaint(b"curl: (52) Empty reply from server\n"),
            "Empty reply from server"
        );
        assert_eq!(complaint(b""), "no answer");
    }
}
