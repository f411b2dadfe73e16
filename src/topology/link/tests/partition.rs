//! Blocked ways: nothing arrives, nothing is refused, nothing is lost.

use super::super::line::HELD;
use super::*;

#[test]
fn an_open_link_lets_everything_through() {
    run(async {
        let bench = Bench::new().await;
        let (mut client, mut server) = bench.pair().await;
        let echo = async {
            let (mut read, mut write) = server.split();
            tokio::io::copy(&mut read, &mut write).await.unwrap();
            write.shutdown().await.unwrap();
        };
        let sent = pattern(0, 3_000_000);
        let (mut read, mut write) = client.split();
        let send = async {
            write.write_all(&sent).await.unwrap();
            write.shutdown().await.unwrap();
        };
        let mut back = Vec::new();
        let ((), (), count) = tokio::join!(echo, send, read.read_to_end(&mut back));
        assert_eq!(count.unwrap(), sent.len());
        assert!(back == sent);
        let state = bench.until(|state| state.established == 0).await;
        assert_eq!((state.forwarded.to_server, state.forwarded.to_client), (3_000_000, 3_000_000));
        assert_eq!((state.accepted, state.refused, state.waiting), (1, 0, 0));
    });
}

#[test]
fn a_blocked_way_delivers_nothing_until_it_is_open() {
    for way in Direction::ALL {
        run(async {
            let bench = Bench::new().await;
            let (mut sender, mut receiver) = bench.ends(way).await;
            sender.write_all(&pattern(0, 100)).await.unwrap();
            assert_eq!(receive(&mut receiver, 100).await, pattern(0, 100));

            bench.block(way).await;
            sender.write_all(&pattern(100, 1000)).await.unwrap();
            let state = bench.until(|state| *state.held.get(way) == 1000).await;
            assert!(state.shapes.get(way).blocked);
            assert_eq!((*state.forwarded.get(way), state.established), (100, 1));
            bench.marker().await;
            let mut receiver = silent(receiver);

            // The other way is open.
            receiver.write_all(b"still here").await.unwrap();
            assert_eq!(receive(&mut sender, 10).await, b"still here");
            bench.marker().await;
            let mut receiver = silent(receiver);

            sender.write_all(&pattern(1100, 50)).await.unwrap();
            bench.open(way).await;
            sender.write_all(&pattern(1150, 50)).await.unwrap();
            assert_eq!(receive(&mut receiver, 1100).await, pattern(100, 1100));
            let state = bench.link.state().await.unwrap();
            assert_eq!((*state.forwarded.get(way), *state.held.get(way)), (1200, 0));
        });
    }
}

#[test]
fn a_link_can_be_blocked_both_ways() {
    run(async {
        let bench = Bench::new().await;
        let (mut client, mut server) = bench.pair().await;
        for way in Direction::ALL {
            bench.block(way).await;
        }
        client.write_all(b"request").await.unwrap();
        server.write_all(b"notice").await.unwrap();
        let held = |state: &State| (state.held.to_server, state.held.to_client);
        bench.until(|state| held(state) == (7, 6)).await;
        bench.marker().await;
        let (mut client, mut server) = (silent(client), silent(server));
        bench.open(ToServer).await;
        assert_eq!(receive(&mut server, 7).await, b"request");
        bench.marker().await;
        client = silent(client);
        bench.open(ToClient).await;
        assert_eq!(receive(&mut client, 6).await, b"notice");
        assert_eq!(held(&bench.link.state().await.unwrap()), (0, 0));
    });
}

#[test]
fn a_new_connection_waits_while_either_way_is_blocked() {
    for way in Direction::ALL {
        run(async {
            let bench = Bench::new().await;
            bench.block(way).await;
            let mut client = connect(&bench.link).await;
            client.write_all(b"startup").await.unwrap();
            let state = bench.until(|state| state.held.to_server == 7).await;
            assert_eq!((state.established, state.waiting, state.forwarded.to_server), (0, 1, 0));
            assert_eq!(bench.link.probe(b"startup", Duration::from_secs(60)).await, Ok(Probe::Held));
            bench.marker().await;
            let mut client = silent(client);
            let target = bench.target.into_std().unwrap();
            assert_eq!(target.accept().unwrap_err().kind(), ErrorKind::WouldBlock);

            // The probe has to be forgotten first.
            until(&bench.link, |state| state.waiting == 1).await;
            bench.link.shape(way, Shape::default()).await.unwrap();
            let target = TcpListener::from_std(target).unwrap();
            let (mut server, _) = target.accept().await.unwrap();
            assert_eq!(receive(&mut server, 7).await, b"startup");
            server.write_all(b"welcome").await.unwrap();
            assert_eq!(receive(&mut client, 7).await, b"welcome");
        });
    }
}

#[test]
fn a_client_that_gave_up_waiting_never_reaches_the_target() {
    run(async {
        let bench = Bench::new().await;
        bench.block(ToClient).await;
        for _ in 0..5 {
            connect(&bench.link).await.write_all(b"gone").await.unwrap();
        }
        bench.until(|state| (state.accepted, state.waiting) == (5, 0)).await;
        bench.open(ToClient).await;
        let mut client = connect(&bench.link).await;
        client.write_all(b"here").await.unwrap();
        let (mut server, _) = bench.target.accept().await.unwrap();
        assert_eq!(receive(&mut server, 4).await, b"here");
    });
}

#[test]
fn a_full_link_holds_its_sender_up() {
    const MUCH: usize = 48 * 1024 * 1024;
    for way in Direction::ALL {
        run(async {
            let bench = Bench::new().await;
            let (mut sender, receiver) = bench.ends(way).await;
            bench.block(way).await;
            let sending = tokio::spawn(async move {
                let bytes = pattern(0, MUCH);
                sender.write_all(&bytes).await.unwrap();
                bytes
            });
            bench.until(|state| *state.held.get(way) == HELD as u64).await;
            bench.marker().await;
            let state = bench.link.state().await.unwrap();
            assert_eq!((*state.held.get(way), *state.forwarded.get(way)), (HELD as u64, 0));
            assert!(!sending.is_finished(), "the system's buffers are too large for this test");
            let mut receiver = silent(receiver);
            bench.open(way).await;
            let received = receive(&mut receiver, MUCH).await;
            assert!(received == sending.await.unwrap());
        });
    }
}

#[test]
fn a_probe_tells_an_answer_from_silence_and_from_a_refusal() {
    run(async {
        let bench = Bench::new().await;
        let patience = Duration::from_secs(60);
        let (probe, _) = tokio::join!(bench.link.probe(b"hello", patience), async {
            let (mut server, _) = bench.target.accept().await.unwrap();
            assert_eq!(receive(&mut server, 5).await, b"hello");
            server.write_all(b"!").await.unwrap();
            server
        });
        assert!(matches!(probe, Ok(Probe::Answered { after }) if after < patience));
        assert_eq!(bench.link.probe(b"hello", Duration::from_millis(30)).await, Ok(Probe::Silent));
        let Bench { links: _links, link, target } = bench;
        drop(target);
        assert_eq!(link.probe(b"hello", patience).await, Ok(Probe::Closed));
    });
}
