//! What Postgres does for the statements of live calls, whatever the size of the tables when they were first prepared.

use std::slice::from_ref;

use super::*;
use crate::store::{EndRow, NewRow, Table};

fn new(key: &str) -> NewRow {
    NewRow {
        id: Uuid::now_v7(),
        key: key.to_owned(),
        payload: None,
        lease: None,
    }
}

fn end(row: &NewRow) -> EndRow {
    EndRow {
        id: row.id,
        response: Some("1".to_owned()),
        attempts: 1,
    }
}

/// A plan that reads a whole table is as good as any while there is next to nothing in it; kept, it costs each call the more
/// the longer the service runs.
#[tokio::test]
async fn no_plan_that_is_kept_from_an_empty_table_reads_all_of_a_large_one() {
    let (_cluster, store, _live) = store().await;
    for number in 0..8 {
        let (first, second) = (new(""), new(""));
        store.write(from_ref(&first), &[]).await.unwrap();
        store
            .write(from_ref(&second), &[end(&first)])
            .await
            .unwrap();
        store.write(&[], &[end(&second)]).await.unwrap();
        let keyed = new(&format!("k{number}"));
        store.insert_keyed(from_ref(&keyed)).await.unwrap();
        store.insert_keyed(&[new(&keyed.key)]).await.unwrap();
        store.by_id(keyed.id).await.unwrap();
    }
    let plans = kept_plans(&store).await;
    assert!(plans.len() >= 5, "{plans:?}");
    for plan in plans {
        assert!(!plan.contains("Seq Scan"), "{plan}");
    }
}

/// The plans for any parameters of all that the latest session has prepared.
async fn kept_plans(store: &Store) -> Vec<String> {
    let session = store.sessions.acquire().await.unwrap();
    let list = "SELECT name, cardinality(parameter_types) FROM pg_prepared_statements \
        WHERE statement LIKE '%requests%' AND statement NOT LIKE '%pg_prepared%'";
    let list = session.prepare_cached(list).await.unwrap();
    let prepared = session.query(&list, &[]).await.unwrap();
    session
        .batch_execute("SET plan_cache_mode = force_generic_plan")
        .await
        .unwrap();
    let mut plans = vec![];
    for row in prepared {
        let (name, parameters): (String, i32) = (row.get(0), row.get(1));
        let nulls = vec!["NULL"; usize::try_from(parameters).unwrap()].join(", ");
        let explain = format!("EXPLAIN EXECUTE \"{name}\" ({nulls})");
        let lines = session.simple_query(&explain).await.unwrap();
        let lines = lines.iter().filter_map(|line| match line {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        plans.push(lines.collect::<Vec<_>>().join("\n"));
    }
    plans
}
