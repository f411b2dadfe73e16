//! The endpoints: TLS, who is behind them, and what they do while that one is away.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::serving::Serving;
use crate::lab::until;

/// The message that asks for TLS, and one that opens a session of `postgres`.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
const STARTUP: &[u8] = b"\x00\x00\x00\x17\x00\x03\x00\x00user\x00postgres\x00\x00";

#[test]
fn encrypted_by_a_certificate_of_its_own_authority() {
    let Some(serving) = Serving::start(&["--readers", "1", "--force-ssl"]) else { return };
    let refused = serving.ask("writer", "SELECT 1").unwrap_err();
    assert!(refused.to_string().contains("no encryption"), "{refused}");
    for endpoint in ["writer", "reader", "part-4-instance-1", "part-4-instance-2"] {
        assert_eq!(
            greeting(&serving, endpoint, Some("ca")).unwrap(),
            b'R',
            "{endpoint}: asks for the password"
        );
    }
    let unknown = greeting(&serving, "writer", None).unwrap_err();
    assert!(unknown.to_string().contains("UnknownIssuer"), "{unknown}");
    serving.end();
}

/// The first byte that a server says to who comes with TLS and trusts the authority in the file `ca`.
fn greeting(serving: &Serving, endpoint: &str, ca: Option<&str>) -> std::io::Result<u8> {
    let (mut stream, mut byte) = (encrypted(serving, endpoint, ca)?, [0]);
    stream.write_all(STARTUP)?;
    stream.read_exact(&mut byte)?;
    Ok(byte[0])
}

/// A connection on which TLS begins with what is sent first.
pub(super) fn encrypted(
    serving: &Serving,
    endpoint: &str,
    ca: Option<&str>,
) -> std::io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let mut roots = RootCertStore::empty();
    if let Some(ca) = ca {
        let path = serving.facts[ca].as_str().unwrap();
        roots.add(CertificateDer::from_pem_file(path).unwrap()).unwrap();
    }
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let address = serving.address(endpoint);
    let port = u16::try_from(serving.facts["port"].as_u64().unwrap()).unwrap();
    let mut stream = TcpStream::connect((address.as_str(), port))?;
    stream.write_all(&SSL_REQUEST)?;
    let mut byte = [0];
    stream.read_exact(&mut byte)?;
    assert_eq!(&byte, b"S");
    let name = ServerName::try_from(address).unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    Ok(StreamOwned::new(connection, stream))
}

#[test]
fn the_reader_endpoint_balances_and_a_restart_is_seen() {
    let Some(serving) = Serving::start(&[]) else { return };
    let readers: BTreeSet<String> = (0..4).map(|_| serving.instance_at("reader")).collect();
    assert_eq!(readers.iter().collect::<Vec<_>>(), ["part-4-instance-2", "part-4-instance-3"]);
    let endpoints = serving.call("DescribeDBClusterEndpoints", "&DBClusterIdentifier=part-4").ok();
    let kinds: Vec<String> =
        endpoints.all("DBClusterEndpointList").iter().map(|one| one.text("EndpointType")).collect();
    assert_eq!(kinds, ["WRITER", "READER"]);

    let started = "SELECT pg_postmaster_start_time()";
    let reader = "part-4-instance-2";
    let before = serving.value(reader, started);
    let asked = serving.call("RebootDBInstance", &format!("&DBInstanceIdentifier={reader}")).ok();
    assert_eq!(asked.text("DBInstanceStatus"), "rebooting");
    // Whoever it was that answered before is not asked while it restarts, and the other one is there.
    assert_ne!(serving.instance_at("reader"), "part-4-instance-1");
    until("it is back", || serving.instance_status(reader) == "available");
    assert_ne!(serving.value(reader, started), before);
    assert_eq!(serving.value("writer", "SHOW synchronous_standby_names"), "ANY 1 (*)");
    let events = serving.events(&format!("&SourceType=db-instance&SourceIdentifier={reader}"));
    assert_eq!(events, ["DB instance created", "DB instance shutdown", "DB instance restarted"]);

    // The writer's restart is one for everybody who writes; its readers stay.
    let (writer, other) = (serving.value("part-4-instance-1", started), serving.value(reader, started));
    serving.call("RebootDBInstance", "&DBInstanceIdentifier=part-4-instance-1").ok();
    until("it is back", || serving.instance_status("part-4-instance-1") == "available");
    assert_ne!(serving.value("writer", started), writer);
    assert_eq!(serving.value(reader, started), other);
    let events = serving.events(&format!("&SourceType=db-instance&SourceIdentifier={reader}"));
    let reconnected = "Read replica has been disconnected from the writer instance and reconnected.";
    assert_eq!(events.last().unwrap(), reconnected);
    serving.end();
}
