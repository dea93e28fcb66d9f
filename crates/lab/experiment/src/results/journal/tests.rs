//! Whatever a trial holds, it is read back; whatever a journal lacks, it is told.

use std::path::PathBuf;

use proptest::array::uniform3;
use proptest::collection::vec;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::fixtures::TrialFixture;
use crate::trial::{Answer, Completion};

/// To the nanosecond, up to a day.
fn time() -> impl Strategy<Value = Duration> {
    (0..86_400_u64, 0..1_000_000_000_u32).prop_map(|(whole, part)| Duration::new(whole, part))
}

/// A trial with lines of each kind, and whatever times, counts and words in them.
fn trial() -> impl Strategy<Value = Trial> {
    // Figures with three decimals: no generator tells more.
    let figures = uniform3((0..1_000_000_000_u32).prop_map(|it| f64::from(it) / 1_000.0));
    let (times, counts) = (vec(time(), 15), vec(any::<u64>(), 8));
    let drawn = (times, counts, vec(any::<String>(), 6), figures);
    drawn.prop_map(|(times, counts, words, figures)| {
        let some = counts[0].is_multiple_of(2);
        let scene = TrialFixture::resilient().opens(&words[0], times[0]);
        let mut trial = scene.sample(times[1], some.then_some(counts[1])).trial;
        (trial.bound, trial.lasts) = (times[2], times[3]);
        trial.samples[0].ejected = some.then_some(counts[2]);
        let fault = &mut trial.faults[0];
        (fault.from, fault.to, fault.recovered) = (times[4], times[5], times[6]);
        (fault.name, fault.live.seen) = (words[1].clone(), words[2].clone());
        let answer = Answer {
            status: 202,
            request_id: some.then(|| Uuid::from_u128(counts[3].into())),
            has_result: some,
            degraded: vec![words[3].clone()],
            recorded_in: some.then(|| words[4].clone()),
            ..Answer::default()
        };
        let ends = [
            Completion::Answered(answer),
            Completion::GivenUp,
            Completion::Refused,
            Completion::Reset,
            Completion::Left,
            Completion::NoFile,
        ];
        trial
            .calls
            .extend(ends.into_iter().zip(&times[7..]).map(|(end, at)| Call {
                number: counts[4],
                intended: *at,
                sent: times[13],
                ended: times[14],
                surge: some,
                end,
            }));
        let (number, what) = (counts[5], words[5].clone());
        trial.breaches = some.then(|| vec![Breach { number, what }]);
        (trial.durability.promised, trial.durability.lost) = (counts[6], counts[7]);
        trial.generator = Generator {
            cpu_us_per_request: figures[0],
            late_p99_ms: figures[1],
            late_max_ms: figures[2],
            most_under_way: counts[7],
        };
        trial
    })
}

fn path() -> PathBuf {
    PathBuf::from("naive.jsonl")
}

proptest! {
    #[test]
    fn a_trial_is_read_back_as_it_was(trial in trial()) {
        let text = write(&trial, "x").unwrap();
        prop_assert_eq!(read(&text, &path()).unwrap(), trial);
    }

    #[test]
    fn wherever_a_journal_ends_too_early_it_is_refused(trial in trial(), cut in 0.0..1.0_f64) {
        let text = write(&trial, "x").unwrap();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        let mut end = (text.len() as f64 * cut) as usize;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        // All but the last line's end is needed.
        prop_assume!(end + 1 < text.len());
        prop_assert!(read(&text[..end], &path()).is_err());
    }
}

const HEADER: &str =
    r#"{"type":"trial","schema":1,"side":"naive","bound":8.0,"lasts":2,"units":{}}"#;

fn complaint(text: &str) -> String {
    read(text, &path()).unwrap_err().to_string()
}

#[test]
fn every_line_says_what_it_is_and_the_first_in_which_units() {
    let call = r#"{"type":"call","number":7,"intended":0.5,"sent":0.5,"ended":1.25,"end":{"end":"given_up"}}"#;
    let durability =
        r#"{"type":"durability","promised":1,"lost":2,"duplicates":0,"failed":0,"done":1}"#;
    let generator = r#"{"type":"generator","cpu_us_per_request":30.5,"late_p99_ms":1.2,"late_max_ms":3,"most_under_way":9}"#;
    let trial = read(&[HEADER, call, durability, generator].join("\n"), &path()).unwrap();
    assert_eq!((trial.side, trial.durability.lost), (Side::Naive, 2));
    assert_eq!(trial.calls[0].latency(), Duration::from_millis(750));
    let written = write(&trial, "x").unwrap();
    assert!(
        written
            .lines()
            .next()
            .unwrap()
            .contains("seconds from the start of the load")
    );
    assert!(written.contains(call) && written.contains(durability));
    // As it was called in runs before.
    let older = durability.replace("durability", "ledger");
    let older = read(&[HEADER, call, &older, generator].join("\n"), &path());
    assert_eq!(older.unwrap(), trial);
}

#[test]
fn a_line_that_is_none_is_told_by_its_number() {
    let alien = complaint(&format!("{HEADER}\n{{\"type\":\"alien\"}}\n"));
    assert!(
        alien.starts_with("naive.jsonl:2: ") && alien.contains("alien"),
        "{alien}"
    );
    assert!(complaint(&format!("{HEADER}\n{HEADER}\n")).contains("jsonl:2: a second trial"));
    assert!(complaint(HEADER).contains("without its durability"));
    assert!(complaint("").starts_with("naive.jsonl:1: "));
}

#[test]
fn a_journal_of_another_schema_is_refused_whatever_it_holds() {
    let newer = complaint(r#"{"type":"trial","schema":2,"sides":[]}"#);
    assert!(
        newer.contains("schema 2") && newer.contains("reads 1"),
        "{newer}"
    );
}
