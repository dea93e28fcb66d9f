//! A TCP connection and how it is watched: a peer that is gone without a word is noticed by the kernel.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

use super::database::DatabaseUrlError;
use super::parameters::Parameters;

/// A session that is silent for so long is asked whether its peer lives ...
const IDLE: Duration = Duration::from_secs(10);
/// ... again after this ...
const INTERVAL: Duration = Duration::from_secs(5);
/// ... and given up after so many questions: 25 s in all, before the firewalls' usual minutes.
const RETRIES: u32 = 3;
/// What was sent is acknowledged within this, or the peer is gone. Far above what a busy network takes.
const USER_TIMEOUT: Duration = Duration::from_secs(10);

/// How the kernel watches a connection; what is absent is the system's default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeepAlive {
    on: bool,
    idle: Option<Duration>,
    interval: Option<Duration>,
    retries: Option<u32>,
    user_timeout: Option<Duration>,
}

impl KeepAlive {
    /// Takes its parameters out of `parameters`, by libpq's names and units.
    pub(super) fn take(parameters: &mut Parameters) -> Result<Self, DatabaseUrlError> {
        let mut number = |name: &'static str| {
            let value = parameters.take(name);
            let parsed = value.map(|value| value.parse::<u32>()).transpose();
            parsed
                .map_err(|_| DatabaseUrlError::value(name, "must be a whole number, not negative"))
        };
        // Zero is libpq's word for the system's default.
        let given = |number: u32| (number > 0).then_some(number);
        let seconds = |number| given(number).map(|it| Duration::from_secs(it.into()));
        Ok(Self {
            on: number("keepalives")? != Some(0),
            idle: number("keepalives_idle")?.map_or(Some(IDLE), seconds),
            interval: number("keepalives_interval")?.map_or(Some(INTERVAL), seconds),
            retries: number("keepalives_count")?.map_or(Some(RETRIES), given),
            user_timeout: number("tcp_user_timeout")?.map_or(Some(USER_TIMEOUT), |number| {
                given(number).map(|it| Duration::from_millis(it.into()))
            }),
        })
    }

    /// Connects to `address`.
    pub(super) async fn connect(self, address: SocketAddr) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        self.apply(SockRef::from(&stream))?;
        Ok(stream)
    }

    fn apply(self, socket: SockRef<'_>) -> io::Result<()> {
        if self.on {
            let mut keep_alive = TcpKeepalive::new();
            if let Some(idle) = self.idle {
                keep_alive = keep_alive.with_time(idle);
            }
            if let Some(interval) = self.interval {
                keep_alive = keep_alive.with_interval(interval);
            }
            if let Some(retries) = self.retries {
                keep_alive = keep_alive.with_retries(retries);
            }
            socket.set_tcp_keepalive(&keep_alive)?;
        }
        #[cfg(target_os = "linux")]
        socket.set_tcp_user_timeout(self.user_timeout)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    async fn watched(parameters: &str) -> (TcpStream, TcpListener) {
        let mut parameters = Parameters::parse(parameters).unwrap();
        let keep_alive = KeepAlive::take(&mut parameters).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        (keep_alive.connect(address).await.unwrap(), listener)
    }

    #[tokio::test]
    async fn a_connection_is_watched_unless_told_otherwise() {
        let (stream, _listener) = watched("").await;
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), IDLE);
        assert_eq!(socket.tcp_keepalive_interval().unwrap(), INTERVAL);
        assert_eq!(socket.tcp_keepalive_retries().unwrap(), RETRIES);
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(USER_TIMEOUT));
        let (stream, _listener) = watched("keepalives=0 tcp_user_timeout=0").await;
        let socket = SockRef::from(&stream);
        assert!(!socket.keepalive().unwrap());
        assert_eq!(socket.tcp_user_timeout().unwrap(), None);
    }

    #[tokio::test]
    async fn what_the_url_says_reaches_the_kernel_in_libpqs_units() {
        let given =
            "keepalives_idle=7 keepalives_interval=3 keepalives_count=2 tcp_user_timeout=2500";
        let (stream, _listener) = watched(given).await;
        let socket = SockRef::from(&stream);
        assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_secs(7));
        assert_eq!(
            socket.tcp_keepalive_interval().unwrap(),
            Duration::from_secs(3)
        );
        assert_eq!(socket.tcp_keepalive_retries().unwrap(), 2);
        let limit = Some(Duration::from_millis(2500));
        assert_eq!(socket.tcp_user_timeout().unwrap(), limit);
    }
}
