//! The certificates of the endpoints: an authority that lives as long as the cluster, and one certificate for all of them.

use std::net::Ipv4Addr;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

/// What the endpoints end TLS with.
pub(super) struct Tls {
    pub(super) acceptor: TlsAcceptor,
    /// The authority's certificate, as PEM.
    pub(super) authority: String,
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// It cannot be made.
    #[error("make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// It cannot be used.
    #[error("use a certificate: {0}")]
    Use(#[from] rustls::Error),
}

impl Tls {
    /// Of endpoints at `addresses`, and with `names`.
    pub(super) fn make(addresses: &[Ipv4Addr], names: &[String]) -> Result<Tls, TlsError> {
        let mut authority = CertificateParams::new(Vec::new())?;
        authority.distinguished_name.push(DnType::CommonName, "replab aurora serve: its own authority");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority_key = KeyPair::generate()?;
        let authority_certificate = authority.self_signed(&authority_key)?;
        let issuer = Issuer::new(authority, authority_key);

        let addresses = addresses.iter().map(ToString::to_string);
        let all: Vec<String> =
            addresses.chain(["localhost".to_owned()]).chain(names.iter().cloned()).collect();
        let mut endpoint = CertificateParams::new(all)?;
        endpoint.distinguished_name.push(DnType::CommonName, "replab aurora serve");
        endpoint.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        endpoint.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        endpoint.use_authority_key_identifier_extension = true;
        let endpoint_key = KeyPair::generate()?;
        let certificate = endpoint.signed_by(&endpoint_key, &issuer)?;

        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(endpoint_key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)?;
        // Asked for by clients that begin with TLS at once (manual, "sslnegotiation").
        config.alpn_protocols = vec![b"postgresql".to_vec()];
        Ok(Tls { acceptor: TlsAcceptor::from(Arc::new(config)), authority: authority_certificate.pem() })
    }
}
