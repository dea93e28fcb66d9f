//! How to get Postgres on this system.

use std::fs;

/// By the `ID` and `ID_LIKE` of os-release(5).
const COMMANDS: [(&str, &str); 5] = [
    ("debian", "sudo apt-get install -y --no-upgrade postgresql"),
    ("fedora", "sudo dnf install -y postgresql-server"),
    ("arch", "sudo pacman -S --noconfirm postgresql"),
    ("alpine", "sudo apk add postgresql"),
    ("suse", "sudo zypper install -y postgresql-server"),
];

pub(super) fn install_command() -> &'static str {
    if cfg!(target_os = "macos") {
        return "brew install postgresql@17";
    }
    command_for(&fs::read_to_string("/etc/os-release").unwrap_or_default())
}

fn command_for(os_release: &str) -> &'static str {
    let value = |key: &str| {
        let line = os_release
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        line.unwrap_or_default().trim_matches('"').to_owned()
    };
    let names = format!("{} {}", value("ID"), value("ID_LIKE"));
    let known = |name: &str| COMMANDS.iter().find(|(tree, _)| *tree == name);
    names.split_whitespace().find_map(known).map_or(
        "see https://www.postgresql.org/download/",
        |(_, command)| command,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_distributions_get_the_command_of_their_family() {
        assert!(command_for("NAME=Debian\nID=debian\n").contains("apt-get"));
        assert!(command_for("ID=rocky\nID_LIKE=\"rhel centos fedora\"\n").contains("dnf"));
        assert!(command_for("ID=plan9\n").contains("postgresql.org"));
    }
}
