//! The bulkhead: bounds how many attempts run at once, so that one hung dependency cannot take all of
//! the process.
//!
//! # Semantics
//!
//! Up to `max_concurrent` attempts hold a slot. Beyond that up to `max_waiting` wait in a queue, first
//! come, first served, each for at most `max_wait` and never so long that less than an attempt timeout
//! would remain of the deadline. Beyond that they are refused at once. A freed slot is handed to the
//! first in the queue, so a newcomer never overtakes one who waits.
//!
//! A slot is taken in `call`, never in `poll_ready`: a clone of the service that was readied and never
//! called holds nothing. It is given back when the attempt's future ends or is dropped, whatever the
//! reason. A refusal is [`BulkheadFull`](crate::ErrorKind::BulkheadFull); it is no failure of the
//! dependency and does not move the breaker.
//!
//! While nobody waits a slot is taken and given back without a lock and without an allocation. The queue's
//! room for calls of the usual urgency is taken at build; an attempt that has to wait allocates its own
//! state and its timer. An adaptive limit takes a lock when an attempt is over.
//!
//! # Who is too many
//!
//! A call may say how urgent it is ([`Call::priority`](crate::Call::priority), 0 to 7, 3 if it does not).
//! A free slot goes to the most urgent of those who wait, among equals to the first. When the queue is
//! full, a newcomer takes the turn of the least urgent, among equals of the newest, if that one is less
//! urgent than itself. Who could not be served before its deadline and within `max_wait`, as far as an
//! adaptive limit can tell, is refused at once instead of waiting in vain, and nobody leaves for it.
//! Without a queue (`max_waiting = 0`) nobody waits, and so nobody is shed for somebody else.
//!
//! # A slot ahead
//!
//! Where something must be done before the attempt, and in vain if the attempt is then refused, its slot
//! can be taken first: [`Policy::reserve`](crate::Policy::reserve), then
//! [`Call::in_slot`](crate::Call::in_slot). The call's attempts run in that slot, and it counts as taken
//! from the beginning.
//!
//! # The adaptive limit
//!
//! With `adaptive`, the limit moves between `min` and `max_concurrent`. It starts at `initial` and grows
//! by half until latency first rises; then it grows by `headroom` while attempts take no longer than
//! `tolerance` times the least latency, and shrinks in proportion to what they take above that; one that
//! is not in use shrinks to what is, and no further. It grows only while four fifths of it are in use,
//! and loses a fifth when a tenth of the attempts time out or are [throttled](crate::Class::throttled).
//! Where it settles, attempts take about `tolerance` times what they take alone: keep that below
//! `slow_call` and the attempt timeout.
//!
//! Every `remeasure`, and sooner if shrinking does not help, the least latency is measured anew: the limit
//! steps down by a quarter, and again for as long as latency falls with it, then goes back to the last step
//! at which nothing waited; a higher figure is believed after a second step only. So neither a figure from a
//! degraded start nor one from a congestion of its own making stays.
//!
//! # Defaults, and why
//!
//! | key | default |
//! |---|---|
//! | `max_concurrent` | `256` |
//! | `max_waiting` | `0` |
//! | `max_wait` | `"0s"` |
//! | `adaptive` | left out: the limit is `max_concurrent` |
//! | `adaptive.min` | `4`: enough to go on measuring by |
//! | `adaptive.initial` | `20` |
//! | `adaptive.tolerance` | `1.2` |
//! | `adaptive.headroom` | `0.1` |
//! | `adaptive.remeasure` | `"30s"` |
//!
//! `bulkhead = false` leaves it out.
//!
//! `max_concurrent`: what the dependency is known to bear, or requests per second times the seconds each
//! takes (Little's law), and some room. `max_waiting = 0` with `max_wait = "0ms"`: a queue in front of a
//! slow dependency adds its length to every answer; have one only to smooth short bursts.
//!
//! Sources: M. Nygard, *Release It!*; the hand-over in order is that of a fair semaphore; the gradient is
//! that of Netflix' concurrency-limits, the measurement by stepping down that of Envoy's adaptive
//! concurrency, with what their users complained of mended; urgency is that of RFC 9218.

pub use crate::capacity::Reserved;
