//! A breaker that charges every dropped call, never forgets a failure, and never gets the place of
//! a dropped probe back.

use std::error::Error;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use holdfast_rivals::contenders::{
    Answer, Breaker, Contender, Feature, Operation, Setup, Trip, Trouble,
};
use tokio::time::Instant;

pub(crate) struct Sham;

#[derive(Default)]
struct State {
    failures: u32,
    opened: Option<Instant>,
    probe_is_out: bool,
}

/// Counts its call as failed when dropped, unless it is told otherwise.
struct Charge {
    state: Arc<Mutex<State>>,
    most: u32,
    failed: bool,
}

impl Contender for Sham {
    fn name(&self) -> &'static str {
        "sham"
    }

    fn lacks(&self) -> &'static [Feature] {
        &[Feature::TimeWindow]
    }

    fn breaker(&self, setup: &Setup) -> Result<Breaker, Box<dyn Error + Send + Sync>> {
        let open_for = setup.open_for;
        let (Trip::InARow(most) | Trip::HalfOf(most)) = setup.opens_on else {
            return Err("the sham has no time window".into());
        };
        let state = Arc::new(Mutex::new(State::default()));
        Ok(Arc::new(move |operation: Operation| {
            let state = Arc::clone(&state);
            Box::pin(async move {
                state.lock().unwrap().admit(open_for)?;
                let failed = true;
                let charge = Charge {
                    state,
                    most,
                    failed,
                };
                let answer = operation.run().await;
                charge.settle(answer.map_err(|_| Trouble::Failed))
            })
        }))
    }
}

impl State {
    fn admit(&mut self, open_for: Duration) -> Answer {
        if let Some(opened) = self.opened {
            if opened.elapsed() < open_for || self.probe_is_out {
                return Err(Trouble::Refused);
            }
            self.probe_is_out = true;
        }
        Ok(())
    }
}

impl Charge {
    fn settle(mut self, answer: Answer) -> Answer {
        self.failed = answer.is_err();
        let mut state = self.state.lock().unwrap();
        state.probe_is_out = false;
        if answer.is_ok() {
            state.opened = None;
        }
        answer
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        let mut state = self.state.lock().unwrap();
        state.failures += u32::from(self.failed);
        if self.failed && state.failures >= self.most {
            state.opened = Some(Instant::now());
        }
    }
}
