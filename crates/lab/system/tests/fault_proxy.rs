//! `fault-proxy`, the link as a process: it does what its controller says, for as long as there is one.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may be blunt"
)]

#[allow(dead_code, reason = "the link itself is tested with more of it")]
#[path = "../../testbed/tests/fault_proxy/support.rs"]
mod support;

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use holdfast_testbed::link::{Controller, Link, LinkError};
use holdfast_testbed::ports;
use holdfast_testbed::proxy::Fault;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use support::{SHORT, echo_server};

const LONG: Duration = Duration::from_secs(10);

/// A process of one link, `worker`, that leads to a server which sends back what it is sent.
struct Process {
    child: Child,
    clients: SocketAddr,
    control: SocketAddr,
}

impl Process {
    async fn start() -> Self {
        let [clients, control] = [(); 2].map(|()| ports::loopback(ports::free().unwrap()));
        let link = format!("worker={clients}=localhost:{}", echo_server().await.port());
        let control_text = control.to_string();
        let mut child = fault_proxy(&["serve", "--listen", &link, "--control", &control_text])
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
        while let Some(line) = timeout(LONG, said.next_line()).await.unwrap().unwrap() {
            if line.contains("controlled on") {
                break;
            }
        }
        Self {
            child,
            clients,
            control,
        }
    }

    async fn link(&self) -> Link {
        let controller = Controller::connect(self.control).await.unwrap();
        controller.link("worker")
    }

    async fn is_healthy(&self) -> bool {
        let control = self.control.to_string();
        let status = fault_proxy(&["health", "--control", &control])
            .stderr(Stdio::null())
            .status();
        timeout(LONG, status).await.unwrap().unwrap().success()
    }

    async fn echoes(&self) -> std::io::Result<()> {
        let mut client = timeout(SHORT, TcpStream::connect(self.clients)).await??;
        support::echoes(&mut client, "hello").await
    }

    async fn heals(&self) {
        let healed = async {
            while self.echoes().await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(LONG, healed).await.unwrap();
    }
}

fn fault_proxy(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fault-proxy"));
    command.args(arguments);
    command
}

#[tokio::test]
async fn a_fault_is_in_force_when_it_is_acknowledged_and_over_when_the_connection_ends() {
    let process = Process::start().await;
    process.echoes().await.unwrap();
    let link = process.link().await;
    link.set(Fault::Refuse).await.unwrap();
    let refused = process.echoes().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    link.set(Fault::Blackhole).await.unwrap();
    let dropped = process.echoes().await.unwrap_err();
    assert_eq!(dropped.kind(), ErrorKind::TimedOut);
    link.set(Fault::None).await.unwrap();
    process.echoes().await.unwrap();
    assert_eq!(link.requests().await.unwrap(), 2);

    link.set(Fault::Refuse).await.unwrap();
    process.echoes().await.unwrap_err();
    drop(link);
    process.heals().await;
}

#[tokio::test]
async fn a_controller_that_is_killed_leaves_a_healed_link() {
    let process = Process::start().await;
    for fault in ["blackhole", "refuse", "hang"] {
        // Sets the fault, says so, and stays connected.
        let script = format!(
            "exec 3<>/dev/tcp/127.0.0.1/{}; echo '{{\"number\":1,\"link\":\"worker\",\"set\":\"{fault}\"}}' >&3; \
             read line <&3; echo \"$line\"; read line <&3",
            process.control.port()
        );
        let mut controller = Command::new("bash")
            .args(["-c", &script])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut said = BufReader::new(controller.stdout.take().unwrap()).lines();
        let reply = timeout(LONG, said.next_line()).await.unwrap().unwrap();
        assert!(!reply.unwrap().contains("refused"));
        let broken = timeout(2 * SHORT, process.echoes()).await;
        assert!(!matches!(broken, Ok(Ok(()))), "{fault} is not in force");

        // SIGKILL.
        controller.kill().await.unwrap();
        process.heals().await;
    }
}

#[tokio::test]
async fn one_controller_at_a_time_sets_faults_and_anybody_asks() {
    let process = Process::start().await;
    let first = process.link().await;
    first.set(Fault::Hang).await.unwrap();
    let second = process.link().await;
    assert!(matches!(
        second.set(Fault::None).await,
        Err(LinkError::Refused { .. })
    ));
    assert_eq!(second.requests().await.unwrap(), 0);
    assert!(process.is_healthy().await);

    drop(first);
    second.set(Fault::Refuse).await.unwrap();
    process.echoes().await.unwrap_err();
}

#[tokio::test]
async fn one_who_stopped_waiting_for_an_answer_does_not_take_it_for_the_next() {
    let process = Process::start().await;
    process.echoes().await.unwrap();
    let link = process.link().await;
    // A blackhole takes longer than this to be in force.
    let hasty = timeout(Duration::from_millis(20), link.set(Fault::Blackhole)).await;
    assert!(hasty.is_err(), "{hasty:?}");
    link.set(Fault::None).await.unwrap();
    process.heals().await;
}

#[tokio::test]
async fn a_link_that_is_not_there_is_refused_by_name() {
    let process = Process::start().await;
    let controller = Controller::connect(process.control).await.unwrap();
    let refused = controller.link("cable").set(Fault::Hang).await;
    assert!(refused.unwrap_err().to_string().contains("\"cable\""));
}

#[tokio::test]
async fn it_ends_at_sigterm_and_is_unhealthy_then() {
    let mut process = Process::start().await;
    assert!(process.is_healthy().await);
    let pid = i32::try_from(process.child.id().unwrap()).unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let status = timeout(LONG, process.child.wait()).await.unwrap().unwrap();
    assert!(status.success());
    assert!(!process.is_healthy().await);
}
