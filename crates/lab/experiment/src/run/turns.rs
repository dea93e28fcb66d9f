//! How far the playing of several is: which of how many, and how long the rest will take.

use std::fmt;
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

    /// The next begins: which it is, in words; none where it is the only one.
    pub(crate) fn next(&mut self) -> Option<Turn> {
        let left = left(&self.planned, self.begun, self.start.elapsed());
        self.begun += 1;
        let of = self.planned.len();
        (of > 1).then_some(Turn {
            number: self.begun,
            of,
            left,
        })
    }
}

/// Such as `3 of 14, about 6 min left`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Turn {
    number: usize,
    of: usize,
    left: Duration,
}

impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, of, left } = self;
        // Nothing has been played yet that would tell what raising a system takes here.
        let about = if *number == 1 { "at least" } else { "about" };
        write!(f, "{number} of {of}, {about} ")?;
        match left.as_secs() {
            seconds if *left < IN_SECONDS => write!(f, "{seconds} s left"),
            seconds => write!(f, "{} min left", seconds.div_ceil(60)),
        }
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
        let told = |turns: &mut Turns| turns.next().map(|turn| turn.to_string());
        assert_eq!(told(&mut turns).unwrap(), "1 of 3, at least 2 min left");
        tokio::time::advance(s(50)).await;
        assert_eq!(told(&mut turns).unwrap(), "2 of 3, about 2 min left");
        tokio::time::advance(s(25)).await;
        assert_eq!(told(&mut turns).unwrap(), "3 of 3, about 75 s left");
        assert_eq!(told(&mut Turns::of(vec![s(40)])), None);
    }
}
