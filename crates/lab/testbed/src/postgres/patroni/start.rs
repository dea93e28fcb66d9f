//! Starting etcd and the nodes, each in a folder of its own.

use std::fs;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::super::{Installation, PostgresError, account, reap};
use super::{NODES, Node, Patroni};
use crate::ports;
use crate::process::{Launched, ProcessTree, launch};

/// The shortest leader's lease that Patroni recommends: what a node that died without a word costs.
const LEASE: &str = "ttl: 20, loop_wait: 2, retry_timeout: 5";
const PROGRAMS: [&str; 3] = ["patroni", "patronictl", "etcd"];

/// All that runs in a cluster's folder, in the order in which it is to be killed: a Patroni would start its Postgres again.
pub(super) fn trees(folder: &Path) -> Vec<ProcessTree> {
    let nodes = (0..NODES).flat_map(|number| {
        let home = folder.join(name(number));
        let postgres = ProcessTree::new(home.join("data"), "postgres");
        [ProcessTree::new(home, "patroni"), postgres]
    });
    let etcd = ProcessTree::new(folder.join("etcd"), "etcd");
    nodes.chain([etcd]).collect()
}

impl Patroni {
    /// Whether Patroni and etcd are there; else the error has the command that installs them.
    pub fn is_installed() -> Result<(), PostgresError> {
        let missing = PROGRAMS.iter().find(|program| !account::finds(program));
        missing.map_or(Ok(()), |it| Err(PostgresError::NoPatroni(it)))
    }

    /// Starts all on fresh data and waits until one leads and both others follow as wanted.
    pub async fn start(synchronous: bool) -> Result<Self, PostgresError> {
        let installation = Installation::find().await?;
        Self::is_installed()?;
        let parent = installation.account.temporary_folder().await;
        reap::stale(&parent).await;
        let (folder, _) = reap::recorded(&installation.account, &parent, trees)?;
        let free = || ports::free().map_err(PostgresError::folder("find a free port for", &parent));
        let (client, peer) = (free()?, free()?);
        let mut cluster = Self {
            installation,
            synchronous,
            folder,
            nodes: Vec::new(),
        };
        cluster.start_etcd(client, peer)?;
        for number in 0..NODES {
            cluster.add_node(number, [free()?, free()?, client])?;
        }
        let primary = cluster.settles().await?;
        cluster.make_database(primary).await?;
        Ok(cluster)
    }

    /// Starts a node that is dead, on the data it has, and does not wait until it follows.
    pub fn start_again(&mut self, number: usize) -> Result<(), PostgresError> {
        let home = self.folder.join(name(number));
        let mut command = self.installation.account.command("patroni");
        command.arg(home.with_extension("yml"));
        let log = format!("{}.log", name(number));
        self.nodes[number].patroni.leader = Some(self.run(command, &home, &log)?.identity);
        Ok(())
    }

    fn start_etcd(&mut self, client: u16, peer: u16) -> Result<(), PostgresError> {
        let home = self.own_folder("etcd")?;
        let [client, peer] = [client, peer].map(|port| format!("http://127.0.0.1:{port}"));
        let mut command = self.installation.account.command("etcd");
        command.args(["--data-dir", "data"]);
        command.args(["--listen-client-urls", &client]);
        command.args(["--advertise-client-urls", &client]);
        command.args(["--listen-peer-urls", &peer]);
        command.args(["--initial-advertise-peer-urls", &peer]);
        command.args(["--initial-cluster", &format!("default={peer}")]);
        self.run(command, &home, "etcd.log").map(drop)
    }

    /// `ports` are those of Postgres, of Patroni and of etcd.
    fn add_node(&mut self, number: usize, ports: [u16; 3]) -> Result<(), PostgresError> {
        let name = name(number);
        let home = self.own_folder(&name)?;
        let file = home.with_extension("yml");
        let bin = self.installation.program("");
        let text = configuration(&name, &home, &bin, ports, self.synchronous);
        fs::write(&file, text).map_err(PostgresError::folder("write", &file))?;
        let [port, rest, _] = ports;
        self.nodes.push(Node {
            port,
            rest,
            postgres: ProcessTree::new(home.join("data"), "postgres"),
            patroni: ProcessTree::new(home, "patroni"),
        });
        self.start_again(number)
    }

    fn own_folder(&self, name: &str) -> Result<PathBuf, PostgresError> {
        let folder = self.folder.join(name);
        fs::create_dir(&folder).map_err(PostgresError::folder("make", &folder))?;
        self.installation.account.own(&folder)?;
        Ok(folder)
    }

    fn run(&self, mut command: Command, home: &Path, log: &str) -> Result<Launched, PostgresError> {
        let program = command.as_std().get_program().to_string_lossy();
        let program = program.into_owned();
        command.kill_on_drop(false);
        launch(command, home, &self.folder.join(log)).map_err(|error| PostgresError::Program {
            program,
            output: error.to_string(),
        })
    }
}

fn name(number: usize) -> String {
    format!("node{number}")
}

/// Of one node; `ports` are those of Postgres, of Patroni and of etcd.
fn configuration(
    name: &str,
    home: &Path,
    bin: &Path,
    [port, rest, etcd]: [u16; 3],
    synchronous: bool,
) -> String {
    let (home, bin) = (home.display(), bin.display());
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
  parameters: {{unix_socket_directories: '', dynamic_shared_memory_type: mmap, fsync: 'on', synchronous_commit: 'on'}}
"
    )
}
