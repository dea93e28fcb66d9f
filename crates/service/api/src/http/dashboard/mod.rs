//! The page at `/` and what keeps it live: files built into the binary, and a stream of events.

mod events;
mod feed;
mod files;
mod frame;
mod pulse;

pub(super) use events::events;
pub(crate) use feed::{Feed, keep_feeding};
pub(super) use files::{HEADERS, KINDS, asset, page, paths};
