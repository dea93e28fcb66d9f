//! The model of Postgres is true: random statements come to the same on it and on a real Postgres.

#![allow(clippy::unwrap_used, reason = "a test says bluntly what it expects")]

mod sides;

use fastrand::Rng;

use sides::{Sides, Statement};

const STEPS: u32 = 10_000;

#[tokio::test]
async fn ten_thousand_random_statements_come_to_the_same() {
    let seed = 1;
    let mut rng = Rng::with_seed(seed);
    let mut sides = Sides::start().await;
    for step in 0..STEPS {
        let statement = Statement::draw(&mut rng, sides.claims());
        let (real, model) = sides.both(&statement).await;
        assert_eq!(real, model, "seed {seed}, step {step}: {statement:?}");
        if step % 500 == 0 {
            sides
                .assert_equal(&format!("seed {seed}, step {step}"))
                .await;
        }
    }
    sides.assert_equal("at the end").await;
}

#[tokio::test]
async fn statements_at_once_come_to_what_some_order_of_them_comes_to() {
    let seed = 2;
    let mut rng = Rng::with_seed(seed);
    let mut sides = Sides::start().await;
    for round in 0..500 {
        let statements: Vec<_> = (0..3).map(|_| Statement::draw_simple(&mut rng)).collect();
        let came_to = sides.at_once(&statements).await;
        assert!(came_to, "seed {seed}, round {round}: {statements:?}");
    }
}
