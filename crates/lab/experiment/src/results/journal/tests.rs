//! Whatever a trial holds, it is read back; whatever a journal lacks, it is told.

use std::path::PathBuf;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::plan::Target;
use crate::trial::{Completion, Observation};

/// To the nanosecond, up to a day.
fn time() -> impl Strategy<Value = Duration> {
    (0..86_400_u64, 0..1_000_000_000_u32).prop_map(|(whole, part)| Duration::new(whole, part))
}

fn end() -> impl Strategy<Value = Completion> {
    let lacks = vec("[a-z_]+:[a-z_]+", 0..3);
    let answered = (
        100..600_u16,
        option::of(any::<u128>()),
        any::<bool>(),
        lacks,
    );
    let answered = (answered, option::of("[a-z]+")).prop_map(|(answered, recorded_in)| {
        let (status, id, has_result, degraded) = answered;
        Completion::Answered {
            status,
            request_id: id.map(Uuid::from_u128),
            has_result,
            degraded,
            recorded_in,
        }
    });
    let others = [
        Completion::GivenUp,
        Completion::Refused,
        Completion::Reset,
        Completion::Left,
        Completion::NoFile,
    ];
    prop_oneof![answered, proptest::sample::select(others.to_vec())]
}

fn call() -> impl Strategy<Value = Call> {
    let times = (time(), time(), time());
    (any::<u64>(), times, any::<bool>(), end()).prop_map(
        |(number, (intended, sent, ended), surge, end)| Call {
            number,
            intended,
            sent,
            ended,
            surge,
            end,
        },
    )
}

fn fault() -> impl Strategy<Value = FaultWindow> {
    let observation =
        || (any::<bool>(), any::<String>()).prop_map(|(holds, seen)| Observation { holds, seen });
    let targets = [Target::Worker, Target::Database, Target::Api];
    let target = proptest::sample::select(targets.to_vec());
    (
        any::<String>(),
        target,
        (time(), time(), time()),
        observation(),
        observation(),
    )
        .prop_map(|(name, target, times, live, healed)| FaultWindow {
            name,
            target,
            from: times.0,
            to: times.1,
            recovered: times.2,
            live,
            healed,
        })
}

fn transition() -> impl Strategy<Value = Transition> {
    let words = (any::<String>(), any::<String>(), any::<String>());
    (time(), words).prop_map(|(at, (dependency, from, to))| Transition {
        at,
        dependency,
        from,
        to,
    })
}

fn sample() -> impl Strategy<Value = Sample> {
    let count = || option::of(any::<u64>());
    (time(), count(), count(), count(), count()).prop_map(
        |(at, worker_arrivals, open_work, journal_entries, ejected)| Sample {
            at,
            worker_arrivals,
            open_work,
            journal_entries,
            ejected,
        },
    )
}

/// Figures with three decimals: no generator tells more.
fn generator() -> impl Strategy<Value = Generator> {
    let figure = || (0..1_000_000_000_u32).prop_map(|it| f64::from(it) / 1_000.0);
    (figure(), figure(), figure(), any::<u64>()).prop_map(|(cpu, p99, max, most)| Generator {
        cpu_us_per_request: cpu,
        late_p99_ms: p99,
        late_max_ms: max,
        most_under_way: most,
    })
}

fn breach() -> impl Strategy<Value = Breach> {
    (any::<u64>(), ".*").prop_map(|(number, what)| Breach { number, what })
}

fn trial() -> impl Strategy<Value = Trial> {
    let lists = (
        vec(fault(), 0..3),
        vec(transition(), 0..4),
        vec(sample(), 0..4),
        vec(call(), 0..8),
        option::of(vec(breach(), 0..3)),
    );
    let counts = proptest::array::uniform5(any::<u64>());
    let sides = proptest::sample::select(Side::BOTH.to_vec());
    (sides, time(), time(), lists, counts, generator()).prop_map(
        |(side, bound, lasts, lists, counts, generator)| {
            let (faults, transitions, samples, calls, breaches) = lists;
            let [promised, lost, duplicates, failed, done] = counts;
            Trial {
                side,
                bound,
                lasts,
                faults,
                transitions,
                samples,
                calls,
                breaches,
                durability: Durability {
                    promised,
                    lost,
                    duplicates,
                    failed,
                    done,
                },
                generator,
                contender: None,
            }
        },
    )
}

fn path() -> PathBuf {
    PathBuf::from("naive.jsonl")
}

proptest! {
    #[test]
    fn a_trial_is_read_back_as_it_was(trial in trial()) {
        let text = write(&trial).unwrap();
        prop_assert_eq!(read(&text, &path()).unwrap(), trial);
    }

    #[test]
    fn wherever_a_journal_ends_too_early_it_is_refused(trial in trial(), cut in 0.0..1.0_f64) {
        let text = write(&trial).unwrap();
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
    let written = write(&trial).unwrap();
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
