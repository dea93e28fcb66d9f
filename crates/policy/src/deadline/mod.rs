//! The deadline: the outermost policy, and the only one a caller sees from outside.
//!
//! # Semantics
//!
//! A call ends by the earlier of the policy's `deadline` and the caller's own
//! ([`Call::by`](crate::Call::by)), with all its attempts and waits. The deadline is carried inwards, so
//! that each layer can refuse what would come too late instead of starting it:
//!
//! - an attempt starts only if a whole attempt timeout remains: a caller's short deadline would cut it
//!   and learn nothing, and the dependency would be blamed for it;
//! - no wait before a retry and no wait for a slot is begun that would pass it;
//! - an attempt is cut by it, if not earlier by the attempt timeout: the [timeout](crate::timeout) layer
//!   has the one timer for both.
//!
//! So this layer needs no timer. Too little time is
//! [`DeadlineExceeded`](crate::ErrorKind::DeadlineExceeded), and the dependency was not touched, unless
//! the attempt timeout is left out and the deadline cut the attempt.
//!
//! # Defaults, and why
//!
//! | key | default |
//! |---|---|
//! | `deadline` | `"3s"`; it cannot be left out |
//!
//! At least one `attempt_timeout`, and for one retry to be possible two of them and the wait between.
//! What several calls in a row may take is the sum of their deadlines: that is the bound a service can
//! promise, and [`Policy::worst_case`](crate::Policy::worst_case) is its part.
//!
//! Source: the deadlines of gRPC, which travel with the call.

mod future;
mod service;

pub use self::future::DeadlineFuture;
pub use self::service::{DeadlineLayer, DeadlineService};
pub use crate::due::Deadline;
