//! Whom encrypted connections trust. rustls, with ring for its cryptography.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, Error, RootCertStore};

/// The certificates in the file `from`, or those the system trusts.
///
/// # Errors
/// What is wrong with them.
pub(crate) fn roots(from: &str) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    if from == "system" {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    } else {
        let unreadable = |error| format!("{from}: {error}");
        for certificate in CertificateDer::pem_file_iter(Path::new(from)).map_err(unreadable)? {
            let certificate = certificate.map_err(unreadable)?;
            roots
                .add(certificate)
                .map_err(|error| format!("{from}: {error}"))?;
        }
    }
    if roots.is_empty() {
        return Err(format!("{from}: holds no certificate"));
    }
    Ok(roots)
}

/// A client that trusts `roots` and looks at the server's name.
///
/// # Errors
/// When the protocol versions and the cryptography do not fit each other.
pub(crate) fn client(roots: RootCertStore) -> Result<ClientConfig, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
