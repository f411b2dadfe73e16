//! Where the endpoints are: one port, and an address of the loopback network for each.

use std::io;
use std::net::Ipv4Addr;

use tokio::net::TcpListener;

/// The most instances that a cluster has (Aurora user guide, "Quotas and constraints": a writer and 15 readers).
pub(super) const INSTANCES: usize = 16;

/// The cluster endpoint.
pub(super) const WRITER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// The reader endpoint.
pub(super) const READER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);

/// Attempts to find a port that is free on every address.
const ATTEMPTS: usize = 50;

/// Why an endpoint cannot be where it should be.
#[derive(Debug, thiserror::Error)]
#[error("listen on {address}:{port}: {source}")]
pub struct AddressError {
    pub(super) address: Ipv4Addr,
    pub(super) port: u16,
    pub(super) source: io::Error,
}

impl AddressError {
    /// What to type, if the system has no such address.
    pub fn help(&self) -> Option<String> {
        let absent = self.source.kind() == io::ErrorKind::AddrNotAvailable;
        let addresses = || {
            let instances = (1..=3).map(instance);
            [WRITER, READER].into_iter().chain(instances).map(|address| address.to_string())
        };
        absent.then(|| {
            let lines = addresses().map(|address| format!("sudo ifconfig lo0 alias {address} up"));
            let lines: Vec<String> = lines.collect();
            format!(
                "this system gives loopback one address only; each endpoint needs its own:\n{}",
                lines.join("\n")
            )
        })
    }
}

/// The endpoint of the `number`th instance, from 1.
pub(super) fn instance(number: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 0, u8::try_from(10 + number).unwrap_or(u8::MAX))
}

/// Every address that an endpoint may have.
pub(super) fn all() -> Vec<Ipv4Addr> {
    [WRITER, READER].into_iter().chain((1..=INSTANCES).map(instance)).collect()
}

/// Listens on one address.
pub(super) async fn listen(address: Ipv4Addr, port: u16) -> Result<TcpListener, AddressError> {
    let failed = |source| AddressError { address, port, source };
    TcpListener::bind((address, port)).await.map_err(failed)
}

/// Listens on all of `addresses`, on `port` or on one that is free on each.
pub(super) async fn open(
    addresses: &[Ipv4Addr],
    port: Option<u16>,
) -> Result<(u16, Vec<TcpListener>), AddressError> {
    let mut attempts = ATTEMPTS;
    loop {
        attempts -= 1;
        match open_once(addresses, port.unwrap_or(0)).await {
            Err(error)
                if error.source.kind() == io::ErrorKind::AddrInUse && port.is_none() && attempts > 0 => {}
            done => return done,
        }
    }
}

async fn open_once(addresses: &[Ipv4Addr], port: u16) -> Result<(u16, Vec<TcpListener>), AddressError> {
    let mut port = port;
    let mut listeners = Vec::new();
    for &address in addresses {
        let listener = listen(address, port).await?;
        // The first one that was left to the system decides.
        let chosen = listener.local_addr().map_err(|source| AddressError { address, port, source })?;
        port = chosen.port();
        listeners.push(listener);
    }
    Ok((port, listeners))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_port_for_all_or_why_not() {
        let addresses = [Ipv4Addr::LOCALHOST];
        let (port, listeners) = open(&addresses, None).await.unwrap();
        assert_eq!(listeners[0].local_addr().unwrap().port(), port);
        let taken = open(&addresses, Some(port)).await.unwrap_err();
        assert!(taken.help().is_none(), "{taken}");
        // RFC 5737: an address that nobody has.
        let absent = open(&[Ipv4Addr::new(192, 0, 2, 1)], None).await.unwrap_err();
        assert!(absent.help().unwrap().contains("sudo ifconfig lo0 alias 127.0.0.2 up"), "{absent}");
    }

    #[test]
    fn no_two_endpoints_share_an_address() {
        let mut addresses = all();
        assert_eq!(addresses.len(), 18);
        addresses.sort();
        addresses.dedup();
        assert_eq!(addresses.len(), 18);
    }
}
