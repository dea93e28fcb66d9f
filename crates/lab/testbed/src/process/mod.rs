//! Processes of this machine, told apart for certain: a pid alone is not enough, because pids are used again.

mod identity;
mod launch;
mod process_tree;
#[cfg(any(test, not(target_os = "linux")))]
mod ps;
mod table;

pub use identity::Identity;
pub use launch::{Launched, launch};
pub use process_tree::{MARK, ProcessTree, kill_orphans_of_group};
