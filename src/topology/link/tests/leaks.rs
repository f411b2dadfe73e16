//! Thousands of short connections leave nothing behind.

use std::fs;

use super::*;

const CONNECTIONS: u64 = 3000;

/// The descriptors of this process that are sockets of `port`, on either end. Other tests run at the same time, so they
/// cannot simply be counted.
#[cfg(target_os = "linux")]
fn descriptors(port: u16) -> usize {
    let port = format!(":{port:04X}");
    let table = fs::read_to_string("/proc/self/net/tcp").unwrap();
    let inodes: Vec<String> = table
        .lines()
        .filter_map(|line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let ours = columns[1].ends_with(&port) || columns[2].ends_with(&port);
            ours.then(|| format!("socket:[{}]", columns[9]))
        })
        .collect();
    let open = fs::read_dir("/proc/self/fd").unwrap();
    let sockets = open.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    sockets.filter(|socket| inodes.iter().any(|inode| socket.as_os_str() == inode.as_str())).count()
}

#[test]
#[cfg(target_os = "linux")]
fn short_connections_leave_no_descriptor_and_no_task() {
    run(async {
        let bench = Bench::new().await;
        let (link, target) = (bench.link.port(), bench.target.local_addr().unwrap().port());
        let kept = bench.pair().await;
        assert_eq!(
            (descriptors(link), descriptors(target)),
            (3, 3),
            "a listener and both ends of a connection"
        );
        for number in 0..CONNECTIONS {
            let (mut client, mut server) = {
                let client = connect(&bench.link).await;
                (client, bench.target.accept().await.unwrap().0)
            };
            client.write_all(b"ping").await.unwrap();
            assert_eq!(receive(&mut server, 4).await, b"ping");
            match number % 4 {
                // Both are closed, one after the other or at once; one resets; both do.
                0 => {
                    client.shutdown().await.unwrap();
                    assert_eq!(receive_all(&mut server).await, b"");
                }
                1 => {}
                2 => client.set_zero_linger().unwrap(),
                _ => {
                    client.set_zero_linger().unwrap();
                    server.set_zero_linger().unwrap();
                }
            }
        }
        let state = bench.until(|state| (state.established, state.waiting) == (1, 0)).await;
        assert_eq!((state.accepted, state.refused), (CONNECTIONS + 1, 0));
        assert_eq!((state.held.to_server, state.forwarded.to_server), (0, 4 * CONNECTIONS));
        assert_eq!((descriptors(link), descriptors(target)), (3, 3));
        drop(kept);
        bench.until(|state| state.established == 0).await;
        assert_eq!((descriptors(link), descriptors(target)), (1, 1));
    });
}
