//! A look at a service as a stranger takes it: one connection of its own, one question. What proves that a fault is in
//! force, or over, whatever the API says.

use std::error::Error;
use std::fmt;
use std::io::ErrorKind;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::plan::Target;
use crate::{postgres, seconds};

/// A connection on one machine takes a millisecond; a lost packet is sent again after a second.
const CONNECTED_WITHIN: Duration = Duration::from_millis(500);

/// Changes no row, but needs all that a change needs.
const WRITE: &str = "BEGIN; SET LOCAL lock_timeout = '100ms';
    UPDATE requests SET status = status WHERE false; ROLLBACK;";

/// What the stranger saw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "saw", rename_all = "snake_case")]
pub enum Probe {
    /// An answer as it should be.
    Well {
        #[serde(with = "seconds")]
        after: Duration,
    },
    /// An answer with an error in it: an HTTP status, an SQLSTATE.
    Error {
        code: String,
    },
    /// Its port refuses, or its name leads nowhere.
    Refused,
    NoConnection,
    /// It accepted, and did not answer in time.
    Silent,
    /// The connection broke, or what came is of no protocol.
    Broken,
    /// There was no looking: whoever should have looked could not. It shows nothing.
    Unseen,
}

impl Probe {
    /// Looks at the service of this kind at `address`, `HOST:PORT`; an answer may take `patience`.
    pub async fn at(target: Target, address: &str, patience: Duration) -> Self {
        match timeout(CONNECTED_WITHIN, TcpStream::connect(address)).await {
            Err(_) => return Self::NoConnection,
            Ok(Err(error)) if error.kind() == ErrorKind::TimedOut => return Self::NoConnection,
            Ok(Err(_)) => return Self::Refused,
            Ok(Ok(_)) => {}
        }
        let start = Instant::now();
        let asked = async {
            match target {
                Target::Database | Target::Standby => ask_postgres(address).await,
                Target::Worker | Target::Api | Target::Replica(_) | Target::Node => {
                    ask_http(address).await
                }
            }
        };
        match timeout(patience, asked).await {
            Err(_) => Self::Silent,
            Ok(Ok(())) => Self::Well {
                after: start.elapsed(),
            },
            Ok(Err(bad)) => bad,
        }
    }

    pub fn is_well(&self) -> bool {
        matches!(self, Self::Well { .. })
    }

    /// Whether its question reached the port, and so counts as a request there.
    pub fn has_asked(&self) -> bool {
        !matches!(self, Self::Refused | Self::NoConnection | Self::Unseen)
    }
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Well { after } => write!(f, "it answers after {} ms", after.as_millis()),
            Self::Error { code } => write!(f, "it answers {code}"),
            Self::Refused => f.write_str("its port refuses"),
            Self::NoConnection => f.write_str("no connection comes about"),
            Self::Silent => f.write_str("it accepts and does not answer"),
            Self::Broken => f.write_str("its connection breaks in the middle"),
            Self::Unseen => f.write_str("nobody could look"),
        }
    }
}

async fn ask_http(address: &str) -> Result<(), Probe> {
    let client = reqwest::Client::builder().no_proxy().build();
    let client = client.map_err(|_| Probe::Broken)?;
    let answer = client.get(format!("http://{address}/livez")).send().await;
    let answer = answer.map_err(|_| Probe::Broken)?;
    let status = answer.status();
    answer.bytes().await.map_err(|_| Probe::Broken)?;
    let code = status.as_u16().to_string();
    status
        .is_success()
        .then_some(())
        .ok_or(Probe::Error { code })
}

/// A session of its own, and a statement that needs the right to write.
async fn ask_postgres(address: &str) -> Result<(), Probe> {
    let url = format!("postgres://holdfast:holdfast@{address}/holdfast");
    let asked = async { postgres::session(&url).await?.batch_execute(WRITE).await };
    asked.await.map_err(|error| told(&error))
}

fn told(error: &tokio_postgres::Error) -> Probe {
    let refused = || {
        let cause = error.source()?.downcast_ref::<std::io::Error>()?;
        (cause.kind() == ErrorKind::ConnectionRefused).then_some(Probe::Refused)
    };
    match error.code() {
        Some(code) => Probe::Error {
            code: code.code().to_owned(),
        },
        None => refused().unwrap_or(Probe::Broken),
    }
}
