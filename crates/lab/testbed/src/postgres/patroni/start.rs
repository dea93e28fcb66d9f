//! Starting etcd and the nodes, each in a folder of its own.

use std::fs;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::super::PostgresError;
use super::{Node, Patroni, Replication};
use crate::process::{Launched, ProcessTree, launch};

/// The shortest leader's lease that Patroni recommends: what a node that died without a word costs.
const LEASE: &str = "ttl: 20, loop_wait: 2, retry_timeout: 5";

impl Patroni {
    pub(super) fn start_etcd(&mut self, client: u16, peer: u16) -> Result<(), PostgresError> {
        let home = self.own_folder("etcd")?;
        let (client, peer) = (
            format!("http://127.0.0.1:{client}"),
            format!("http://127.0.0.1:{peer}"),
        );
        let mut command = self.installation.account.command("etcd");
        command.args([
            "--data-dir",
            "data",
            "--listen-client-urls",
            &client,
            "--advertise-client-urls",
            &client,
        ]);
        command.args([
            "--listen-peer-urls",
            &peer,
            "--initial-advertise-peer-urls",
            &peer,
        ]);
        command.args(["--initial-cluster", &format!("default={peer}")]);
        self.etcd.leader = Some(self.run(command, &home, "etcd.log")?.identity);
        Ok(())
    }

    pub(super) fn start_node(
        &mut self,
        number: usize,
        port: u16,
        rest: u16,
        etcd: u16,
    ) -> Result<(), PostgresError> {
        let name = format!("node{number}");
        let home = self.own_folder(&name)?;
        let file = self.folder.join(format!("{name}.yml"));
        let bin = self.installation.program("");
        let text = configuration(&name, &home, &bin, [port, rest, etcd], self.replication);
        fs::write(&file, text).map_err(PostgresError::folder("write", &file))?;
        let mut command = self.installation.account.command("patroni");
        command.arg(&file);
        let mut patroni = tree(&home, "patroni");
        patroni.leader = Some(self.run(command, &home, &format!("{name}.log"))?.identity);
        let postgres = tree(&home.join("data"), "postgres");
        self.nodes.push(Node {
            port,
            patroni,
            postgres,
        });
        Ok(())
    }

    fn own_folder(&self, name: &str) -> Result<PathBuf, PostgresError> {
        let folder = self.folder.join(name);
        fs::create_dir(&folder).map_err(PostgresError::folder("make", &folder))?;
        self.installation.account.own(&folder)?;
        Ok(folder)
    }

    fn run(&self, mut command: Command, home: &Path, log: &str) -> Result<Launched, PostgresError> {
        let program = command
            .as_std()
            .get_program()
            .to_string_lossy()
            .into_owned();
        command.kill_on_drop(false);
        launch(command, home, &self.folder.join(log)).map_err(|error| {
            let output = format!(
                "{error}; install it: sudo apt-get install -y --no-upgrade patroni etcd-server python3-etcd"
            );
            PostgresError::Program { program, output }
        })
    }
}

pub(super) fn tree(home: &Path, program: &str) -> ProcessTree {
    ProcessTree {
        leader: None,
        home: home.to_owned(),
        program: program.to_owned(),
    }
}

/// Of one node; `ports` are those of Postgres, of Patroni and of etcd.
fn configuration(
    name: &str,
    home: &Path,
    bin: &Path,
    [port, rest, etcd]: [u16; 3],
    replication: Replication,
) -> String {
    let (home, bin) = (home.display(), bin.display());
    let synchronous = replication == Replication::Synchronous;
    format!(
        "scope: holdfast
name: {name}
restapi: {{listen: '127.0.0.1:{rest}', connect_address: '127.0.0.1:{rest}'}}
etcd3: {{host: '127.0.0.1:{etcd}'}}
bootstrap:
  dcs: {{{LEASE}, synchronous_mode: {synchronous}, postgresql: {{use_pg_rewind: true}}}}
  initdb: [{{encoding: UTF8}}, {{locale: C}}, data-checksums]
postgresql:
  listen: '127.0.0.1:{port}'
  connect_address: '127.0.0.1:{port}'
  data_dir: '{home}/data'
  bin_dir: '{bin}'
  pgpass: '{home}/pgpass'
  pg_hba: ['host all postgres 127.0.0.1/32 trust', 'host replication all 127.0.0.1/32 trust', 'host all all 127.0.0.1/32 scram-sha-256']
  authentication: {{superuser: {{username: postgres}}, replication: {{username: replicator}}}}
  parameters: {{unix_socket_directories: '', fsync: 'on', synchronous_commit: 'on'}}
"
    )
}
