//! The process table: from `/proc` where there is one, from `ps` elsewhere.

/// One process as the kernel shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) pid: i32,
    pub(super) parent: i32,
    pub(super) group: i32,
    pub(super) state: State,
    /// The program's name, cut to 15 bytes.
    pub(super) name: String,
    /// When it was started, in whatever form the system tells it; with the pid it names a process for certain.
    pub(super) started: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Running,
    /// By SIGSTOP or a debugger.
    Stopped,
    /// Dead, but its parent has not asked for its exit status.
    Zombie,
}

impl State {
    pub(super) fn from_letter(letter: Option<char>) -> Self {
        match letter {
            Some('T' | 't') => Self::Stopped,
            Some('Z' | 'X') | None => Self::Zombie,
            Some(_) => Self::Running,
        }
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) use super::ps::{entries, entry, living_in, marked};

#[cfg(target_os = "linux")]
pub(super) use linux::{entries, entry, living_in, marked};

#[cfg(target_os = "linux")]
mod linux {
    use std::ffi::OsStr;
    use std::path::Path;
    use std::sync::LazyLock;

    use procfs::process::{Process, all_processes};
    use procfs::sys::kernel::random::boot_id;

    use super::{Entry, State};

    /// The start time counts from boot, so it tells processes apart only together with the boot.
    static BOOT: LazyLock<String> = LazyLock::new(|| boot_id().unwrap_or_default());

    pub(in super::super) fn entry(pid: i32) -> Option<Entry> {
        read(&Process::new(pid).ok()?)
    }

    pub(in super::super) fn entries() -> Vec<Entry> {
        all().filter_map(|process| read(&process)).collect()
    }

    /// The pids of the processes whose working directory is `folder`.
    pub(in super::super) fn living_in(folder: &Path) -> Vec<i32> {
        let there = all().filter(|process| process.cwd().is_ok_and(|cwd| cwd == folder));
        there.map(|process| process.pid).collect()
    }

    /// The pids of the processes that were started with the variable `name` set to `home`.
    pub(in super::super) fn marked(name: &str, home: &Path) -> Vec<i32> {
        let has_it = |process: &Process| {
            let variables = process.environ().unwrap_or_default();
            let value = variables.get(OsStr::new(name));
            value.is_some_and(|value| value == home.as_os_str())
        };
        all().filter(has_it).map(|process| process.pid).collect()
    }

    fn all() -> impl Iterator<Item = Process> {
        all_processes().into_iter().flatten().flatten()
    }

    fn read(process: &Process) -> Option<Entry> {
        let stat = process.stat().ok()?;
        Some(Entry {
            pid: stat.pid,
            parent: stat.ppid,
            group: stat.pgrp,
            state: State::from_letter(Some(stat.state)),
            name: stat.comm,
            started: format!("{}@{}", stat.starttime, *BOOT),
        })
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn this_process_is_in_the_table_and_lives_in_its_directory() {
            let own = std::process::id().cast_signed();
            assert_eq!(entry(own).unwrap().state, State::Running);
            assert!(entries().iter().any(|entry| entry.pid == own));
            assert!(living_in(&std::env::current_dir().unwrap()).contains(&own));
        }
    }
}
