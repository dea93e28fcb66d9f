//! Several things at once in one task: dropping it drops them all, at once and in place, so that nothing which holds a
//! process goes on by itself.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

/// Something to be done along with others.
pub type Doing<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Waits for all of them; their values in the same order.
pub async fn together<T>(doings: Vec<Doing<'_, T>>) -> Vec<T> {
    let mut slots: Vec<_> = doings.into_iter().map(|doing| (doing, None)).collect();
    poll_fn(|context| {
        let mut all = true;
        for (doing, value) in slots.iter_mut().filter(|(_, value)| value.is_none()) {
            match doing.as_mut().poll(context) {
                Poll::Ready(done) => *value = Some(done),
                Poll::Pending => all = false,
            }
        }
        if all { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    slots.into_iter().filter_map(|(_, value)| value).collect()
}

/// Likewise, but the first that fails ends all of them.
///
/// # Errors
/// The first.
pub async fn try_together<T, E>(doings: Vec<Doing<'_, Result<T, E>>>) -> Result<Vec<T>, E> {
    let mut slots: Vec<_> = doings.into_iter().map(|doing| (doing, None)).collect();
    poll_fn(|context| {
        let mut all = true;
        for (doing, value) in slots.iter_mut().filter(|(_, value)| value.is_none()) {
            match doing.as_mut().poll(context) {
                Poll::Ready(Ok(done)) => *value = Some(done),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => all = false,
            }
        }
        if all {
            Poll::Ready(Ok(()))
        } else {
            Poll::Pending
        }
    })
    .await?;
    Ok(slots.into_iter().filter_map(|(_, value)| value).collect())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{Instant, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn they_run_at_the_same_time_and_keep_their_order() {
        let start = Instant::now();
        let wait = |seconds| -> Doing<'_, u64> {
            Box::pin(async move {
                sleep(Duration::from_secs(seconds)).await;
                seconds
            })
        };
        assert_eq!(together(vec![wait(3), wait(1)]).await, [3, 1]);
        assert_eq!(start.elapsed(), Duration::from_secs(3));
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_that_fails_ends_the_others() {
        let start = Instant::now();
        let wait = |seconds, ends: Result<u64, &'static str>| -> Doing<'_, _> {
            Box::pin(async move {
                sleep(Duration::from_secs(seconds)).await;
                ends
            })
        };
        let ended = try_together(vec![wait(9, Ok(9)), wait(1, Err("fell"))]);
        assert_eq!(ended.await, Err("fell"));
        assert_eq!(start.elapsed(), Duration::from_secs(1));
        let ended = try_together(vec![wait(2, Ok(2)), wait(1, Ok(1))]);
        assert_eq!(ended.await, Ok(vec![2, 1]));
    }
}
