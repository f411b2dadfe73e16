//! Whether a counter holds what its clients were told: the verdict on one lap of a bench.
//!
//! With `a` increments acknowledged and `u` of unknown outcome, a counter that is right holds at least `a` and at most
//! `a + u`. Less is a loss, more was applied twice. Both bounds are sharp: nothing else can be told from the total.

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
    /// Whether `promise` was kept.
    pub fn judge(&self, promise: Promise) -> Balance {
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
        let increments = Increments { acknowledged, warned: 0, unknown, found: Some(found) };
        let balance = increments.judge(promise);
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
        let warned = Increments { acknowledged: 100, warned: 2, unknown: 0, found: Some(98) };
        assert_eq!(warned.judge(Promise::Kept).verdict, Verdict::Pass);
        assert_eq!(warned.judge(Promise::Kept).reason, "2 lost that the server had warned of");
        let more = Increments { found: Some(97), ..warned };
        assert_eq!((more.judge(Promise::Kept).verdict, more.judge(Promise::Kept).lost), (Verdict::Fail, 3));
    }

    #[test]
    fn without_evidence_nothing_is_said() {
        let unread = Increments { acknowledged: 5, ..Increments::default() };
        assert_eq!(unread.judge(Promise::Kept).verdict, Verdict::Unknown);
        assert_eq!(judge(0, 0, 0, Promise::Kept).0, Verdict::Unknown);
        assert_eq!(judge(0, 4, 2, Promise::Kept).0, Verdict::Unknown);
    }
}
