//! Which word was meant.

/// The closest of the known words, or all of them where none is close.
pub fn hint(word: &str, known: &[&str]) -> String {
    match closest(word, known) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if known.is_empty() => "there is none".to_owned(),
        None => format!("known are {}", known.join(", ")),
    }
}

/// One slip in three letters is a slip, more is another word.
fn closest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let slips = |known: &str| strsim::damerau_levenshtein(word, known);
    let (slips, meant) = known.iter().map(|known| (slips(known), *known)).min()?;
    (slips * 3 <= word.len().max(3)).then_some(meant)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 4] = ["rate", "patience", "at", "p99"];

    #[test]
    fn a_slip_is_told_the_word_that_was_meant() {
        for (word, meant) in [
            ("patiance", "patience"),
            ("patinece", "patience"),
            ("raet", "rate"),
            ("p9", "p99"),
        ] {
            assert_eq!(hint(word, &KNOWN), format!("did you mean `{meant}`?"));
        }
    }

    #[test]
    fn another_word_is_told_what_is_known() {
        assert_eq!(hint("colour", &KNOWN), "known are rate, patience, at, p99");
        assert_eq!(hint("colour", &[]), "there is none");
    }
}
