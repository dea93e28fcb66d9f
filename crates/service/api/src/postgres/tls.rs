//! Whether a session is encrypted, and what the server must prove. rustls, with the meaning libpq gives to each mode.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use tokio::net::TcpStream;
use tokio_postgres::Config;
use tokio_postgres::config::ChannelBinding;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::database::DatabaseUrlError;
use crate::tls::{client, roots};

/// Encrypts one connection.
pub(super) type Connector = <MakeRustlsConnect as MakeTlsConnect<TcpStream>>::TlsConnect;

/// How sessions are encrypted.
#[derive(Clone)]
pub(super) struct Tls {
    driver_mode: &'static str,
    connect: MakeRustlsConnect,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.driver_mode)
    }
}

/// What a server's certificate must show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    Nothing,
    /// An authority of ours signed it.
    Chain,
    /// And it bears the host's name.
    ChainAndName,
}

impl Tls {
    /// Reads `sslmode` and the certificates of `sslrootcert`.
    pub(super) fn read(
        sslmode: Option<&str>,
        sslrootcert: Option<String>,
    ) -> Result<Self, DatabaseUrlError> {
        let (driver_mode, proof) = match sslmode {
            Some("disable") => ("disable", Proof::Nothing),
            None | Some("prefer") => ("prefer", Proof::Nothing),
            // As libpq does: who names an authority wants it asked.
            Some("require") if sslrootcert.is_some() => ("require", Proof::Chain),
            Some("require") => ("require", Proof::Nothing),
            Some("verify-ca") => ("require", Proof::Chain),
            Some("verify-full") => ("require", Proof::ChainAndName),
            Some(_) => {
                let modes = "must be disable, prefer, require, verify-ca or verify-full";
                return Err(DatabaseUrlError::value("sslmode", modes));
            }
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let refused = |problem: String| DatabaseUrlError::value("sslrootcert", problem);
        let config = match (proof, sslrootcert) {
            (Proof::Nothing, _) => lenient(provider, None),
            (_, None) => {
                let hint = "must name a file of certificates, or be system, for sslmode verify-ca and verify-full";
                return Err(refused(hint.to_owned()));
            }
            (proof, Some(from)) => verified(provider, roots(&from).map_err(refused)?, proof),
        };
        let config = config.map_err(|error| refused(error.to_string()))?;
        Ok(Self {
            driver_mode,
            connect: MakeRustlsConnect::new(config),
        })
    }

    /// The `sslmode` that the driver knows.
    pub(super) fn driver_mode(&self) -> &'static str {
        self.driver_mode
    }

    /// What encrypts one connection to `host`.
    pub(super) fn connector(&self, host: &str) -> Connector {
        let mut connect = self.connect.clone();
        match MakeTlsConnect::<TcpStream>::make_tls_connect(&mut connect, host) {
            Ok(connector) => connector,
            Err(never) => match never {},
        }
    }
}

/// Binding needs a channel.
pub(super) fn check_channel_binding(config: &Config, tls: &Tls) -> Result<(), DatabaseUrlError> {
    if config.get_channel_binding() == ChannelBinding::Require && tls.driver_mode == "disable" {
        let problem = "require needs another sslmode than disable";
        return Err(DatabaseUrlError::value("channel_binding", problem));
    }
    Ok(())
}

fn verified(
    provider: Arc<CryptoProvider>,
    roots: RootCertStore,
    proof: Proof,
) -> Result<ClientConfig, Error> {
    if proof == Proof::ChainAndName {
        return client(roots);
    }
    let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .map_err(|error| Error::General(error.to_string()))?;
    lenient(provider, Some(chain))
}

fn lenient(
    provider: Arc<CryptoProvider>,
    chain: Option<Arc<WebPkiServerVerifier>>,
) -> Result<ClientConfig, Error> {
    let verifier = Arc::new(Lenient {
        chain,
        provider: provider.clone(),
    });
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth())
}

/// For the modes that ask for less than the default: no name, or no proof at all.
#[derive(Debug)]
struct Lenient {
    chain: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(chain) = &self.chain else {
            return Ok(ServerCertVerified::assertion());
        };
        let verdict =
            chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verdict {
            // The name is looked at last, when the chain has been found good.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
