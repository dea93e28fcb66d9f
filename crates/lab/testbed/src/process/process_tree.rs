//! A service's processes as one: signals reach all of them, not only the first.
//!
//! A process group is not enough for Postgres: each backend makes a session of its own (`setsid`), so a signal to the
//! postmaster's group misses them, and a server whose postmaster alone is stopped still answers on open sessions. The
//! members are therefore found in the process table: as descendants, as group members, and as those that live in the
//! tree's home folder. The last finds orphans too: a leader started an instant before its record was to be written.
//! Programs of others, which live where they like, carry a [`MARK`] in their environment.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde::{Deserialize, Serialize};

use super::Identity;
use super::table::{self, Entry, State};
use crate::files::FileError;
use crate::wait::Patience;

/// The kernel acts on SIGKILL and SIGSTOP within milliseconds, unless the process is stuck in a system call.
const REACHED: Patience = Patience::new(Duration::from_secs(10), Duration::from_millis(10));
/// A member can fork between the look at the table and the signal; the next pass finds the child.
const PASSES: usize = 5;
/// A variable by which a process is known as a member wherever it lives and whatever it runs: its value is the home.
pub const MARK: &str = "HOLDFAST_CONTENDER_HOME";
/// The kernel keeps no more of a program's name.
const NAME_LENGTH: usize = 15;

/// A process and everything that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessTree {
    /// The process that was started; none: not yet.
    pub leader: Option<Identity>,
    /// The working directory of all members.
    pub home: PathBuf,
    /// The program all members run: a shell that happens to stand in the home is no member.
    pub program: String,
}

impl ProcessTree {
    /// Of a program whose leader is not known, or not started yet; `home` is as the kernel names it, links resolved.
    pub fn new(home: PathBuf, program: impl Into<String>) -> Self {
        Self {
            leader: None,
            home,
            program: program.into(),
        }
    }

    /// Of a program that is yet to be started, in the folder `home`, which is made.
    pub fn at(home: &Path, program: impl Into<String>) -> Result<Self, FileError> {
        fs::create_dir_all(home).map_err(FileError::at("make", home))?;
        let found = home.canonicalize();
        Ok(Self::new(
            found.map_err(FileError::at("find", home))?,
            program,
        ))
    }

    /// Whether the leader lives, running or stopped.
    pub fn is_alive(&self) -> bool {
        self.leader.as_ref().is_some_and(Identity::is_alive)
    }

    /// Whether the leader lives, but is stopped.
    pub fn is_paused(&self) -> bool {
        self.leader.as_ref().and_then(Identity::state) == Some(State::Stopped)
    }

    pub fn pid(&self) -> Option<i32> {
        let leader = self.leader.as_ref().filter(|leader| leader.is_alive());
        leader.map(|leader| leader.pid)
    }

    pub fn pids(&self) -> Vec<i32> {
        self.members().iter().map(|member| member.pid).collect()
    }

    pub fn is_gone(&self) -> bool {
        self.members().is_empty()
    }

    /// Sends SIGTERM to the leader's group, as a terminal or a container engine would.
    pub fn ask_to_end(&self) {
        if let Some(group) = self.pid().and_then(Pid::from_raw) {
            // It may have ended since: then there is nobody left to ask.
            let _ = kill_process_group(group, Signal::TERM);
        }
    }

    /// Kills every member (SIGKILL) and waits until all are gone; else the pids of those that are still there after ten seconds.
    /// Nothing to kill is fine.
    pub async fn kill(&self) -> Result<(), Vec<i32>> {
        self.kill_now();
        self.until(<[Entry]>::is_empty, Self::kill_now).await
    }

    /// Kills every member without waiting for the end.
    pub fn kill_now(&self) {
        for _ in 0..PASSES {
            let members = self.members();
            if members.is_empty() {
                return;
            }
            // Stopped first, so that none forks while its children are being killed.
            signal(&members, Signal::STOP);
            signal(&members, Signal::KILL);
        }
    }

    /// Stops every member (SIGSTOP) and waits until all stand still; else the pids of those that still run after ten seconds.
    pub async fn pause(&self) -> Result<(), Vec<i32>> {
        let stop = |tree: &Self| signal(&tree.members(), Signal::STOP);
        stop(self);
        let stopped = |all: &[Entry]| all.iter().all(|member| member.state == State::Stopped);
        self.until(stopped, stop).await
    }

    /// Lets every member run again (SIGCONT).
    pub fn resume(&self) {
        signal(&self.members(), Signal::CONT);
    }

    pub fn signal_leader(&self, wanted: Signal) {
        if let Some(pid) = self.pid() {
            send(pid, wanted);
        }
    }

    async fn until(
        &self,
        reached: impl Fn(&[Entry]) -> bool,
        again: impl Fn(&Self),
    ) -> Result<(), Vec<i32>> {
        let mut wait = REACHED.begin();
        loop {
            let members = self.members();
            if reached(&members) {
                return Ok(());
            }
            if wait.is_over().await {
                return Err(members.iter().map(|member| member.pid).collect());
            }
            again(self);
        }
    }

    /// The living members, the leader first.
    fn members(&self) -> Vec<Entry> {
        let table = table::entries();
        let mut found = BTreeSet::new();
        if let Some(leader) = self.pid() {
            found.insert(leader);
            let group = table.iter().filter(|entry| entry.group == leader);
            found.extend(group.map(|entry| entry.pid));
            while grow(&mut found, &table) {}
        }
        found.extend(table::marked(MARK, &self.home));
        let at_home_now = table::living_in(&self.home);
        let name: String = self.program.chars().take(NAME_LENGTH).collect();
        let at_home = |entry: &&Entry| at_home_now.contains(&entry.pid) && entry.name == name;
        found.extend(table.iter().filter(at_home).map(|entry| entry.pid));
        let belongs = |entry: &Entry| found.contains(&entry.pid) && entry.state != State::Zombie;
        table.into_iter().filter(belongs).collect()
    }
}

/// Kills the processes of a group that run one of these programs and whose parent is dead: what a script runs beside the lab
/// is in the lab's group too, and has the script for a parent.
pub fn kill_orphans_of_group(group: i32, programs: &[&str]) {
    let (members, others): (Vec<Entry>, Vec<Entry>) = table::entries()
        .into_iter()
        .partition(|entry| entry.group == group);
    // The first process adopts, even if it is of the group: in a container it is the script itself.
    let adopted =
        |entry: &Entry| entry.parent == 1 || others.iter().any(|other| other.pid == entry.parent);
    let orphans = members
        .into_iter()
        .filter(|entry| programs.contains(&entry.name.as_str()) && adopted(entry));
    signal(&orphans.collect::<Vec<_>>(), Signal::KILL);
}

/// Adds the children of those found; whether there were any new ones.
fn grow(found: &mut BTreeSet<i32>, table: &[Entry]) -> bool {
    let before = found.len();
    let children = table.iter().filter(|entry| found.contains(&entry.parent));
    let children: Vec<i32> = children.map(|entry| entry.pid).collect();
    found.extend(children);
    found.len() > before
}

fn signal(members: &[Entry], wanted: Signal) {
    for member in members {
        send(member.pid, wanted);
    }
}

fn send(pid: i32, wanted: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        // It may have ended since the look at the table: then there is nobody left to signal.
        let _ = kill_process(pid, wanted);
    }
}
