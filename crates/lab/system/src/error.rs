//! What can go wrong with a system or a stage: each error has a cause, in its text, and a cure.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use holdfast_ops::EnvironmentError;

use crate::files::FileError;
use crate::link::LinkError;
use crate::output::{Console, Tone};
use crate::plan::Target;
use crate::postgres::PostgresError;
use crate::service::Service;

/// The cure where a measurement or a load was disturbed.
pub const BUSY: &str = "look for what else keeps this machine busy, and run it again";

/// Why a system could not be brought up, asked, loaded, broken, healed or taken down.
#[derive(Debug, thiserror::Error)]
pub enum SystemError {
    #[error("{0}")]
    Setting(#[from] EnvironmentError),
    #[error("{} is not inside a Holdfast checkout", .0.display())]
    NoCheckout(PathBuf),
    #[error(transparent)]
    File(#[from] FileError),
    #[error("port {port} is taken{}", holder.as_ref().map(|holder| format!(" by {holder}")).unwrap_or_default())]
    PortTaken {
        port: u16,
        variable: &'static str,
        /// Who has it, when that could be found.
        holder: Option<String>,
    },
    /// A port cannot be had, and nobody listens there.
    #[error("cannot listen on port {port}: {source}")]
    Port {
        port: u16,
        variable: &'static str,
        source: io::Error,
    },
    #[error("{} does not exist", .0.display())]
    NotBuilt(PathBuf),
    /// A service did not become, or stay, healthy.
    #[error("{service} {problem}")]
    Unhealthy {
        service: Service,
        problem: String,
        /// The end of its log.
        log: Vec<String>,
        /// All of it, where that is a file.
        file: Option<PathBuf>,
    },
    /// A service refuses its configuration, in its own words.
    #[error("{0}")]
    Refused(String),
    /// The API does not go by its policy file as it is now, in its own words.
    #[error("the policy file is refused, and all stays as it was: {0}")]
    PoliciesRefused(String),
    /// Somebody else's API did not start: what was seen, and the end of what it said.
    #[error("the API to be judged {0}")]
    Contender(String, Vec<String>),
    #[error("{service}: processes {pids:?} do not react to signals")]
    Stuck { service: Service, pids: Vec<i32> },
    #[error("{0} is not running")]
    NotRunning(Service),
    #[error("nothing is up")]
    NotUp,
    #[error("the {other} stage is up and holds port {port}")]
    OtherStage { other: &'static str, port: u16 },
    #[error("the {0} stage is up or holds data, and this command wants to start from nothing")]
    StageInTheWay(&'static str),
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error("no link leads to the {0}")]
    NoLink(Target),
    #[error("the load generator broke off")]
    LoadBrokeOff,
    #[error("{program} is not installed")]
    MissingProgram {
        program: &'static str,
        install: String,
    },
    #[error(
        "{0} cannot be installed without touching what is installed, or is installed and its programs are not found"
    )]
    WouldTouch(&'static str),
    /// A program that the lab calls failed: its command line, and the last it said or its exit status.
    #[error("{command} failed: {output}")]
    Program { command: String, output: String },
    #[error("the Compose stage needs a Docker engine with Compose: {0}")]
    NoEngine(String),
    #[error("the API did not answer {url}: {problem}")]
    Api { url: String, problem: String },
    #[error("cannot ask Postgres: {0}")]
    Database(String),
    #[error("no accepted requests in {}: {problem}", path.display())]
    NoAccepted { path: PathBuf, problem: String },
    #[error("{}:{line}: {problem}", path.display())]
    AcceptedLine {
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        problem: String,
    },
    #[error(
        "a task that is frozen fails its health check, and Swarm puts another in its place within seconds"
    )]
    NoPauseOnSwarm,
    #[error("this stage is one machine")]
    NotSeveral,
    /// A command that brings processes of its own was asked for another stage.
    #[error("{0} plays on processes of its own, on no other stage")]
    OnlyOnProcesses(&'static str),
    #[error("the virtual stage has no services: it plays experiments, and nothing else")]
    NoServices,
    #[error("{0}")]
    CannotBreak(&'static str),
    #[error("another run of experiments has the containers")]
    ExperimentsUnderWay,
    #[error("could not clean up: {}", .0.join("; "))]
    NotRolledBack(Vec<String>),
    /// A system of a command's own did not start; its folder has the logs.
    #[error("{error}")]
    NotStarted {
        error: Box<SystemError>,
        folder: PathBuf,
    },
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

impl SystemError {
    /// What to do about it, in one line; none where the cause already says it.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::Postgres(_) | Self::CannotBreak(_) | Self::Refused(_) | Self::NoLink(_) => return None,
            Self::Setting(_) => "set the variable to something it can be, or unset it".to_owned(),
            Self::NoCheckout(_) => "change into the folder you cloned Holdfast to".to_owned(),
            Self::File(error) if error.is_missing() => "look at the name, and whether the file is there".to_owned(),
            Self::File(_) => "check the permissions and the free space there".to_owned(),
            Self::PortTaken { variable, .. } => {
                format!("stop what listens there, or choose another port: {variable}=…")
            }
            Self::Port { variable, .. } => format!("choose another port: {variable}=…"),
            Self::NotBuilt(_) => {
                "build it: cargo build --locked --bins -p holdfast-api -p holdfast-worker -p holdfast-lab -p holdfast-simulation".to_owned()
            }
            Self::PoliciesRefused(_) => "mend the file, then again: make reload".to_owned(),
            Self::Unhealthy { file: Some(file), .. } => format!("read the whole log: {}", file.display()),
            Self::Unhealthy { service, .. } => format!("read the whole log: make logs SERVICE={service}"),
            Self::Contender(..) => "try it by hand with PORT set; docs/your-own-api.md has the contract".to_owned(),
            Self::Stuck { pids, .. } => format!("look at them with ps: {pids:?}"),
            Self::NotRunning(service) => format!("start it: make start-{service}"),
            Self::NotUp => "bring a stage up: make up".to_owned(),
            Self::OtherStage { .. } => "take it down first (make down), or choose another port: API_PORT=…".to_owned(),
            Self::StageInTheWay(_) => "take it down first: make down".to_owned(),
            Self::LoadBrokeOff => BUSY.to_owned(),
            Self::MissingProgram { install, .. } => format!("install it, on Debian: {install}"),
            Self::WouldTouch(program) => {
                format!("put its programs on PATH, or decide for yourself: sudo apt-get install -y {program}")
            }
            Self::Program { .. } => "run the command by hand to see more".to_owned(),
            Self::NoEngine(_) => "start Docker, or run on local processes: STAGE=local".to_owned(),
            Self::Api { .. } => "see what is alive: make status".to_owned(),
            Self::Database(_) => {
                "heal it (make start-db or make resume-db), or give it time: lab check --wait 120s".to_owned()
            }
            Self::NoAccepted { .. } => "have some accepted first: make load".to_owned(),
            Self::AcceptedLine { .. } => {
                "a line is ID<TAB>KEY<TAB>STATUS; have the file written anew: make load".to_owned()
            }
            Self::NoPauseOnSwarm => "take out a machine's cable instead: make cut-node NODE=1".to_owned(),
            Self::OnlyOnProcesses(_) => "leave STAGE unset, or give STAGE=local".to_owned(),
            Self::NotSeveral => "bring up several: make up STAGE=swarm".to_owned(),
            Self::NoServices => "give STAGE=local or STAGE=compose, or play: make experiments STAGE=virtual".to_owned(),
            Self::ExperimentsUnderWay => "wait for its end, or run on local processes: STAGE=local".to_owned(),
            Self::NotRolledBack(_) => "end what is named there by hand".to_owned(),
            Self::Link(LinkError::Bind { .. }) => "stop what listens there, or give another address".to_owned(),
            Self::Link(LinkError::Refused { .. }) => "see that no other experiment is being played".to_owned(),
            Self::Link(_) => "see that its process lives: fault-proxy --help".to_owned(),
            Self::NotStarted { error, folder } => {
                let logs = format!("read what it left in {}", folder.display());
                match &**error {
                    Self::Unhealthy { .. } => logs,
                    other => [other.help(), Some(logs)].into_iter().flatten().collect::<Vec<_>>().join("; "),
                }
            }
            Self::Interrupted => "what was started has been stopped".to_owned(),
        })
    }

    pub fn context(&self) -> &[String] {
        match self {
            Self::Unhealthy { log, .. } | Self::Contender(_, log) => log,
            Self::NotStarted { error, .. } => error.context(),
            _ => &[],
        }
    }

    /// Whether nothing was tried because the configuration is wrong.
    pub fn is_configuration(&self) -> bool {
        match self {
            Self::Setting(_)
            | Self::NoCheckout(_)
            | Self::Refused(_)
            | Self::NoServices
            | Self::OnlyOnProcesses(_) => true,
            Self::NotStarted { error, .. } => error.is_configuration(),
            _ => false,
        }
    }

    /// Of a service with the end of its log.
    pub(crate) fn unhealthy(service: Service, problem: impl Into<String>, log: &str) -> Self {
        Self::Unhealthy {
            service,
            problem: problem.into(),
            log: log.lines().map(str::to_owned).collect(),
            file: None,
        }
    }

    /// Of the processes of `service` that do not react.
    pub fn stuck(service: Service) -> impl FnOnce(Vec<i32>) -> Self {
        move |pids| Self::Stuck { service, pids }
    }

    /// Of a file: what was being done to it.
    pub fn file(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let at = FileError::at(doing, path);
        move |source| Self::File(at(source))
    }
}

/// Tells an error as people read it: the cause, lines that belong to it, the cure.
pub fn tell(error: &dyn Error, context: &[String], help: Option<String>, console: Console) {
    console.say(format_args!("{} {error}", console.paint(Tone::Bad, "lab:")));
    for line in context {
        console.say(console.paint(Tone::Faint, format_args!("  | {line}")));
    }
    if let Some(help) = help {
        console.say(format_args!("  help: {help}"));
    }
}
