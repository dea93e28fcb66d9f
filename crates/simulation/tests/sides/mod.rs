//! A real Postgres and the model of it, asked the same.

mod ask;
mod contents;
mod statement;

use std::process::Command;
use std::time::Duration;

use holdfast_api::embedded::{Claimed, Table, parse_policies, postgres_table};
use holdfast_simulation::mutant::Mutant;
use holdfast_simulation::postgres::server::Server;
use holdfast_simulation::postgres::table::DatabaseLink;
use holdfast_simulation::world::peer::Peer;
use holdfast_simulation::world::time::Clock;
use holdfast_simulation::world::trace::Trace;
use holdfast_testbed::postgres::Cluster;
use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;
use uuid::Uuid;

use self::ask::{Answer, ask};
pub(crate) use self::statement::Statement;

/// So few that statements meet.
const IDS: u64 = 24;
const KEYS: u64 = 8;
/// Held for as long as the test runs.
const HELD: Duration = Duration::from_secs(3600);
/// No lease is longer.
const LONGEST: Duration = Duration::from_secs(7200);
/// Refuses what the model refuses.
const TRIGGER: &str = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
     IF NEW.payload::text = '\"poison\"' THEN RAISE EXCEPTION 'no'; END IF; RETURN NEW; END $$; \
     CREATE TRIGGER refuse BEFORE INSERT ON requests FOR EACH ROW EXECUTE FUNCTION refuse();";
const ORDERS: [[usize; 3]; 6] = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
];

/// Both of them, each with a runtime: the model's time is virtual.
pub(crate) struct Sides<T> {
    clock: Runtime,
    sockets: Runtime,
    cluster: Cluster,
    real: T,
    server: Server,
    model: DatabaseLink,
    /// As the real one and as the model gave them.
    claims: Vec<(Claimed, Claimed)>,
}

impl Sides<()> {
    /// Both empty.
    pub(crate) fn start() -> Sides<impl Table> {
        let sockets = Builder::new_current_thread().enable_all().build().unwrap();
        let cluster = sockets.block_on(Cluster::start());
        let cluster = cluster.unwrap();
        let policies = parse_policies("").unwrap().policies;
        let table = async { postgres_table(&cluster.url(), &policies, 4).unwrap() };
        let real = sockets.block_on(table);
        let mut clock = Builder::new_current_thread();
        let clock = clock.enable_time().start_paused(true).build().unwrap();
        let (server, model) = clock.block_on(async { model() });
        let sides = Sides {
            clock,
            sockets,
            cluster,
            real,
            server,
            model,
            claims: vec![],
        };
        sides.psql(TRIGGER);
        sides
    }
}

impl Answer {
    fn ids(&self) -> Vec<Uuid> {
        self.claimed.iter().map(|claimed| claimed.id).collect()
    }
}

fn model() -> (Server, DatabaseLink) {
    let clock = Clock::new(Instant::now());
    let server = Server::new(0, clock.clone());
    let peer = Peer::new(clock, Trace::begin());
    let link = DatabaseLink::new(server.clone(), peer, Mutant::None);
    (server, link)
}

impl<T: Table> Sides<T> {
    /// How many claims there are.
    pub(crate) fn claims(&self) -> usize {
        self.claims.len()
    }

    /// What `statement` comes to on the real one and on the model.
    pub(crate) fn both(&mut self, statement: &Statement) -> [String; 2] {
        let claim = statement.claim().and_then(|at| self.claims.get(at));
        let (ours, theirs) = claim.copied().unzip();
        let real = self.sockets.block_on(ask(&self.real, statement, ours));
        let model = self.clock.block_on(ask(&self.model, statement, theirs));
        if let (Some(at), Some(_)) = (statement.claim(), claim) {
            self.claims.swap_remove(at);
        }
        let claimed = real.claimed.iter().copied().zip(model.claimed);
        self.claims.extend(claimed);
        [real.text, model.text]
    }

    /// Asks for all at once, and whether some order of them leads the model to write and
    /// claim the same.
    pub(crate) fn at_once(&mut self, statements: &[Statement; 3]) -> bool {
        let [a, b, c] = statements;
        let answers = self.sockets.block_on(async {
            let [a, b, c] = [a, b, c].map(|it| ask(&self.real, it, None));
            <[Answer; 3]>::from(tokio::join!(a, b, c))
        });
        let contents = contents::real(self);
        self.server.replicate();
        ORDERS.iter().any(|order| {
            // Back to what was there before.
            self.server.promote(0);
            self.server.replicate();
            let agrees = |at: &usize| self.plays(statements, &answers, *at);
            order.iter().all(agrees) && contents::model(&self.server) == contents
        })
    }

    /// Whether the model answers the statement at a place as the real one did, if whatever others touched meanwhile may have been
    /// locked: a claim passes that over.
    fn plays(&self, statements: &[Statement; 3], answers: &[Answer; 3], at: usize) -> bool {
        if let Statement::Claim(..) = statements[at] {
            let claimed = answers[at].ids();
            let others = (0..3).filter(|other| *other != at);
            let touched = others.flat_map(|other| statements[other].locks());
            let locked = touched.filter(|id| !claimed.contains(id)).collect();
            self.server.ail(|it, _| it.inside.locked_rows = locked);
        }
        let model = ask(&self.model, &statements[at], None);
        let model = self.clock.block_on(model);
        self.server.ail(|it, _| it.inside.locked_rows.clear());
        model.wrote == answers[at].wrote && model.ids() == answers[at].ids()
    }

    /// All that the real one and the model hold.
    pub(crate) fn contents(&self) -> [String; 2] {
        [contents::real(self), contents::model(&self.server)]
    }

    fn psql(&self, sql: &str) -> String {
        let psql = self.cluster.installation().program("psql");
        let mut command = Command::new(psql);
        let output = command.args(["-XAtq", "-c", sql, &self.cluster.url()]);
        let output = output.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}
