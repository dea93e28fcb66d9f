//! One connection: plays the fault in force, and changes its conduct when the fault changes.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::counters::Counters;
use super::exchange::{Disposition, Exchange};
use super::flow::{Flow, Step};
use super::{Fault, Order};

/// For the name and the connection together: what nobody answers must not hold a client for the kernel's two minutes.
const REACHED_WITHIN: Duration = Duration::from_secs(2);
/// Neither an HTTP status line nor a Postgres message: its length field is zero, and a length counts itself.
const GARBAGE: [u8; 16] = [
    0xfe, 0, 0, 0, 0, 0xff, 0xfe, 0xfd, 0, 0, 0, 0, 0xfc, 0xfb, 0xfa, 0xf9,
];

/// Serves `client` until it or the upstream ends, a fault ends it, or the task is dropped.
pub(super) async fn serve(
    client: TcpStream,
    upstream: Arc<str>,
    mut orders: watch::Receiver<Order>,
    counters: Arc<Counters>,
) {
    let mut relay = Relay {
        client: Client::new(client),
        server: None,
        asked: Flow::new(),
        answered: Flow::new(),
        exchange: Exchange::default(),
        garbled: false,
        upstream,
        counters,
    };
    loop {
        let fault = orders.borrow_and_update().fault;
        tokio::select! {
            biased;
            changed = orders.changed() => if changed.is_err() { return },
            () = relay.play(fault) => return,
        }
    }
}

struct Relay {
    client: Client,
    server: Option<TcpStream>,
    asked: Flow,
    answered: Flow,
    exchange: Exchange,
    /// Garbage is the last the client will hear.
    garbled: bool,
    upstream: Arc<str>,
    counters: Arc<Counters>,
}

enum Event {
    Asked(Step),
    Answered(Step),
    Due,
}

enum Closing {
    Clean,
    Reset,
}

impl Relay {
    /// Returns when the connection is over; only a clean end spares the client the reset.
    async fn play(&mut self, fault: Fault) {
        let over = if fault == Fault::Refuse {
            Ok(Closing::Reset)
        } else if fault.is_silent() {
            self.hear(fault).await
        } else {
            self.forward(fault).await
        };
        if let Ok(Closing::Clean) = over {
            self.client.ended_clean = true;
        }
    }

    /// Says nothing, passes nothing on, and counts what is asked.
    async fn hear(&mut self, fault: Fault) -> io::Result<Closing> {
        self.exchange.judge_again(|| Disposition::Pass);
        loop {
            let (mut from_client, _) = self.client.stream.split();
            if self.asked.listen(&mut from_client).await? == Step::Got {
                self.begin(fault);
            }
        }
    }

    async fn forward(&mut self, fault: Fault) -> io::Result<Closing> {
        self.exchange.judge_again(|| self.counters.draw(fault));
        if let Disposition::Garbage | Disposition::Status(_) = self.exchange.disposition {
            // Its own answer to this request would come after ours.
            self.server = None;
            self.asked.restart();
            self.answered.clear();
        } else if !self.answered.is_empty() {
            self.exchange.answer_came(Instant::now());
        }
        self.answer_in_its_place();
        while self.exchange.allowance() > 0 {
            if self.garbled && self.answered.is_empty() {
                return self.linger().await;
            }
            match self.next().await? {
                Event::Asked(Step::Got) => {
                    self.begin(fault);
                    self.answer_in_its_place();
                }
                Event::Asked(_) => {}
                Event::Answered(Step::Got) => self.exchange.answer_came(Instant::now()),
                Event::Answered(Step::Sent(bytes)) => self.exchange.delivered(bytes),
                Event::Answered(Step::Ended) => {}
                // The answer's end is the connection's end: a server that has finished wants nothing more.
                Event::Answered(Step::Over) => return Ok(Closing::Clean),
                Event::Due => self.exchange.release(),
            }
        }
        Ok(Closing::Reset)
    }

    /// What happens next, in either direction. Cancel-safe.
    async fn next(&mut self) -> io::Result<Event> {
        let server = match &mut self.server {
            Some(server) => server,
            none => none.insert(connect(&self.upstream).await?),
        };
        let (mut from_client, mut to_client) = self.client.stream.split();
        let (mut from_server, mut to_server) = server.split();
        let exchange = &self.exchange;
        let answered = &mut self.answered;
        let answer = async {
            if let Some(due) = exchange.due {
                sleep_until(due).await;
                return Ok(Event::Due);
            }
            let allowance = exchange.allowance();
            let step = answered.step(&mut from_server, &mut to_client, allowance);
            step.await.map(Event::Answered)
        };
        tokio::select! {
            step = self.asked.step(&mut from_client, &mut to_server, usize::MAX) => step.map(Event::Asked),
            event = answer => event,
        }
    }

    /// The client has said something; if it was not waiting, that is a request.
    fn begin(&mut self, fault: Fault) {
        if !self.exchange.waiting {
            self.counters.requests.fetch_add(1, Ordering::Relaxed);
            self.exchange.begin(self.counters.draw(fault));
        }
    }

    /// Answers the request if that is its disposition: the upstream does not get to see it.
    fn answer_in_its_place(&mut self) {
        match self.exchange.disposition {
            Disposition::Garbage => {
                self.answered.append(&GARBAGE);
                self.garbled = true;
            }
            Disposition::Status(code) => {
                let answer = format!("HTTP/1.1 {code} \r\ncontent-length: 0\r\n\r\n");
                self.answered.append(answer.as_bytes());
            }
            Disposition::Pass | Disposition::Late(_) | Disposition::Cut { .. } => return,
        }
        self.asked.clear();
        self.exchange.settle();
    }

    /// Ends the connection after the client: closing with unread input would turn the close into a reset and could
    /// destroy the garbage on its way.
    async fn linger(&mut self) -> io::Result<Closing> {
        let mut ignored = [0; 1024];
        self.client.stream.shutdown().await?;
        while self.client.stream.read(&mut ignored).await? > 0 {}
        Ok(Closing::Clean)
    }
}

/// Connects to `upstream` (`host:port`), its name looked up anew: a container that was replaced has a new address.
async fn connect(upstream: &str) -> io::Result<TcpStream> {
    let stream = timeout(REACHED_WITHIN, TcpStream::connect(upstream)).await??;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// A client that is reset (RST) when dropped, unless the connection came to a clean end.
struct Client {
    stream: TcpStream,
    ended_clean: bool,
}

impl Client {
    fn new(stream: TcpStream) -> Self {
        // Fails only on a socket that is already dead.
        let _ = stream.set_nodelay(true);
        Self {
            stream,
            ended_clean: false,
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if !self.ended_clean {
            // Fails only on a socket that is already dead.
            let _ = self.stream.set_zero_linger();
        }
    }
}
