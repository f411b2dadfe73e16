//! Whether a counter holds what its clients were told: the verdict on one lap of a bench.
//!
//! With `a` increments acknowledged and `u` of unknown outcome, a counter that is right holds at least `a` and at most
//! `a + u`. Less is a loss, more was applied twice. Both bounds are sharp: nothing else can be told from the total.
//!
//! Where each task leaves a row as well, the same bounds hold for the rows. Written in one transaction with the total,
//! there are exactly as many as it says, whatever is unknown; written apart from it there may be more.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Verdict;

/// What the clients know, and what was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Increments {
    /// Acknowledged.
    pub acknowledged: u64,
    /// Of these, with a warning that they may not last (a wait for a standby that was cancelled).
    pub warned: u64,
    /// Of unknown outcome.
    pub unknown: u64,
    /// What the counter held at the end; `None`: it could not be read.
    pub found: Option<i64>,
    /// Rows that were there at the end, where each task leaves one.
    pub rows: Option<i64>,
}

/// What is promised of acknowledged increments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Promise {
    /// None is lost.
    Kept,
    /// They may be lost when the server is, as the settings do not promise durability.
    NotDurable,
    /// They are lost whenever two clients meet: the method is there to show it.
    Loses,
}

/// What is promised of the rows that the tasks leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// They are written in the transaction that writes the total: there are as many as it says.
    Counted,
    /// The total may know less of them; of the acknowledged ones this is promised.
    Apart(Promise),
}

/// What became of the increments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Balance {
    /// Whether the promise was kept.
    pub verdict: Verdict,
    /// Acknowledged increments that are not there: at least so many, and exactly where no outcome is unknown.
    pub lost: u64,
    /// Increments that nobody asked for: at least so many, and exactly where no outcome is unknown.
    pub doubled: u64,
    /// Why, in a few words.
    pub reason: String,
}

impl Increments {
    /// Whether `promise` was kept, and what is promised of the rows, if there are any.
    pub fn judge(&self, promise: Promise, rows: Rows) -> Balance {
        let balance = self.judge_total(promise);
        let (Some(found), Some(there)) = (self.found, self.rows) else { return balance };
        match self.wrong_rows(found, there, rows) {
            Some(reason) if balance.verdict != Verdict::Fail => {
                Balance { verdict: Verdict::Fail, reason, ..balance }
            }
            None if balance.verdict == Verdict::Pass && promise == Promise::Kept && there > found => {
                Balance { reason: "as expected".to_owned(), ..balance }
            }
            _ => balance,
        }
    }

    /// What is wrong about the rows.
    fn wrong_rows(&self, found: i64, there: i64, rows: Rows) -> Option<String> {
        let (acknowledged, found, there) =
            (i128::from(self.acknowledged), i128::from(found), i128::from(there));
        let most = acknowledged + i128::from(self.unknown);
        if there < found {
            return Some(format!("{} counted that are not there", found - there));
        }
        let least = acknowledged - i128::from(self.warned);
        match rows {
            Rows::Counted if there > found => Some(format!("{} there that nobody counted", there - found)),
            Rows::Apart(Promise::Kept) if there < least => {
                Some(format!("{} lost, by their rows", acknowledged - there))
            }
            // A row that was taken back may come back where commits get lost.
            Rows::Apart(Promise::Kept) if there > most => {
                Some(format!("{} there that nobody asked for", there - most))
            }
            Rows::Counted | Rows::Apart(_) => None,
        }
    }

    fn judge_total(&self, promise: Promise) -> Balance {
        let Some(found) = self.found else {
            return Balance::unknown("the counter could not be read at the end");
        };
        let (acknowledged, found) = (i128::from(self.acknowledged), i128::from(found));
        let most = acknowledged + i128::from(self.unknown);
        let difference = |more: i128, less: i128| u64::try_from((more - less).max(0)).unwrap_or(u64::MAX);
        let (lost, doubled) = (difference(acknowledged, found), difference(found, most));
        // Of those that came with a warning none was promised to last.
        let broken = difference(acknowledged - i128::from(self.warned), found);
        if self.acknowledged == 0 && doubled == 0 {
            return Balance::unknown("nothing was acknowledged");
        }
        let (verdict, reason) = match promise {
            _ if doubled > 0 => (Verdict::Fail, format!("{doubled} applied that nobody asked for")),
            Promise::Kept if broken > 0 => (Verdict::Fail, format!("{lost} lost")),
            Promise::Kept if lost > 0 => {
                (Verdict::Pass, format!("{lost} lost that the server had warned of"))
            }
            Promise::NotDurable if lost > 0 => {
                (Verdict::Pass, format!("{lost} lost, where durability is not claimed"))
            }
            Promise::Loses if lost > 0 => (Verdict::Pass, "as expected".to_owned()),
            Promise::Loses => (Verdict::Pass, "none lost this time".to_owned()),
            Promise::Kept | Promise::NotDurable if self.unknown > 0 => (Verdict::Pass, "in range".to_owned()),
            Promise::Kept | Promise::NotDurable => (Verdict::Pass, "exact".to_owned()),
        };
        Balance { verdict, lost, doubled, reason }
    }
}

impl Balance {
    fn unknown(why: &str) -> Balance {
        Balance { verdict: Verdict::Unknown, lost: 0, doubled: 0, reason: why.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(acknowledged: u64, unknown: u64, found: i64, promise: Promise) -> (Verdict, u64, u64) {
        let increments = Increments { acknowledged, unknown, found: Some(found), ..Increments::default() };
        let balance = increments.judge(promise, Rows::Counted);
        (balance.verdict, balance.lost, balance.doubled)
    }

    #[test]
    fn a_safe_method_is_exact() {
        use Promise::Kept;
        assert_eq!(judge(100, 0, 100, Kept), (Verdict::Pass, 0, 0));
        assert_eq!(judge(100, 0, 99, Kept), (Verdict::Fail, 1, 0));
        assert_eq!(judge(100, 0, 101, Kept), (Verdict::Fail, 0, 1));
        assert_eq!(judge(100, 0, -5, Kept), (Verdict::Fail, 105, 0));
    }

    #[test]
    fn what_is_unknown_may_have_happened_or_not() {
        for found in 100..=103 {
            assert_eq!(judge(100, 3, found, Promise::Kept), (Verdict::Pass, 0, 0));
        }
        assert_eq!(judge(100, 3, 99, Promise::Kept), (Verdict::Fail, 1, 0));
        assert_eq!(judge(100, 3, 104, Promise::Kept), (Verdict::Fail, 0, 1));
        assert_eq!(judge(0, 3, 4, Promise::Kept), (Verdict::Fail, 0, 1));
    }

    #[test]
    fn a_loss_is_no_violation_where_it_is_not_promised_away() {
        assert_eq!(judge(100, 0, 40, Promise::Loses), (Verdict::Pass, 60, 0));
        assert_eq!(judge(100, 0, 100, Promise::Loses), (Verdict::Pass, 0, 0));
        assert_eq!(judge(100, 0, 40, Promise::NotDurable), (Verdict::Pass, 60, 0));
        for promise in [Promise::Loses, Promise::NotDurable] {
            assert_eq!(judge(100, 0, 101, promise), (Verdict::Fail, 0, 1), "doubling is never promised");
        }
    }

    #[test]
    fn what_came_with_a_warning_may_be_lost() {
        let warned = Increments { acknowledged: 100, warned: 2, unknown: 0, found: Some(98), rows: Some(98) };
        let balance = warned.judge(Promise::Kept, Rows::Counted);
        assert_eq!(balance.verdict, Verdict::Pass);
        assert_eq!(balance.reason, "2 lost that the server had warned of");
        assert_eq!(warned.judge(Promise::Kept, Rows::Apart(Promise::Kept)).verdict, Verdict::Pass);
        let more = Increments { found: Some(97), rows: Some(97), ..warned };
        let balance = more.judge(Promise::Kept, Rows::Counted);
        assert_eq!((balance.verdict, balance.lost), (Verdict::Fail, 3));
    }

    #[test]
    fn without_evidence_nothing_is_said() {
        let unread = Increments { acknowledged: 5, ..Increments::default() };
        assert_eq!(unread.judge(Promise::Kept, Rows::Counted).verdict, Verdict::Unknown);
        assert_eq!(judge(0, 0, 0, Promise::Kept).0, Verdict::Unknown);
        assert_eq!(judge(0, 4, 2, Promise::Kept).0, Verdict::Unknown);
    }

    /// Verdict and reason for 100 acknowledged and 3 unknown tasks.
    fn rows(found: i64, there: i64, promise: Promise, rows: Rows) -> (Verdict, String) {
        let (found, there) = (Some(found), Some(there));
        let increments = Increments { acknowledged: 100, unknown: 3, warned: 0, found, rows: there };
        let balance = increments.judge(promise, rows);
        (balance.verdict, balance.reason)
    }

    #[test]
    fn rows_of_the_same_transaction_are_as_many_as_were_counted() {
        use Promise::{Kept, NotDurable};
        for found in 100..=103 {
            assert_eq!(rows(found, found, Kept, Rows::Counted).0, Verdict::Pass);
        }
        let wrong = |reason: &str| (Verdict::Fail, reason.to_owned());
        assert_eq!(rows(100, 101, Kept, Rows::Counted), wrong("1 there that nobody counted"));
        assert_eq!(rows(102, 101, Kept, Rows::Counted), wrong("1 counted that are not there"));
        assert_eq!(rows(99, 99, Kept, Rows::Counted), wrong("1 lost"));
        assert_eq!(rows(104, 104, Kept, Rows::Counted), wrong("1 applied that nobody asked for"));
        // What a crash takes with it, it takes with both.
        assert_eq!(rows(40, 40, NotDurable, Rows::Counted).0, Verdict::Pass);
        assert_eq!(rows(40, 41, NotDurable, Rows::Counted), wrong("1 there that nobody counted"));
    }

    #[test]
    fn rows_beside_the_total_may_be_orphaned_and_are_bounded_all_the_same() {
        use Promise::{Kept, Loses, NotDurable};
        let wrong = |reason: &str| (Verdict::Fail, reason.to_owned());
        let apart = Rows::Apart(Kept);
        assert_eq!(rows(100, 103, Kept, apart), (Verdict::Pass, "as expected".to_owned()));
        assert_eq!(rows(100, 100, Kept, apart).0, Verdict::Pass);
        assert_eq!(rows(100, 104, Kept, apart), wrong("1 there that nobody asked for"));
        assert_eq!(rows(103, 102, Kept, apart), wrong("1 counted that are not there"));
        // A total that is meant to lose excuses no row.
        assert_eq!(rows(40, 100, Loses, apart), (Verdict::Pass, "as expected".to_owned()));
        assert_eq!(rows(40, 99, Loses, apart), wrong("1 lost, by their rows"));
        assert_eq!(rows(40, 104, Loses, apart), wrong("1 there that nobody asked for"));
        for there in [50, 99, 104] {
            assert_eq!(rows(40, there, Loses, Rows::Apart(NotDurable)).0, Verdict::Pass);
        }
        assert_eq!(rows(40, 39, Loses, Rows::Apart(NotDurable)), wrong("1 counted that are not there"));
    }

    #[test]
    fn rows_count_where_nothing_was_acknowledged() {
        let nothing = Increments { unknown: 2, found: Some(0), rows: Some(0), ..Increments::default() };
        assert_eq!(nothing.judge(Promise::Kept, Rows::Counted).verdict, Verdict::Unknown);
        let torn = Increments { rows: Some(1), ..nothing };
        assert_eq!(torn.judge(Promise::Kept, Rows::Counted).verdict, Verdict::Fail);
        assert_eq!(torn.judge(Promise::Kept, Rows::Apart(Promise::Kept)).verdict, Verdict::Unknown);
    }
}
