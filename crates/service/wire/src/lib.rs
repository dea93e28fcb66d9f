//! The HTTP contract as types: every JSON body and every code that crosses the wire.
//!
//! Services serialise these types, the lab and the tests read them back. No behaviour lives here, so that the
//! contract can be read in one sitting; snapshot tests pin the bytes.

mod codes;
mod health;
mod json_text;
mod live;
mod policies;
mod problem;
mod process;
mod requests;
mod status;

pub use codes::{DegradedCode, ProblemCode, Reason};
pub use health::Health;
pub use json_text::JsonText;
pub use live::{Hedges, Latencies, Latency, Live, Load, Transition};
pub use policies::{Policies, ProcessPolicy, Reloads};
pub use problem::Problem;
pub use process::{Degraded, NaiveProcessed, Processed, ProcessedStatus, RecordedIn, Work};
pub use requests::{Request, RequestList, RequestOrder, RequestStatus, Requeued};
pub use status::{
    Breaker, Database, Dependencies, Dependency, Endpoint, Journal, Recovery, Schema, Status,
    Worker,
};
