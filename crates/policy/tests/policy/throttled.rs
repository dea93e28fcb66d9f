//! What the dependency refused because it has too much to do.

use holdfast_policy::{Class, Event, Policy, PolicyConfig};

use crate::support::{Recorder, config, ms};

/// A dependency that refuses for want of capacity, always.
async fn refused_by_all(calls: u32, class: Class) -> (u32, Recorder) {
    let recorder = Recorder::default();
    let mut settings = config();
    settings.retry.max_attempts = 2;
    settings.retry.budget.ratio = 0.0;
    settings.retry.budget.floor_per_second = 4.0;
    settings.breaker.consecutive_failures = 1_000;
    settings.breaker.minimum_calls = 1_000;
    let builder = Policy::builder("worker", PolicyConfig::from(settings)).seed(1);
    let builder = builder.classify(move |_: &Result<(), ()>| class);
    let policy = builder.observe(recorder.clone()).build().unwrap();
    let calls = (0..calls).map(|_| {
        let call = holdfast_policy::Call::new(());
        policy.call(call, |()| async { Err::<(), ()>(()) })
    });
    let answers = futures_util::future::join_all(calls).await;
    let attempts = answers.iter().map(|it| it.as_ref().unwrap_err().attempts());
    let first = u32::try_from(answers.len()).unwrap();
    (attempts.sum::<u32>() - first, recorder)
}

#[tokio::test(start_paused = true)]
async fn a_throttled_attempt_costs_half_a_token_and_waits_four_times_as_long() {
    let (retries, plain) = refused_by_all(20, Class::failure().retry_if_idempotent()).await;
    assert_eq!(retries, 4);
    let (retries, throttled) = refused_by_all(20, Class::throttled()).await;
    assert_eq!(retries, 8);
    let waits = |recorder: &Recorder| {
        recorder.pick(|event| match event {
            Event::Retry { after, .. } => Some(*after),
            _ => None,
        })
    };
    let bounds = |low, high| move |wait: &std::time::Duration| (low..=high).contains(wait);
    assert!(waits(&plain).iter().all(bounds(ms(50), ms(100))));
    assert!(waits(&throttled).iter().all(bounds(ms(200), ms(400))));
}

#[test]
fn throttling_is_a_failure_that_may_be_retried() {
    let class = Class::throttled().retry_after(ms(700));
    assert_eq!(class.health, holdfast_policy::Health::Failure);
    assert_eq!(class.retry, holdfast_policy::Retry::IfIdempotent);
    assert!(class.throttled && !Class::failure().throttled);
}
