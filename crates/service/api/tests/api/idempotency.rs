//! A request sent again under its `Idempotency-Key`.

use std::time::Duration;

use holdfast_testbed::proxy::Fault;
use holdfast_wire::{DegradedCode, RecordedIn, RequestList, RequestStatus};
use tokio::time::sleep;

use crate::support::{Answer, Api, System, done};

const DATABASE: DegradedCode = DegradedCode::DbUnavailable;

async fn total(api: &Api) -> u64 {
    let list: RequestList = api.get("/requests").await.json().await.unwrap();
    list.total
}

#[tokio::test]
async fn a_finished_request_answers_with_its_result_and_no_second_call_of_the_worker() {
    let system = System::start().await;
    let first = system.api.post_keyed("order-1", "{\"n\": 1}").await;
    assert_eq!(first.status, 200);
    system.worker.set(Fault::Refuse).await;
    for key in ["order-1", "\"order-1\""] {
        let again = system.api.post_keyed(key, "{\"n\": 1}").await;
        assert_eq!(again.status, 200, "{again:?}");
        assert_eq!(again.processed().request_id, first.processed().request_id);
        assert_eq!(again.processed().worker_response, Some(done()));
        assert!(again.degraded().is_empty());
    }
    assert_eq!(total(&system.api).await, 1);
}

#[tokio::test]
async fn another_body_under_a_used_key_is_refused() {
    let system = System::start().await;
    assert_eq!(system.api.post_keyed("k", "{\"n\":1}").await.status, 200);
    for body in ["{\"n\":2}", "{\"n\": 1}", "null", ""] {
        let answer = system.api.post_keyed("k", body).await;
        assert_eq!(answer.status, 422, "{body}");
        assert_eq!(answer.problem().code.as_str(), "idempotency_key_reused");
    }
    assert_eq!(system.api.post_keyed("other", "").await.status, 200);
    assert_eq!(system.api.post_keyed("other", "null").await.status, 422);
    assert_eq!(total(&system.api).await, 2);
}

#[tokio::test]
async fn a_running_request_is_waited_for_on_any_replica() {
    let system = System::with("", Duration::from_millis(400)).await;
    let replica = Api::start(system.api.config.of_a_replica());
    let answers = tokio::join!(
        system.api.post_keyed("k", "1"),
        system.api.post_keyed("k", "1"),
        replica.post_keyed("k", "1"),
        replica.post_keyed("k", "1"),
    );
    let answers: [Answer; 4] = answers.into();
    for answer in &answers {
        assert_eq!(answer.status, 200, "{answer:?}");
        let id = answers[0].processed().request_id;
        assert_eq!(answer.processed().request_id, id);
        assert_eq!(answer.processed().recorded_in, RecordedIn::Database);
    }
    assert_eq!(total(&replica).await, 1);
}

#[tokio::test]
async fn a_deferred_request_is_the_same_one_until_it_is_done() {
    let system = System::start().await;
    system.worker.set(Fault::Refuse).await;
    let first = system.api.post_keyed("k", "1").await;
    assert_eq!(first.status, 202);
    let id = first.processed().request_id;
    let again = system.api.post_keyed("k", "1").await;
    assert_eq!(
        (again.status.as_u16(), again.processed().request_id),
        (202, id)
    );
    assert_eq!(again.location, Some(format!("/requests/{id}")));
    assert_eq!(again.degraded().len(), 1);
    system.worker.set(Fault::None).await;
    system.api.comes_to_be(id, RequestStatus::Done).await;
    let done = system.api.post_keyed("k", "1").await;
    assert_eq!(
        (done.status.as_u16(), done.processed().request_id),
        (200, id)
    );
}

#[tokio::test]
async fn a_key_that_was_taken_without_postgres_is_known_before_and_after_it_is_back() {
    let system = System::start().await;
    system.api.becomes_healthy().await;
    system.database.set(Fault::Refuse).await;
    let first = system.api.post_keyed("k", "1").await;
    assert_eq!(first.status, 200);
    assert_eq!(first.processed().recorded_in, RecordedIn::Journal);
    let id = first.processed().request_id;
    let again = system.api.post_keyed("k", "1").await;
    assert_eq!(
        (again.status.as_u16(), again.processed().request_id),
        (200, id)
    );
    assert_eq!(system.api.post_keyed("k", "2").await.status, 422);

    system.database.set(Fault::None).await;
    system.api.becomes_healthy().await;
    system.api.journal_empties().await;
    let replica = Api::start(system.api.config.of_a_replica());
    let there = replica.post_keyed("k", "1").await;
    assert_eq!(
        (there.status.as_u16(), there.processed().request_id),
        (200, id)
    );
    assert_eq!(there.processed().recorded_in, RecordedIn::Database);
}

#[tokio::test]
async fn replicas_that_are_cut_off_may_each_take_a_key_and_then_it_stands_for_one() {
    let system = System::start().await;
    let replica = Api::start(system.api.config.of_a_replica());
    system.api.becomes_healthy().await;
    system.database.set(Fault::Refuse).await;
    let here = system.api.post_keyed("k", "1").await.processed().request_id;
    let there = replica.post_keyed("k", "1").await.processed().request_id;
    assert_ne!(here, there);

    system.database.set(Fault::None).await;
    for api in [&system.api, &replica] {
        api.becomes_healthy().await;
        api.journal_empties().await;
    }
    for id in [here, there] {
        system.api.comes_to_be(id, RequestStatus::Done).await;
    }
    let one = system.api.post_keyed("k", "1").await.processed().request_id;
    assert!(one == here || one == there);
    assert_eq!(
        replica.post_keyed("k", "1").await.processed().request_id,
        one
    );
}

#[tokio::test]
async fn what_is_no_key_is_a_400() {
    let system = System::start().await;
    for bad in ["", "two words", "\"open", &"x".repeat(256)] {
        let answer = system.api.post_keyed(bad, "1").await;
        assert_eq!(answer.status, 400, "{bad}");
        assert_eq!(answer.problem().code.as_str(), "invalid_idempotency_key");
    }
}

#[tokio::test]
async fn a_get_has_a_key_too_and_a_replay_says_that_it_is_one() {
    let system = System::start().await;
    let get = |key: &str| {
        let get = system.api.request("GET", "/process");
        let sent = get.header("idempotency-key", key).send();
        async { Answer::read(sent.await.unwrap()).await }
    };
    let (first, again, other) = (get("k").await, get("k").await, get("l").await);
    let id = |answer: &Answer| answer.processed().request_id;
    assert_eq!(id(&first), id(&again));
    assert_ne!(id(&first), id(&other));
    let replays = [&first, &again, &other].map(|answer| answer.is_replay);
    assert_eq!(replays, [false, true, false]);

    system.worker.set(Fault::Refuse).await;
    let deferred = get("m").await;
    let again = get("m").await;
    assert_eq!(
        (deferred.status.as_u16(), again.status.as_u16()),
        (202, 202)
    );
    assert_eq!((deferred.is_replay, again.is_replay), (false, true));
}

#[tokio::test]
async fn what_is_known_under_a_key_is_answered_though_nothing_new_is_taken_on() {
    let system = System::with("recovery.max_open = 1", Duration::ZERO).await;
    let finished = system.api.post_keyed("finished", "1").await;
    assert_eq!(finished.status, 200);
    system.worker.set(Fault::Refuse).await;
    // The count of open work may have fallen into the first call; the next one, a second later, sees it finished.
    system
        .api
        .comes_to(|status| status.open_work == Some(0))
        .await;
    assert_eq!(system.api.post_keyed("owed", "1").await.status, 202);
    let refused = system.api.post_keyed("new", "1").await;
    assert_eq!(refused.status, 503);
    assert_eq!(refused.problem().code.as_str(), "overloaded");
    let again = system.api.post_keyed("finished", "1").await;
    assert_eq!(again.status, 200, "{again:?}");
    assert_eq!(
        again.processed().request_id,
        finished.processed().request_id
    );
    assert_eq!(system.api.post_keyed("owed", "1").await.status, 202);
    system.worker.set(Fault::None).await;
    system.api.becomes_healthy().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_under_way_is_not_taken_twice_though_postgres_goes_away_meanwhile() {
    let system = System::with("", Duration::from_millis(500)).await;
    system.api.becomes_healthy().await;
    let cut_off_and_again = async {
        sleep(Duration::from_millis(150)).await;
        system.database.set(Fault::Refuse).await;
        let other_body = system.api.post_keyed("k", "2").await;
        assert_eq!(other_body.status, 422);
        system.api.post_keyed("k", "1").await
    };
    let (first, again) = tokio::join!(system.api.post_keyed("k", "1"), cut_off_and_again);
    for answer in [&first, &again] {
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.processed().recorded_in, RecordedIn::Journal);
        assert_eq!(answer.reason(DATABASE), answer.degraded()[0].reason);
    }
    let id = first.processed().request_id;
    assert_eq!(again.processed().request_id, id);
    let path = format!("/requests/{id}");
    assert_eq!(system.api.get(&path).await.status(), 200);
    system.database.set(Fault::None).await;
    system.api.becomes_healthy().await;
    system.api.journal_empties().await;
    assert_eq!(
        system.api.post_keyed("k", "1").await.processed().request_id,
        id
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_another_replica_is_told_what_went_missing_meanwhile() {
    let patient =
        "worker.attempt_timeout = '2500ms'\nworker.deadline = '3s'\nrecovery.lease = '8s'";
    let system = System::with(patient, Duration::from_millis(1500)).await;
    system.api.becomes_healthy().await;
    let replica = Api::start(system.api.config.of_a_replica());
    let waiting = async {
        sleep(Duration::from_millis(300)).await;
        replica.post_keyed("k", "1").await
    };
    let cut_off = async {
        sleep(Duration::from_millis(900)).await;
        system.database.set(Fault::Refuse).await;
    };
    let (first, again, ()) = tokio::join!(system.api.post_keyed("k", "1"), waiting, cut_off);
    assert_eq!((first.status.as_u16(), again.status.as_u16()), (200, 202));
    let same = first.processed().request_id == again.processed().request_id;
    assert!(
        same && again.processed().recorded_in == RecordedIn::Database,
        "{again:?}"
    );
    assert_eq!(again.reason(DATABASE), again.degraded()[0].reason);
    system.database.set(Fault::None).await;
    system.api.journal_empties().await;
    let id = first.processed().request_id;
    replica.comes_to_be(id, RequestStatus::Done).await;
}
