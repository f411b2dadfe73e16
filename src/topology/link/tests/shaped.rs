//! Latency, jitter and bandwidth, under a clock that moves only when everybody waits for it: times are exact.

use std::future::poll_fn;
use std::num::NonZeroU64;
use std::rc::Rc;

use tokio::io::{DuplexStream, duplex};
use tokio::task::{LocalSet, spawn_local};
use tokio::time::Instant;

use super::super::lane::Lane;
use super::super::line::Line;
use super::super::pump::Pump;
use super::*;

const MS: Duration = Duration::from_millis(1);

fn run_paused<T>(test: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().start_paused(true).build().unwrap();
    LocalSet::new().block_on(&runtime, test)
}

fn lane(shape: Shape) -> Rc<Lane> {
    let lane = Rc::new(Lane::default());
    lane.set(shape);
    lane
}

/// A direction of a connection: what is written to the first end comes out at the second.
fn pumped(lane: &Rc<Lane>, seed: u64) -> (DuplexStream, DuplexStream) {
    let ((sender, mut reader), (mut writer, receiver)) = (duplex(8 * 1024 * 1024), duplex(8 * 1024 * 1024));
    let mut pump = Pump::new(Line::new(seed, 0), Rc::clone(lane), Rc::default());
    spawn_local(async move { poll_fn(|cx| pump.poll(cx, &mut reader, &mut writer)).await });
    (sender, receiver)
}

fn kilobytes(rate: u64) -> Option<NonZeroU64> {
    NonZeroU64::new(rate * 1000)
}

/// When each of 300 numbered bytes arrives that are sent 3 ms apart, since the first was sent.
async fn arrivals(shape: Shape, seed: u64) -> Vec<Duration> {
    let (mut sender, mut receiver) = pumped(&lane(shape), seed);
    let begin = Instant::now();
    let send = async {
        for number in 0..300 {
            sender.write_u16(number).await.unwrap();
            sleep(3 * MS).await;
        }
    };
    let receive = async {
        let mut times = Vec::new();
        for number in 0..300 {
            assert_eq!(receiver.read_u16().await.unwrap(), number);
            times.push(begin.elapsed());
        }
        times
    };
    tokio::join!(send, receive).1
}

#[test]
fn latency_delays_each_byte_by_itself() {
    run_paused(async {
        let times = arrivals(Shape { latency: 250 * MS, ..Shape::default() }, 1).await;
        let expected: Vec<Duration> = (0..300).map(|number| (250 + 3 * number) * MS).collect();
        assert_eq!(times, expected);
        let none = arrivals(Shape::default(), 1).await;
        assert_eq!(none, (0..300).map(|number| 3 * number * MS).collect::<Vec<_>>());
    });
}

#[test]
fn jitter_keeps_order_and_stays_within_its_bounds() {
    run_paused(async {
        let shape = Shape { latency: 20 * MS, jitter: 40 * MS, ..Shape::default() };
        let times = arrivals(shape, 1).await;
        let delays: Vec<Duration> = (0..).zip(&times).map(|(number, time)| *time - 3 * number * MS).collect();
        assert!(delays.iter().all(|delay| (20 * MS..=61 * MS).contains(delay)), "{delays:?}");
        let distinct = delays.iter().collect::<std::collections::BTreeSet<_>>().len();
        assert!(distinct > 15, "{delays:?}");
        assert_eq!(times, arrivals(shape, 1).await, "a seed stands for a sequence");
        assert_ne!(times, arrivals(shape, 2).await);
    });
}

#[test]
fn bandwidth_is_exact_and_latency_adds_to_it() {
    run_paused(async {
        for (latency, jitter) in [(0, 0), (3000, 0)] {
            let (latency, jitter) = (latency * MS, jitter * MS);
            // Not a divisor of a second, so that a rounding error would add up.
            let shape = Shape { latency, jitter, bandwidth: NonZeroU64::new(70_007), ..Shape::default() };
            let (mut sender, mut receiver) = pumped(&lane(shape), 1);
            let begin = Instant::now();
            sender.write_all(&pattern(0, 7_000_700)).await.unwrap();
            let mut half = vec![0; 3_500_350];
            receiver.read_exact(&mut half).await.unwrap();
            assert!(half == pattern(0, 3_500_350));
            let middle = begin.elapsed() - latency;
            // Half of it is not the end of a packet: a packet more, at most, and the timer's millisecond.
            assert!((50_000 * MS..=50_022 * MS).contains(&middle), "{middle:?}");
            receiver.read_exact(&mut half).await.unwrap();
            assert!(half == pattern(3_500_350, 3_500_350));
            assert_eq!(begin.elapsed(), 100_000 * MS + latency);
        }
    });
}

#[test]
fn connections_share_the_bandwidth_evenly() {
    run_paused(async {
        let lane = lane(Shape { bandwidth: kilobytes(100), ..Shape::default() });
        let begin = Instant::now();
        let transfer = |seed| {
            let (mut sender, mut receiver) = pumped(&lane, seed);
            async move {
                sender.write_all(&pattern(0, 500_000)).await.unwrap();
                receiver.read_exact(&mut vec![0; 500_000]).await.unwrap();
                begin.elapsed()
            }
        };
        let (one, other) = tokio::join!(transfer(1), transfer(2));
        assert_eq!(one.max(other), 10_000 * MS);
        assert!(one.min(other) > 9_900 * MS, "{one:?} {other:?}");
        // One that has little to say does not wait for all that the other has.
        let (mut much, _much) = pumped(&lane, 3);
        much.write_all(&pattern(0, 500_000)).await.unwrap();
        sleep(1000 * MS).await;
        let (mut little, mut answer) = pumped(&lane, 4);
        let asked = Instant::now();
        little.write_all(b"?").await.unwrap();
        answer.read_u8().await.unwrap();
        assert!(asked.elapsed() < 100 * MS, "{:?}", asked.elapsed());
    });
}

#[test]
fn the_end_of_a_stream_is_under_way_too() {
    run_paused(async {
        let (mut sender, mut receiver) = pumped(&lane(Shape { latency: 70 * MS, ..Shape::default() }), 1);
        let begin = Instant::now();
        sender.write_all(b"bye").await.unwrap();
        sender.shutdown().await.unwrap();
        let mut all = Vec::new();
        receiver.read_to_end(&mut all).await.unwrap();
        assert_eq!((all.as_slice(), begin.elapsed()), (b"bye".as_slice(), 70 * MS));
    });
}

#[test]
fn a_shape_is_in_force_for_established_connections() {
    run(async {
        let bench = Bench::new().await;
        let (mut client, mut server) = bench.pair().await;
        let slow = Shape { latency: 40 * MS, ..Shape::default() };
        bench.link.shape(ToServer, slow).await.unwrap();
        bench.link.shape(ToClient, slow).await.unwrap();
        let begin = Instant::now();
        client.write_all(b"?").await.unwrap();
        server.read_u8().await.unwrap();
        assert!(begin.elapsed() >= 40 * MS);
        server.write_all(b"!").await.unwrap();
        client.read_u8().await.unwrap();
        assert!(begin.elapsed() >= 80 * MS);
        // Lifted, it does not hold back what was on its way under it.
        let slow = Shape { latency: Duration::from_secs(3600), ..Shape::default() };
        bench.link.shape(ToServer, slow).await.unwrap();
        client.write_all(b"?").await.unwrap();
        bench.until(|state| state.held.to_server == 1).await;
        bench.open(ToServer).await;
        assert_eq!(server.read_u8().await.unwrap(), b'?');
    });
}
