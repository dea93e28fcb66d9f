//! How far the playing of several is: which of how many, and how long the rest will take.

use std::time::Duration;

use tokio::time::Instant;

/// Under this a time left is told in seconds.
const IN_SECONDS: Duration = Duration::from_secs(90);

/// Things to be played one after the other.
#[derive(Debug)]
pub(crate) struct Turns {
    /// How long the load of each lasts.
    planned: Vec<Duration>,
    begun: usize,
    start: Instant,
}

impl Turns {
    pub(crate) fn of(planned: Vec<Duration>) -> Self {
        Self {
            planned,
            begun: 0,
            start: Instant::now(),
        }
    }

    /// The next begins: which it is, such as `3 of 14, about 6 min left`; none where it is the only one.
    pub(crate) fn next(&mut self) -> Option<String> {
        let left = left(&self.planned, self.begun, self.start.elapsed());
        self.begun += 1;
        let (number, of) = (self.begun, self.planned.len());
        // Nothing has been played yet that would tell what raising a system takes here.
        let about = if number == 1 { "at least" } else { "about" };
        let left = match left.as_secs() {
            seconds if left < IN_SECONDS => format!("{seconds} s"),
            seconds => format!("{} min", seconds.div_ceil(60)),
        };
        (of > 1).then(|| format!("{number} of {of}, {about} {left} left"))
    }
}

/// What the rest takes at the pace of the `done` first ones, which took `took`.
fn left(planned: &[Duration], done: usize, took: Duration) -> Duration {
    let sum = |of: &[Duration]| of.iter().sum::<Duration>();
    let (behind, ahead) = planned.split_at(done.min(planned.len()));
    let (behind, ahead) = (sum(behind), sum(ahead));
    if behind.is_zero() {
        return ahead;
    }
    ahead.mul_f64(took.as_secs_f64() / behind.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_rest_is_expected_to_go_at_the_pace_so_far() {
        let planned = [s(40), s(20), s(60)];
        assert_eq!(left(&planned, 0, s(0)), s(120));
        assert_eq!(left(&planned, 1, s(60)), s(120));
        assert_eq!(left(&planned, 3, s(200)), s(0));
    }

    #[tokio::test(start_paused = true)]
    async fn each_is_told_its_number_and_what_is_left_and_a_single_one_nothing() {
        let mut turns = Turns::of(vec![s(40), s(20), s(60)]);
        assert_eq!(turns.next().unwrap(), "1 of 3, at least 2 min left");
        tokio::time::advance(s(50)).await;
        assert_eq!(turns.next().unwrap(), "2 of 3, about 2 min left");
        tokio::time::advance(s(25)).await;
        assert_eq!(turns.next().unwrap(), "3 of 3, about 75 s left");
        assert_eq!(Turns::of(vec![s(40)]).next(), None);
    }
}
