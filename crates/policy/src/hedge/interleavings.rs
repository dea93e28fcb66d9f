//! The percentile under every interleaving of two threads that loom can find.

use std::time::Duration;

use loom::sync::Arc;
use loom::thread;
use tokio::time::Instant;

use super::observed::Delay;
use crate::config::HedgeConfig;
use crate::now::Now;

#[test]
fn no_answer_is_lost_and_the_last_percentile_holds() {
    loom::model(|| {
        let config = HedgeConfig {
            minimum_calls: 2,
            ..HedgeConfig::default()
        };
        let delay = Arc::new(Delay::new(&config));
        let rival = Arc::clone(&delay);
        let since = Instant::now();
        let learn = move |delay: &Delay, millis| {
            let now = Now::from(since + Duration::from_millis(millis));
            delay.learn(Some(since), &now);
        };
        let other = thread::spawn(move || learn(&rival, 10));
        learn(&delay, 80);
        other.join().unwrap();
        let known = delay.now().expect("two answers are enough");
        assert!(known >= Duration::from_millis(80), "{known:?} of both");
    });
}
