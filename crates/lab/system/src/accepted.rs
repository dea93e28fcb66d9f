//! The file of accepted requests: one line per answer that promised something, `ID<TAB>KEY<TAB>STATUS`.
//!
//! It is the client's side of the promise, written as the answers arrive, so that what was promised before a crash or a
//! Ctrl-C is known afterwards.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::SystemError;
use crate::files::deleted;
pub use holdfast_checker::durability::Accepted;

/// Its name in the lab's folder: of the stage that is up, and deleted with the data its ids belong to.
pub const FILE: &str = "accepted.txt";

#[derive(Debug)]
pub struct AcceptedFile {
    path: PathBuf,
    file: File,
}

impl AcceptedFile {
    /// Opens the file, in a folder that is made if need be. What it holds stays: those promises are promises still, and
    /// another load may be adding to it.
    pub fn append(path: &Path) -> Result<Self, SystemError> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(SystemError::file("make", folder))?;
        }
        let file = File::options().create(true).append(true).open(path);
        Ok(Self {
            path: path.to_owned(),
            file: file.map_err(SystemError::file("write", path))?,
        })
    }

    /// Adds a line, in one write without a buffer of our own in between: lines of two loads do not mix.
    pub fn add(&mut self, accepted: &Accepted) -> Result<(), SystemError> {
        let Accepted { id, key, status } = accepted;
        let line = format!("{id}\t{key}\t{status}\n");
        let written = self.file.write_all(line.as_bytes());
        written.map_err(SystemError::file("write", &self.path))
    }
}

/// Deletes the file in the lab's `folder`, and says what that was; none is fine.
pub fn forget(folder: &Path) -> Result<Option<String>, SystemError> {
    let path = folder.join(FILE);
    let was_there = deleted(fs::remove_file(&path)).map_err(SystemError::file("delete", &path))?;
    Ok(was_there.then(|| format!("the promises in {}", path.display())))
}

pub fn read(path: &Path) -> Result<Vec<Accepted>, SystemError> {
    let none = |problem: String| SystemError::NoAccepted {
        path: path.to_owned(),
        problem,
    };
    let text = fs::read_to_string(path).map_err(|error| none(error.to_string()))?;
    let mut accepted = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let bad = |problem| SystemError::AcceptedLine {
            path: path.to_owned(),
            line: index + 1,
            problem,
        };
        accepted.push(parse(line).map_err(bad)?);
    }
    if accepted.is_empty() {
        return Err(none("it is empty".to_owned()));
    }
    Ok(accepted)
}

fn parse(line: &str) -> Result<Accepted, String> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [id, key, status] = fields.as_slice() else {
        return Err(format!("{} fields instead of three", fields.len()));
    };
    if key.is_empty() {
        return Err("the key is empty".to_owned());
    }
    Ok(Accepted {
        id: id.parse().map_err(|_| format!("{id:?} is no request id"))?,
        key: (*key).to_owned(),
        status: match status.parse() {
            Ok(status @ (200 | 202)) => status,
            _ => return Err(format!("{status:?} is neither 200 nor 202")),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0198c0de-0000-7000-8000-000000000000";

    fn read_text(text: &str) -> Result<Vec<Accepted>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accepted.txt");
        fs::write(&path, text).unwrap();
        read(&path).map_err(|error| error.to_string())
    }

    #[test]
    fn what_was_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/accepted.txt");
        let accepted = Accepted {
            id: ID.parse().unwrap(),
            key: "a-1".to_owned(),
            status: 202,
        };
        AcceptedFile::append(&path).unwrap().add(&accepted).unwrap();
        assert_eq!(read(&path).unwrap(), std::slice::from_ref(&accepted));
        // A second load forgets nothing, and neither do two at once.
        let mut two = [(); 2].map(|()| AcceptedFile::append(&path).unwrap());
        for file in &mut two {
            file.add(&accepted).unwrap();
        }
        assert_eq!(read(&path).unwrap().len(), 3);
    }

    #[test]
    fn it_is_forgotten_with_the_data_and_may_be_missing() {
        let folder = tempfile::tempdir().unwrap();
        AcceptedFile::append(&folder.path().join(FILE)).unwrap();
        forget(folder.path()).unwrap();
        forget(folder.path()).unwrap();
        assert!(!folder.path().join(FILE).exists());
    }

    #[test]
    fn a_line_that_is_none_is_named_by_its_number() {
        for (line, problem) in [
            ("", "1 fields"),
            ("x\ty\t200", "no request id"),
            (&format!("{ID}\t\t200"), "key"),
            (&format!("{ID}\ty\t503"), "503"),
        ] {
            let error = read_text(&format!("{ID}\tk\t200\n{line}\n")).unwrap_err();
            assert!(
                error.contains("accepted.txt:2") && error.contains(problem),
                "{error}"
            );
        }
    }

    #[test]
    fn an_empty_file_is_no_proof_of_anything() {
        assert!(read_text("").unwrap_err().contains("empty"));
        let missing = read(Path::new("/nowhere/accepted.txt")).unwrap_err();
        assert!(missing.help().unwrap().contains("make load"));
    }
}
