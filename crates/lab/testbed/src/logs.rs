//! The end of a log file.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Enough for a few dozen lines, however large the file.
const LAST_BYTES: u64 = 16 * 1024;

/// The last `count` lines, fewer if the file holds fewer; none if it cannot be read.
pub fn tail(path: &Path, count: usize) -> Vec<String> {
    tail_from(path, 0, count)
}

/// Likewise, of what stands after the first `from` bytes.
pub fn tail_from(path: &Path, from: u64, count: usize) -> Vec<String> {
    let text = last_bytes(path, from).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let mut lines: Vec<String> = lines.map(str::to_owned).collect();
    lines.split_off(lines.len().saturating_sub(count))
}

fn last_bytes(path: &Path, from: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LAST_BYTES).max(from)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_the_last_lines_and_a_missing_file_has_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        assert_eq!(tail(&path, 2), Vec::<String>::new());
        std::fs::write(&path, "one\ntwo\n\nthree\n").unwrap();
        assert_eq!(tail(&path, 2), ["two", "three"]);
        assert_eq!(tail(&path, 9), ["one", "two", "three"]);
        assert_eq!(tail_from(&path, 4, 9), ["two", "three"]);
        assert_eq!(tail_from(&path, 99, 9), Vec::<String>::new());
    }
}
