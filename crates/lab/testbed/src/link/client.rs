//! Commanding links in another process.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::protocol::{Reply, Request};
use super::{Link, LinkError};
use crate::proxy::Fault;

/// A fault takes at most half a second to be in force; waiting for another controller's healing, two more.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// A control connection. When it and all that share it are dropped, or this process ends, what they set is healed.
#[derive(Debug, Clone)]
pub struct Controller {
    address: SocketAddr,
    line: Arc<Mutex<Line>>,
}

#[derive(Debug)]
struct Line {
    stream: BufReader<TcpStream>,
    number: u64,
    /// What has come of the line that is being read: kept if whoever reads it stops half-way.
    heard: Vec<u8>,
}

impl Controller {
    pub async fn connect(address: SocketAddr) -> Result<Self, LinkError> {
        let stream = timeout(ANSWER_WITHIN, TcpStream::connect(address))
            .await
            .map_err(|_| LinkError::Silent(address))?
            .map_err(|source| LinkError::Unreachable { address, source })?;
        let line = Line {
            stream: BufReader::new(stream),
            number: 0,
            heard: Vec::new(),
        };
        Ok(Self {
            address,
            line: Arc::new(Mutex::new(line)),
        })
    }

    /// The link of this name. Whether there is one shows when it is used.
    pub fn link(&self, name: &str) -> Link {
        Link::Remote {
            name: name.to_owned(),
            controller: self.clone(),
        }
    }

    /// Requests seen on this link. With `set` that fault is in force then; refused where another controller has set one and is
    /// still connected.
    pub(super) async fn ask(&self, link: &str, set: Option<Fault>) -> Result<u64, LinkError> {
        let address = self.address;
        let asked = async { self.line.lock().await.ask(link, set).await };
        let reply = timeout(ANSWER_WITHIN, asked)
            .await
            .map_err(|_| LinkError::Silent(address))?
            .map_err(|source| LinkError::Unreachable { address, source })?;
        match reply.refused {
            None => Ok(reply.requests),
            Some(reason) => Err(LinkError::Refused { address, reason }),
        }
    }
}

impl Line {
    async fn ask(&mut self, link: &str, set: Option<Fault>) -> io::Result<Reply> {
        self.number += 1;
        let request = Request {
            number: self.number,
            link: link.to_owned(),
            set,
        };
        let mut line = serde_json::to_vec(&request)?;
        line.push(b'\n');
        self.stream.get_mut().write_all(&line).await?;
        loop {
            let reply = self.hear().await?;
            // An earlier number: somebody stopped waiting for that answer.
            if reply.number == self.number {
                return Ok(reply);
            }
        }
    }

    async fn hear(&mut self) -> io::Result<Reply> {
        self.stream.read_until(b'\n', &mut self.heard).await?;
        let reply = serde_json::from_slice(&self.heard);
        let ended = self.heard.is_empty();
        self.heard.clear();
        if ended {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(reply?)
    }
}
