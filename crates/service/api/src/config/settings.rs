//! The API's settings: where it listens, whom it calls, which policies hold.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use holdfast_ops::environment::shown;
use holdfast_ops::{Environment, EnvironmentError};
use reqwest::Url;
use rustls::ClientConfig;

use super::admin_token::AdminToken;
use super::allowed_hosts::AllowedHosts;
use super::error::PolicyFileError;
use super::load::{Loaded, load};
use crate::postgres::Database;
use crate::tls;

/// In the folder the process runs in: found again at the next start.
const DEFAULT_JOURNAL: &str = "holdfast-journal";

/// Where the worker is, and whom to trust there.
#[derive(Debug, Clone)]
pub(crate) struct WorkerAddress {
    pub(crate) url: Url,
    /// Where the address is https.
    pub(crate) tls: Option<ClientConfig>,
}

/// The API's settings, validated.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen; port 0 takes a free one.
    pub bind: SocketAddr,
    /// Under which names to answer.
    pub allowed_hosts: AllowedHosts,
    /// What operators show; without it their routes are closed.
    pub admin_token: Option<AdminToken>,
    /// Where the worker is: once, or several times.
    pub(crate) workers: Vec<WorkerAddress>,
    /// How to reach Postgres.
    pub(crate) database: Database,
    /// The failure policies.
    pub policies: Loaded,
    /// The policy file, if one was named.
    pub policy_file: Option<PathBuf>,
    /// The folder of the journal. Not made where the policies do without one.
    pub journal_folder: PathBuf,
    /// Whether what the policies do is counted and traced. Off only to measure what that costs.
    pub observe: bool,
}

/// Why the settings are refused; one line.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A variable is missing or has a value it cannot have.
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    /// The policy file is refused.
    #[error("HOLDFAST_POLICIES: {0}")]
    Policies(#[from] PolicyFileError),
}

impl Settings {
    /// Reads `HOLDFAST_ALLOWED_HOSTS`, `HOLDFAST_ADMIN_TOKEN`, `HOLDFAST_WORKER_URL`, `HOLDFAST_WORKER_CA`, `DATABASE_URL`, `HOLDFAST_POLICIES`,
    /// `HOLDFAST_JOURNAL_DIR` and `HOLDFAST_OBSERVE`.
    ///
    /// # Errors
    /// When one is missing or cannot be used, or the policy file is refused.
    pub fn read(environment: &Environment, bind: SocketAddr) -> Result<Self, SettingsError> {
        let policy_file = environment.get("HOLDFAST_POLICIES").map(PathBuf::from);
        let policies = load(policy_file.as_deref().map(Path::new))?;
        Ok(Self {
            bind,
            allowed_hosts: AllowedHosts::read(environment, bind)?,
            admin_token: AdminToken::read(environment)?,
            workers: workers(environment)?,
            database: database(environment)?,
            journal_folder: journal_folder(environment),
            observe: observe(environment)?,
            policies,
            policy_file,
        })
    }
}

/// Where this replica's journal is.
#[must_use]
pub fn journal_folder(environment: &Environment) -> PathBuf {
    let named = environment.get("HOLDFAST_JOURNAL_DIR");
    PathBuf::from(named.unwrap_or(DEFAULT_JOURNAL))
}

fn observe(environment: &Environment) -> Result<bool, EnvironmentError> {
    let name = "HOLDFAST_OBSERVE";
    match environment.get(name) {
        None | Some("on") => Ok(true),
        Some("off") => Ok(false),
        Some(other) => Err(EnvironmentError::Invalid {
            name,
            value: other.to_owned(),
            problem: "give on or off, or leave it unset".to_owned(),
        }),
    }
}

fn workers(environment: &Environment) -> Result<Vec<WorkerAddress>, EnvironmentError> {
    let name = "HOLDFAST_WORKER_CA";
    let authority = environment.get(name);
    let invalid = |problem: String| EnvironmentError::Invalid {
        name,
        value: authority.unwrap_or_default().to_owned(),
        problem,
    };
    let urls = worker_urls(environment)?;
    let encrypted = urls.iter().any(|url| url.scheme() == "https");
    if authority.is_some() && !encrypted {
        let problem = "HOLDFAST_WORKER_URL is not https: nothing is encrypted, nobody is proved";
        return Err(invalid(problem.to_owned()));
    }
    let tls = || {
        let roots = tls::roots(authority.unwrap_or("system")).map_err(invalid)?;
        tls::client(roots).map_err(|error| invalid(error.to_string()))
    };
    let tls = encrypted.then(tls).transpose()?;
    let worker = |url: Url| WorkerAddress {
        tls: tls.clone().filter(|_| url.scheme() == "https"),
        url,
    };
    Ok(urls.into_iter().map(worker).collect())
}

fn worker_urls(environment: &Environment) -> Result<Vec<Url>, EnvironmentError> {
    let name = "HOLDFAST_WORKER_URL";
    let hint = "the worker's address, such as http://127.0.0.1:8081, or several between commas";
    let text = environment.required(name, hint)?;
    let invalid = |problem: String| EnvironmentError::Invalid {
        name,
        value: text.to_owned(),
        problem,
    };
    let mut urls: Vec<Url> = Vec::new();
    for one in text.split(',').map(str::trim) {
        let url = worker_url(one).map_err(invalid)?;
        if urls.contains(&url) {
            return Err(invalid(format!("names {one} twice")));
        }
        urls.push(url);
    }
    Ok(urls)
}

fn worker_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("{}: {error}", shown(text)))?;
    let mut plain = url.clone();
    plain.set_path("");
    plain.set_query(None);
    plain.set_fragment(None);
    let nothing_more = plain == url && url.username().is_empty() && url.password().is_none();
    if matches!(url.scheme(), "http" | "https") && url.has_host() && nothing_more {
        Ok(url)
    } else {
        let shape =
            "must be http://HOST:PORT or https://HOST:PORT and no more: no path, query or password";
        Err(shape.to_owned())
    }
}

/// How to reach Postgres.
///
/// # Errors
/// When `DATABASE_URL` is missing or cannot be used.
pub(crate) fn database(environment: &Environment) -> Result<Database, EnvironmentError> {
    let name = "DATABASE_URL";
    let hint = "how to reach Postgres, such as postgres://user:password@127.0.0.1:5432/holdfast";
    let text = environment.required(name, hint)?;
    Database::parse(text).map_err(|error| EnvironmentError::Invalid {
        name,
        // Not repeated: it carries a password.
        value: "(hidden: it may carry a password)".to_owned(),
        problem: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<const N: usize>(variables: [(&str, &str); N]) -> Result<Settings, String> {
        let bind = SocketAddr::from(([127, 0, 0, 1], 0));
        Settings::read(&Environment::from(variables), bind).map_err(|error| error.to_string())
    }

    const WORKER: (&str, &str) = ("HOLDFAST_WORKER_URL", "http://127.0.0.1:8081");
    const DATABASE: (&str, &str) = ("DATABASE_URL", "postgres://u:secret@127.0.0.1:1/holdfast");

    #[test]
    fn worker_and_database_must_be_named() {
        assert!(read([WORKER, DATABASE]).is_ok());
        assert!(
            read([DATABASE])
                .unwrap_err()
                .starts_with("HOLDFAST_WORKER_URL is not set")
        );
        assert!(
            read([WORKER])
                .unwrap_err()
                .starts_with("DATABASE_URL is not set")
        );
    }

    #[test]
    fn a_worker_address_that_cannot_be_called_is_refused() {
        for url in [
            "127.0.0.1:8081",
            "ftp://worker",
            "http://",
            "http://worker/base",
            "http://worker?x=1",
            "http://me:secret@worker",
        ] {
            assert!(
                read([("HOLDFAST_WORKER_URL", url), DATABASE]).is_err(),
                "{url}"
            );
        }
    }

    #[test]
    fn workers_are_listed_between_commas_and_each_once() {
        let read = |urls| read([("HOLDFAST_WORKER_URL", urls), DATABASE]);
        let workers = read("http://a:1, http://b:2,https://c").unwrap().workers;
        let urls: Vec<_> = workers.iter().map(|it| it.url.as_str()).collect();
        assert_eq!(urls, ["http://a:1/", "http://b:2/", "https://c/"]);
        let encrypted: Vec<_> = workers.iter().map(|it| it.tls.is_some()).collect();
        assert_eq!(encrypted, [false, false, true]);
        assert!(read("http://a:1,http://a:1").unwrap_err().contains("twice"));
        assert!(read("http://a:1,").is_err());
    }

    #[test]
    fn a_bad_database_address_is_refused_without_showing_its_password() {
        let refusal = read([
            WORKER,
            ("DATABASE_URL", "postgres://u:secret@/x?sslmode=never"),
        ]);
        let refusal = refusal.unwrap_err();
        assert!(refusal.starts_with("DATABASE_URL"), "{refusal}");
        assert!(!refusal.contains("secret"), "{refusal}");
    }

    #[test]
    fn the_journals_folder_has_a_default() {
        let folder = |settings: Result<Settings, String>| settings.unwrap().journal_folder;
        let default = folder(read([WORKER, DATABASE]));
        assert_eq!(default, Path::new("holdfast-journal"));
        let named = ("HOLDFAST_JOURNAL_DIR", "/var/lib/holdfast");
        let own = folder(read([WORKER, DATABASE, named]));
        assert_eq!(own, Path::new("/var/lib/holdfast"));
    }

    #[test]
    fn observers_are_on_unless_turned_off() {
        let observe = |value| read([WORKER, DATABASE, ("HOLDFAST_OBSERVE", value)]);
        assert!(observe("").unwrap().observe);
        assert!(!observe("off").unwrap().observe);
        assert!(
            observe("no")
                .unwrap_err()
                .starts_with("HOLDFAST_OBSERVE=\"no\"")
        );
    }

    #[test]
    fn a_missing_policy_file_is_named() {
        let refusal = read([WORKER, DATABASE, ("HOLDFAST_POLICIES", "/nowhere/p.toml")]);
        let refusal = refusal.unwrap_err();
        assert!(
            refusal.starts_with("HOLDFAST_POLICIES: /nowhere/p.toml: "),
            "{refusal}"
        );
    }
}
