//! Waiting until a state is reached: looking again and again, for so long and no longer.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How long is waited, and how long between two looks.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    within: Duration,
    every: Duration,
}

#[derive(Debug)]
pub struct Wait {
    deadline: Instant,
    every: Duration,
}

impl Patience {
    /// Looks `every` so often, and gives up after `within`.
    pub const fn new(within: Duration, every: Duration) -> Self {
        Self { within, every }
    }

    /// From now on.
    pub fn begin(self) -> Wait {
        Wait {
            deadline: Instant::now() + self.within,
            every: self.every,
        }
    }

    /// When it is given up, in whole seconds.
    pub fn seconds(self) -> u64 {
        self.within.as_secs()
    }
}

impl Wait {
    /// Asked after each look in vain: waits for the next one, or says at once that there is none.
    pub async fn is_over(&mut self) -> bool {
        let over = Instant::now() > self.deadline;
        if !over {
            sleep(self.every).await;
        }
        over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_is_looked_until_time_is_up_and_once_in_any_case() {
        let looks = async |within| {
            let within = Duration::from_millis(within);
            let mut wait = Patience::new(within, Duration::from_millis(300)).begin();
            let mut looks = 1;
            while !wait.is_over().await {
                looks += 1;
            }
            looks
        };
        assert_eq!(looks(1_000).await, 5);
        assert_eq!(looks(299).await, 2);
    }
}
