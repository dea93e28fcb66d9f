//! The process table as `ps` tells it, for systems without `/proc`.

use std::path::Path;
use std::process::Command;

use super::table::{Entry, State};

pub(super) fn entry(pid: i32) -> Option<Entry> {
    listing(&["-p", &pid.to_string()]).pop()
}

pub(super) fn entries() -> Vec<Entry> {
    listing(&["-A"])
}

/// `ps` knows no working directories: nobody is found that way.
pub(super) fn living_in(_folder: &Path) -> Vec<i32> {
    Vec::new()
}

/// Nor environments.
#[cfg(not(target_os = "linux"))]
pub(super) fn marked(_name: &str, _home: &Path) -> Vec<i32> {
    Vec::new()
}

fn listing(which: &[&str]) -> Vec<Entry> {
    let columns = [
        "-o", "pid=", "-o", "ppid=", "-o", "pgid=", "-o", "stat=", "-o", "lstart=", "-o", "comm=",
    ];
    let output = Command::new("ps")
        .args(which)
        .args(columns)
        .env("LC_ALL", "C")
        .output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    text.unwrap_or_default().lines().filter_map(parse).collect()
}

fn parse(line: &str) -> Option<Entry> {
    let mut words = line.split_whitespace();
    let mut number = || words.next()?.parse().ok();
    let (pid, parent, group) = (number()?, number()?, number()?);
    let state = State::from_letter(words.next()?.chars().next());
    let started = (0..5)
        .map_while(|_| words.next())
        .collect::<Vec<_>>()
        .join(" ");
    let name = words.collect::<Vec<_>>().join(" ");
    Some(Entry {
        pid,
        parent,
        group,
        state,
        name,
        started,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ps_shows_this_process_with_its_start() {
        let own = std::process::id().cast_signed();
        let entry = entry(own).unwrap();
        assert_eq!((entry.pid, entry.state), (own, State::Running));
        assert_eq!(entry.started.split(' ').count(), 5, "{}", entry.started);
        assert!(!entry.name.is_empty());
        assert!(entries().contains(&entry));
        assert!(living_in(Path::new("/")).is_empty());
    }
}
