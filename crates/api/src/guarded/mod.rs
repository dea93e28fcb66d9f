//! The dependencies behind their policies: what the use case and the readers see of the store and the worker.

mod reads;
mod requests;
mod worker;

pub(crate) use self::reads::GuardedReads;
pub(crate) use self::requests::GuardedStore;
pub(crate) use self::worker::GuardedWorker;
