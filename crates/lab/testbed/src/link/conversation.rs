//! One control connection, from its beginning to the healing after its end.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::OwnedMutexGuard;
use tokio::time::timeout;

use super::protocol::{LONGEST_LINE, Reply, Request};
use super::server::Links;

/// How long a new controller waits for the healing after the one before.
const HEALED_WITHIN: Duration = Duration::from_secs(2);

/// Answers one connection until it ends, then heals what it has broken.
pub(super) async fn converse(stream: TcpStream, links: Arc<Links>) {
    let mut conversation = Conversation {
        stream: BufReader::new(stream),
        links,
        in_charge: None,
    };
    // However it ends, it has ended.
    let _ = conversation.run().await;
    if conversation.in_charge.is_some() {
        conversation.links.heal().await;
    }
}

struct Conversation {
    stream: BufReader<TcpStream>,
    links: Arc<Links>,
    in_charge: Option<OwnedMutexGuard<()>>,
}

impl Conversation {
    async fn run(&mut self) -> io::Result<()> {
        let mut line = String::new();
        loop {
            line.clear();
            let mut bounded = (&mut self.stream).take(LONGEST_LINE);
            bounded.read_line(&mut line).await?;
            if !line.ends_with('\n') {
                return Ok(());
            }
            let reply = match serde_json::from_str(&line) {
                Ok(request) => self.answer(request).await,
                Err(error) => refusal(0, error.to_string()),
            };
            let mut line = serde_json::to_vec(&reply)?;
            line.push(b'\n');
            self.stream.get_mut().write_all(&line).await?;
        }
    }

    async fn answer(&mut self, request: Request) -> Reply {
        let number = request.number;
        if request.set.is_some() && !self.takes_charge().await {
            return refusal(number, "another controller is connected".to_owned());
        }
        let Some(proxy) = self.links.get(&request.link) else {
            return refusal(number, format!("there is no link {:?}", request.link));
        };
        if let Some(fault) = request.set {
            proxy.set(fault).await;
        }
        Reply {
            number,
            refused: None,
            requests: proxy.requests(),
        }
    }

    async fn takes_charge(&mut self) -> bool {
        if self.in_charge.is_none() {
            let control = Arc::clone(&self.links.control);
            self.in_charge = timeout(HEALED_WITHIN, control.lock_owned()).await.ok();
        }
        self.in_charge.is_some()
    }
}

fn refusal(number: u64, reason: String) -> Reply {
    Reply {
        number,
        refused: Some(reason),
        requests: 0,
    }
}
