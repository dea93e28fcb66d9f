//! Who listens on a port, as far as it can be found out.

use std::fs;
use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use super::Service;
use crate::error::SystemError;
use crate::ports;
use crate::wait::Patience;

/// The last thread of a killed process closes its sockets, on a busy machine some time after the first is seen dead.
const REFUSED: Patience = Patience::new(Duration::from_secs(2), Duration::from_millis(10));
const ANSWER_WITHIN: Duration = Duration::from_millis(200);

/// Whether the port can be had.
pub fn check_free(port: u16, variable: &'static str) -> Result<(), SystemError> {
    let address = ports::loopback(port);
    match TcpListener::bind(address) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => Err(SystemError::PortTaken {
            port,
            variable,
            holder: holder(port),
        }),
        Err(source) => Err(SystemError::Port {
            port,
            variable,
            source,
        }),
    }
}

/// Returns once the port of a service that was killed refuses.
pub(super) async fn refuses(service: Service, port: u16) -> Result<(), SystemError> {
    let address = ports::loopback(port);
    let mut wait = REFUSED.begin();
    // One that does not answer is no refusal: its backlog may be full.
    while !TcpStream::connect_timeout(&address, ANSWER_WITHIN)
        .is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
    {
        if wait.is_over().await {
            let problem = format!("is dead, but somebody answers on port {port}");
            return Err(SystemError::unhealthy(service, problem, ""));
        }
    }
    Ok(())
}

/// `name (pid N)`. Known only on Linux, and without root only for one's own processes.
fn holder(port: u16) -> Option<String> {
    let socket = format!("socket:[{}]", inode(port)?);
    fs::read_dir("/proc").ok()?.find_map(|process| {
        let process = process.ok()?;
        let pid: u32 = process.file_name().to_str()?.parse().ok()?;
        let mut files = fs::read_dir(process.path().join("fd")).ok()?;
        let has_it = files.any(|file| {
            let target = file.ok().and_then(|file| fs::read_link(file.path()).ok());
            target.is_some_and(|target| target.as_os_str() == socket.as_str())
        });
        let name = fs::read_to_string(process.path().join("comm")).ok()?;
        has_it.then(|| format!("{} (pid {pid})", name.trim()))
    })
}

/// Of the socket that listens on the port: field 10 of /proc/net/tcp, where state `0A` is LISTEN.
fn inode(port: u16) -> Option<String> {
    let suffix = format!(":{port:04X}");
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(fs::read_to_string);
    let mut lines = tables.iter().flatten().flat_map(|table| table.lines());
    lines.find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let listens = fields.get(1)?.ends_with(&suffix) && *fields.get(3)? == "0A";
        fields.get(9).filter(|_| listens).map(ToString::to_string)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_names_its_holder_and_a_free_one_is_free() {
        let listener = TcpListener::bind(ports::loopback(ports::free().unwrap())).unwrap();
        let port = listener.local_addr().unwrap().port();
        let error = check_free(port, "API_PORT").unwrap_err().to_string();
        assert!(error.contains(&port.to_string()), "{error}");
        let own = format!("(pid {})", std::process::id());
        assert!(
            error.contains(&own) || cfg!(not(target_os = "linux")),
            "{error}"
        );
        drop(listener);
        check_free(port, "API_PORT").unwrap();
    }

    #[tokio::test]
    async fn a_port_that_goes_on_answering_is_named_and_one_that_refuses_is_waited_for() {
        let port = ports::free().unwrap();
        let listener = TcpListener::bind(ports::loopback(port)).unwrap();
        let error = refuses(Service::Api, port).await.unwrap_err().to_string();
        assert!(error.contains(&port.to_string()), "{error}");
        drop(listener);
        refuses(Service::Api, port).await.unwrap();
    }
}
