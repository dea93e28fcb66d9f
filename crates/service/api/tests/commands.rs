//! What an operator asks of the binary itself.

#![allow(clippy::unwrap_used, reason = "a test says bluntly what it expects")]

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::process::{Command, Output};

fn set_aside(working_folder: &Path, journal_folder: &OsStr) -> Output {
    Command::new(env!("CARGO_BIN_EXE_holdfast-api"))
        .args(["journal", "set-aside"])
        .current_dir(working_folder)
        .env("HOLDFAST_JOURNAL_DIR", journal_folder)
        .output()
        .unwrap()
}

#[test]
fn the_journal_is_set_aside_where_the_service_has_it() {
    let working = tempfile::tempdir().unwrap();
    let default = working.path().join("holdfast-journal");
    fs::create_dir(&default).unwrap();
    fs::write(default.join("journal.redb"), "no journal").unwrap();

    // Empty counts as unset.
    let done = set_aside(working.path(), OsStr::new(""));
    assert!(done.status.success(), "{done:?}");
    assert!(
        String::from_utf8(done.stdout)
            .unwrap()
            .contains("set-aside")
    );
    assert!(!default.join("journal.redb").exists());

    let nothing = set_aside(working.path(), OsStr::new("elsewhere"));
    assert_eq!(nothing.status.code(), Some(1));
    let said = String::from_utf8(nothing.stderr).unwrap();
    assert_eq!(said, "holdfast-api: elsewhere holds no journal\n");
}

#[test]
fn a_variable_that_is_not_unicode_is_bad_configuration() {
    let working = tempfile::tempdir().unwrap();
    let bad = OsString::from_vec(b"journal-\xff".to_vec());
    let refused = set_aside(working.path(), &bad);
    let served = Command::new(env!("CARGO_BIN_EXE_holdfast-api"))
        .env("HOLDFAST_JOURNAL_DIR", &bad)
        .output()
        .unwrap();
    for output in [refused, served] {
        assert_eq!(output.status.code(), Some(64), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        let line = "holdfast-api: bad configuration: HOLDFAST_JOURNAL_DIR is not Unicode\n";
        assert_eq!(said, line);
    }
}
