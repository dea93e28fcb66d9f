//! Processes of this machine, told apart for certain: a pid alone is not enough, because pids are used again.

mod family;
mod identity;
mod table;

pub use family::Family;
pub use identity::Identity;
