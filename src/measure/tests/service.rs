use super::*;

#[test]
fn a_crash_and_the_way_back() {
    let orders = "0-10 0 order = 1; 50-55 0 order ? lost; 60-61 10 order ! cannot; 90-95 10 order = 2; 96-97 10 order = 3; 91-92 5 stock = 1:9+1 o1 d1";
    let faults =
        "52-58 nemesis@primary crash = killed 7 processes; 59-85 nemesis@primary answer = after 26 ms";
    let figures = of(orders, "", faults);
    let [crash] = &figures.recoveries[..] else { panic!("{:?}", figures.recoveries) };
    assert_eq!((crash.action.as_str(), crash.node.as_str(), crash.healing), ("crash", "primary", false));
    assert_eq!((crash.invoked, crash.applied, crash.answered), (ms(52), Some(ms(58)), Some(ms(85))));
    assert_eq!(crash.detail, "killed 7 processes");
    // A commit, and not the read before it.
    assert_eq!((crash.first_success, crash.unavailable), (Some(ms(95)), Some(ms(85))));
}

#[test]
fn an_outage_is_seen_as_finely_as_somebody_asked() {
    let seen = |counter: &str| {
        let fault =
            of("", counter, "10-12 nemesis@primary kill = dead; 60-62 nemesis@replica-1 promote = done");
        (fault.recoveries[0].unavailable, fault.recoveries[0].resolution)
    };
    let before = "0-9 0 inc 1 = 1; 13-14 0 inc 1 ! cannot;";
    // Nobody asked from 9 to 13, and from 20 to 70.
    assert_eq!(
        seen(&format!("{before} 18-20 5 inc 1 ! cannot; 70-71 5 inc 1 = 2")),
        (Some(ms(62)), Some(ms(54)))
    );
    // Another client asked until 68, and one was waiting at 9.
    let closely = "8-66 7 inc 1 ? lost; 18-20 5 inc 1 ! cannot; 65-68 6 inc 1 ! cannot; 70-71 5 inc 1 = 2";
    assert_eq!(seen(&format!("{before} {closely}")), (Some(ms(62)), Some(ms(2))));
    // Who hangs on the old primary, and is told later, knows nothing of the new one; who is served later waited for it.
    let hung = "18-20 5 inc 1 ! cannot; 30-90 6 inc 1 ? lost; 70-71 5 inc 1 = 2";
    assert_eq!(seen(&format!("{before} {hung}")), (Some(ms(62)), Some(ms(54))));
    let served = "18-20 5 inc 1 ! cannot; 30-90 6 inc 1 = 3; 70-71 5 inc 1 = 2";
    assert_eq!(seen(&format!("{before} {served}")), (Some(ms(62)), Some(ms(4))));
    // Who was refused elsewhere knows nothing of the node that took over.
    let moved = "20-21 5@replica-1 inc 1 ! cannot; 66-67 5 inc 1 ! cannot; 70-71 5@replica-1 inc 1 = 2";
    assert_eq!(seen(&format!("{before} {moved}")), (Some(ms(62)), Some(ms(53))));
    // Reads are no attempts to write.
    assert_eq!(seen(&format!("{before} 68-69 6 own 1/0 = 1; 70-71 5 inc 1 = 2")).1, Some(ms(60)));
    // Never back: nothing was seen.
    assert_eq!(seen(&format!("{before} 70-71 5 inc 1 ! cannot")).1, None);
}

#[test]
fn who_hangs_on_a_paused_node_has_not_been_served_meanwhile() {
    let faults = "20-22 nemesis@primary pause = stopped; 60-61 nemesis@primary resume = goes on";
    let counter = "0-19 0 inc 1 = 1; 19-62 0 inc 1 = 2; 21-63 5 inc 1 = 3; 64-65 0 inc 1 = 4";
    let told: Vec<_> = of("", counter, faults)
        .recoveries
        .iter()
        .map(|of| (of.action.clone(), of.first_success, of.unavailable, of.resolution))
        .collect();
    let seen = |action: &str| (action.to_owned(), Some(ms(65)), Some(ms(43)), Some(ms(0)));
    assert_eq!(told, [seen("pause"), seen("resume")]);
    // A restart that is long over when it is seen to be.
    let counter = "0-19 0 inc 1 = 1; 25-26 0 inc 1 ! cannot; 49-50 0 inc 1 = 2; 64-65 0 inc 1 = 3";
    let restart = of("", counter, "20-60 nemesis@primary restart = up").recoveries.remove(0);
    assert_eq!((restart.first_success, restart.unavailable), (Some(ms(65)), Some(ms(31))));
}

#[test]
fn what_is_left_down_comes_back_with_its_start() {
    let counter = "0-1 0 inc 1 = 1; 2-3 5@replica-1 own 1/0 = 1; 20-21 5@replica-1 own 1/0 ! cannot; 70-71 5@replica-1 own 1/0 = 1; 90-99 0 inc 1 = 2";
    let faults = "10-12 nemesis@replica-1 kill = dead; 50-52 nemesis@replica-1 heal-start = up; 53-60 nemesis@replica-1 answer = yes";
    let figures = of("", counter, faults);
    let told: Vec<_> = figures
        .recoveries
        .iter()
        .map(|of| (of.action.as_str(), of.healing, of.answered, of.first_success, of.unavailable))
        .collect();
    assert_eq!(
        told,
        [
            ("kill", false, Some(ms(60)), Some(ms(71)), Some(ms(68))),
            ("start", true, Some(ms(60)), Some(ms(71)), Some(ms(68))),
        ]
    );
}

#[test]
fn what_did_not_happen_or_did_not_end() {
    let counter = "0-1 0 inc 1 = 1; 50-51 0 inc 1 = 2";
    let of = |faults| of("", counter, faults).recoveries.remove(0);
    let failed = of("10-12 nemesis@primary crash ! server");
    assert_eq!(
        (failed.applied, failed.first_success, failed.detail.as_str()),
        (None, None, "did not happen: server happened")
    );
    let unsure = of("10-12 nemesis@primary crash ? deadline");
    assert_eq!((unsure.applied, unsure.first_success), (None, Some(ms(51))));
    // The load is over: nobody asks any more.
    let down = of("60-62 nemesis@primary kill = dead");
    assert_eq!(
        (down.applied, down.answered, down.first_success, down.unavailable),
        (Some(ms(62)), None, None, None)
    );
    // The answer after the next fault is the next fault's.
    let twice = of(
        "10-12 nemesis@primary crash = a; 13-14 nemesis@primary crash = b; 15-20 nemesis@primary answer = c",
    );
    assert_eq!((twice.answered, twice.first_success), (None, None));
}

#[test]
fn a_fault_counts_until_the_next() {
    let told = |counter: &str, faults: &str| -> Vec<_> {
        let of = |of: Recovery| (of.first_success, of.unavailable, of.unavailable_is_bound);
        super::of("", counter, faults).recoveries.into_iter().map(of).collect()
    };
    let counter = "0-1 0 inc 1 = 1; 50-51 0 inc 1 = 2; 70-71 0 inc 1 = 3";
    let twice = "10-12 nemesis@primary crash = a; 20-22 nemesis@primary crash = b";
    // Together they are the time from 1 to 51.
    assert_eq!(told(counter, twice), [(None, Some(ms(19)), true), (Some(ms(51)), Some(ms(31)), false)]);
    let apart = "10-12 nemesis@primary crash = a; 60-62 nemesis@primary crash = b";
    assert_eq!(
        told(counter, apart),
        [(Some(ms(51)), Some(ms(50)), false), (Some(ms(71)), Some(ms(20)), false)]
    );
    // Down until after the load, which ends with the last invocation.
    let replica =
        "0-1 0 inc 1 = 1; 2-3 5@replica-1 own 1/0 = 1; 20-21 5@replica-1 own 1/0 ! cannot; 70-71 0 inc 1 = 2";
    assert_eq!(told(replica, "10-12 nemesis@replica-1 kill = dead"), [(None, Some(ms(67)), true)]);
    // Nobody ever asked it.
    assert_eq!(told(counter, "10-12 nemesis@replica-1 kill = dead"), [(None, None, false)]);
}

#[test]
fn who_waits_for_an_answer_is_not_served() {
    let gaps = |counter: &str| of("", counter, "").availability[0].gaps.clone();
    // A commit waits from 200 to 600 while the primary answers reads.
    let reads = "100-101 5 own 1/0 = 1; 300-301 5 own 1/0 = 1; 500-501 5 own 1/0 = 1";
    assert_eq!(
        gaps(&format!("0-1 0 inc 1 = 1; 200-600 0 inc 1 = 2; 610-611 0 inc 1 = 3; {reads}")),
        [window(200, 600)]
    );
    // It has no answer when the load ends.
    assert_eq!(gaps(&format!("0-1 0 inc 1 = 1; 200-600 0 inc 1 = 2; {reads}")), [window(200, 500)]);
    // Without writes there, its reads are its service.
    assert!(gaps(&format!("{reads}; 0-1 0@replica-1 inc 1 = 1")).is_empty());
}

#[test]
fn nobody_was_served() {
    let gaps = |counter: &str, node: &str| {
        let figures = of("", counter, "");
        let node = NodeName::new(node);
        figures.availability.into_iter().find(|of| of.node == node).map(|of| of.gaps)
    };
    let load = "0-1 0 inc 1 = 1; 999-1000 0 inc 1 = 2;";
    // Asked and not served from 10 to 300.
    let asked = "8-10 5@replica-1 own 1/0 = 1; 50-60 5@replica-1 own 1/0 ! cannot; 290-300 5@replica-1 own 1/0 = 1; 301-302 5@replica-1 own 1/0 = 1";
    assert_eq!(gaps(&format!("{load} {asked}"), "replica-1"), Some(vec![window(10, 300)]));
    // Nobody asked between 1 and 999 on the primary.
    assert_eq!(gaps(&format!("{load} {asked}"), "primary"), Some(vec![]));
    // Not back before the load's end; never there at all.
    let lost = "8-10 5@replica-1 own 1/0 = 1; 50-60 5@replica-1 own 1/0 ! cannot";
    assert_eq!(gaps(&format!("{load} {lost}"), "replica-1"), Some(vec![window(10, 999)]));
    assert_eq!(
        gaps(&format!("{load} 50-60 5@replica-1 own 1/0 ! cannot"), "replica-1"),
        Some(vec![window(0, 999)])
    );
    // Short, refused, or unknown.
    let short =
        "8-10 5@replica-1 own 1/0 = 1; 50-60 5@replica-1 own 1/0 ! cannot; 90-100 5@replica-1 own 1/0 = 1";
    assert_eq!(gaps(&format!("{load} {short}"), "replica-1"), Some(vec![]));
    assert_eq!(gaps(&format!("{load} 400-410 1 inc 1 ! refused"), "primary"), Some(vec![]));
    assert_eq!(gaps(&format!("{load} 400-410 1 inc 1 ? lost"), "primary"), Some(vec![window(1, 999)]));
    assert_eq!(gaps(load, "replica-2"), None);
}

#[test]
fn writes_and_reads_have_outages_of_their_own() {
    let told = |counter: &str, faults: &str| -> Vec<_> {
        let of = |of: Outage| (of.node.map(|node| node.to_string()), of.total, of.unended);
        super::of("", counter, faults).outages.into_iter().map(of).collect()
    };
    let (writer, node) = (None, |name: &str| Some(name.to_owned()));
    let load = "0-1 0 inc 1 = 1; 300-310 0 inc 1 ! cannot; 500-501 0 inc 1 = 2; 900-901 0 inc 1 = 3";
    let reads = "2-3 5 own 1/0 = 1; 298-299 5 own 1/0 = 1; 498-499 5 own 1/0 = 1; 700-701 5 own 1/0 ! cannot; 800-801 5 own 1/0 = 1; 2-3 6@replica-1 own 1/0 = 1; 600-601 6@replica-1 own 1/0 ! cannot";
    // The primary answers reads while it commits nothing, and has a gap of its own; the replica is gone for good.
    assert_eq!(
        told(&format!("{load}; {reads}"), ""),
        [
            (writer.clone(), ms(500), false),
            (node("primary"), ms(302), false),
            (node("replica-1"), ms(897), true),
        ]
    );
    // Writes are one service, wherever the primary is.
    let moved = "0-1 0 inc 1 = 1; 300-310 0 inc 1 ! cannot; 400-401 0@replica-1 inc 1 = 2; 450-451 0@replica-1 inc 1 = 3";
    let faults = "100-150 nemesis@replica-1 promote = up";
    assert_eq!(told(moved, faults), [(writer, ms(400), false)]);
    assert_eq!(told("5-6 5 own 1/0 = 1", ""), [(node("primary"), ms(0), false)]);
}
