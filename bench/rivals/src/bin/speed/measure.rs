//! Measuring: cases that take turns, and their medians.

use std::hint::black_box;
use std::pin::pin;
use std::sync::Barrier;
use std::task::{Context, Poll, Waker};
use std::thread;

use tokio::runtime::{Builder, Runtime};
use tokio::time::{Duration, Instant};
use tower::{Service, ServiceExt};

/// Something that costs time, per call.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// Does it a number of times and tells how long that took, and how many times it was.
    run: Box<dyn FnMut() -> (Duration, u32)>,
}

impl Case {
    pub(crate) fn new(name: &'static str, run: impl FnMut() -> (Duration, u32) + 'static) -> Self {
        let run = Box::new(run);
        Self { name, run }
    }

    /// `calls` calls one after the other, on one thread; `call` makes one.
    pub(crate) fn sequential<F, Fut>(name: &'static str, calls: u32, mut call: F) -> Self
    where
        F: FnMut() -> Fut + 'static,
        Fut: Future,
    {
        let runtime = runtime();
        Self::new(name, move || {
            let took = runtime.block_on(async {
                let start = Instant::now();
                for _ in 0..calls {
                    black_box(call().await);
                }
                start.elapsed()
            });
            (took, calls)
        })
    }

    /// The same through a tower service, readied before each call as tower asks for.
    pub(crate) fn through<S, R>(
        name: &'static str,
        calls: u32,
        mut service: S,
        request: impl Fn() -> R + 'static,
    ) -> Self
    where
        S: Service<R> + 'static,
    {
        let runtime = runtime();
        Self::new(name, move || {
            let took = runtime.block_on(async {
                let start = Instant::now();
                for _ in 0..calls {
                    if let Ok(ready) = service.ready().await {
                        black_box(ready.call(request()).await.is_ok());
                    }
                }
                start.elapsed()
            });
            (took, calls)
        })
    }

    /// The same on two threads at once; `make` gives each thread its own handle to what they share.
    pub(crate) fn on_two_threads<M, F, Fut>(name: &'static str, calls: u32, make: M) -> Self
    where
        M: Fn() -> F + Sync + 'static,
        F: FnMut() -> Fut,
        Fut: Future,
    {
        Self::new(name, move || {
            let barrier = Barrier::new(2);
            let one = || {
                let (runtime, mut call) = (runtime(), make());
                barrier.wait();
                runtime.block_on(async {
                    let start = Instant::now();
                    for _ in 0..calls {
                        black_box(call().await);
                    }
                    start.elapsed()
                })
            };
            let took = thread::scope(|scope| {
                let other = scope.spawn(one);
                let mine = one();
                other.join().map_or(mine, |theirs| mine.max(theirs))
            });
            (took, calls)
        })
    }

    /// Calls that are looked at once and dropped: their service never answers.
    pub(crate) fn dropped<F, Fut>(name: &'static str, calls: u32, mut call: F) -> Self
    where
        F: FnMut() -> Fut + 'static,
        Fut: Future,
    {
        let runtime = runtime();
        Self::new(name, move || {
            let took = runtime.block_on(async {
                let start = Instant::now();
                for _ in 0..calls {
                    let mut context = Context::from_waker(Waker::noop());
                    let polled = pin!(call()).poll(&mut context);
                    debug_assert!(matches!(polled, Poll::Pending));
                    black_box(polled.is_pending());
                }
                start.elapsed()
            });
            (took, calls)
        })
    }
}

/// Nanoseconds per call of each case: the median over the rounds.
pub(crate) struct Median {
    pub(crate) name: &'static str,
    pub(crate) nanoseconds: f64,
}

pub(crate) fn medians(cases: &mut [Case], rounds: usize) -> Vec<Median> {
    let mut figures = vec![Vec::with_capacity(rounds); cases.len()];
    // The first round warms up.
    for round in 0..=rounds {
        for (case, figures) in cases.iter_mut().zip(&mut figures) {
            let (took, calls) = (case.run)();
            if round > 0 {
                figures.push(took.as_secs_f64() * 1e9 / f64::from(calls));
            }
        }
    }
    let median = |mut figures: Vec<f64>| {
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    };
    let named = cases.iter().map(|case| case.name).zip(figures);
    named
        .map(|(name, figures)| Median {
            name,
            nanoseconds: median(figures),
        })
        .collect()
}

/// A runtime without a second thread; the policies need its timer.
pub(crate) fn runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime")
}
