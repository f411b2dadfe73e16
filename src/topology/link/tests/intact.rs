//! Whatever a link does to a stream, it is the same stream.

use std::num::NonZeroU64;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use tokio::time::Instant;

use super::super::lane::Lane;
use super::super::line::{End, Line};
use super::*;

fn shapes() -> impl Strategy<Value = Shape> {
    (any::<bool>(), 0..8_u64, 0..8_u64, option::of(200_000..50_000_000_u64)).prop_map(
        |(blocked, latency, jitter, bandwidth)| Shape {
            blocked,
            latency: Duration::from_millis(latency),
            jitter: Duration::from_millis(jitter),
            bandwidth: bandwidth.and_then(NonZeroU64::new),
        },
    )
}

#[derive(Clone, Debug)]
enum Step {
    Push(usize),
    Pass(u64),
    Take(usize),
    Shape(Shape),
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        (1..5000_usize).prop_map(Step::Push),
        (0..20_000_u64).prop_map(Step::Pass),
        (0..5000_usize).prop_map(Step::Take),
        shapes().prop_map(Step::Shape),
    ]
}

/// What is true of a line at any time.
fn check(line: &Line, lane: &Lane, now: Instant) {
    if lane.shape().blocked {
        assert!(line.ready().is_empty());
        assert_eq!((line.next(now, lane), line.ended(now)), (None, None));
    }
    assert!(line.next(now, lane).is_none_or(|at| at > now));
}

proptest! {
    #[test]
    fn a_line_under_any_shapes(steps in vec(steps(), 1..60), seed: u64) {
        let (lane, mut line, mut now) = (Lane::default(), Line::new(seed, 0), Instant::now());
        let (mut sent, mut received) = (0, Vec::new());
        for step in steps {
            match step {
                Step::Push(count) => {
                    let count = count.min(line.room());
                    line.push(&pattern(sent, count));
                    sent += count;
                }
                Step::Pass(micros) => now += Duration::from_micros(micros),
                Step::Take(most) => {
                    let count = line.ready().len().min(most);
                    received.extend_from_slice(&line.ready()[..count]);
                    line.delivered(count);
                }
                Step::Shape(shape) => lane.set(shape),
            }
            line.advance(now, &lane);
            check(&line, &lane, now);
            prop_assert_eq!(line.len(), sent - received.len());
        }
        line.finish(End::Fin);
        lane.set(Shape { blocked: false, ..lane.shape() });
        line.advance(now, &lane);
        while line.ended(now).is_none() {
            // Either something is ready, or the line says when.
            let ready = line.ready().to_vec();
            if ready.is_empty() {
                now = line.next(now, &lane).expect("the line does not forget what it holds");
            }
            received.extend_from_slice(&ready);
            line.delivered(ready.len());
            line.advance(now, &lane);
            check(&line, &lane, now);
        }
        prop_assert!(received == pattern(0, sent));
    }
}

/// Sends pieces and closes.
async fn send(stream: impl tokio::io::AsyncWrite, pieces: &[usize]) {
    let mut stream = std::pin::pin!(stream);
    let mut sent = 0;
    for piece in pieces {
        stream.write_all(&pattern(sent, *piece)).await.unwrap();
        sent += piece;
        tokio::task::yield_now().await;
    }
    stream.shutdown().await.unwrap();
}

async fn all(mut stream: impl tokio::io::AsyncRead + Unpin) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_connection_under_any_shapes(
        up in vec(1..40_000_usize, 0..20),
        down in vec(1..40_000_usize, 0..20),
        changes in vec((any::<bool>(), shapes()), 0..6),
    ) {
        run(async {
            let bench = Bench::new().await;
            let (mut client, mut server) = bench.pair().await;
            let (from_client, to_server) = client.split();
            let (from_server, to_client) = server.split();
            let change = async {
                for (is_up, shape) in &changes {
                    let way = if *is_up { ToServer } else { ToClient };
                    bench.link.shape(way, *shape).await.unwrap();
                    sleep(Duration::from_millis(2)).await;
                }
                for way in Direction::ALL {
                    bench.open(way).await;
                }
            };
            let (at_client, at_server, (), (), ()) =
                tokio::join!(all(from_client), all(from_server), send(to_server, &up), send(to_client, &down), change);
            assert!(at_server == pattern(0, up.iter().sum()));
            assert!(at_client == pattern(0, down.iter().sum()));
            bench.until(|state| state.established == 0).await;
        });
    }
}
