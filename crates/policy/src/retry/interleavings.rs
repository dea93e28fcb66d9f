//! The budget under every interleaving of two threads that loom can find.

use loom::thread;
use tokio::time::Instant;

use super::budget::Budget;
use crate::config::BudgetConfig;

/// It holds one token.
fn budget() -> Budget {
    Budget::new(&BudgetConfig {
        ratio: 1.0,
        floor_per_second: 1.0,
    })
}

#[test]
fn one_token_is_granted_once() {
    loom::model(|| {
        let now = Instant::now();
        let budget = budget();
        let rival = budget.clone();
        let other = thread::spawn(move || rival.withdraw_at(now));
        let mine = budget.withdraw_at(now);
        assert!(mine != other.join().unwrap(), "exactly one of the two");
    });
}

#[test]
fn no_deposit_is_lost_to_a_withdrawal() {
    loom::model(|| {
        let now = Instant::now();
        let budget = budget();
        let caller = budget.clone();
        let other = thread::spawn(move || caller.deposit_at(now));
        assert!(budget.withdraw_at(now));
        other.join().unwrap();
        assert!(budget.withdraw_at(now), "the deposited one");
        assert!(!budget.withdraw_at(now), "and no other");
    });
}
