//! Against a real server that does with each connection what the number in its request says.

use std::future::{pending, ready};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use holdfast_ops::Environment;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use super::super::plan::Leaving;
use super::super::trial::End;
use super::schedule::Arrival;
use super::*;
use crate::load::Arrivals;

const ANSWER: &str = r#"{"request_id":"0198c0de-0000-7000-8000-000000000000","worker_response":null,"recorded_in":"database","degraded":[{"code":"worker_unavailable","reason":"circuit_open"}]}"#;

/// A server that answers, hangs or resets, by the request's number, and tells who closed on it without an answer.
async fn serve(
    acts: impl Fn(u64) -> Act + Send + Copy + 'static,
    gone: UnboundedSender<u64>,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let gone = gone.clone();
            tokio::spawn(async move { attend(stream, acts, gone).await });
        }
    });
    url
}

#[derive(Clone, Copy, PartialEq)]
enum Act {
    Answer,
    Hang,
    Reset,
}

async fn attend(mut stream: TcpStream, acts: impl Fn(u64) -> Act, gone: UnboundedSender<u64>) {
    let Some((head, body)) = request(&mut stream).await else {
        return;
    };
    let number = body["number"].as_u64().unwrap();
    let key = body["key"].as_str().unwrap();
    assert!(
        head.contains(key) && key.ends_with(&format!("-{number}")),
        "{head}"
    );
    match acts(number) {
        Act::Answer => {
            let length = ANSWER.len();
            let head = format!("HTTP/1.1 202 Accepted\r\ncontent-length: {length}\r\n\r\n");
            stream
                .write_all(format!("{head}{ANSWER}").as_bytes())
                .await
                .unwrap();
        }
        Act::Hang => {
            // Nothing more comes from a client that waits: an end, when it closes.
            let _ = stream.read(&mut [0; 64]).await;
            let _ = gone.send(number);
        }
        Act::Reset => stream.set_zero_linger().unwrap(),
    }
}

async fn request(stream: &mut TcpStream) -> Option<(String, Value)> {
    let mut read = Vec::new();
    loop {
        if stream.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&read).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        if let Ok(body) = serde_json::from_str(body) {
            return Some((head.to_owned(), body));
        }
    }
}

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

#[tokio::test]
async fn answers_hung_calls_resets_and_refusals_are_told_apart_and_each_is_tried_once() {
    let acts = |number| [Act::Answer, Act::Hang, Act::Reset][(number % 3) as usize];
    let (gone, mut closed) = unbounded_channel();
    let url = serve(acts, gone).await;
    let plan = LoadPlan::new(url, Side::Resilient, load(100.0, 300, 3_000));
    let mut heard = 0;
    let played = play(&plan, Instant::now(), pending(), |_, tally| {
        heard += 1;
        assert_eq!(tally.ended(), heard);
    });
    let (calls, generator) = played.await.unwrap();
    assert_eq!((calls.len(), heard), (30, 30));
    assert!(calls.iter().map(|call| call.number).eq(0..30));
    for call in &calls {
        assert_eq!(call.intended, Duration::from_millis(10 * call.number));
        assert!(call.intended <= call.sent && call.sent <= call.ended);
        match (acts(call.number), &call.end) {
            (
                Act::Answer,
                End::Answered {
                    status: 202,
                    degraded,
                    recorded_in,
                    ..
                },
            ) => {
                assert_eq!(degraded, &["worker_unavailable:circuit_open"]);
                assert_eq!(recorded_in.as_deref(), Some("database"));
            }
            (Act::Hang, End::GivenUp) => assert!(call.latency() >= Duration::from_secs(3)),
            (Act::Reset, End::Reset) => {}
            (_, end) => panic!("{}: {end:?}", call.number),
        }
    }
    for _ in 0..10 {
        let number = timeout(Duration::from_secs(10), closed.recv()).await;
        assert_eq!(number.unwrap().unwrap() % 3, 1);
    }
    assert!(generator.cpu_us_per_request > 0.0 && generator.most_under_way >= 10);
}

#[tokio::test]
async fn where_nobody_listens_calls_are_refused() {
    let closed = crate::ports::free().unwrap();
    let url = format!("http://127.0.0.1:{closed}");
    let plan = LoadPlan::new(url, Side::Naive, load(100.0, 50, 10_000));
    let (calls, _) = play(&plan, Instant::now(), pending(), |_, _| ())
        .await
        .unwrap();
    assert_eq!(calls.len(), 5);
    assert!(calls.iter().all(|call| call.end == End::Refused));
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
    let plan = LoadPlan::new(url, Side::Naive, load);
    let mut left = Vec::new();
    let played = play(&plan, Instant::now(), pending(), |call, _| {
        assert_eq!(call.end, End::Left);
        assert!(call.latency() >= Duration::from_secs(3));
        left.push(call.number);
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
    let plan = LoadPlan::new(&url, Side::Resilient, load.clone());
    let (calls, _) = play(&plan, Instant::now(), pending(), |_, _| ())
        .await
        .unwrap();
    assert_eq!(calls.len(), 1);
    assert!(calls[0].is_promised(), "{:?}", calls[0].end);
    assert!(calls[0].latency() >= Duration::from_millis(400));
    assert_eq!(ASKED.load(Ordering::Relaxed), 3);

    load.patience = Duration::from_millis(900);
    let plan = LoadPlan::new(&url, Side::Resilient, load);
    let (calls, _) = play(&plan, Instant::now(), pending(), |_, _| ())
        .await
        .unwrap();
    // With a fifth pause its patience has ended.
    assert!((5..=8).contains(&ASKED.load(Ordering::Relaxed)));
    assert!(matches!(calls[0].end, End::Reset | End::GivenUp));
    assert!(calls[0].latency() < Duration::from_secs(5));
}

#[tokio::test]
async fn stopped_it_sends_no_more_and_waits_for_what_is_under_way() {
    let (gone, _closed) = unbounded_channel();
    let url = serve(|_| Act::Hang, gone).await;
    let plan = LoadPlan::new(url, Side::Naive, load(50.0, 60_000, 500));
    let stop = tokio::time::sleep(Duration::from_millis(200));
    let (calls, _) = play(&plan, Instant::now(), stop, |_, _| ()).await.unwrap();
    assert!((1..100).contains(&calls.len()), "{}", calls.len());
    assert!(calls.iter().all(|call| call.end == End::GivenUp));
    let (none, _) = play(
        &plan,
        Instant::now() + Duration::from_secs(5),
        ready(()),
        |_, _| (),
    )
    .await
    .unwrap();
    assert_eq!(none, []);
}

/// Unoptimised, a call costs half a millisecond.
const HUNG: u64 = if cfg!(debug_assertions) { 2_000 } else { 5_000 };

/// The limit is wide: a busy machine must not fail it. What it shows is printed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_hung_calls_do_not_slow_those_that_are_answered() {
    crate::load::raise_limit(crate::output::Console::new(&Environment::default()));
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
        surge: None,
    };
    let epoch = Instant::now();
    let client = Client::new(LoadPlan::new(url, Side::Naive, load(1.0, 1, 1)), epoch);
    let running = Running::start((0..HUNG + 150).map(arrival), client, epoch).unwrap();
    let (calls, generator) = follow(running, pending(), |_, _| ()).await.unwrap();
    let (hung, answered) = calls.split_at(usize::try_from(HUNG).unwrap());
    assert!(hung.iter().all(|call| call.end == End::GivenUp));
    let promised = answered.iter().filter(|call| call.is_promised());
    assert_eq!(promised.count(), 150);
    assert!(generator.most_under_way >= HUNG);
    let mut tally = Tally::new().unwrap();
    answered.iter().for_each(|call| tally.add(call));
    let beside = tally.generator(generator::Cost::default());
    println!("all: {generator:?}");
    println!(
        "answered beside {HUNG} hung: late p99 {} ms, latency p50 {:?}, p99 {:?}",
        beside.late_p99_ms,
        tally.latency(0.5),
        tally.latency(0.99)
    );
    assert!(tally.latency(0.5) < Duration::from_secs(2));
}
