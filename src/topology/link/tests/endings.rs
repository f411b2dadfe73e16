//! How connections end: half-closed, reset by a peer, reset by the link, refused.

use super::super::LinkClosed;
use super::super::connection::is_its_own_peer;
use super::*;

#[test]
fn a_half_close_is_forwarded_after_the_bytes_before_it() {
    for way in Direction::ALL {
        run(async {
            let bench = Bench::new().await;
            let (mut sender, mut receiver) = bench.ends(way).await;
            sender.write_all(&pattern(0, 200_000)).await.unwrap();
            sender.shutdown().await.unwrap();
            assert!(receive_all(&mut receiver).await == pattern(0, 200_000));
            // The other half lives on.
            receiver.write_all(b"answer").await.unwrap();
            assert_eq!(receive(&mut sender, 6).await, b"answer");
            assert_eq!(bench.link.state().await.unwrap().established, 1);
            receiver.shutdown().await.unwrap();
            assert_eq!(receive_all(&mut sender).await, b"");
            bench.until(|state| state.established == 0).await;
        });
    }
}

#[test]
fn the_end_of_a_stream_is_blocked_like_its_bytes() {
    for way in Direction::ALL {
        run(async {
            let bench = Bench::new().await;
            let (mut sender, receiver) = bench.ends(way).await;
            bench.block(way).await;
            sender.write_all(b"last words").await.unwrap();
            sender.shutdown().await.unwrap();
            bench.until(|state| *state.held.get(way) == 10).await;
            bench.marker().await;
            let mut receiver = silent(receiver);
            bench.open(way).await;
            assert_eq!(receive_all(&mut receiver).await, b"last words");
        });
    }
}

#[test]
fn a_reset_by_one_side_resets_the_other() {
    for way in Direction::ALL {
        run(async {
            let bench = Bench::new().await;
            let (mut sender, mut receiver) = bench.ends(way).await;
            sender.write_all(b"some").await.unwrap();
            assert_eq!(receive(&mut receiver, 4).await, b"some");
            sender.set_zero_linger().unwrap();
            drop(sender);
            assert_eq!(reset_after(&mut receiver).await, b"");
            bench.until(|state| state.established == 0).await;
        });
    }
}

#[test]
fn a_reset_by_one_side_does_not_pass_a_block() {
    for way in Direction::ALL {
        run(async {
            let bench = Bench::new().await;
            let (mut sender, receiver) = bench.ends(way).await;
            bench.block(way).await;
            sender.write_all(b"last words").await.unwrap();
            bench.until(|state| *state.held.get(way) == 10).await;
            sender.set_zero_linger().unwrap();
            drop(sender);
            bench.marker().await;
            // Nor is it noticed by sending to the one that is gone.
            let mut receiver = silent(receiver);
            for _ in 0..3 {
                receiver.write_all(b"anybody?").await.unwrap();
                bench.marker().await;
                receiver = silent(receiver);
            }
            bench.open(way).await;
            assert_eq!(reset_after(&mut receiver).await, b"last words");
            bench.until(|state| state.established == 0).await;
        });
    }
}

#[test]
fn the_last_words_of_a_server_that_resets_arrive() {
    run(async {
        let bench = Bench::new().await;
        let (mut client, mut server) = bench.pair().await;
        client.write_all(b"unread").await.unwrap();
        bench.until(|state| state.forwarded.to_server == 6).await;
        bench.block(ToClient).await;
        server.write_all(b"FATAL").await.unwrap();
        bench.until(|state| state.held.to_client == 5).await;
        // Closed with bytes unread: the system resets the connection.
        drop(server);
        client.write_all(b"more").await.unwrap();
        bench.until(|state| state.held.to_server == 0).await;
        bench.open(ToClient).await;
        assert_eq!(reset_after(&mut client).await, b"FATAL");
    });
}

#[test]
fn reset_ends_every_connection_on_both_sides() {
    run(async {
        let bench = Bench::new().await;
        assert_eq!(bench.link.reset().await, Ok(0));
        let mut pairs = Vec::new();
        for _ in 0..3 {
            pairs.push(bench.pair().await);
        }
        // Neither a block nor bytes on their way protect from it; they are lost.
        bench.block(ToServer).await;
        pairs[0].0.write_all(b"lost").await.unwrap();
        bench.until(|state| state.held.to_server == 4).await;
        let mut waiting = connect(&bench.link).await;
        bench.until(|state| state.waiting == 1).await;
        assert_eq!(bench.link.reset().await, Ok(4));
        let state = bench.link.state().await.unwrap();
        assert_eq!((state.established, state.waiting, state.held.to_server), (0, 0, 0));
        for (client, server) in &mut pairs {
            assert_eq!(reset_after(client).await, b"");
            assert_eq!(reset_after(server).await, b"");
        }
        assert_eq!(reset_after(&mut waiting).await, b"");
        bench.open(ToServer).await;
        let (mut client, mut server) = bench.pair().await;
        client.write_all(b"new").await.unwrap();
        assert_eq!(receive(&mut server, 3).await, b"new");
        assert_eq!(bench.link.state().await.unwrap().forwarded.to_server, 3);
    });
}

#[test]
fn a_target_that_refuses_is_a_reset_and_another_target_a_connection() {
    run(async {
        let Bench { links: _links, link, target } = Bench::new().await;
        drop(target);
        // On a busy machine the reset is there before the connection is seen to be made.
        match TcpStream::connect((Ipv4Addr::LOCALHOST, link.port())).await {
            Ok(mut client) => assert_eq!(reset_after(&mut client).await, b""),
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
        let state = until(&link, |state| (state.waiting, state.accepted) == (0, 1)).await;
        assert_eq!((state.accepted, state.refused, state.established), (1, 1, 0));

        let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        link.set_target(other.local_addr().unwrap().port()).await.unwrap();
        let mut client = connect(&link).await;
        let (mut server, _) = other.accept().await.unwrap();
        client.write_all(b"hello").await.unwrap();
        assert_eq!(receive(&mut server, 5).await, b"hello");
    });
}

#[test]
fn a_socket_that_met_itself_is_no_target() {
    run(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let own = socket.local_addr().unwrap();
        assert!(is_its_own_peer(&socket.connect(own).await.unwrap()));
        let bench = Bench::new().await;
        let (client, server) = bench.pair().await;
        assert!(!is_its_own_peer(&client) && !is_its_own_peer(&server));
    });
}

#[test]
fn dropping_closes_everything() {
    run(async {
        let bench = Bench::new().await;
        let (mut client, mut server) = bench.pair().await;
        let Bench { links, link, target } = bench;
        let address = (Ipv4Addr::LOCALHOST, link.port());
        let taken = links.open(link.port(), 1, 1).await.unwrap_err();
        assert_eq!(taken.kind(), ErrorKind::AddrInUse);
        let second = links.open(0, target.local_addr().unwrap().port(), 1).await.unwrap();
        drop(link);
        assert_eq!(reset_after(&mut client).await, b"");
        assert_eq!(reset_after(&mut server).await, b"");
        while TcpStream::connect(address).await.is_ok() {
            sleep(Duration::from_millis(2)).await;
        }

        let mut client = connect(&second).await;
        let (mut server, _) = target.accept().await.unwrap();
        until(&second, |state| state.established == 1).await;
        drop(links);
        // All of it is over by now.
        let refused = TcpStream::connect((Ipv4Addr::LOCALHOST, second.port())).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        assert_eq!(reset_after(&mut client).await, b"");
        assert_eq!(reset_after(&mut server).await, b"");
        assert_eq!(second.state().await, Err(LinkClosed));
        assert_eq!(second.reset().await, Err(LinkClosed));
    });
}
