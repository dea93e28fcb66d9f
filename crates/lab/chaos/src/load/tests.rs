//! Against a real server that does with each connection what the number in its request says.

mod server;

use std::future::{pending, ready};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use holdfast_ops::Environment;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::timeout;

use holdfast_checker::plan::{Leaving, Load, Side};

use self::server::{Act, request, serve};
use super::*;
use holdfast_checker::schedule::{self, Arrival};

fn load(rate: f64, lasts: u64, patience: u64) -> Load {
    Load {
        rate,
        arrivals: Arrivals::Constant,
        lasts: Duration::from_millis(lasts),
        patience: Duration::from_millis(patience),
        seed: 5,
        try_for: None,
        asks_again: None,
        leaving: None,
    }
}

/// What becomes of all that this plan sends.
async fn histories(plan: &Plan) -> Vec<CallHistory> {
    let sent = run(plan, Instant::now(), pending(), |_| Ok(())).await;
    sent.unwrap().histories
}

#[tokio::test]
async fn answers_hung_calls_resets_and_refusals_are_told_apart_and_each_is_tried_once() {
    let acts = |number| [Act::Answer, Act::Hang, Act::Reset][(number % 3) as usize];
    let (gone, mut closed) = unbounded_channel();
    let url = serve(acts, gone).await;
    let plan = Plan::new(url, Side::Resilient, load(100.0, 300, 3_000));
    let mut heard = 0;
    let sent = run(&plan, Instant::now(), pending(), |_| {
        heard += 1;
        Ok(())
    });
    let sent = sent.await.unwrap();
    assert_eq!((sent.histories.len(), heard), (30, 30));
    assert!(sent.histories.iter().map(|one| one.number).eq(0..30));
    for one in &sent.histories {
        assert_eq!(one.intended, Duration::from_millis(10 * one.number));
        let [made] = one.attempts.as_slice() else {
            panic!("{one:?}");
        };
        assert!(one.intended <= made.from && made.from <= made.to);
        match (acts(one.number), &made.end) {
            (Act::Answer, Completion::Answered(answer)) => {
                assert_eq!(answer.status, 202);
                assert_eq!(answer.degraded, ["worker_unavailable:circuit_open"]);
                assert_eq!(answer.recorded_in.as_deref(), Some("database"));
            }
            (Act::Hang, Completion::GivenUp) => {
                assert!(one.latency() >= Duration::from_secs(3));
            }
            (Act::Reset, Completion::Reset) => {}
            (_, reply) => panic!("{}: {reply:?}", one.number),
        }
    }
    for _ in 0..10 {
        let number = timeout(Duration::from_secs(10), closed.recv()).await;
        assert_eq!(number.unwrap().unwrap() % 3, 1);
    }
    let generator = sent.generator;
    assert!(generator.cpu_us_per_request > 0.0 && generator.most_under_way >= 10);
    assert!(generator.late_p99_ms <= generator.late_max_ms);
}

#[tokio::test]
async fn where_nobody_listens_calls_are_refused() {
    let closed = crate::ports::free().unwrap();
    let url = format!("http://127.0.0.1:{closed}");
    let plan = Plan::new(url, Side::Naive, load(100.0, 50, 10_000));
    let histories = histories(&plan).await;
    assert_eq!(histories.len(), 5);
    let refused = |one: &CallHistory| one.attempts[0].end == Completion::Refused;
    assert!(histories.iter().all(refused));
}

#[tokio::test]
async fn a_refused_call_goes_on_to_the_next_api_and_any_answer_ends_it() {
    let closed = crate::ports::free().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let urls = [closed, listener.local_addr().unwrap().port()];
    let urls = urls.map(|port| format!("http://127.0.0.1:{port}")).to_vec();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        request(&mut stream).await.unwrap();
        let answer =
            b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 15\r\n\r\n{\"code\":\"over\"}";
        stream.write_all(answer).await.unwrap();
    });
    let once = Arriving {
        rate: 1.0,
        arrivals: Arrivals::Constant,
        lasts: Duration::from_millis(500),
        seed: 1,
    };
    let plan = Plan::balanced(urls, once, Duration::from_secs(5));
    let history = histories(&plan).await.remove(0);
    assert_eq!(history.attempts.len(), 2);
    assert_eq!(history.attempts[0].end, Completion::Refused);
    assert_eq!(history.answer().unwrap().code.as_deref(), Some("over"));
    assert_eq!(history.accepted(), None);
}

#[tokio::test]
async fn clients_that_leave_close_their_connection_and_the_others_wait() {
    let (gone, mut closed) = unbounded_channel();
    let url = serve(|_| Act::Hang, gone).await;
    let mut load = load(100.0, 400, 60_000);
    load.leaving = Some(Leaving {
        share: 0.5,
        // Longer than a busy machine needs to hand a request over.
        after: Duration::from_secs(3),
    });
    let leavers: Vec<u64> = schedule::arrivals(&load)
        .filter_map(|one| one.leaves.then_some(one.number))
        .collect();
    assert!(leavers.len() > 5 && leavers.len() < 35);
    let plan = Plan::new(url, Side::Naive, load);
    let mut left = Vec::new();
    let played = run(&plan, Instant::now(), pending(), |one| {
        assert_eq!(one.attempts[0].end, Completion::Left);
        assert!(one.latency() >= Duration::from_secs(3));
        left.push(one.number);
        Ok(())
    });
    let closings = async {
        let mut closings = Vec::new();
        while closings.len() < leavers.len() {
            closings.push(closed.recv().await.unwrap());
        }
        closings.sort_unstable();
        closings
    };
    tokio::select! {
        _ = played => panic!("those who stay would have waited for a minute"),
        closings = closings => assert_eq!(closings, leavers),
    }
    // Nobody waits for the load any more: the others go as well.
    let rest = 40 - leavers.len();
    for _ in 0..rest {
        let number = timeout(Duration::from_secs(10), closed.recv()).await;
        assert!(!leavers.contains(&number.unwrap().unwrap()));
    }
    left.sort_unstable();
    assert!(left.iter().all(|number| leavers.contains(number)));
}

#[tokio::test]
async fn who_asks_again_does_so_with_the_same_key_until_it_has_a_promise_or_no_patience() {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let acts = |_| match ASKED.fetch_add(1, Ordering::Relaxed) {
        2 => Act::Answer,
        _ => Act::Reset,
    };
    let (gone, _closed) = unbounded_channel();
    let url = serve(acts, gone).await;
    let mut load = load(1.0, 500, 30_000);
    load.asks_again = Some(Duration::from_millis(200));
    let plan = Plan::new(&url, Side::Resilient, load.clone());
    let sent = histories(&plan).await;
    assert_eq!(sent.len(), 1);
    assert!(sent[0].answer().unwrap().is_promise());
    assert_eq!(sent[0].attempts.len(), 3);
    assert!(sent[0].latency() >= Duration::from_millis(400));
    assert_eq!(ASKED.load(Ordering::Relaxed), 3);

    load.patience = Duration::from_millis(900);
    let plan = Plan::new(&url, Side::Resilient, load);
    let sent = histories(&plan).await;
    // With a fifth pause its patience has ended.
    assert!((5..=8).contains(&ASKED.load(Ordering::Relaxed)));
    assert_eq!(sent[0].answer(), None);
    assert!(sent[0].latency() < Duration::from_secs(5));
}

#[tokio::test]
async fn stopped_it_sends_no_more_and_what_is_under_way_counts_as_sent_and_unanswered() {
    let (gone, _closed) = unbounded_channel();
    let url = serve(|_| Act::Hang, gone).await;
    let plan = Plan::new(url, Side::Naive, load(50.0, 60_000, 30_000));
    let stop = tokio::time::sleep(Duration::from_millis(200));
    let sent = run(&plan, Instant::now(), stop, |_| Ok(())).await.unwrap();
    let summary = Summary::of(&sent.histories);
    assert!((1..100).contains(&summary.sent), "{summary:?}");
    assert_eq!(summary.unanswered, summary.sent);
    let numbers = sent.histories.iter().map(|one| one.number);
    assert!(numbers.eq(0..summary.sent as u64));
    let later = Instant::now() + Duration::from_secs(5);
    let none = run(&plan, later, ready(()), |_| Ok(())).await.unwrap();
    assert_eq!(none.histories, []);
}

/// Unoptimised, a call costs half a millisecond.
const HUNG: u64 = if cfg!(debug_assertions) { 2_000 } else { 5_000 };

/// The limit is wide: a busy machine must not fail it. What it shows is printed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_hung_calls_do_not_slow_those_that_are_answered() {
    holdfast_testbed::open_files::raise_limit(crate::output::Console::new(&Environment::default()));
    let (gone, _closed) = unbounded_channel();
    let acts = |number| {
        if number < HUNG {
            Act::Hang
        } else {
            Act::Answer
        }
    };
    let url = serve(acts, gone).await;
    // All of the hung ones within five seconds, and a second later fifty a second for three, while all of those hang.
    let arrival = |number: u64| Arrival {
        number,
        at: if number < HUNG {
            Duration::from_micros(5_000_000 / HUNG * number)
        } else {
            Duration::from_millis(6_000 + 20 * (number - HUNG))
        },
        until: Duration::from_secs(if number < HUNG { 10 } else { 60 }),
        leaves: false,
        surge: false,
        priority: None,
    };
    let epoch = Instant::now();
    let plan = Plan::new(url, Side::Naive, load(1.0, 1, 60_000));
    let client = Client::new(plan.clone(), epoch);
    let running = Running::start((0..HUNG + 150).map(arrival), client, epoch).unwrap();
    let sent = follow(&plan, running, pending(), |_| Ok(())).await.unwrap();
    let (hung, answered) = sent.histories.split_at(usize::try_from(HUNG).unwrap());
    let silent = |one: &CallHistory| one.attempts[0].end == Completion::GivenUp;
    assert!(hung.iter().all(silent));
    let promised = answered.iter().filter_map(CallHistory::answer);
    assert_eq!(promised.filter(|answer| answer.is_promise()).count(), 150);
    assert!(sent.generator.most_under_way >= HUNG);
    let latencies = answered.iter().map(|one| one.latency().as_secs_f64());
    let mut latencies: Vec<f64> = latencies.collect();
    latencies.sort_by(f64::total_cmp);
    let median = percentile(&latencies, 0.5);
    println!("all: {:?}", sent.generator);
    println!("answered beside {HUNG} hung: latency p50 {median} s");
    assert!(median < 2.0);
}
