//! The dependencies behind their policies: what the use case, the readers and recovery see of the store and the worker.

mod backlog;

pub(crate) use self::backlog::{Backlog, Replayed};
