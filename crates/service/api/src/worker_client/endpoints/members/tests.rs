//! A name whose addresses change.

use tokio::time::sleep;

use super::*;
use crate::config::load;

const NAME: &str = "workers.test";
/// Longer than a lookup waits.
const LOOKED_WITHIN: Duration = Duration::from_secs(2);

fn members(resolver: &Resolver) -> Arc<Members> {
    let worker = WorkerAddress {
        url: format!("http://{NAME}:81").parse().unwrap(),
        tls: None,
    };
    let policy = load(None).unwrap().policies.worker.policy();
    let (workers, resolver) = (vec![worker], resolver.clone());
    let members = Members::new(
        workers,
        policy,
        RESOLVE_INTERVAL,
        resolver,
        Handle::current(),
    );
    Arc::new(members.unwrap())
}

fn at(hosts: &[u8]) -> Vec<IpAddr> {
    hosts
        .iter()
        .map(|host| IpAddr::from([127, 0, 0, *host]))
        .collect()
}

/// What a call is offered once the names have been looked at under traffic.
async fn seen(members: &Arc<Members>) -> Arc<[Arc<Endpoint>]> {
    sleep(RESOLVE_INTERVAL).await;
    members.current();
    sleep(LOOKED_WITHIN).await;
    members.current()
}

fn addresses(endpoints: &[Arc<Endpoint>]) -> Vec<&str> {
    endpoints.iter().map(|it| it.address.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_names_addresses_are_followed_under_traffic_and_who_stays_keeps_what_is_known_of_it() {
    let resolver = Resolver::knowing(NAME, &at(&[1, 2]));
    let members = members(&resolver);
    let before = seen(&members).await;
    assert_eq!(
        addresses(&before),
        ["http://127.0.0.1:81", "http://127.0.0.2:81"]
    );
    resolver.learn(NAME, &at(&[2, 3]));
    let after = seen(&members).await;
    assert_eq!(
        addresses(&after),
        ["http://127.0.0.2:81", "http://127.0.0.3:81"]
    );
    assert!(Arc::ptr_eq(&before[1], &after[0]));
}

#[tokio::test(start_paused = true)]
async fn a_name_that_does_not_resolve_keeps_its_endpoints() {
    let resolver = Resolver::knowing(NAME, &at(&[1, 2]));
    let members = members(&resolver);
    let before = seen(&members).await;
    resolver.forget(NAME);
    assert_eq!(addresses(&seen(&members).await), addresses(&before));
    resolver.learn(NAME, &at(&[2, 3]));
    let after = seen(&members).await;
    assert_eq!(
        addresses(&after),
        ["http://127.0.0.2:81", "http://127.0.0.3:81"]
    );
}
