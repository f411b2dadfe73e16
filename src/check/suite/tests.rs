use super::*;
use crate::check::bench::{CALM, result};
use crate::check::{Guarantee, Verdict, overall};
use crate::history::CounterOp;

/// Panics, or forgets one of its guarantees.
struct Broken(Option<&'static str>);

impl Checker<CounterOp> for Broken {
    fn name(&self) -> &'static str {
        "broken"
    }

    fn guarantees(&self) -> &'static [Guarantee] {
        &[Guarantee::Durability, Guarantee::ReadYourWrites]
    }

    fn check(&self, evidence: &Evidence<'_, CounterOp>, claims: &Claims) -> Vec<Judgement> {
        match self.0 {
            Some(words) if words.len() > 5 => panic!("{}", words.to_owned()),
            Some(_) => panic!("short"),
            None => {
                let node = evidence.nodes.first().copied();
                let draft = Draft::new("broken", Guarantee::ReadYourWrites, node, evidence, claims);
                vec![draft.finish("looked")]
            }
        }
    }
}

fn judge(evidence: &Evidence<'_, CounterOp>, claims: &Claims, words: Option<&'static str>) -> Vec<Judgement> {
    run(&[&Broken(words), &crate::check::long_fork::LongFork], evidence, claims)
}

#[test]
fn a_crash_leaves_every_guarantee_unknown_and_the_other_checkers_alone() {
    for (answer, words) in [
        (
            CALM.judge_history(&history(), |e, c| judge(e, c, Some("index 7 out of range"))),
            "index 7 out of range",
        ),
        (CALM.judge_history(&history(), |e, c| judge(e, c, Some("x"))), "short"),
    ] {
        let names: Vec<_> = answer.iter().map(|one| (one.guarantee, result(one), one.claimed)).collect();
        assert_eq!(
            names,
            [
                (Guarantee::Durability, (Verdict::Unknown, 0), true),
                // Claimed on the primary only, and still not lost.
                (Guarantee::ReadYourWrites, (Verdict::Unknown, 0), true),
                (Guarantee::SnapshotOrder, (Verdict::Pass, 0), false),
            ]
        );
        assert_eq!(answer[0].summary, format!("not judged; unknown because the checker crashed: {words}"));
        assert_eq!(overall(&answer), Verdict::Unknown);
    }
}

#[test]
fn a_forgotten_guarantee_is_unknown() {
    let answer = CALM.judge_history(&history(), |e, c| judge(e, c, None));
    let durability = answer.iter().find(|one| one.guarantee == Guarantee::Durability).unwrap();
    assert_eq!(durability.summary, "not judged; unknown because the checker did not answer for it");
    assert_eq!(answer.len(), 3);
}

fn history() -> crate::history::History<CounterOp> {
    crate::history::notation::history("5 all = 1; 6 all = 2")
}

#[test]
fn a_claim_that_nothing_shows_is_unknown() {
    let claims = Claims {
        everywhere: [Guarantee::Durability, Guarantee::SnapshotOrder].into(),
        on_primary: [Guarantee::ReadYourWrites].into(),
        primary: None,
    };
    let judged = CALM.orders("0 order = 1; 9 ledger 0 = 1/0");
    let open = crate::check::unjudged(&judged, &claims);
    let named: Vec<Guarantee> = open.iter().map(|judgement| judgement.guarantee).collect();
    assert_eq!(named, [Guarantee::ReadYourWrites, Guarantee::SnapshotOrder]);
    assert_eq!(overall(&open), Verdict::Unknown);
}
