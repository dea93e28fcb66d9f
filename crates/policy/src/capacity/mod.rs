//! How many attempts may run at once, and who waits for a slot: what the bulkhead decides by.
//!
//! `slot_counter` is the count, one word that is asked without a lock; `queue` who waits, by urgency; `adaptive` finds the limit.
//! `slots` is the three together behind guards, `reserved` a slot that is taken before its call.

mod adaptive;
#[cfg(all(test, holdfast_loom))]
mod interleavings;
mod queue;
mod reserved;
mod slot_counter;
mod slots;

pub(crate) use self::adaptive::Signal;
pub use self::reserved::Reserved;
pub(crate) use self::slots::{Claim, Permit, Slots, Wait, WaitState};
