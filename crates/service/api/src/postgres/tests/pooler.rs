//! PgBouncer in transaction mode, Debian's package as it comes. Left out, saying so, where it is not installed.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use holdfast_testbed::postgres::Cluster;
use holdfast_wire::Reason;
use jiff::Timestamp;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use super::{ask, cluster, pid, sessions};
use crate::dependency::DependencyError;
use crate::journal::Entry;
use crate::postgres::Database;
use crate::postgres::error::{ConnectError, DatabaseError};
use crate::resolver::Resolver;
use crate::store::Store;

struct PgBouncer {
    port: u16,
    _process: Child,
    _folder: TempDir,
}

fn program() -> Option<PathBuf> {
    let known = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"];
    let found = known.iter().map(Path::new).find(|path| path.exists());
    if found.is_none() {
        eprintln!("left out: pgbouncer is not installed");
    }
    found.map(Path::to_owned)
}

/// Before `cluster`, with two sessions there for all its clients.
async fn pgbouncer(program: &Path, cluster: &Cluster, more: &str) -> PgBouncer {
    let folder = tempfile::tempdir().unwrap();
    let port = holdfast_testbed::ports::free().unwrap();
    let users = folder.path().join("users");
    std::fs::write(&users, "\"holdfast\" \"holdfast\"\n").unwrap();
    let settings = format!(
        "[databases]\nholdfast = host=127.0.0.1 port={} user=holdfast password=holdfast\n\
        [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = plain\n\
        auth_file = {}\npool_mode = transaction\ndefault_pool_size = 2\n{more}\n",
        cluster.port(),
        users.display(),
    );
    let file = folder.path().join("pgbouncer.ini");
    std::fs::write(&file, settings).unwrap();
    let mut command = Command::new(program);
    // It refuses to run as root, and reads its files as the user it becomes.
    if rustix::process::geteuid().is_root() {
        let readable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(folder.path(), readable).unwrap();
        command.arg("-u").arg("nobody");
    }
    let process = command
        .arg(&file)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let process = process.kill_on_drop(true).spawn().unwrap();
    let started = Instant::now();
    while tokio::net::TcpStream::connect(("127.0.0.1", port))
        .await
        .is_err()
    {
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "it never listens"
        );
        sleep(Duration::from_millis(20)).await;
    }
    PgBouncer {
        port,
        _process: process,
        _folder: folder,
    }
}

fn url(pgbouncer: &PgBouncer, parameters: &str) -> String {
    let port = pgbouncer.port;
    format!("postgres://holdfast:holdfast@127.0.0.1:{port}/holdfast?{parameters}")
}

#[tokio::test]
async fn a_pooler_that_takes_no_settings_is_refused_with_what_to_do() {
    let Some(program) = program() else { return };
    let cluster = cluster().await;
    for settings in ["", "ignore_startup_parameters = options"] {
        let pgbouncer = pgbouncer(&program, &cluster, settings).await;
        let refused = pid(&sessions(&url(&pgbouncer, ""))).await.unwrap_err();
        let is_pooler = matches!(refused, DatabaseError::Connect(ConnectError::Pooler(_)));
        assert!(is_pooler, "{settings}: {refused:?}");
        assert_eq!(refused.reason(), Reason::BadStatus);
        assert!(refused.to_string().contains("pgbouncer=true"), "{refused}");
    }
}

#[tokio::test]
async fn two_services_share_a_transaction_pooler_once_they_are_told_of_it() {
    let Some(program) = program() else { return };
    let cluster = cluster().await;
    let pgbouncer = pgbouncer(&program, &cluster, "").await;
    let services = [0, 1].map(|_| sessions(&url(&pgbouncer, "pgbouncer=true")));
    let calls = (0..200).map(|call| {
        let service = &services[call % 2];
        async move {
            let statement = ["select 'a'", "select 'b'", "select 1/0 || ''"][call % 3];
            let answer = ask(service, statement).await;
            match (call % 3, answer) {
                (0, Ok(answer)) => assert_eq!(answer, "a"),
                (1, Ok(answer)) => assert_eq!(answer, "b"),
                (2, Err(DatabaseError::Refused { sqlstate, .. })) => assert_eq!(sqlstate, "22012"),
                (_, other) => panic!("{other:?}"),
            }
        }
    });
    futures_util::future::join_all(calls).await;
}

#[tokio::test]
async fn the_first_replay_through_a_pooler_is_a_transaction_already() {
    let Some(program) = program() else { return };
    let cluster = cluster().await;
    let pgbouncer = pgbouncer(&program, &cluster, "").await;
    let database = Database::parse(&url(&pgbouncer, "pgbouncer=true")).unwrap();
    let resolver = Resolver::new(Handle::current(), None);
    let store = Store::naive(&database, 1, resolver, Handle::current()).unwrap();
    let entry = Entry {
        id: Uuid::now_v7(),
        key: None,
        payload: None,
        received_at: Timestamp::now(),
        end: None,
    };
    let url = cluster.url();
    let connect = tokio_postgres::connect(&url, tokio_postgres::NoTls);
    let (mut other, connection) = connect.await.unwrap();
    tokio::spawn(connection);
    let insert = "insert into requests (id, origin) values ($1, 'resilient')";
    other.execute(insert, &[&entry.id]).await.unwrap();
    let held = other.transaction().await.unwrap();
    let hold = "select from requests where id = $1 for update";
    held.execute(hold, &[&entry.id]).await.unwrap();
    // Its own limit on waits for locks holds within a transaction only.
    let replay = store.replay(std::slice::from_ref(&entry), Duration::from_millis(100));
    let replay = timeout(Duration::from_secs(5), replay).await;
    let replayed = replay.expect("it waits on");
    assert!(
        matches!(&replayed, Err(DatabaseError::Refused { sqlstate, .. }) if sqlstate == "55P03"),
        "{replayed:?}"
    );
}
