//! The circuit breaker: stops calling a dependency that fails, and finds out when it is back.
//!
//! ```text
//!            failure rate, slow rate                 open time over,
//!            or failures in a row                    a call comes
//!   CLOSED ───────────────────────────▶ OPEN ───────────────────────▶ HALF OPEN
//!     ▲                                  ▲                              │   │
//!     │                                  └──── too many bad probes ─────┘   │
//!     └──────────────── enough good probes (then the ramp) ─────────────────┘
//! ```
//!
//! # Closed: what opens it
//!
//! Whichever comes first:
//!
//! - the *failure rate* or the *slow-call rate* reaches its threshold, once the window holds
//!   `minimum_calls`. The window is the last so many calls or the last so much time, and it really
//!   slides: what happened yesterday neither hides nor causes anything today;
//! - `consecutive_failures` in a row, whatever the window holds: at low traffic no window would ever
//!   hold enough.
//!
//! What counts is the attempt, not the call: each try of a retried call is one. Slowness is measured
//! from the moment the bulkhead let the attempt pass, so waiting for a slot is not the dependency's.
//! Rejections and neutral outcomes are not counted.
//!
//! A first attempt that need not wait is let pass when the call is made. What goes by until its future is
//! first polled, or between two polls, is taken for the dependency's: a task that begins its call late, or
//! is kept from running, makes answers look slow, and an attempt begun after its whole timeout is cut where
//! it first waits, as a failure. To tell the two apart would take one more reading of the clock in each call.
//!
//! | an attempt that | counts as |
//! |---|---|
//! | succeeds before `slow_call` | a success |
//! | succeeds at `slow_call` or later | a slow success |
//! | fails, is cut by the attempt timeout, or panics (its classifier and the clone of its request included) | a failure, slow or not |
//! | is dropped by its caller before `slow_call` | nothing: a caller's haste is not the dependency's fault |
//! | is dropped by its caller at `slow_call` or later | a slow failure: nobody waits for ever |
//! | never reached the dependency | nothing |
//!
//! # Open: for how long
//!
//! `open_for`, doubled with each opening that follows without health between, up to `max_open_for`; up to
//! a fifth more by seeded jitter, so that replicas do not probe in step. Near the cap the jitter is taken
//! below it instead, and where both are equal there is none. If the last failure before it opened asked to be
//! left alone for longer (`Retry-After`), that long, up to the cap. Health is to stay closed for as long
//! as it was last open. A refusal says what remains.
//!
//! A success can open it as well: the one that makes the minimum of calls full, or before which older
//! successes left the window. Why it opened (the rule, its figures, the last failure) is in the
//! [snapshot](crate::Snapshot::opened_because) until it closes, and in the event of the transition.
//!
//! # Half open: what closes it
//!
//! At most `half_open_calls` probes, never more at once than the verdict still needs. The verdict goes by
//! count and looks at nothing from before: as soon as so many probes are bad that `failure_rate` is
//! reached it opens again; as soon as that has become impossible it closes. A slow probe is a bad one.
//! Each probe holds its slot on a *lease*: one whose future is neither polled nor dropped cannot wedge
//! the breaker. Nor can answers that say nothing: after five of them for each probe the verdict goes by
//! what was counted, and if nothing was, it closes.
//!
//! # After closing: the ramp
//!
//! For `ramp` the number of attempts at once grows from one to the bulkhead's limit, so that the callers
//! who come back do not knock the dependency over again. Where the limit adapts, what it grows to is the
//! limit of the moment: after an outage that has shrunk it, less than before. It limits concurrency and not rate: a lone
//! caller is never refused. What it refuses is [`BulkheadFull`](crate::ErrorKind::BulkheadFull), for the
//! dependency is well and merely busy.
//!
//! # Tickets and generations
//!
//! Each admitted attempt holds a *ticket* stamped with the breaker's generation, which changes with every
//! transition. A ticket that comes back from an older generation says nothing about now and is discarded:
//! a call from before the outage neither closes nor opens anything after it. To be dropped is an
//! outcome too, so no hung, cancelled or panicking attempt escapes the count or keeps a probe's slot.
//!
//! # Defaults, and why
//!
//! | key | default |
//! |---|---|
//! | `window` | `"10s"`: longer than a deployment's hiccup, short enough to forget it |
//! | `minimum_calls` | `5` |
//! | `failure_rate` | `0.5`: half of all calls failing helps nobody |
//! | `slow_call`, `slow_call_rate` | none; a good start is a little below the attempt timeout (later, and only timeouts would be slow), and `0.8` |
//! | `consecutive_failures` | `3` |
//! | `open_for` | `"5s"`: time for a restart |
//! | `max_open_for` | `"30s"`: how late a recovery may be noticed |
//! | `half_open_calls` | `2`: one can be luck |
//! | `ramp` | `"3s"` |
//!
//! `breaker = false` leaves it out.
//!
//! Without `slow_call` nothing is slow, and over a count window, with no observer, a closed breaker
//! never reads the clock.
//!
//! # Cost
//!
//! A closed breaker admits by reading one word. Over a count window that is full of successes one more
//! is not even recorded, for it would change nothing; over a time window, which is the default, each is
//! recorded under a lock. All memory is taken when it is built.
//!
//! Sources: M. Nygard, *Release It!*; the sliding windows, slow-call rate and half-open probes of
//! resilience4j; the generation stamp of sony/gobreaker.

mod circuit;
mod core;
mod gate;
#[cfg(all(test, holdfast_loom))]
mod interleavings;
mod judge;
#[cfg(test)]
mod model;
mod open_time;
mod probes;
mod ramp;
mod slow_call;
mod stopwatch;
mod tally;
mod ticket;
mod window;

pub use self::circuit::Circuit;

pub(crate) use self::circuit::CircuitSettings;
pub(crate) use self::core::Refusal;
pub(crate) use self::stopwatch::Stopwatch;
pub(crate) use self::ticket::Ticket;
