//! The dependencies behind their policies: what the use case, the readers and recovery see of the store and the worker.

mod backlog;
mod reads;
mod requests;
mod worker;

pub(crate) use self::backlog::{Backlog, Replayed};
pub(crate) use self::reads::GuardedReads;
pub(crate) use self::requests::GuardedStore;
pub(crate) use self::worker::GuardedWorker;
