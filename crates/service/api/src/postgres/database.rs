//! `DATABASE_URL`, validated: each parameter that libpq knows is honoured or refused by its name, none is overlooked.

use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{LoadBalanceHosts, SslMode};

use super::nodes::{Node, nodes};
use super::parameters::Parameters;
use super::tcp::KeepAlive;
use super::tls::{self, Tls};

/// Why a `DATABASE_URL` is refused; never repeats a value that may be a password.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DatabaseUrlError {
    /// It cannot be taken apart.
    #[error("is neither postgres://user:password@host:port/database?… nor a list of key=value")]
    Malformed,
    /// A parameter that is not acted upon.
    #[error("the parameter {0} is not supported: leave it out")]
    Unknown(String),
    /// A parameter with a value that it cannot have here.
    #[error("{name}: {problem}")]
    Value {
        /// The parameter.
        name: &'static str,
        /// What it may be.
        problem: String,
    },
}

impl DatabaseUrlError {
    pub(super) fn value(name: &'static str, problem: impl Into<String>) -> Self {
        let problem = problem.into();
        Self::Value { name, problem }
    }
}

/// Each statement of the service touches a few rows by an index. Postgres plans a prepared one once and keeps the plan: one
/// made while the table was empty reads all of it for each statement of the following minutes, however large it has grown.
/// So no plan reads whole tables, and none is worth compiling.
const PLANS: &str =
    "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c jit=off";

type Parsed<T> = Result<T, DatabaseUrlError>;

/// What a server must be to be spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// Whatever answers.
    Any,
    /// It takes writes.
    ReadWrite,
    /// It is no standby, though it may take no writes.
    Primary,
}

/// How to reach Postgres.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    /// User, password, database, options: what the driver sends.
    pub(super) config: Config,
    pub(super) nodes: Vec<Node>,
    pub(super) shuffled: bool,
    pub(super) target: Target,
    pub(super) tls: Tls,
    pub(super) keep_alive: KeepAlive,
    /// Whether a pooler stands between that gives a session to somebody else after each transaction.
    pub(super) transaction_pooler: bool,
    limited: bool,
}

impl Database {
    /// Reads `text`, and the certificates it names.
    ///
    /// # Errors
    /// See [`DatabaseUrlError`].
    pub(crate) fn parse(text: &str) -> Parsed<Self> {
        let mut parameters = Parameters::parse(text)?;
        let target = target(parameters.take("target_session_attrs"))?;
        let keep_alive = KeepAlive::take(&mut parameters)?;
        let transaction_pooler = pooler(parameters.take("pgbouncer"))?;
        let sslmode = parameters.take("sslmode");
        let tls = Tls::read(sslmode.as_deref(), parameters.take("sslrootcert"))?;
        parameters.set("sslmode", tls.driver_mode().to_owned());
        parameters.refuse_unknown()?;
        let config: Config = parameters
            .into_text()
            .parse()
            .map_err(|error| explain(&error))?;
        if config.get_user().is_none() {
            return Err(DatabaseUrlError::value("user", "must be given"));
        }
        tls::check_channel_binding(&config, &tls)?;
        Ok(Self {
            nodes: nodes(&config)?,
            shuffled: config.get_load_balance_hosts() == LoadBalanceHosts::Random,
            config,
            target,
            tls,
            keep_alive,
            transaction_pooler,
            limited: false,
        })
    }

    /// Time for one session, as the URL has it.
    pub(super) fn connect_timeout(&self) -> Option<Duration> {
        self.config.get_connect_timeout().copied()
    }

    /// Has Postgres end each statement after `limit`, each wait for a lock after `lock`, and plan for few rows. Not through a
    /// transaction pooler, which takes no settings of one client's: there the role's own have to do, and plans are not kept.
    pub(super) fn limit_statements(&mut self, limit: Duration, lock: Duration) {
        if self.transaction_pooler {
            return;
        }
        let (limit, lock) = (limit.as_millis(), lock.as_millis().max(1));
        // What the URL says of plans comes later than ours, so it holds.
        let own = self.config.get_options().unwrap_or_default();
        self.config.options(format!(
            "{PLANS} {own} -c statement_timeout={limit} -c lock_timeout={lock}"
        ));
        self.limited = true;
    }

    /// Whether Postgres was asked to end statements by itself.
    pub(super) fn is_limited(&self) -> bool {
        self.limited
    }

    /// The name under which Postgres shows the sessions: the URL's, else `holdfast` and what they are for.
    pub(super) fn name_sessions(&mut self, role: &str) {
        if self.config.get_application_name().is_none() {
            self.config.application_name(format!("holdfast {role}"));
        }
    }

    /// Whether anything was to be encrypted, though not at any price.
    pub(super) fn prefers_tls(&self) -> bool {
        self.config.get_ssl_mode() == SslMode::Prefer
    }
}

/// The driver's own words name the parameter, not its value.
fn explain(error: &tokio_postgres::Error) -> DatabaseUrlError {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    match cause
        .as_deref()
        .and_then(|it| it.strip_prefix("invalid value for option "))
    {
        Some(name) => DatabaseUrlError::Value {
            name: "a value is invalid",
            problem: name.to_owned(),
        },
        None => DatabaseUrlError::Malformed,
    }
}

fn target(value: Option<String>) -> Parsed<Target> {
    match value.as_deref() {
        None | Some("any") => Ok(Target::Any),
        Some("read-write") => Ok(Target::ReadWrite),
        Some("primary") => Ok(Target::Primary),
        Some(_) => Err(DatabaseUrlError::value(
            "target_session_attrs",
            "must be any, read-write or primary: this service writes",
        )),
    }
}

fn pooler(value: Option<String>) -> Parsed<bool> {
    match value.as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(DatabaseUrlError::value(
            "pgbouncer",
            "must be true (a pooler in transaction mode stands before Postgres) or false",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    fn refusal(text: &str) -> String {
        Database::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn several_hosts_keep_their_order_ports_and_addresses() {
        let database = Database::parse(
            "postgres://u:p@one:1,two:2/db?hostaddr=10.0.0.1,10.0.0.2&target_session_attrs=read-write",
        )
        .unwrap();
        let node = |host: &str, address: [u8; 4], port| Node {
            host: host.to_owned(),
            address: Some(IpAddr::from(address)),
            port,
        };
        let expected = [node("one", [10, 0, 0, 1], 1), node("two", [10, 0, 0, 2], 2)];
        assert_eq!(database.nodes, expected);
        assert_eq!(database.target, Target::ReadWrite);
    }

    #[test]
    fn the_urls_name_for_the_sessions_holds() {
        let mut named = Database::parse("postgres://u@h/d?application_name=mine").unwrap();
        named.name_sessions("reads");
        assert_eq!(named.config.get_application_name(), Some("mine"));
        let mut unnamed = Database::parse("postgres://u@h/d").unwrap();
        unnamed.name_sessions("reads");
        assert_eq!(
            unnamed.config.get_application_name(),
            Some("holdfast reads")
        );
    }

    #[test]
    fn what_is_not_acted_upon_is_refused_by_its_name() {
        for (parameters, said) in [
            ("sslcert=a.pem", "the parameter sslcert is not supported"),
            (
                "tcp_user_timeuot=3",
                "the parameter tcp_user_timeuot is not",
            ),
            (
                "target_session_attrs=standby",
                "target_session_attrs: must be",
            ),
            ("sslmode=allow", "sslmode: "),
            ("sslmode=verify-full", "sslrootcert: "),
            (
                "sslmode=verify-full&sslrootcert=/nowhere.pem",
                "sslrootcert: ",
            ),
            ("keepalives_idle=soon", "keepalives_idle: "),
            (
                "connect_timeout=soon",
                "a value is invalid: `connect_timeout`",
            ),
            (
                "channel_binding=require&sslmode=disable",
                "channel_binding: ",
            ),
            ("hostaddr=10.0.0.1,10.0.0.2", "hostaddr: "),
            ("pgbouncer=maybe", "pgbouncer: "),
        ] {
            let refusal = refusal(&format!("postgres://u:secret@h/d?{parameters}"));
            assert!(refusal.starts_with(said), "{parameters}: {refusal}");
        }
        assert!(refusal("host=/run/postgresql user=u").starts_with("host: "));
        assert!(refusal("postgres://h/d").starts_with("user: "));
    }

    #[test]
    fn no_refusal_shows_a_part_of_the_password() {
        for text in [
            "host=h user=u password=se cret=x",
            "host=h user=u password='secret",
            "postgres://u:secret@h:port/d",
            "postgres://u:secret@h/d?sslmode=secret",
            "postgres://u:secret@h/d?pgbouncer=secret",
        ] {
            let refusal = refusal(text);
            assert!(!refusal.contains("cret"), "{text}: {refusal}");
        }
    }
}
