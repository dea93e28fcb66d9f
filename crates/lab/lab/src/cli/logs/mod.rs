//! `lab logs`: the services' lines as one story, in the order of time.

mod line;

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use holdfast_system::error::SystemError;
use jiff::Timestamp;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::sleep;

use self::line::Line;
use super::arguments::Logs;
use crate::output::Console;
use crate::settings::Settings;
use crate::stage::{Local, Service, Stage};

/// Lines that are shown of what was before.
const LAST: usize = 100;
const POLL: Duration = Duration::from_millis(200);

/// Shows the lines. A stage that did not come up is dead, and has logs all the same.
pub(super) async fn show(
    wanted: &Logs,
    settings: &Settings,
    console: Console,
) -> Result<(), SystemError> {
    match Stage::to_act_on(settings, console).await {
        Ok(Stage::Compose(compose)) => {
            // All there is, where one request is looked for.
            let only_the_last = wanted.request.is_none();
            let command = compose.logs(wanted.service, wanted.follow, only_the_last);
            of_programs(vec![(None, command)], wanted, console).await
        }
        Ok(Stage::Swarm(swarm)) => {
            let commands = swarm.logs(wanted.service, wanted.follow).await?;
            let commands = commands.into_iter();
            let commands = commands.map(|(service, command)| (Some(service), command));
            of_programs(commands.collect(), wanted, console).await
        }
        Ok(Stage::Local(local)) => of_local(&local, wanted, console).await,
        Err(SystemError::NotUp) => {
            let local = Local::new(settings, settings.folder(), console);
            of_local(&local, wanted, console).await
        }
        Err(error) => Err(error),
    }
}

async fn of_local(local: &Local, wanted: &Logs, console: Console) -> Result<(), SystemError> {
    let files = local.logs(wanted.service);
    if files.is_empty() {
        return Err(SystemError::NotUp);
    }
    let mut tails: Vec<Tail> = files.into_iter().map(Tail::of).collect();
    let mut request = wanted.request.clone().map(Request::called);
    let mut first = true;
    loop {
        let lines = tails.iter_mut().flat_map(Tail::more).collect();
        print(lines, request.as_mut(), first, console);
        if !wanted.follow {
            return Ok(());
        }
        first = false;
        sleep(POLL).await;
    }
}

/// What programs print, all at once: of one service each, or with its name in each line.
async fn of_programs(
    commands: Vec<(Option<Service>, Command)>,
    wanted: &Logs,
    console: Console,
) -> Result<(), SystemError> {
    let (sender, mut told) = mpsc::channel(LAST);
    let mut programs = JoinSet::new();
    for (service, command) in commands {
        programs.spawn(pass_on(service, command, sender.clone()));
    }
    drop(sender);
    let mut request = wanted.request.clone().map(Request::called);
    let mut lines = Vec::new();
    while let Some(line) = told.recv().await {
        if wanted.follow {
            print(vec![line], request.as_mut(), false, console);
        } else {
            lines.push(line);
        }
    }
    print(lines, request.as_mut(), true, console);
    let ended: Result<Vec<()>, _> = programs.join_all().await.into_iter().collect();
    ended.map(drop)
}

/// Until the program ends, or nobody listens any more. A line without a time has that of the line before it.
async fn pass_on(
    of: Option<Service>,
    mut command: Command,
    to: mpsc::Sender<Line>,
) -> Result<(), SystemError> {
    let run = || SystemError::file("run", "what shows the logs");
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(run())?;
    let Some(stdout) = child.stdout.take() else {
        return Ok(());
    };
    let mut told = BufReader::new(stdout).lines();
    let mut before = Timestamp::UNIX_EPOCH;
    while let Some(line) = told.next_line().await.map_err(run())? {
        let named = match of {
            Some(service) => Some((service, line.as_str())),
            None => of_container(&line),
        };
        let Some((service, text)) = named else {
            continue;
        };
        let line = Line::read(service, text, before);
        before = line.at;
        if to.send(line).await.is_err() {
            return Ok(());
        }
    }
    let status = child.wait().await.map_err(run())?;
    if status.success() {
        return Ok(());
    }
    Err(SystemError::Program {
        command: "what shows the logs".to_owned(),
        output: status.to_string(),
    })
}

/// `api-1  | text`, or `api_1  | text` of the elder tool.
fn of_container(line: &str) -> Option<(Service, &str)> {
    let (name, text) = line.split_once('|')?;
    let named = |service: &Service| name.trim_start_matches("holdfast").contains(service.name());
    let service = Service::ALL.into_iter().find(named)?;
    Some((service, text.trim_start()))
}

/// The one whose lines are looked for.
struct Request {
    /// As its seeker calls it.
    called: String,
    /// What its lines are marked with.
    ids: Vec<String>,
}

impl Request {
    fn called(called: String) -> Self {
        Self {
            ids: vec![called.clone()],
            called,
        }
    }

    /// Its own of these lines. They tell more of its ids, by which others are its own too; named in other words it is only as
    /// its seeker calls it, for an id that its client chose may be any word.
    fn own(&mut self, mut lines: Vec<Line>) -> Vec<Line> {
        let own = lines.iter().filter(|line| self.has(line));
        let more: Vec<String> = own.flat_map(|line| line.ids().to_vec()).collect();
        self.ids.extend(more);
        self.ids.sort();
        self.ids.dedup();
        lines.retain(|line| self.has(line));
        lines
    }

    fn has(&self, line: &Line) -> bool {
        line.is_of(&self.ids) || line.names(&self.called)
    }
}

/// In the order of time; of what was before only the last, or the request's own.
fn print(mut lines: Vec<Line>, request: Option<&mut Request>, before: bool, console: Console) {
    lines.sort_by_key(|line| line.at);
    let lines = match request {
        Some(request) => request.own(lines),
        None if before => lines.split_off(lines.len().saturating_sub(LAST)),
        None => lines,
    };
    for line in lines {
        line.print(console);
    }
}

/// A log file, from where it was read last.
#[derive(Debug)]
struct Tail {
    path: PathBuf,
    service: Service,
    from: u64,
    /// The beginning of a line whose end is not written yet.
    rest: Vec<u8>,
    before: Timestamp,
}

impl Tail {
    fn of((service, path): (Service, PathBuf)) -> Self {
        Self {
            path,
            service,
            from: 0,
            rest: Vec::new(),
            before: Timestamp::UNIX_EPOCH,
        }
    }

    /// The whole lines that have come since.
    fn more(&mut self) -> Vec<Line> {
        // A file that cannot be read now has nothing to say now.
        let _ = self.read();
        let end = self.rest.iter().rposition(|byte| *byte == b'\n');
        let whole: Vec<u8> = self.rest.drain(..end.map_or(0, |end| end + 1)).collect();
        let text = String::from_utf8_lossy(&whole).into_owned();
        let mut lines = Vec::new();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let line = Line::read(self.service, line, self.before);
            self.before = line.at;
            lines.push(line);
        }
        lines
    }

    fn read(&mut self) -> std::io::Result<()> {
        let mut file = File::open(&self.path)?;
        if file.metadata()?.len() < self.from {
            // Begun anew.
            self.from = 0;
            self.rest.clear();
        }
        file.seek(SeekFrom::Start(self.from))?;
        self.from += file.read_to_end(&mut self.rest)? as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::*;

    #[test]
    fn a_line_of_either_compose_tool_names_its_service() {
        assert_eq!(of_container("api-1     | {}"), Some((Service::Api, "{}")));
        assert_eq!(
            of_container("holdfast_db_1 | x | y"),
            Some((Service::Db, "x | y"))
        );
        assert_eq!(of_container("Attaching to"), None);
    }

    #[test]
    fn a_request_is_followed_by_the_ids_of_its_lines_and_not_by_words_that_look_like_one() {
        let line = |text: &str| Line::read(Service::Api, text, Timestamp::UNIX_EPOCH);
        let own = line(r#"{"message":"put off","request_id":"r7","correlation_id":"1"}"#);
        let named = line(r#"{"message":"claimed r7"}"#);
        let marked = line(r#"{"message":"done","correlation_id":"1"}"#);
        let other = line(r#"{"message":"10 rows","request_id":"r1"}"#);
        let all = vec![own.clone(), named.clone(), marked.clone(), other];
        let mut request = Request::called("r7".to_owned());
        assert_eq!(request.own(all), [own, named, marked]);
    }

    #[test]
    fn a_log_is_read_on_by_whole_lines_and_from_its_beginning_once_it_is_new() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db.log");
        fs::write(&path, "one\ntw").unwrap();
        let mut tail = Tail::of((Service::Db, path.clone()));
        assert_eq!(tail.more().len(), 1);
        File::options()
            .append(true)
            .open(&path)
            .unwrap()
            .write_all(b"o\n")
            .unwrap();
        assert_eq!(
            tail.more(),
            [Line::read(Service::Db, "two", Timestamp::UNIX_EPOCH)]
        );
        assert_eq!(tail.more(), []);
        fs::write(&path, "new\n").unwrap();
        assert_eq!(tail.more().len(), 1);
    }
}
