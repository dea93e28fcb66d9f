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
pub(super) use super::ps::{entries, entry, living_in};

#[cfg(target_os = "linux")]
pub(super) use linux::{entries, entry, living_in};

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::path::Path;
    use std::sync::OnceLock;

    use super::{Entry, State};

    /// The process with this pid.
    pub(in super::super) fn entry(pid: i32) -> Option<Entry> {
        parse(
            &fs::read_to_string(format!("/proc/{pid}/stat")).ok()?,
            boot(),
        )
    }

    /// Every process.
    pub(in super::super) fn entries() -> Vec<Entry> {
        pids().into_iter().filter_map(entry).collect()
    }

    /// The pids of the processes whose working directory is `folder`.
    pub(in super::super) fn living_in(folder: &Path) -> Vec<i32> {
        let lives_there =
            |pid: &i32| fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == folder);
        pids().into_iter().filter(lives_there).collect()
    }

    fn pids() -> Vec<i32> {
        let Ok(folder) = fs::read_dir("/proc") else {
            return Vec::new();
        };
        folder
            .filter_map(|item| item.ok()?.file_name().to_str()?.parse().ok())
            .collect()
    }

    /// The start time counts from boot, so it tells processes apart only together with the boot.
    fn boot() -> &'static str {
        static BOOT: OnceLock<String> = OnceLock::new();
        BOOT.get_or_init(|| {
            let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
            id.trim().to_owned()
        })
    }

    /// `pid (name) state ppid pgrp … starttime …`, see proc_pid_stat(5). The name may hold spaces and parentheses.
    fn parse(stat: &str, boot: &str) -> Option<Entry> {
        const STARTTIME: usize = 22 - 3;
        let (pid, rest) = stat.split_once(" (")?;
        let (name, rest) = rest.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        Some(Entry {
            pid: pid.parse().ok()?,
            state: State::from_letter(fields.first()?.chars().next()),
            parent: fields.get(1)?.parse().ok()?,
            group: fields.get(2)?.parse().ok()?,
            name: name.to_owned(),
            started: format!("{}@{boot}", fields.get(STARTTIME)?),
        })
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_name_with_spaces_and_parentheses_does_not_shift_the_fields() {
            let stat = "42 (a) T 9 (b) T 7 41 7 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 98426 1 2";
            let entry = parse(stat, "boot").unwrap();
            assert_eq!((entry.pid, entry.parent, entry.group), (42, 7, 41));
            assert_eq!(entry.state, State::Stopped);
            assert_eq!(entry.name, "a) T 9 (b");
            assert_eq!(entry.started, "98426@boot");
        }

        #[test]
        fn this_process_is_in_the_table_and_lives_in_its_directory() {
            let own = std::process::id().cast_signed();
            assert_eq!(entry(own).unwrap().state, State::Running);
            assert!(entries().iter().any(|entry| entry.pid == own));
            assert!(living_in(&std::env::current_dir().unwrap()).contains(&own));
        }
    }
}
