//! The thread that sends. Its processor time is all that a request costs here, and nothing else.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::CallHistory;
use super::client::Client;
use crate::error::SystemError;
use holdfast_checker::schedule::Arrival;

/// What was sent, and what that cost.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cost {
    pub(super) processor: Duration,
    pub(super) most_under_way: usize,
    pub(super) sent: usize,
}

/// A generator under way. Dropped, it drops its calls.
#[derive(Debug)]
pub(super) struct Running {
    ended: UnboundedReceiver<CallHistory>,
    stop: Option<oneshot::Sender<()>>,
    cost: oneshot::Receiver<Cost>,
}

impl Running {
    /// Begins to send these.
    pub(super) fn start(
        arrivals: impl Iterator<Item = Arrival> + Send + 'static,
        client: Client,
        epoch: Instant,
    ) -> Result<Self, SystemError> {
        let (ended_to, ended) = unbounded_channel();
        let (stop, stopped) = oneshot::channel();
        let (cost_to, cost) = oneshot::channel();
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        let started = runtime.and_then(|runtime| {
            let thread = thread::Builder::new().name("load".to_owned());
            thread.spawn(move || {
                let sent = send(arrivals, Arc::new(client), epoch, ended_to, stopped);
                let mut cost = runtime.block_on(sent);
                cost.processor = processor_time();
                // Whoever does not listen any more does not want to know.
                let _ = cost_to.send(cost);
            })
        });
        started.map_err(SystemError::file("start", "the load generator's thread"))?;
        Ok(Self {
            ended,
            stop: Some(stop),
            cost,
        })
    }

    /// The next call that has ended; none: all have.
    pub(super) async fn next(&mut self) -> Option<CallHistory> {
        self.ended.recv().await
    }

    /// Nothing more is sent; what is under way is waited for.
    pub(super) fn stop(&mut self) {
        self.stop = None;
    }

    /// Drops the calls that are still under way.
    pub(super) async fn cost(mut self) -> Result<Cost, SystemError> {
        self.ended.close();
        let ended = |_| SystemError::LoadBrokeOff;
        self.cost.await.map_err(ended)
    }
}

/// All but the processor time.
async fn send(
    mut arrivals: impl Iterator<Item = Arrival>,
    client: Arc<Client>,
    epoch: Instant,
    ended: UnboundedSender<CallHistory>,
    mut stopped: oneshot::Receiver<()>,
) -> Cost {
    let mut calls = JoinSet::new();
    let mut cost = Cost::default();
    let mut next = arrivals.next();
    while next.is_some() || !calls.is_empty() {
        tokio::select! {
            // What is due to be sent comes before what has ended.
            biased;
            () = sleep_until(due(epoch, next)), if next.is_some() => {
                if let Some(arrival) = next {
                    let client = Arc::clone(&client);
                    cost.sent += 1;
                    calls.spawn(async move { client.call(arrival).await });
                    cost.most_under_way = cost.most_under_way.max(calls.len());
                }
                next = arrivals.next();
            }
            _ = &mut stopped, if next.is_some() => next = None,
            () = ended.closed() => break,
            Some(Ok(history)) = calls.join_next() => {
                // Nobody listens: the next round finds out.
                let _ = ended.send(history);
            }
        }
    }
    cost
}

fn due(epoch: Instant, next: Option<Arrival>) -> Instant {
    epoch + next.map_or(Duration::ZERO, |arrival| arrival.at)
}

/// Of this thread, so far.
fn processor_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}
