//! TLS between a client and the server. The server is always verified: nothing here encrypts for whoever answers.
//!
//! Source: PostgreSQL manual, "SSL Support" (libpq) and "SSL Session Encryption" (frontend/backend protocol).
//!
//! SCRAM's channel binding is not used. It would refuse a login through something that ends TLS in front of the server
//! and speaks TLS behind as well; and what it protects from, another server in between, is what verification is for.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{CertificateError, ClientConfig, Error, RootCertStore};

use super::Lost;

mod chain_only;

use chain_only::ChainOnly;

/// The protocol's `SSLRequest`: its length, 8, and the code 80877103.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// What of a server's certificate is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verify {
    /// That a root has signed it (`sslmode=verify-ca`).
    Chain,
    /// Also that it is for the host that the client connects to (`sslmode=verify-full`).
    ChainAndName,
}

/// Whose signatures count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Roots {
    /// The certificates of this machine (`sslrootcert=system`).
    System,
    /// The PEM certificates of a file.
    File(PathBuf),
}

/// How a session encrypts. Clones share what was read of the roots.
#[derive(Clone)]
pub struct Tls {
    verify: Verify,
    roots: Roots,
    /// Made by the first connection, so that the others do not read the roots again.
    config: Arc<OnceLock<Arc<ClientConfig>>>,
}

impl Tls {
    /// TLS with a server that is verified so. The roots are read by the first connection, whose error says what is wrong
    /// with them.
    pub fn new(verify: Verify, roots: Roots) -> Tls {
        Tls { verify, roots, config: Arc::default() }
    }

    /// What is verified.
    pub fn verify(&self) -> Verify {
        self.verify
    }

    /// Against what.
    pub fn roots(&self) -> &Roots {
        &self.roots
    }

    /// Asks the server at the other end of `stream` for TLS, and verifies that it is `host`.
    pub(super) async fn handshake(
        &self,
        host: &str,
        mut stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, Lost> {
        let config = self.client_config().map_err(Lost::because)?;
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| Lost::because(format!("no certificate can be for the host `{host}`")))?;
        let asked = async {
            stream.write_all(&SSL_REQUEST).await?;
            // One byte and no more: whatever is behind it has to be part of the handshake.
            stream.read_u8().await
        };
        match asked.await {
            Ok(b'S') => {}
            Ok(b'N') => {
                let mode = self.verify;
                return Err(Lost::because(format!(
                    "the server does not speak TLS, and sslmode={mode} demands it"
                )));
            }
            Ok(_) => {
                return Err(Lost::because(
                    "the server is asked for TLS, and does not answer as PostgreSQL does",
                ));
            }
            Err(error) => return Err(Lost::because(format!("the server is asked for TLS: {error}"))),
        }
        let connected = TlsConnector::from(config).connect(name, stream).await;
        connected.map_err(|error| Lost::because(self.explain(&error)))
    }

    fn client_config(&self) -> Result<Arc<ClientConfig>, String> {
        if let Some(config) = self.config.get() {
            return Ok(Arc::clone(config));
        }
        let roots = Arc::new(self.roots.read()?);
        let provider = Arc::new(ring::default_provider());
        let algorithms = provider.signature_verification_algorithms;
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.map_err(|error| error.to_string())?;
        let builder = match self.verify {
            Verify::ChainAndName => builder.with_root_certificates(roots),
            Verify::Chain => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(ChainOnly::new(roots, algorithms))),
        };
        let config = Arc::new(builder.with_no_client_auth());
        Ok(Arc::clone(self.config.get_or_init(|| config)))
    }

    /// Why there is no TLS, in one line.
    fn explain(&self, error: &io::Error) -> String {
        match error.get_ref().and_then(|inner| inner.downcast_ref()) {
            // The latter where a root has the name of who signed it, and another key.
            Some(Error::InvalidCertificate(
                CertificateError::UnknownIssuer | CertificateError::BadSignature,
            )) => {
                format!("the server's certificate is not signed by any of sslrootcert={}", self.roots)
            }
            Some(Error::InvalidCertificate(error)) => format!("the server's certificate is refused: {error}"),
            _ => format!("TLS with the server fails: {error}"),
        }
    }
}

impl Roots {
    /// The certificates, at least one. Of a bundle, what cannot be read as a certificate is left out: trust becomes less.
    fn read(&self) -> Result<RootCertStore, String> {
        let certificates = match self {
            // Errors of single files beside roots that can be read are no reason to trust less than there is.
            Roots::System => rustls_native_certs::load_native_certs().certs,
            Roots::File(path) => read_pem(path).map_err(|why| format!("sslrootcert={self}: {why}"))?,
        };
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(certificates);
        match (store.is_empty(), self) {
            (false, _) => Ok(store),
            (true, Roots::System) => {
                Err("sslrootcert=system: this machine has no root certificates; name a file".to_owned())
            }
            (true, Roots::File(_)) => {
                Err(format!("sslrootcert={self}: there is no certificate in it that can be read"))
            }
        }
    }
}

fn read_pem(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let certificates = CertificateDer::pem_slice_iter(&bytes).collect::<Result<Vec<_>, _>>();
    certificates.map_err(|error| format!("it is not PEM: {error}"))
}

impl fmt::Display for Verify {
    /// The value of `sslmode`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verify::Chain => "verify-ca",
            Verify::ChainAndName => "verify-full",
        })
    }
}

impl fmt::Display for Roots {
    /// The value of `sslrootcert`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Roots::System => f.write_str("system"),
            Roots::File(path) => write!(f, "{}", path.display()),
        }
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tls({}, {})", self.verify, self.roots)
    }
}

impl PartialEq for Tls {
    fn eq(&self, other: &Tls) -> bool {
        (self.verify, &self.roots) == (other.verify, &other.roots)
    }
}

impl Eq for Tls {}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(roots: Roots) -> String {
        Tls::new(Verify::ChainAndName, roots).client_config().unwrap_err()
    }

    #[test]
    fn a_bundle_without_a_certificate_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("roots.pem");
        let name = path.display().to_string();
        let error = refused(Roots::File(path.clone()));
        assert_eq!(error, format!("sslrootcert={name}: No such file or directory (os error 2)"));
        let key = "-----BEGIN PRIVATE KEY-----\naHVudGVyMg==\n-----END PRIVATE KEY-----\n";
        let junk = "-----BEGIN CERTIFICATE-----\naHVudGVyMg==\n-----END CERTIFICATE-----\n";
        for text in ["", "hunter2\n", key, junk] {
            std::fs::write(&path, text).unwrap();
            let error = refused(Roots::File(path.clone()));
            assert_eq!(
                error,
                format!("sslrootcert={name}: there is no certificate in it that can be read"),
                "{text}"
            );
        }
        std::fs::write(&path, "-----BEGIN CERTIFICATE-----\nhunter2\n").unwrap();
        let error = refused(Roots::File(path));
        assert!(error.starts_with(&format!("sslrootcert={name}: it is not PEM: ")), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}
