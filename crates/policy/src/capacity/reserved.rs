//! A slot taken ahead: before work that only makes sense if the attempt will find one.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use tokio::time::timeout;

use super::slots::{Claim, Permit, Slots, Wait, WaitState};
use crate::event::RejectedBy;
use crate::priority::Priority;

/// A slot held for a call to come ([`Call::in_slot`](crate::Call::in_slot)), for all of its attempts,
/// until the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Reserved(Arc<Permit>);

impl Reserved {
    /// Whether it is one of these `slots`.
    pub(crate) fn is_of(&self, slots: &Slots) -> bool {
        self.0.is_of(slots)
    }
}

impl Slots {
    /// Waits for a slot as an attempt would. A caller that would wait longer than `max_wait`, as far as that can be
    /// known, is refused at once.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) async fn reserve(&self, priority: Priority) -> Result<Reserved, RejectedBy> {
        let found = match self.claim(priority, || self.max_wait()) {
            Claim::Taken => Ok(Permit::new(self.clone())),
            Claim::Wait(wait) => self.wait_for(wait).await,
            Claim::Refused(by) => Err(by),
        };
        found
            .map(|permit| Reserved(Arc::new(permit)))
            .inspect_err(|by| self.emit_refused(*by))
    }

    async fn wait_for(&self, mut wait: Wait) -> Result<Permit, RejectedBy> {
        let slot = poll_fn(|cx| match wait.poll_permit(cx) {
            WaitState::Admitted(permit) => Ok(permit).into(),
            WaitState::Waiting => Poll::Pending,
            WaitState::Shed => Err(RejectedBy::Shed).into(),
        });
        timeout(self.max_wait(), slot)
            .await
            .unwrap_or(Err(RejectedBy::Bulkhead))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::capacity::Signal;
    use crate::config::{AdaptiveConfig, BulkheadConfig};
    use crate::reporter::Reporter;

    const MAX_WAIT: Duration = Duration::from_millis(200);

    fn slots(max_concurrent: u32) -> Slots {
        let config = BulkheadConfig {
            max_concurrent,
            max_waiting: 8,
            max_wait: MAX_WAIT,
            adaptive: None,
        };
        Slots::new(&config, Reporter::new("slots", Vec::new()))
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_taken_ahead_is_free_again_when_its_last_clone_is_gone() {
        let slots = slots(1);
        let slot = slots.reserve(Priority::USUAL).await.unwrap();
        let clone = slot.clone();
        drop(slot);
        assert_eq!(slots.usage(), (1, 0));
        let refused = slots.reserve(Priority::USUAL).await.unwrap_err();
        assert_eq!(refused, RejectedBy::Bulkhead);
        drop(clone);
        assert!(slots.reserve(Priority::USUAL).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn the_most_urgent_of_those_who_wait_gets_the_next_place() {
        let slots = slots(1);
        let slot = slots.reserve(Priority::USUAL).await.unwrap();
        let wait = |urgency| {
            let slots = slots.clone();
            tokio::spawn(async move { slots.reserve(Priority::new(urgency)).await.map(drop) })
        };
        let prefetch = wait(6);
        tokio::task::yield_now().await;
        let user = wait(3);
        tokio::task::yield_now().await;
        drop(slot);
        user.await.unwrap().unwrap();
        assert_eq!(prefetch.await.unwrap(), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn who_would_wait_in_vain_is_refused_at_once() {
        let config = BulkheadConfig {
            max_concurrent: 1,
            max_waiting: 8,
            max_wait: MAX_WAIT,
            adaptive: Some(AdaptiveConfig {
                min: 1,
                initial: 1,
                ..AdaptiveConfig::default()
            }),
        };
        let slots = Slots::new(&config, Reporter::new("slots", Vec::new()));
        let _place = slots.reserve(Priority::USUAL).await.unwrap();
        tokio::time::advance(Duration::from_secs(2)).await;
        let admitted = tokio::time::Instant::now();
        tokio::time::advance(MAX_WAIT * 2).await;
        let asked = tokio::time::Instant::now();
        slots.learn(admitted, asked, Signal::Answered);
        let refused = slots.reserve(Priority::USUAL).await.unwrap_err();
        assert_eq!(refused, RejectedBy::Shed);
        assert_eq!(asked.elapsed(), Duration::ZERO);
    }
}
