//! What a caller is told by the error of a call.

use holdfast_policy::{Call, ErrorKind, Policy};

use crate::support::{Dependency, Does, Trouble, ask, config, ms, watched};

#[tokio::test(start_paused = true)]
async fn an_error_reads_as_a_sentence() {
    let (policy, _) = watched(|config| config.breaker.consecutive_failures = 1);
    let error = ask(&policy, &Dependency::that(Does::FailAfter(ms(250))))
        .await
        .unwrap_err();
    let wait = error.retry_after().unwrap().as_secs_f64();
    let expected = format!("worker: broken (1 attempt in 0.250 s); try again in {wait:.3} s");
    assert_eq!(error.to_string(), expected);
}

/// What a client of the dependency fails by: with a cause, which it does not repeat.
#[derive(Debug, thiserror::Error)]
#[error("no connection")]
struct NoConnection(#[source] std::io::Error);

/// As loggers print an error: with all that caused it.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

#[tokio::test(start_paused = true)]
async fn the_chain_of_an_error_has_each_cause_once() {
    let policy = Policy::builder("worker", config().into()).build().unwrap();
    let fail = |()| async {
        let reset = std::io::Error::other("reset by peer");
        Err::<(), _>(NoConnection(reset))
    };
    let error = policy.call(Call::new(()), fail).await.unwrap_err();
    let expected = "worker: no connection (1 attempt in 0.000 s): reset by peer";
    assert_eq!(chain(&error), expected);
    assert!(matches!(error.kind(), ErrorKind::Failed(NoConnection(_))));
}

#[tokio::test(start_paused = true)]
async fn an_error_is_wrapped_without_losing_what_the_policy_says() {
    let (policy, _) = watched(|config| config.breaker.consecutive_failures = 1);
    let broken = Dependency::that(Does::FailAfter(ms(250)));
    let error = ask(&policy, &broken).await.unwrap_err();
    let said = (error.attempts(), error.elapsed(), error.retry_after());
    let wrapped = error.map(Some);
    assert_eq!(wrapped.kind(), &ErrorKind::Failed(Some(Trouble::Broken)));
    let kept = (wrapped.attempts(), wrapped.elapsed(), wrapped.retry_after());
    assert_eq!((kept, wrapped.policy()), (said, "worker"));
    let refused = ask(&policy, &broken).await.unwrap_err();
    let refused = refused.map(|trouble| trouble.to_string());
    assert_eq!(refused.kind(), &ErrorKind::CircuitOpen);
}
