//! A real Postgres and the model of it, asked the same.

mod play;
mod statement;

use std::time::Duration;

use holdfast_api::embedded::{Claimed, OpenRequest, Table, parse_policies, postgres_table};
use holdfast_simulation::postgres::Conditions;
use holdfast_simulation::postgres::rows::Tables;
use holdfast_simulation::world::id;
use holdfast_testbed::postgres::{Cluster, ClusterOptions};
use jiff::Timestamp;

use self::play::{ask, tell};
pub use self::statement::Statement;

/// So few that statements meet.
const IDS: u64 = 24;
const KEYS: u64 = 8;
/// Held for as long as the test runs, and longer than no lease can be.
const HELD: Duration = Duration::from_secs(3600);
const LONGEST: Duration = Duration::from_secs(7200);

/// Both of them.
pub struct Sides<T> {
    _cluster: Cluster,
    real: T,
    model: Tables,
    /// As the real one and as the model gave them.
    claims: Vec<(Claimed, Claimed)>,
}

impl Sides<()> {
    /// Both empty.
    pub async fn start() -> Sides<impl Table> {
        let cluster = Cluster::start(ClusterOptions::default()).await.unwrap();
        let policies = parse_policies("").unwrap().policies;
        let real = postgres_table(&cluster.url(), &policies, 4).unwrap();
        Sides {
            _cluster: cluster,
            real,
            model: Tables::default(),
            claims: vec![],
        }
    }
}

fn now() -> i64 {
    Timestamp::now().as_microsecond()
}

impl<T: Table> Sides<T> {
    /// How many claims there are.
    pub fn claims(&self) -> usize {
        self.claims.len()
    }

    /// What `statement` comes to on the real one and on the model.
    pub async fn both(&mut self, statement: &Statement) -> (String, String) {
        if let Statement::Claim(limit, lease) = statement {
            return self.claim(*limit, *lease).await;
        }
        let real = ask(&self.real, statement, |at| Some(self.claims.get(at)?.0)).await;
        let claims = &self.claims;
        let model = tell(&mut self.model, statement, |at| Some(claims.get(at)?.1));
        if let Statement::Extend(at) | Statement::GiveBack(at) | Statement::CountFailure(at) =
            statement
            && *at < self.claims.len()
        {
            self.claims.swap_remove(*at);
        }
        (real, model)
    }

    async fn claim(&mut self, limit: u32, lease: Duration) -> (String, String) {
        let mut real = self.real.claim(limit, lease, LONGEST).await.unwrap();
        let inside = Conditions::default();
        let mut model = self
            .model
            .claim(limit, lease, LONGEST, &inside, now())
            .unwrap();
        real.sort_by_key(|open| open.claimed.id);
        model.sort_by_key(|open| open.claimed.id);
        let shown = |open: &OpenRequest| {
            let body = open.payload.as_ref().map(|it| it.get().to_owned());
            format!("{} {} {body:?}", open.claimed.id, open.claimed.failures)
        };
        let claimed = real.iter().zip(&model).map(|(a, b)| (a.claimed, b.claimed));
        self.claims.extend(claimed);
        let shown = |all: &[_]| all.iter().map(shown).collect::<Vec<_>>().join("; ");
        (shown(&real), shown(&model))
    }

    /// Asks for all at once, and whether some order of them leads the model to the same.
    pub async fn at_once(&mut self, statements: &[Statement]) -> bool {
        let [a, b, c] = statements else { return false };
        let no_claim = |_| None;
        tokio::join!(
            ask(&self.real, a, no_claim),
            ask(&self.real, b, no_claim),
            ask(&self.real, c, no_claim)
        );
        let real = all(&self.real).await;
        for order in [
            [a, b, c],
            [a, c, b],
            [b, a, c],
            [b, c, a],
            [c, a, b],
            [c, b, a],
        ] {
            let mut model = self.model.clone();
            for statement in order {
                tell(&mut model, statement, no_claim);
            }
            if shown(&model) == real {
                self.model = model;
                return true;
            }
        }
        false
    }

    /// Both hold the same.
    pub async fn assert_equal(&self, when: &str) {
        assert_eq!(all(&self.real).await, shown(&self.model), "{when}");
    }
}

/// Everything that can be asked for.
async fn all(table: &impl Table) -> Vec<String> {
    let mut found = vec![];
    for number in 1..=IDS {
        let row = table.by_id(id(0, number)).await.unwrap();
        found.push(format!("{row:?}"));
    }
    for number in 0..KEYS {
        let known = table.by_key(&format!("key-{number}"), None).await.unwrap();
        found.push(format!("{known:?}"));
    }
    found
}

fn shown(model: &Tables) -> Vec<String> {
    let rows = (1..=IDS).map(|number| format!("{:?}", model.by_id(id(0, number), now())));
    let keys = (0..KEYS)
        .map(|number| format!("{:?}", model.by_key(&format!("key-{number}"), None, now())));
    rows.chain(keys).collect()
}
