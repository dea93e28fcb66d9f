//! What a classifier need not be: `Clone`, or `Debug`.

use std::sync::atomic::{AtomicU32, Ordering};

use holdfast_policy::{Call, Class, Classify, KeyedConfig, Policy, PolicyConfig};
use tower::{Layer, service_fn};

use crate::support::config;

/// Counts how often it is asked.
struct Counting(AtomicU32);

impl Classify<u32, ()> for Counting {
    fn classify(&self, _: &Result<u32, ()>) -> Class {
        self.0.fetch_add(1, Ordering::Relaxed);
        Class::success()
    }
}

#[tokio::test(start_paused = true)]
async fn a_classifier_need_not_be_clone() {
    let counting = Counting(AtomicU32::new(0));
    let builder = Policy::builder("shop", config().into());
    let policy = builder.classify(counting).build().unwrap();
    let answer = |()| std::future::ready(Ok::<_, ()>(7));
    assert_eq!(policy.call(Call::new(()), answer).await.unwrap(), 7);
}

/// What somebody has who owns a policy.
#[derive(Debug)]
#[expect(dead_code, reason = "shown, and not read")]
struct Shop<P> {
    policy: P,
}

#[tokio::test(start_paused = true)]
async fn all_can_be_shown_whose_classifier_is_a_closure() {
    let classify = |_: &Result<u32, ()>| Class::success();
    let builder = || Policy::builder("shop", PolicyConfig::from(config())).classify(classify);
    let policy = builder().build().unwrap();
    let service = service_fn(|request: u32| async move { Ok::<_, ()>(request) });
    let call = policy.call(Call::new(()), |()| std::future::ready(Ok::<_, ()>(7)));
    let keyed = builder().keyed::<String>(KeyedConfig::default()).unwrap();
    let shown = [
        format!("{:?}", builder()),
        format!("{:?}", policy.layer(service)),
        format!("{:?}", policy.layer_once()),
        format!("{:?}", policy.layer_once().layer(service)),
        format!("{call:?}"),
        format!("{keyed:?}"),
        format!("{:?}", Shop { policy }),
    ];
    for shown in shown {
        assert!(shown.contains("\"shop"), "{shown}");
    }
    let mut incoherent = config();
    incoherent.breaker.failure_rate = 2.0;
    let builder = Policy::builder("shop", incoherent.into()).classify(classify);
    let error = builder.build().unwrap_err();
    assert_eq!(error.key(), "shop.breaker.failure_rate");
}
