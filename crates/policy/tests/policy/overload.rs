//! More than the dependency bears: the adaptive limit, and who is shed.

use std::sync::Arc;

use futures_util::future::join_all;
use holdfast_policy::{
    AdaptiveConfig, BreakerState, Call, Class, ErrorKind, Policy, PolicyConfig, Priority,
    RejectedBy,
};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};

use crate::support::{Dependency, Does, Settings, config, ms, policy, send, settle, watched};

fn one_place_and_a_queue(config: &mut Settings) {
    config.bulkhead.max_concurrent = 1;
    config.bulkhead.max_waiting = 2;
    config.bulkhead.max_wait = ms(3_000);
}

/// Does so many works of 50 ms at once; the others wait inside it.
#[derive(Clone)]
struct Crowded(Arc<Semaphore>);

impl Crowded {
    async fn work(self) -> Result<(), ()> {
        let _place = self.0.acquire().await.unwrap();
        sleep(ms(50)).await;
        Ok(())
    }
}

/// So many callers, each of whom calls again as soon as it is answered or refused, for so long.
async fn answered(policy: &Policy, dependency: &Crowded, callers: usize, millis: u64) -> u32 {
    let end = Instant::now() + ms(millis);
    let caller = |_| async {
        let mut answered = 0;
        while Instant::now() < end {
            let (dependency, call) = (dependency.clone(), Call::new(()));
            match policy.call(call, move |()| dependency.clone().work()).await {
                Ok(()) => answered += 1,
                Err(_) => sleep(ms(5)).await,
            }
        }
        answered
    };
    join_all((0..callers).map(caller)).await.into_iter().sum()
}

#[tokio::test(start_paused = true)]
async fn ten_times_the_load_is_held_to_what_the_dependency_bears() {
    let mut settings = config();
    settings.bulkhead.max_concurrent = 1_000;
    settings.bulkhead.adaptive = Some(AdaptiveConfig::default());
    let policy = Policy::builder("crowded", PolicyConfig::from(settings));
    let policy = policy.seed(1).build().unwrap();
    let dependency = Crowded(Arc::new(Semaphore::new(20)));
    answered(&policy, &dependency, 200, 5_000).await;
    let goodput = answered(&policy, &dependency, 200, 20_000).await;
    let capacity = 20 * 20_000 / 50;
    assert!(goodput * 100 >= capacity * 95, "{goodput} of {capacity}");
    let limit = policy.snapshot().limit.unwrap();
    assert!((15..=32).contains(&limit), "{limit}");
    dependency.0.add_permits(40);
    answered(&policy, &dependency, 200, 10_000).await;
    let limit = policy.snapshot().limit.unwrap();
    // It goes on looking for more: at the height of a look it is near twice of what is borne.
    assert!((60..=120).contains(&limit), "{limit} of 60");
}

#[tokio::test(start_paused = true)]
async fn callers_that_leave_a_crowd_shrink_the_limit_and_it_grows_again_for_those_who_stay() {
    let mut settings = config();
    settings.bulkhead.max_concurrent = 1_000;
    settings.bulkhead.adaptive = Some(AdaptiveConfig::default());
    settings.breaker.slow_call = None;
    settings.breaker.slow_call_rate = None;
    let policy = Policy::builder("crowded", PolicyConfig::from(settings));
    let policy = policy.seed(1).build().unwrap();
    let dependency = Crowded(Arc::new(Semaphore::new(20)));
    answered(&policy, &dependency, 20, 5_000).await;
    let limit = || policy.snapshot().limit.unwrap();
    assert!(limit() >= 15, "{}", limit());
    let all = dependency.0.acquire_many(20).await.unwrap();
    let end = Instant::now() + ms(8_000);
    let leaving = (0..30).map(|caller| {
        let (policy, dependency) = (&policy, &dependency);
        async move {
            sleep(ms(8 * caller)).await;
            while Instant::now() < end {
                let _ = timeout(ms(250), answered(policy, dependency, 1, 10_000)).await;
            }
        }
    });
    join_all(leaving).await;
    assert_eq!(limit(), AdaptiveConfig::default().min);
    drop(all);
    answered(&policy, &dependency, 40, 5_000).await;
    assert!(limit() >= 15, "{}", limit());
}

#[tokio::test(start_paused = true)]
async fn the_least_urgent_is_shed_for_a_user_who_then_goes_first() {
    let (policy, events) = watched(one_place_and_a_queue);
    let dependency = Dependency::that(Does::AnswerAfter(ms(100)));
    let ask = |urgency| {
        let (policy, dependency) = (policy.clone(), dependency.clone());
        tokio::spawn(async move {
            let call = Call::new(()).priority(Priority::new(urgency));
            let answer = send(&policy, &dependency, call).await;
            (answer, Instant::now())
        })
    };
    let begun = Instant::now();
    let mut asked = Vec::new();
    for urgency in [6, 6, 6, 3] {
        asked.push(ask(urgency));
        settle().await;
    }
    let ends: Vec<_> = join_all(asked)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let at = |index: usize| ends[index].1 - begun;
    assert_eq!((at(0), at(3), at(1)), (ms(100), ms(200), ms(300)));
    let shed = ends[2].0.as_ref().unwrap_err();
    assert_eq!((shed.kind(), at(2)), (&ErrorKind::BulkheadFull, ms(0)));
    assert_eq!(events.rejections(), [RejectedBy::Shed]);
    assert_eq!(
        (policy.snapshot().in_flight, policy.snapshot().waiting),
        (0, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn who_cannot_be_served_before_its_deadline_does_not_wait_for_it() {
    let (policy, events) = watched(|config| {
        one_place_and_a_queue(config);
        config.breaker.slow_call = None;
        config.breaker.slow_call_rate = None;
        config.bulkhead.adaptive = Some(AdaptiveConfig {
            min: 1,
            ..AdaptiveConfig::default()
        });
    });
    let dependency = Dependency::that(Does::AnswerAfter(ms(900)));
    // Learns that an attempt takes 900 ms.
    for _ in 0..5 {
        send(&policy, &dependency, Call::new(())).await.unwrap();
    }
    let running = tokio::spawn({
        let (policy, dependency) = (policy.clone(), dependency.clone());
        async move { send(&policy, &dependency, Call::new(())).await }
    });
    settle().await;
    let begun = Instant::now();
    let soon = holdfast_policy::Deadline::after(ms(1_500));
    let call = Call::new(()).by(soon);
    let error = send(&policy, &dependency, call).await.unwrap_err();
    assert_eq!(begun.elapsed(), ms(0));
    assert_eq!(error.kind(), &ErrorKind::BulkheadFull);
    assert_eq!(events.rejections(), [RejectedBy::Shed]);
    let late = holdfast_policy::Deadline::after(ms(2_500));
    send(&policy, &dependency, Call::new(()).by(late))
        .await
        .unwrap();
    running.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_would_wait_in_vain_takes_nobodys_turn() {
    let (policy, events) = watched(|config| {
        one_place_and_a_queue(config);
        config.bulkhead.max_waiting = 1;
        config.breaker.slow_call = None;
        config.breaker.slow_call_rate = None;
        config.bulkhead.adaptive = Some(AdaptiveConfig {
            min: 1,
            ..AdaptiveConfig::default()
        });
    });
    let dependency = Dependency::that(Does::AnswerAfter(ms(900)));
    for _ in 0..5 {
        send(&policy, &dependency, Call::new(())).await.unwrap();
    }
    let start = |call| {
        let (policy, dependency) = (policy.clone(), dependency.clone());
        tokio::spawn(async move { send(&policy, &dependency, call).await })
    };
    let running = start(Call::new(()));
    settle().await;
    let patient = start(Call::new(()).priority(Priority::LEAST));
    settle().await;
    let urgent = || Call::new(()).priority(Priority::new(0));
    let soon = holdfast_policy::Deadline::after(ms(1_500));
    let error = send(&policy, &dependency, urgent().by(soon))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.elapsed()),
        (&ErrorKind::BulkheadFull, ms(0))
    );
    assert_eq!(events.rejections(), [RejectedBy::Shed]);
    assert_eq!(policy.snapshot().waiting, 1);
    running.await.unwrap().unwrap();
    patient.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_fixed_limit_stays_where_it_was_put() {
    let policy = policy(|config| config.bulkhead.max_concurrent = 7);
    let dependency = Dependency::that(Does::AnswerAfter(ms(400)));
    for _ in 0..50 {
        send(&policy, &dependency, Call::new(())).await.unwrap();
    }
    assert_eq!(policy.snapshot().limit, Some(7));
}

#[tokio::test(start_paused = true)]
async fn time_that_went_elsewhere_makes_no_attempt_slow_and_shrinks_no_limit() {
    let mut settings = config();
    settings.breaker.slow_call = Some(ms(500));
    settings.breaker.slow_call_rate = Some(0.8);
    settings.bulkhead.adaptive = Some(AdaptiveConfig::default());
    let policy = Policy::builder("elsewhere", PolicyConfig::from(settings))
        .classify(|outcome: &Result<Class, ()>| outcome.unwrap_or(Class::failure()));
    let policy = policy.build().unwrap();
    let answers = async |class: Class, millis| {
        for _ in 0..50 {
            let answer = move |()| async move {
                sleep(ms(millis)).await;
                Ok::<_, ()>(class)
            };
            if policy.call(Call::new(()), answer).await.is_err() {
                return;
            }
        }
    };
    answers(Class::success(), 50).await;
    let found = policy.snapshot();
    answers(Class::success().elsewhere(ms(850)), 900).await;
    assert_eq!(policy.snapshot().limit, found.limit);
    assert_eq!(policy.snapshot().least_latency, found.least_latency);
    assert_eq!(policy.snapshot().breaker, BreakerState::Closed);
    answers(Class::success().elsewhere(std::time::Duration::MAX), 1).await;
    assert_eq!(policy.snapshot().breaker, BreakerState::Closed);
    answers(Class::success().elsewhere(ms(200)), 900).await;
    assert_eq!(policy.snapshot().breaker, BreakerState::Open);
}
