//! Where something stands in the file: by its keys, and from these its line and what is written there.

use std::fmt;

use serde_path_to_error::{Path, Segment};
use toml::de::{DeTable, DeValue};

/// Keys and indices, from the file's root.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Location(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found<'a> {
    /// Of the deepest step that the file has, from 1.
    pub(super) line: usize,
    /// The value as it is written, if the file has it and it is no table.
    pub(super) value: Option<&'a str>,
}

impl Location {
    pub(super) fn key(&self, key: &str) -> Self {
        self.and(Step::Key(key.to_owned()))
    }

    pub(super) fn index(&self, index: usize) -> Self {
        self.and(Step::Index(index))
    }

    fn and(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    pub(super) fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn find<'a>(&self, text: &'a str) -> Found<'a> {
        let (offset, value) = self.look(text).unwrap_or_default();
        Found {
            line: line_of(text, offset),
            value,
        }
    }

    fn look<'a>(&self, text: &'a str) -> Option<(usize, Option<&'a str>)> {
        let root = DeTable::parse(text).ok()?;
        let mut offset = 0;
        let mut current: Option<&toml::Spanned<DeValue<'_>>> = None;
        for step in &self.0 {
            let next = match (step, current.map(toml::Spanned::get_ref)) {
                (Step::Key(key), None) => root.get_ref().get_key_value(key.as_str()),
                (Step::Key(key), Some(DeValue::Table(table))) => table.get_key_value(key.as_str()),
                (Step::Index(index), Some(DeValue::Array(array))) => {
                    let Some(item) = array.get(*index) else {
                        return Some((offset, None));
                    };
                    (offset, current) = (item.span().start, Some(item));
                    continue;
                }
                _ => None,
            };
            let Some((name, value)) = next else {
                return Some((offset, None));
            };
            (offset, current) = (name.span().start, Some(value));
        }
        let scalar = current.filter(|it| !matches!(it.get_ref(), DeValue::Table(_)));
        let written = scalar.and_then(|it| text.get(it.span()));
        Some((offset, written.filter(|it| !it.contains('\n'))))
    }
}

/// The line, from 1, in which the byte at `offset` stands.
pub(super) fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().iter().take(offset);
    before.filter(|byte| **byte == b'\n').count() + 1
}

impl From<&Path> for Location {
    fn from(path: &Path) -> Self {
        let steps = path.iter().filter_map(|segment| match segment {
            Segment::Seq { index } => Some(Step::Index(*index)),
            Segment::Map { key } => Some(Step::Key(key.clone())),
            // What cannot be read as its enum stands where its key stands.
            Segment::Enum { .. } | Segment::Unknown => None,
        });
        Self(steps.collect())
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if at == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "title = \"x\"\n\n[load]\nrate = 4 # per second\nleaving = { share = 0.5 }\n\n\
        [[fault]]\nat = \"1s\"\n[[fault]]\nat = \"2s\"\n[naive]\np99 = [\n  { at_least = 1 },\n  { at_most = 2 },\n]\n";

    fn found(location: &Location) -> (usize, Option<&'static str>) {
        let found = location.find(TEXT);
        (found.line, found.value)
    }

    #[test]
    fn a_key_has_its_line_and_its_value_as_written() {
        let load = Location::default().key("load");
        assert_eq!(found(&load.key("rate")), (4, Some("4")));
        assert_eq!(found(&load.key("leaving").key("share")), (5, Some("0.5")));
        assert_eq!(found(&Location::default().key("title")), (1, Some("\"x\"")));
        assert_eq!(found(&load), (3, None));
    }

    #[test]
    fn each_of_several_tables_and_of_a_list_has_its_own() {
        let fault = Location::default().key("fault").index(1);
        assert_eq!(found(&fault), (9, None));
        assert_eq!(found(&fault.key("at")), (10, Some("\"2s\"")));
        let limit = Location::default().key("naive").key("p99").index(1);
        assert_eq!(found(&limit.key("at_most")), (14, Some("2")));
        assert_eq!(limit.key("at_most").to_string(), "naive.p99[1].at_most");
    }

    #[test]
    fn what_the_file_lacks_stands_where_the_deepest_that_it_has_stands() {
        let load = Location::default().key("load");
        assert_eq!(found(&load.key("patience")), (3, None));
        assert_eq!(found(&Location::default().key("stages")), (1, None));
        assert_eq!(found(&Location::default().key("fault").index(7)).1, None);
    }
}
