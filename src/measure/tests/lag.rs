use super::*;
use crate::lsn::Lsn;

/// A sample whose positions are `insert replayed replay_lag_ms`, each a number or `-`.
pub(super) fn sample(time: u64, state: LinkState, positions: &str) -> LagSample {
    let numbers: Vec<Option<u64>> = positions.split_whitespace().map(|word| word.parse().ok()).collect();
    let lsn = |place: usize| numbers.get(place).copied().flatten().and_then(Lsn::new);
    LagSample {
        time: ms(time),
        took: Nanos(0),
        node: NodeName::replica(1),
        state,
        insert: lsn(0),
        sent: lsn(1),
        written: lsn(1),
        flushed: lsn(1),
        replayed: lsn(1),
        write_lag: None,
        flush_lag: None,
        replay_lag: numbers.get(2).copied().flatten().map(ms),
    }
}

fn lag_of(samples: &[LagSample], counter: &str) -> LagFigures {
    let mut all = with_samples("", counter, "", samples, &[]).lag;
    assert_eq!(all.len(), 1);
    all.remove(0)
}

#[test]
fn bytes_and_time() {
    use LinkState::{Catchup, Disconnected, Streaming, Unknown};
    let lag = lag_of(
        &[
            sample(1, Streaming, "100 100 -"),
            sample(2, Streaming, "200 150 3"),
            sample(3, Catchup, "900 200 9"),
            // What a sample carries without a connection is old: the distance is to what was heard of last.
            sample(4, Disconnected, "5000 200 9"),
            sample(5, Disconnected, "5000 - -"),
            sample(6, Unknown, "- - -"),
            // A replica that replayed what the primary had inserted by the time of its answer is not behind.
            sample(7, Streaming, "900 950 -"),
        ],
        "",
    );
    assert_eq!((lag.samples, lag.disconnected, lag.unknown, lag.max_replay_bytes), (7, 2, 1, Some(4_800)));
    assert_eq!((lag.replay_time.count, lag.replay_time.max), (2, ms(9)));
    let replayed: Vec<_> = lag.points.iter().map(|point| point.replayed).collect();
    assert_eq!(replayed, [Some(0), Some(50), Some(700), None, None, None, Some(0)]);
    assert_eq!(lag.points[3].state, Disconnected);
    assert_eq!((lag.points[3].replay_lag, lag.unmeasured), (None, 0));
}

#[test]
fn a_replica_that_was_never_heard_of_is_unmeasured() {
    use LinkState::{Disconnected, Streaming};
    let samples = [
        sample(1, Disconnected, "5000 200 9"),
        sample(2, Streaming, "5000 4990 -"),
        sample(3, Disconnected, "- - -"),
    ];
    let of = |samples: &[LagSample]| {
        let lag = lag_of(samples, "");
        (lag.max_replay_bytes, lag.unmeasured)
    };
    assert_eq!([of(&samples), of(&samples[..1])], [(Some(10), 2), (None, 1)]);
}

#[test]
fn an_idle_replica_has_no_lag() {
    let lag = lag_of(
        &[sample(1, LinkState::Streaming, "100 100 -"), sample(2, LinkState::Streaming, "100 100 -")],
        "",
    );
    assert_eq!(
        (lag.max_replay_bytes, lag.replay_time.count, lag.visibility.count, lag.never_seen),
        (Some(0), 0, 0, None)
    );
}

#[test]
fn charts_keep_the_worst() {
    let samples: Vec<LagSample> = (0..5_000)
        .map(|n| {
            let state = if n == 1_234 { LinkState::Disconnected } else { LinkState::Streaming };
            sample(n, state, if n == 3_333 { "1000 1 77" } else { "1000 999 -" })
        })
        .collect();
    let lag = lag_of(&samples, "");
    assert_eq!((lag.samples, lag.points.len()), (5_000, 1_667));
    assert_eq!(lag.points.iter().filter_map(|point| point.replayed).max(), Some(999));
    assert_eq!(lag.points.iter().filter_map(|point| point.replay_lag).max(), Some(ms(77)));
    assert_eq!(lag.points.iter().filter(|point| point.state == LinkState::Disconnected).count(), 1);
    assert!(lag.points.windows(2).all(|pair| pair[0].time < pair[1].time));
}

/// Number of delays, the largest of them, and the number of increments never seen.
fn seen(counter: &str) -> (u64, Nanos, u64) {
    let lag = lag_of(&[sample(0, LinkState::Streaming, "1 1 -")], counter);
    assert_eq!(lag.never_seen, Some(lag.visibility.endless));
    (lag.visibility.count, lag.visibility.max, lag.visibility.endless)
}

/// The load goes on until here.
const LATER: &str = "80-90 7 inc 9 !";

#[test]
fn as_a_client_sees_it() {
    for (text, expected) in [
        ("0-10 0 inc 1 = 1; 11-15 5@replica-1 own 1/0 = 1", (1, ms(5), 0)),
        ("0-10 0 inc 1 = 1; 11-15 5@replica-1 all = 1", (1, ms(5), 0)),
        ("0-10 0 inc 1 = 1; 11-15 5@replica-1 own 1/0 = 0; 20-30 5@replica-1 own 1/0 = 1", (1, ms(20), 0)),
        // Any larger value shows it too.
        ("0-10 0 inc 1 = 1; 10-12 0 inc 1 = 2; 20-30 5@replica-1 own 1/0 = 2", (2, ms(20), 0)),
        // The replica was ahead of the client.
        ("0-10 0 inc 1 = 1; 2-5 5@replica-1 own 1/0 = 1", (1, ms(0), 0)),
        // The first to end, not the first to begin.
        ("0-10 0 inc 1 = 1; 11-40 5@replica-1 own 1/0 = 1; 20-30 6@replica-1 own 1/0 = 1", (1, ms(20), 0)),
        // Another key, a failed read, the primary.
        ("0-10 0 inc 1 = 1; 11-15 5@replica-1 own 2/0 = 7", (0, ms(0), 1)),
        ("0-10 0 inc 1 = 1; 11-15 5@replica-1 own 1/0 = 0; 16-17 5@replica-1 own 1/0 !", (0, ms(0), 1)),
        ("0-10 0 inc 1 = 1; 11-15 5 own 1/0 = 1", (0, ms(0), 1)),
        // A replica that answered nobody showed nothing.
        ("0-10 0 inc 1 = 1; 11-15 5@replica-1 own 1/0 !", (0, ms(0), 1)),
        // An unknown increment has no acknowledgement.
        ("0-10 0 inc 1 ?; 11-15 5@replica-1 own 1/0 = 1", (0, ms(0), 0)),
        // Lost and made again: what was seen is the second.
        ("0-10 0 inc 1 = 1; 50-60 1 inc 1 = 1; 61-65 5@replica-1 own 1/0 = 1", (1, ms(5), 1)),
    ] {
        assert_eq!(seen(&format!("{text}; {LATER}")), expected, "{text}");
    }
    // A final read is no measure of the replica.
    assert_eq!(
        seen(
            "0-10 0 inc 1 = 1; 11-15 5@replica-1 own 1/0 = 0; 11-20 0 inc 1 = 2; 500-501 9@replica-1 all = 2"
        ),
        (0, ms(0), 2)
    );
}

#[test]
fn delays_stand_at_the_time_of_their_acknowledgement() {
    let samples = [10, 20, 30].map(|time| sample(time, LinkState::Streaming, "1 1 -"));
    let lag = lag_of(
        &samples,
        "0-9 0 inc 1 = 1; 9-15 0 inc 1 = 2; 15-20 0 inc 1 = 3; 35-40 0 inc 1 = 4; 40-41 5@replica-1 own 1/0 = 3; 45-48 5@replica-1 own 1/0 = 4; 60-70 0 inc 2 = 1",
    );
    let delays: Vec<_> = lag.points.iter().map(|point| point.visibility).collect();
    assert_eq!(delays, [Some(ms(32)), Some(ms(26)), Some(ms(8))]);
    assert_eq!((lag.visibility.count, lag.never_seen), (4, Some(1)));
}
