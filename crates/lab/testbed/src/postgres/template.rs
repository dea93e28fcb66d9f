//! A data directory that is made once per account and copied for each cluster.
//!
//! `initdb` takes a second or more, a copy a tenth of it. The template already holds the database and the schema; its
//! name carries what it was made from, so that a change of either makes a new one, and so does a file that is missing or was
//! touched since. It holds no other database: those of
//! `initdb` are three quarters of the files, and the files are what a copy costs.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Output;

use rustix::process::Signal;
use tokio_postgres::NoTls;

use super::cluster::Cluster;
use super::server::{Installation, Server};
use super::{INIT_SQL, PostgresError, ROLE_SQL, account, manifest, url_of};
use crate::ports;

const INITDB: [&str; 5] = [
    "--username=holdfast",
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--no-sync",
];
/// One statement each: `DROP DATABASE` runs in no transaction, and a batch is one.
const DROP_OTHERS: [&str; 4] = [
    "UPDATE pg_database SET datistemplate = false",
    "DROP DATABASE postgres",
    "DROP DATABASE template1",
    "DROP DATABASE template0",
];

/// Copies the template to `data`, which must not exist, and makes the template first if need be.
pub(super) async fn copy_to(installation: &Installation, data: &Path) -> Result<(), PostgresError> {
    let template = ensure(installation).await?;
    let mut command = installation.account.command("cp");
    let output = command.arg("-Rp").arg(&template).arg(data).output().await;
    succeeded("cp", output)
}

/// Copies what the server on port `primary` has to `data`, which must not exist, with what it takes to follow it.
pub(super) async fn copy_from(
    installation: &Installation,
    primary: u16,
    data: &Path,
) -> Result<(), PostgresError> {
    let mut command = installation.command("pg_basebackup");
    command.args(["--checkpoint=fast", "--write-recovery-conf"]);
    command.arg("--dbname").arg(super::url(primary));
    command.arg("--pgdata").arg(data);
    succeeded("pg_basebackup", command.output().await)
}

async fn ensure(installation: &Installation) -> Result<PathBuf, PostgresError> {
    let parent = installation.account.temporary_folder().await;
    let template = parent.join(name(installation));
    let _turn = take_turn(template.with_extension("lock")).await?;
    if !installation.account.alone_owns(&template) || !manifest::holds(&template) {
        account::delete(&template)?;
        let port = ports::free().map_err(PostgresError::folder("find a free port for", &parent))?;
        // Dropped, also half-way, it leaves nothing behind.
        let mut workshop = Cluster::new(installation, &parent, port)?;
        let data = make(&mut workshop.server, installation).await?;
        manifest::write(&data, &installation.account)?;
        fs::rename(data, &template).map_err(PostgresError::folder("make", &template))?;
    }
    Ok(template)
}

/// `holdfast-template-UID-HASH`.
fn name(installation: &Installation) -> String {
    let mut hasher = DefaultHasher::new();
    installation.program("postgres").hash(&mut hasher);
    INIT_SQL.hash(&mut hasher);
    ROLE_SQL.hash(&mut hasher);
    DROP_OTHERS.hash(&mut hasher);
    let (uid, hash) = (installation.account.uid, hasher.finish());
    format!("holdfast-template-{uid}-{hash:016x}")
}

/// One process at a time makes the template; the others wait and find it made.
async fn take_turn(path: PathBuf) -> Result<File, PostgresError> {
    let failed = PostgresError::folder("lock", path.clone());
    let take = move || -> io::Result<File> {
        let file = File::options().create(true).append(true).open(path)?;
        file.lock()?;
        Ok(file)
    };
    let taken = tokio::task::spawn_blocking(take).await;
    taken.map_err(io::Error::other).flatten().map_err(failed)
}

/// The finished data directory, with its server stopped.
async fn make(server: &mut Server, installation: &Installation) -> Result<PathBuf, PostgresError> {
    let password = server.folder.join("password");
    fs::write(&password, "holdfast").map_err(PostgresError::folder("write", &password))?;
    installation.account.own(&password)?;
    let data = server.folder.join("data");
    let mut command = installation.command("initdb");
    command.args(INITDB).arg("--pwfile").arg(&password);
    command.arg("--pgdata").arg(&data);
    succeeded("initdb", command.output().await)?;

    server.launch(installation)?;
    load_schema(server).await?;
    // The fast shutdown: it ends sessions, writes everything out and leaves a clean directory.
    server.tree.signal_leader(Signal::INT);
    server.ended().await?;
    Ok(data)
}

async fn load_schema(server: &Server) -> Result<(), PostgresError> {
    server.ready("postgres").await?;
    let load = async {
        execute(server.port, "postgres", &["CREATE DATABASE holdfast"]).await?;
        execute(server.port, "holdfast", &[INIT_SQL, ROLE_SQL]).await?;
        execute(server.port, "holdfast", &DROP_OTHERS).await
    };
    load.await.map_err(PostgresError::Schema)
}

/// Runs these statements as the superuser, in a session of their own.
pub async fn execute(
    port: u16,
    database: &str,
    statements: &[&str],
) -> Result<(), tokio_postgres::Error> {
    let url = url_of("holdfast", port, database);
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
    let connection = tokio::spawn(connection);
    for sql in statements {
        client.batch_execute(sql).await?;
    }
    drop(client);
    // The session's own error, if any, is the statement's error as well.
    let _ = connection.await;
    Ok(())
}

fn succeeded(program: &str, output: io::Result<Output>) -> Result<(), PostgresError> {
    let failed = |output: String| PostgresError::Program {
        program: program.to_owned(),
        output,
    };
    match output {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(failed(
            String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        )),
        Err(error) => Err(failed(error.to_string())),
    }
}
