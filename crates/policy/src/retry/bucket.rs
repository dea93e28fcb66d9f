//! The token bucket of the retry budget: exact, pure, takes `now`.
//!
//! Tokens are counted in millionths, so nothing is lost to rounding; of the floor even the fraction
//! of a millionth is carried on. Tokens live in one slot per second and expire with their slot;
//! the oldest are spent first. Invariant: the slots' sum is `total`, and `total <= CAP`.

use tokio::time::Instant;

use crate::config::BudgetConfig;

/// One retry.
const TOKEN: u64 = 1_000_000;
/// A burst of retries is never longer than this.
const CAP: u64 = 10 * TOKEN;
/// How long a deposit may be spent, in seconds: yesterday's calls do not pay for today's retries.
const TTL: u64 = 10;
const SLOTS: usize = 10;
const SECOND: u64 = 1_000_000_000;

#[derive(Debug)]
pub(super) struct Bucket {
    per_call: u64,
    per_second: u64,
    origin: Instant,
    // Nanoseconds since `origin` up to which the floor has been paid.
    paid_to: u64,
    // What the floor owes: in millionths of a token, times `SECOND`; less than `SECOND`.
    owed: u64,
    slots: [u64; SLOTS],
    // No slot of an earlier second holds anything.
    oldest: u64,
    total: u64,
}

impl Bucket {
    /// Starts with what the floor grants in one second.
    pub(super) fn new(config: &BudgetConfig, now: Instant) -> Self {
        let mut bucket = Self {
            per_call: millionths(config.ratio),
            per_second: millionths(config.floor_per_second),
            origin: now,
            paid_to: 0,
            owed: 0,
            slots: [0; SLOTS],
            oldest: 0,
            total: 0,
        };
        bucket.add(bucket.per_second);
        bucket
    }

    /// What is saved stays; what is to come is paid by `config`.
    pub(super) fn reconfigure(&mut self, config: &BudgetConfig, now: Instant) {
        self.advance(now);
        self.per_call = millionths(config.ratio);
        self.per_second = millionths(config.floor_per_second);
    }

    /// So many calls were made, all in the second of `now`: within one their order with the floor
    /// and each other makes no difference.
    pub(super) fn deposit(&mut self, calls: u32, now: Instant) {
        self.advance(now);
        self.add(self.per_call.saturating_mul(u64::from(calls)));
    }

    /// Takes a token, or part of one, for one retry, if there is as much.
    pub(super) fn withdraw(&mut self, tokens: f64, now: Instant) -> bool {
        self.advance(now);
        let price = millionths(tokens);
        let granted = self.total >= price;
        if granted {
            self.spend(price);
        }
        granted
    }

    pub(super) fn tokens(&mut self, now: Instant) -> f64 {
        self.advance(now);
        self.total as f64 / TOKEN as f64
    }

    /// Pays the floor up to `now`, second by second, dropping what expires on the way.
    fn advance(&mut self, now: Instant) {
        let age = now.saturating_duration_since(self.origin).as_nanos();
        let now = u64::try_from(age).unwrap_or(u64::MAX);
        if now.saturating_sub(self.paid_to) > (TTL + 1) * SECOND {
            self.forget_until((now / SECOND - TTL) * SECOND);
        }
        while self.paid_to < now {
            let second = self.paid_to / SECOND;
            let step_end = now.min((second + 1) * SECOND);
            self.pay(step_end - self.paid_to);
            self.paid_to = step_end;
            if step_end / SECOND > second {
                let reused = slot(second + 1);
                self.total -= self.slots[reused];
                self.slots[reused] = 0;
                self.oldest = self.oldest.max((second + 2).saturating_sub(TTL));
            }
        }
    }

    /// After a long pause everything has expired, also what the floor paid at its beginning.
    fn forget_until(&mut self, then: u64) {
        self.slots = [0; SLOTS];
        self.total = 0;
        self.owed = 0;
        self.paid_to = then;
        self.oldest = then / SECOND;
    }

    /// The floor's share for `nanoseconds` of at most a second.
    fn pay(&mut self, nanoseconds: u64) {
        let due = self.per_second * nanoseconds + self.owed;
        self.owed = due % SECOND;
        self.add(due / SECOND);
    }

    /// New tokens push out the oldest ones, so that a full bucket stays fresh.
    fn add(&mut self, millionths: u64) {
        let added = millionths.min(CAP);
        let room = CAP - self.total;
        self.spend(added.saturating_sub(room));
        self.slots[slot(self.paid_to / SECOND)] += added;
        self.total += added;
    }

    fn spend(&mut self, mut millionths: u64) {
        self.total -= millionths;
        let newest = self.paid_to / SECOND;
        loop {
            let tokens = &mut self.slots[slot(self.oldest)];
            let taken = millionths.min(*tokens);
            *tokens -= taken;
            millionths -= taken;
            if millionths == 0 || self.oldest >= newest {
                break;
            }
            self.oldest += 1;
        }
    }
}

/// Where the tokens of a second live. In range by the modulo, whatever the second.
fn slot(second: u64) -> usize {
    (second % TTL) as usize
}

/// Rates come validated; the clamp only keeps the arithmetic safe where that was skipped.
#[expect(clippy::cast_possible_truncation, reason = "clamped before the cast")]
fn millionths(tokens: f64) -> u64 {
    (tokens.clamp(0.0, 1_000.0) * TOKEN as f64).round() as u64
}

#[cfg(test)]
mod tests;
