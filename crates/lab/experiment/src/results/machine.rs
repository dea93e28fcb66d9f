//! The machine a run was played on. Figures from another are compared by their ratios, if at all.

use std::fs;
use std::thread::available_parallelism;

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Machine {
    /// Processor cores that this process may use.
    pub cores: Option<usize>,
    pub processor: Option<String>,
    pub memory_bytes: Option<u64>,
    /// Such as `Linux 6.12.0 x86_64`.
    pub kernel: String,
    pub os: Option<String>,
}

impl Machine {
    pub(crate) fn here() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let kernel = rustix::system::uname();
        let kernel = [kernel.sysname(), kernel.release(), kernel.machine()];
        Self {
            cores: available_parallelism().ok().map(usize::from),
            processor: value(&read("/proc/cpuinfo"), "model name", ':'),
            memory_bytes: memory(&read("/proc/meminfo")),
            kernel: kernel.map(|word| word.to_string_lossy()).join(" "),
            os: value(&read("/etc/os-release"), "PRETTY_NAME", '='),
        }
    }
}

/// What stands behind `key` and the sign, without quotes; none: it is not there, or nothing stands there.
fn value(text: &str, key: &str, sign: char) -> Option<String> {
    let mut pairs = text.lines().filter_map(|line| line.split_once(sign));
    let (_, value) = pairs.find(|(name, _)| name.trim() == key)?;
    let value = value.trim().trim_matches('"');
    (!value.is_empty()).then(|| value.to_owned())
}

fn memory(text: &str) -> Option<u64> {
    let told = value(text, "MemTotal", ':')?;
    let kibibytes: u64 = told.strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_tells_is_read_and_what_it_does_not_tell_is_left_open() {
        let processors = "processor\t: 0\nmodel name\t: A: fast one\nmodel name\t: another\n";
        let name = value(processors, "model name", ':');
        assert_eq!(name.as_deref(), Some("A: fast one"));
        let os = value("NAME=x\nPRETTY_NAME=\"Debian 13\"\n", "PRETTY_NAME", '=');
        assert_eq!(os.as_deref(), Some("Debian 13"));
        assert_eq!(
            memory("MemFree: 1 kB\nMemTotal:   2048 kB\n"),
            Some(2_097_152)
        );
        assert_eq!(
            (value("", "model name", ':'), memory("MemTotal: much")),
            (None, None)
        );
    }

    #[test]
    fn this_machine_has_cores_and_a_kernel() {
        let here = Machine::here();
        assert!(here.cores.is_some_and(|cores| cores > 0));
        assert_eq!(here.kernel.split(' ').count(), 3);
    }
}
