//! Where the server's programs are.

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

/// The folder that holds `initdb` and `postgres` of one version: the first on PATH, else the newest of the usual ones.
pub(super) fn find() -> Result<PathBuf, PostgresError> {
    let path = env::var_os("PATH").unwrap_or_default();
    let usual = VERSIONED.iter();
    let usual = usual.flat_map(|(folder, prefix)| newest_first(Path::new(folder), prefix));
    let found = env::split_paths(&path)
        .chain(usual)
        .find_map(|it| both_in(&it));
    found.ok_or_else(|| PostgresError::Missing(install_command()))
}

/// A link is followed: a folder of links need not hold the programs that these start in turn.
fn both_in(bin: &Path) -> Option<PathBuf> {
    let initdb = bin.join("initdb").canonicalize().ok()?;
    let bin = initdb.parent()?;
    bin.join("postgres").is_file().then(|| bin.to_owned())
}

fn newest_first(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let versions = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|item| {
            let name = item.ok()?.file_name().into_string().ok()?;
            let major = name.strip_prefix(prefix)?.split('.').next()?;
            let version: u32 = major.parse().ok()?;
            Some((version, folder.join(&name).join("bin")))
        });
    let mut found: Vec<(u32, PathBuf)> = versions.collect();
    found.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    found.into_iter().map(|(_, bin)| bin).collect()
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
        assert_eq!(both_in(&bin), None);
        fs::write(bin.join("postgres"), "").unwrap();
        assert_eq!(both_in(&bin), Some(bin.canonicalize().unwrap()));
    }

    #[test]
    fn this_machine_has_a_server() {
        assert!(find().unwrap().join("postgres").is_file());
    }
}
