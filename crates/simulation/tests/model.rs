//! The model of Postgres is true: random statements come to the same on it and on a real Postgres.

#![allow(clippy::unwrap_used, reason = "a test says bluntly what it expects")]

mod sides;

use fastrand::Rng;

use self::sides::{Sides, Statement};

const STEPS: u32 = 10_000;
/// Of three statements each.
const ROUNDS: u32 = 400;

#[test]
fn ten_thousand_random_statements_come_to_the_same() {
    let seed = 1;
    let mut rng = Rng::with_seed(seed);
    let mut sides = Sides::start();
    for step in 0..STEPS {
        let statement = Statement::draw(&mut rng, sides.claims());
        let [real, model] = sides.both(&statement);
        assert_eq!(real, model, "seed {seed}, step {step}: {statement:?}");
        if step % 250 == 0 {
            let [real, model] = sides.contents();
            assert_eq!(real, model, "seed {seed}, step {step}");
        }
    }
    let [real, model] = sides.contents();
    assert_eq!(real, model, "seed {seed}, at the end");
}

#[test]
fn statements_at_once_come_to_what_some_order_of_them_comes_to() {
    let seed = 2;
    let mut rng = Rng::with_seed(seed);
    let mut sides = Sides::start();
    for round in 0..ROUNDS {
        let statements = [0; 3].map(|_| Statement::draw_unclaimed(&mut rng));
        let has_an_order = sides.at_once(&statements);
        assert!(
            has_an_order,
            "seed {seed}, round {round}: {statements:#?}\n{}",
            sides.contents().join("\n\n")
        );
        // So that the tables do not fill up with what is done.
        let [real, model] = sides.both(&Statement::Forget);
        assert_eq!(real, model, "seed {seed}, round {round}");
    }
}
