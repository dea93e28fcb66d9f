//! Where the server's programs are.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::{env, fs};

use super::PostgresError;
use super::install::install_command;

/// Folders that hold one `bin` per version, by distribution: Debian, Red Hat, Homebrew (two), Postgres.app.
const VERSIONED: [(&str, &str); 5] = [
    ("/usr/lib/postgresql", ""),
    ("/usr", "pgsql-"),
    ("/opt/homebrew/opt", "postgresql@"),
    ("/usr/local/opt", "postgresql@"),
    ("/Applications/Postgres.app/Contents/Versions", ""),
];

/// A folder that holds `initdb` and `postgres` of one version.
#[derive(Debug, Clone)]
pub(super) struct Programs {
    bin: PathBuf,
}

impl Programs {
    /// The first on PATH, else the newest of the usual folders.
    pub(super) fn find() -> Result<Self, PostgresError> {
        let path = env::var_os("PATH").unwrap_or_default();
        let usual = VERSIONED
            .iter()
            .flat_map(|(folder, prefix)| newest_first(Path::new(folder), prefix));
        on_path(&path)
            .chain(usual)
            .find_map(|bin| Self::in_folder(&bin))
            .ok_or_else(|| PostgresError::Missing {
                help: install_command(),
            })
    }

    pub(super) fn path(&self, program: &str) -> PathBuf {
        self.bin.join(program)
    }

    /// A link is followed: a folder of links need not hold the programs that these start in turn.
    fn in_folder(bin: &Path) -> Option<Self> {
        let initdb = bin.join("initdb").canonicalize().ok()?;
        let bin = initdb.parent()?.to_owned();
        bin.join("postgres").is_file().then_some(Self { bin })
    }
}

fn on_path(path: &OsStr) -> impl Iterator<Item = PathBuf> {
    env::split_paths(path).collect::<Vec<_>>().into_iter()
}

fn newest_first(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let Ok(items) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut found: Vec<(u32, PathBuf)> = items
        .filter_map(|item| {
            let name = item.ok()?.file_name().into_string().ok()?;
            Some((
                major(name.strip_prefix(prefix)?)?,
                folder.join(&name).join("bin"),
            ))
        })
        .collect();
    found.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    found.into_iter().map(|(_, bin)| bin).collect()
}

fn major(version: &str) -> Option<u32> {
    version.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(versions: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for version in versions {
            fs::create_dir_all(folder.path().join(version).join("bin")).unwrap();
        }
        folder
    }

    #[test]
    fn the_newest_version_comes_first_by_number_not_by_letter() {
        let folder = folder_with(&["9.6", "15", "17", "latest"]);
        let bins = newest_first(folder.path(), "");
        let expected = ["17", "15", "9.6"].map(|version| folder.path().join(version).join("bin"));
        assert_eq!(bins, expected);
    }

    #[test]
    fn a_prefix_is_asked_for_and_cut_off() {
        let folder = folder_with(&["pgsql-16", "share"]);
        assert_eq!(
            newest_first(folder.path(), "pgsql-"),
            [folder.path().join("pgsql-16/bin")]
        );
    }

    #[test]
    fn a_folder_counts_only_if_it_holds_both_programs() {
        let folder = folder_with(&["17"]);
        let bin = folder.path().join("17/bin");
        fs::write(bin.join("initdb"), "").unwrap();
        assert!(Programs::in_folder(&bin).is_none());
        fs::write(bin.join("postgres"), "").unwrap();
        let programs = Programs::in_folder(&bin).unwrap();
        assert_eq!(
            programs.path("initdb"),
            bin.canonicalize().unwrap().join("initdb")
        );
    }

    #[test]
    fn this_machine_has_a_server() {
        assert!(Programs::find().unwrap().path("postgres").is_file());
    }
}
