//! Numbers as they are read: as many digits as mean something.

use std::fmt::Display;

/// Thousands apart, by a narrow space that does not break.
pub(super) fn count(number: impl Display) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + 4);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// Milliseconds below a second, else seconds with three digits at most.
pub(super) fn seconds(seconds: f64) -> String {
    match seconds {
        it if it < 0.0095 => format!("{:.1}\u{a0}ms", it * 1e3),
        it if it < 0.9995 => format!("{:.0}\u{a0}ms", it * 1e3),
        it if it < 9.995 => format!("{it:.2}\u{a0}s"),
        it => format!("{it:.1}\u{a0}s"),
    }
}

/// Likewise, of what may have none.
pub(super) fn or_none(value: Option<f64>) -> String {
    value.map_or_else(|| "none".to_owned(), seconds)
}

/// Of how many; never rounded up to all or down to none.
#[expect(clippy::cast_precision_loss, reason = "a ratio")]
pub(super) fn share(part: usize, whole: usize) -> String {
    let percent = part as f64 * 100.0 / whole.max(1) as f64;
    match percent {
        it if part > 0 && it < 0.1 => "< 0.1\u{a0}%".to_owned(),
        it if part < whole && it > 99.9 => "> 99.9\u{a0}%".to_owned(),
        it if it < 9.95 || (90.05..100.0).contains(&it) => format!("{it:.1}\u{a0}%"),
        it => format!("{it:.0}\u{a0}%"),
    }
}

/// Keeps a number and what follows it, such as its unit, on one line.
pub(super) fn tied(text: &str) -> String {
    let mut tied = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        let after_digit = tied.ends_with(|last: char| last.is_ascii_digit());
        tied.push(if letter == ' ' && after_digit {
            '\u{a0}'
        } else {
            letter
        });
    }
    tied
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(count(7), "7");
        assert_eq!(count(1_234_567), "1\u{202f}234\u{202f}567");
    }

    #[test]
    fn short_times_are_milliseconds_and_long_ones_seconds() {
        assert_eq!(seconds(0.0042), "4.2\u{a0}ms");
        assert_eq!(seconds(0.25), "250\u{a0}ms");
        assert_eq!(seconds(3.7), "3.70\u{a0}s");
        assert_eq!(seconds(20.0), "20.0\u{a0}s");
    }

    #[test]
    fn a_share_is_only_all_or_none_if_it_is() {
        assert_eq!(share(1, 100_000), "< 0.1\u{a0}%");
        assert_eq!(share(99_999, 100_000), "> 99.9\u{a0}%");
        assert_eq!(share(5, 10), "50\u{a0}%");
        assert_eq!(share(0, 0), "0.0\u{a0}%");
    }

    #[test]
    fn a_number_stays_beside_its_unit() {
        assert_eq!(tied("at most 3.7 s"), "at most 3.7\u{a0}s");
    }
}
