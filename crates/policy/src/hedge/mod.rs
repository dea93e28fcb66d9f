//! Hedging: a second attempt beside one that takes unusually long, and the first answer wins.
//!
//! # When
//!
//! A retry waits until an attempt has failed. Where a few answers are slow and none fails (a garbage
//! collection, one bad replica, a lost packet) it comes too late, and a second attempt that starts while
//! the first is still out cuts the tail: with 5 % slow ones, to what two slow ones in a row leave.
//!
//! The second attempt starts once the first has been at the dependency for `after`: a percentile of what
//! attempts took lately, or a fixed time. And only if *all* of these hold, asked in this order:
//!
//! 1. the call is idempotent: both may be carried out;
//! 2. the first attempt holds its slot: while it waits for one there is none for a second;
//! 3. a whole attempt timeout fits into the deadline;
//! 4. the breaker is closed and its ramp over: neither are probes hedged, nor those who come back after
//!    an outage;
//! 5. a slot is free at once: a second attempt neither waits nor makes a caller leave the queue;
//! 6. the retry budget has a token. It is the same budget, so that hedges and retries together stay within
//!    its bound, and a spent budget stops new hedges, never those under way.
//!
//! Each attempt is hedged once, whether it is the first of its call or a retry.
//!
//! # Who wins
//!
//! The first *whole* answer: a success, or a neutral answer that is final. The other attempt is dropped: to
//! the breaker that is nothing, unless it had been slow already. An attempt that fails while the other is
//! out waits for the other. When none brings an answer the caller gets what the first one
//! failed by, and what either said of when to come back or of its load holds.
//!
//! To the policies further in the second attempt is one like any other: the breaker counts it, it takes a
//! slot of its own, and the attempt timeout cuts it. It carries its own number, so that an operation can send it
//! elsewhere: see [`Policy::call_attempts`](crate::Policy::call_attempts) and
//! [`Attempt`](crate::attempt::Attempt).
//!
//! # The percentile
//!
//! Kept of first attempts only, in a histogram of fixed size whose steps are an eighth of their value; after a
//! thousand answers what it holds is halved, so that a dependency which became slower or faster is
//! known within about a thousand calls. A first attempt that lost is counted with the time it was out: that
//! is at least the percentile, so cutting the tail does not talk the percentile down. Failures say nothing,
//! but for those that were hedged already, which are counted when they fail.
//!
//! # Defaults, and why
//!
//! Hedging is left out unless it is asked for: `hedge = true`, or a table of these.
//!
//! | key | default |
//! |---|---|
//! | `after` | `"p95"`: one call of twenty is sent twice, at most; needs a `budget.ratio` of a twentieth |
//! | `min_delay` | `"5ms"`: below it the timer's grain and the task's own delays are most of what is measured |
//! | `minimum_calls` | `20`: fewer do not tell a percentile of 95 |
//!
//! # Cost
//!
//! One allocation for each call that may be hedged and has to wait, one more reading of the clock and a lock to count its
//! time. None of these without hedging.
//!
//! Sources: J. Dean and L. A. Barroso, *The Tail at Scale*; the budget of gRPC's hedging policy.

#[cfg(all(test, holdfast_loom))]
mod interleavings;
mod latencies;
mod observed;

pub(crate) use self::observed::Delay;
