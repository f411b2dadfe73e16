//! What the figures mean beside those of the document that the bench grew out of, as far as its code shows it.

use crate::run::laps::Contest;
use crate::workload::bench::Subject;
use crate::workload::forum::Method;

/// Of accounts.
const SINGLE: [&str; 1] = [
    "Single object: the original compares the speed of the three levels and calls read committed and repeatable read \
     interchangeable, as they are about as fast. It does not look at what became of the updates. Here each one done adds 1 to \
     the versions, and the column lost says how many were undone by somebody who had read the same version: at read committed \
     whenever two met, at the other levels none. The levels are not interchangeable, and their speed is no reason to take one.",
];

/// Of comments.
const MULTIPLE: [&str; 1] = [
    "Multiple objects: the original did not compare the thread's total with its comments. At read committed every comment is \
     there (inserted) and the total, which each client writes as it has reckoned it, is behind by what stands under orphaned; at \
     repeatable read and serializable both agree, at the price of the retries.",
];

/// Of reactions, where the original's figures stand beside ours.
const REACTIONS: [&str; 8] = [
    "The original's \"throughput 424ms\" is none: it is the time of one whole test, and a shorter one may only have done less. As \
     rates its three are 236, 286 and 49 counted reactions a second. Ours are rates of acknowledged reactions.",
    "Its rows: the test that it shows reads the thread's total and counts no reactions, so its 100, 93 and 18 are totals as far \
     as can be seen, and what was orphaned there is not known. Here both are counted (total, inserted).",
    "Its time begins before 100 users are created one after the other and ends after the final read; ours is from the first \
     task's beginning to the last one's end, with accounts and connections made before.",
    "Its 100 users are goroutines that share a pool of connections, whose size its code does not set: pgx's own is the larger \
     of 4 and the number of CPUs. Here each client has a connection, so with 100 clients 100 \
     transactions do meet, and more of them give up; --clients 4 or 10 lets 100 users share as few as its pool may have had.",
    "Its compare and set: RetryMatchAndSet leaves its loop only on another error, never on success; a nil error, too, only \
     counts a round. So who succeeds goes on adding reactions until five rounds are over, and is then told ErrLimitRetry: every \
     user is. Its rows are not users, and 100 users make 500 rounds.",
    "So its 18 are 18 rounds that succeeded of 500, if no other error ended any. A round only fails when another one succeeded \
     between its read and its write, so that each success can make at most as many fail as there are other connections: 18 in \
     500 need at least 28 connections at work. The document does not say how many there were, nor whether there were other \
     errors. DeleteReaction runs after every mismatch, also that of a last round, and its own error is ignored.",
    "Its repeatable read: AtomicWithAutoRetry keeps the connection of each failed attempt until the last one has ended (defer), \
     so a user may hold six, and those who wait for one more wait for each other; after six attempts a user gives up, as 7 of \
     100 must have, or have met another error. Only an error of the statements is tried again, not that of the commit. Here a \
     retry uses the same connection, and 40001 of a commit is tried again as well.",
    "Here a compare and set that succeeded is done, one that was too slow takes its reaction back and begins again at most five \
     times (the original: five rounds in all), and who then gives up leaves no row.",
];

/// What belongs to `contests`.
pub(super) fn of(contests: &[Contest]) -> Vec<String> {
    let entries = || contests.iter().flat_map(|contest| &contest.entries);
    let has = |is: fn(Method) -> bool| {
        entries().any(|entry| matches!(entry.subject, Subject::Forum(method) if is(method)))
    };
    let mut remarks: Vec<&str> = Vec::new();
    if has(|method| matches!(method, Method::Account(_))) {
        remarks.extend(SINGLE);
    }
    if has(|method| matches!(method, Method::Comment(_))) {
        remarks.extend(MULTIPLE);
    }
    if entries().any(|entry| entry.original.is_some()) {
        remarks.extend(REACTIONS);
    }
    remarks.into_iter().map(str::to_owned).collect()
}
