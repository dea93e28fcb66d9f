//! Reading Prometheus' text exposition: which metrics there are, of which type, with which labels and values.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

pub type Families = BTreeMap<String, Family>;

/// A metric, without its values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Family {
    /// `counter`, `gauge` or `histogram`.
    pub kind: String,
    /// The names of its labels; a histogram's `le` is none.
    pub labels: BTreeSet<String>,
}

/// All metrics of `exposition` that have a type and a series.
pub fn families(exposition: &str) -> Families {
    let typed = exposition
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let family = |kind: &str| Family {
        kind: kind.to_owned(),
        labels: BTreeSet::new(),
    };
    let families = typed.map(|(name, kind)| (name.to_owned(), family(kind)));
    let mut families: Families = families.collect();
    let mut seen = BTreeSet::new();
    for line in exposition.lines().filter(|line| !line.starts_with('#')) {
        let end = line.find(['{', ' ']).unwrap_or(line.len());
        let (name, rest) = line.split_at(end);
        let Some(name) = family_of(name, &families) else {
            continue;
        };
        if let Some(family) = families.get_mut(&name) {
            family.labels.extend(label_names(rest));
        }
        seen.insert(name);
    }
    families.retain(|name, _| seen.contains(name));
    families
}

/// The family of a series; none: it has no type.
fn family_of(series: &str, families: &Families) -> Option<String> {
    if families.contains_key(series) {
        return Some(series.to_owned());
    }
    let ends = ["_bucket", "_sum", "_count"];
    let name = ends.iter().find_map(|end| series.strip_suffix(end))?;
    families.contains_key(name).then(|| name.to_owned())
}

/// Of `{a="1",le="2"} 3`: what stands before each `="`, but for `le`. Values with such text in them are none of ours.
fn label_names(rest: &str) -> impl Iterator<Item = String> {
    rest.match_indices("=\"").filter_map(|(end, _)| {
        let before = &rest[..end];
        let start = before.rfind(|it: char| !(it.is_ascii_alphanumeric() || it == '_'));
        let name = &before[start.map_or(0, |at| at + 1)..];
        (name != "le").then(|| name.to_owned())
    })
}

/// The value of a series without labels; none: there is no such series.
pub fn value<T: FromStr>(text: &str, name: &str) -> Option<T> {
    let mut lines = text.lines();
    let line = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
    line.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_has_its_type_and_the_labels_of_all_its_series() {
        let text = "# HELP calls Calls\n# TYPE calls counter\ncalls{who=\"a, b\",how=\"\"} 7\n\
            # TYPE took histogram\ntook_bucket{who=\"a\",le=\"+Inf\"} 2\ntook_sum{who=\"a\"} 1\n\
            # TYPE empty gauge\nstray 3\n";
        let found = families(text);
        let names: Vec<_> = found.keys().map(String::as_str).collect();
        assert_eq!(names, ["calls", "took"]);
        assert_eq!(found["calls"].kind, "counter");
        let labels = |name: &str| found[name].labels.iter().cloned().collect::<Vec<_>>();
        assert_eq!(labels("calls"), ["how", "who"]);
        assert_eq!(labels("took"), ["who"]);
    }

    #[test]
    fn a_metric_is_found_by_its_whole_name_and_one_that_is_missing_is_not_zero() {
        let text = "# TYPE calls counter\ncalls_total 7\ncalls 3\ncalls_seconds{le=\"1\"} 2\n";
        assert_eq!(value::<u64>(text, "calls"), Some(3));
        assert_eq!(value::<u64>(text, "calls_total"), Some(7));
        assert_eq!(value::<u64>(text, "call"), None);
        assert_eq!(value::<u64>(text, "calls_seconds"), None);
    }
}
