//! How many sessions Postgres grants.

use super::*;
use crate::store::grant::granted;

#[tokio::test]
async fn the_least_of_the_servers_the_roles_and_the_databases_limits_is_what_is_granted() {
    let (cluster, store, _) = store().await;
    // An untouched Postgres keeps 3 of its 100 for the superuser.
    assert_eq!(granted(&store.sessions).await.unwrap(), 97);
    let limits =
        "ALTER ROLE holdfast CONNECTION LIMIT 40; ALTER DATABASE holdfast CONNECTION LIMIT 30";
    sql(&cluster).await.batch_execute(limits).await.unwrap();
    assert_eq!(granted(&store.sessions).await.unwrap(), 30);
}
