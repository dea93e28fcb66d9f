//! Encryption and proof, with an authority made on the spot.

use std::fs;

use holdfast_testbed::postgres::Cluster;
use holdfast_wire::Reason;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;
use tokio::time::{Duration, Instant, sleep};

use super::{ask, cluster, sessions, sql};
use crate::dependency::DependencyError;

const ENCRYPTED: &str = "select ssl::text from pg_stat_ssl where pid = pg_backend_pid()";

/// Two authorities, of which the first signed the server's certificate, for localhost.
struct Authorities {
    folder: TempDir,
}

impl Authorities {
    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }
}

fn authority(folder: &TempDir, name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap();
    fs::write(folder.path().join(name), issuer.pem()).unwrap();
    issuer
}

/// Has `cluster` encrypt, with a certificate for localhost.
async fn encrypt(cluster: &Cluster) -> Authorities {
    let folder = tempfile::tempdir().unwrap();
    let issuer = authority(&folder, "ours.pem");
    authority(&folder, "theirs.pem");
    let key = KeyPair::generate().unwrap();
    let names = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = names.signed_by(&key, &issuer).unwrap();
    // Written by the server itself, into its own folder, with its own rights.
    let write = |text: &str, file: &str| {
        let octal: String = text.bytes().map(|byte| format!("\\\\{byte:03o}")).collect();
        format!(
            "copy (select 1) to program 'umask 077; cat >/dev/null; printf \"{octal}\" > {file}'"
        )
    };
    let (certificate, key) = (
        write(&certificate.pem(), "server.crt"),
        write(&key.serialize_pem(), "server.key"),
    );
    let on = ["alter system set ssl = on", "select pg_reload_conf()"];
    sql(cluster, &[&certificate, &key, on[0], on[1]]).await;
    let started = Instant::now();
    while ask(&sessions(&cluster.url()), ENCRYPTED).await.unwrap() != "true" {
        assert!(started.elapsed() < Duration::from_secs(5), "never encrypts");
        sleep(Duration::from_millis(20)).await;
    }
    Authorities { folder }
}

fn url(cluster: &Cluster, host: &str, parameters: &str) -> String {
    let url = cluster.url().replace("127.0.0.1", host);
    format!("{url}?{parameters}")
}

#[tokio::test]
async fn each_mode_asks_for_its_proof() {
    let cluster = cluster().await;
    let authorities = encrypt(&cluster).await;
    let (ours, theirs) = (authorities.path("ours.pem"), authorities.path("theirs.pem"));
    for (host, parameters, encrypted) in [
        ("localhost", "sslmode=disable".to_owned(), Some("false")),
        ("localhost", "sslmode=prefer".to_owned(), Some("true")),
        ("127.0.0.1", "sslmode=require".to_owned(), Some("true")),
        (
            "127.0.0.1",
            "sslmode=require&channel_binding=require".to_owned(),
            Some("true"),
        ),
        (
            "localhost",
            format!("sslmode=require&sslrootcert={theirs}"),
            None,
        ),
        (
            "127.0.0.1",
            format!("sslmode=verify-ca&sslrootcert={ours}"),
            Some("true"),
        ),
        (
            "127.0.0.1",
            format!("sslmode=verify-ca&sslrootcert={theirs}"),
            None,
        ),
        (
            "localhost",
            format!("sslmode=verify-full&sslrootcert={ours}"),
            Some("true"),
        ),
        (
            "127.0.0.1",
            format!("sslmode=verify-full&sslrootcert={ours}"),
            None,
        ),
        (
            "localhost",
            format!("sslmode=verify-full&sslrootcert={theirs}"),
            None,
        ),
    ] {
        let answer = ask(&sessions(&url(&cluster, host, &parameters)), ENCRYPTED).await;
        match encrypted {
            Some(encrypted) => assert_eq!(answer.unwrap(), encrypted, "{host} {parameters}"),
            None => {
                let reason = answer.unwrap_err().reason();
                assert_eq!(reason, Reason::TlsFailure, "{host} {parameters}");
            }
        }
    }
}

#[tokio::test]
async fn a_host_name_that_stands_beside_an_address_is_the_one_that_is_proved() {
    let cluster = cluster().await;
    let authorities = encrypt(&cluster).await;
    let proof = format!(
        "sslmode=verify-full&sslrootcert={}",
        authorities.path("ours.pem")
    );
    let named = url(
        &cluster,
        "localhost",
        &format!("{proof}&hostaddr=127.0.0.1"),
    );
    assert_eq!(ask(&sessions(&named), ENCRYPTED).await.unwrap(), "true");
    let other = url(
        &cluster,
        "other.test",
        &format!("{proof}&hostaddr=127.0.0.1"),
    );
    let refused = ask(&sessions(&other), ENCRYPTED).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::TlsFailure);
}

#[tokio::test]
async fn a_server_that_does_not_encrypt_is_refused_where_that_is_asked_for() {
    let cluster = cluster().await;
    for (parameters, answer) in [("sslmode=require", None), ("sslmode=prefer", Some("false"))] {
        let told = ask(
            &sessions(&url(&cluster, "localhost", parameters)),
            ENCRYPTED,
        )
        .await;
        match answer {
            Some(answer) => assert_eq!(told.unwrap(), answer),
            None => assert_eq!(told.unwrap_err().reason(), Reason::TlsFailure),
        }
    }
}
