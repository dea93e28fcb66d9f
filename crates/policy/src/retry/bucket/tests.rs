//! The bucket's promises, and the bucket against a plain list of tokens.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn bucket(ratio: f64, floor_per_second: f64, now: Instant) -> Bucket {
    Bucket::new(
        &BudgetConfig {
            ratio,
            floor_per_second,
        },
        now,
    )
}

fn withdrawals(bucket: &mut Bucket, now: Instant) -> usize {
    (0..1_000).take_while(|_| bucket.withdraw(1.0, now)).count()
}

#[test]
fn it_starts_at_the_floor() {
    let now = Instant::now();
    assert_eq!(withdrawals(&mut bucket(0.1, 3.0, now), now), 3);
    assert_eq!(withdrawals(&mut bucket(0.1, 0.0, now), now), 0);
}

#[test]
fn every_ratio_grants_exactly_its_share_of_the_calls() {
    // Rounding to whole calls per retry would grant the same for 0.6 and 0.9.
    for (ratio, granted) in [(0.1, 100), (0.3, 300), (0.6, 600), (0.9, 900), (1.0, 1_000)] {
        let now = Instant::now();
        let mut bucket = bucket(ratio, 0.0, now);
        let retries = (0..1_000)
            .filter(|_| {
                bucket.deposit(1, now);
                bucket.withdraw(1.0, now)
            })
            .count();
        assert_eq!(retries, granted, "ratio {ratio}");
    }
}

#[test]
fn it_never_holds_more_than_ten_tokens() {
    let now = Instant::now();
    let mut bucket = bucket(1.0, 1_000.0, now);
    (0..500).for_each(|_| bucket.deposit(1, now));
    assert_eq!(withdrawals(&mut bucket, now + Duration::from_secs(60)), 10);
}

#[test]
fn deposits_expire_after_ten_seconds() {
    let now = Instant::now();
    let mut bucket = bucket(1.0, 0.0, now);
    (0..5).for_each(|_| bucket.deposit(1, now));
    assert_eq!(bucket.tokens(now + Duration::from_millis(9_999)), 5.0);
    assert_eq!(bucket.tokens(now + Duration::from_secs(10)), 0.0);
}

#[test]
fn a_floor_below_one_adds_up_without_loss() {
    let now = Instant::now();
    let mut bucket = bucket(0.0, 0.3, now);
    // In steps of which none grants a whole number of millionths.
    for step in 1..=21_000_u32 {
        bucket.advance(now + Duration::from_nanos(333_333) * step);
    }
    assert_eq!(bucket.tokens(now + Duration::from_secs(7)), 0.3 + 2.1);
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Deposit,
    Withdraw,
    /// Tenths of a second.
    Pass(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => Just(Step::Deposit),
        2 => Just(Step::Withdraw),
        1 => (0_u64..40).prop_map(Step::Pass),
        1 => (0_u64..400).prop_map(Step::Pass),
    ];
    prop::collection::vec(step, 0..300)
}

/// Each token's millionths with the second of their birth, in a plain list.
struct Model(Vec<(u64, u64)>);

impl Model {
    fn total(&self) -> u64 {
        self.0.iter().map(|(_, millionths)| millionths).sum()
    }

    fn add(&mut self, second: u64, millionths: u64) {
        self.0.push((second, millionths));
        self.spend(self.total().saturating_sub(CAP));
    }

    fn spend(&mut self, mut millionths: u64) {
        for (_, tokens) in &mut self.0 {
            let taken = millionths.min(*tokens);
            *tokens -= taken;
            millionths -= taken;
        }
    }

    /// One tenth of a second at a time.
    fn pass(&mut self, from: u64, tenths: u64, per_second: u64) {
        for tenth in from..from + tenths {
            self.add(tenth / 10, per_second / 10);
            self.0
                .retain(|(second, left)| *left > 0 && second + TTL > (tenth + 1) / 10);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn it_holds_what_a_plain_list_of_tokens_would(
        ratio in 0_u32..=10,
        floor in 0_u32..=15,
        steps in steps(),
    ) {
        let origin = Instant::now();
        let mut bucket = bucket(f64::from(ratio) / 10.0, f64::from(floor), origin);
        let mut model = Model(Vec::new());
        let (per_call, per_second) = (u64::from(ratio) * TOKEN / 10, u64::from(floor) * TOKEN);
        model.add(0, per_second);
        let mut tenths = 0;
        for step in steps {
            let now = origin + Duration::from_millis(100 * tenths);
            match step {
                Step::Deposit => {
                    bucket.deposit(1, now);
                    model.add(tenths / 10, per_call);
                }
                Step::Withdraw => {
                    let granted = model.total() >= TOKEN;
                    prop_assert_eq!(bucket.withdraw(1.0, now), granted);
                    if granted {
                        model.spend(TOKEN);
                    }
                }
                Step::Pass(by) => {
                    model.pass(tenths, by, per_second);
                    tenths += by;
                    bucket.advance(origin + Duration::from_millis(100 * tenths));
                }
            }
            prop_assert_eq!(bucket.total, model.total());
            prop_assert_eq!(bucket.total, bucket.slots.iter().sum::<u64>());
        }
    }
}
