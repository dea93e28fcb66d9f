//! Where in the policy file what is wrong with it stands, for whoever has to mend it.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::PolicyFileError;

/// How much alike names are of which one was probably meant, from 0 to 1.
const LIKE: f64 = 0.8;

/// It is no TOML.
pub(super) fn syntax(text: &str, error: &toml::de::Error) -> PolicyFileError {
    PolicyFileError::Invalid {
        place: line(text, error.span().map(|span| span.start)),
        problem: error.message().replace('\n', " "),
    }
}

/// A key is unknown, or its value has the wrong type.
pub(super) fn invalid(text: &str, keys: &[&str], problem: &str) -> PolicyFileError {
    let (offset, _) = find(text, keys);
    PolicyFileError::Invalid {
        place: format!("{}{}: ", line(text, offset), keys.join(".")),
        problem: format!("{problem}{}", meant(problem)),
    }
}

/// A rule does not hold, whose words begin with its key: that has a line, or is the default.
pub(super) fn broken(text: &str, problem: &str) -> PolicyFileError {
    let key = problem.split([' ', ':']).next().unwrap_or_default();
    let keys: Vec<&str> = key.split('.').collect();
    match find(text, &keys) {
        (offset, true) => PolicyFileError::Invalid {
            place: line(text, offset),
            problem: problem.to_owned(),
        },
        (_, false) => PolicyFileError::Rule(format!("{problem} ({key} is the default)")),
    }
}

/// Of serde's words about an unknown name: which of those it expected was probably meant.
fn meant(problem: &str) -> String {
    let mut named = problem.split('`').skip(1).step_by(2);
    let unknown = named.next().filter(|_| problem.starts_with("unknown "));
    let close = unknown.and_then(|unknown| {
        let likeness = |name: &&str| strsim::jaro_winkler(unknown, name);
        let best = named.max_by(|one, other| likeness(one).total_cmp(&likeness(other)))?;
        (likeness(&best) > LIKE).then_some(best)
    });
    close.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

/// Where the deepest of the nested `keys` that the text has stands in it, and whether that is the last of them.
fn find(text: &str, keys: &[&str]) -> (Option<usize>, bool) {
    let Ok(root) = DeTable::parse(text) else {
        return (None, false);
    };
    let mut table = root.get_ref();
    let mut offset = None;
    for (depth, key) in keys.iter().enumerate() {
        // Of a list, the list.
        let key = key.split_once('[').map_or(*key, |(list, _)| list);
        let Some((name, value)) = table.get_key_value(key) else {
            return (offset, false);
        };
        offset = Some(Spanned::span(name).start);
        let DeValue::Table(inner) = value.get_ref() else {
            return (offset, depth + 1 == keys.len());
        };
        table = inner;
    }
    (offset, true)
}

/// `line N: `, if there is one.
fn line(text: &str, offset: Option<usize>) -> String {
    let number = offset.map(|at| text[..at].matches('\n').count() + 1);
    number.map_or_else(String::new, |number| format!("line {number}: "))
}

#[cfg(test)]
mod tests {
    use crate::config::parse;

    fn refusal(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn a_key_that_is_misspelt_is_told_which_was_meant_and_one_like_no_other_is_not() {
        let close = refusal("[worker]\nattempt_timeuot = \"1s\"");
        assert!(
            close.ends_with("did you mean `attempt_timeout`?"),
            "{close}"
        );
        let far = refusal("[worker]\nzzz = 1");
        assert!(!far.contains("did you mean"), "{far}");
    }

    #[test]
    fn a_rule_that_does_not_hold_has_the_line_of_its_key_or_says_that_it_is_the_default() {
        let set = refusal("[recovery]\nmax_open = 10\nlease = \"8s\"");
        assert!(set.starts_with("line 3: recovery.lease = 8s: "), "{set}");
        let inline = refusal("[database]\n\npool = { max_size = 60 }");
        assert!(
            inline.starts_with("line 3: database.pool.max_size"),
            "{inline}"
        );
        let default = refusal("[recovery]\nmax_concurrent = 641");
        assert!(
            default.starts_with("process.max_in_flight = 512: "),
            "{default}"
        );
        assert!(
            default.ends_with("(process.max_in_flight is the default)"),
            "{default}"
        );
    }
}
