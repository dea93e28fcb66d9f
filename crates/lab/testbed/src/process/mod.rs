//! Processes of this machine, told apart for certain: a pid alone is not enough, because pids are used again.

mod family;
mod identity;
mod launch;
#[cfg(any(test, not(target_os = "linux")))]
mod ps;
mod table;

pub use family::{Family, MARK, kill_of_group};
pub use identity::Identity;
pub use launch::{Launched, launch};
