//! Runs checkers so that none of them can take the others down.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::history::Operation;

use super::draft::Draft;
use super::{Checker, Claims, Evidence, Judgement};

/// The judgements of every checker. One that panics leaves each of its guarantees `Unknown`, with the panic's words.
pub(super) fn run<O: Operation>(
    checkers: &[&dyn Checker<O>],
    evidence: &Evidence<'_, O>,
    claims: &Claims,
) -> Vec<Judgement> {
    checkers.iter().flat_map(|checker| run_one(*checker, evidence, claims)).collect()
}

fn run_one<O: Operation>(
    checker: &dyn Checker<O>,
    evidence: &Evidence<'_, O>,
    claims: &Claims,
) -> Vec<Judgement> {
    let (mut judgements, reason) = match catch_unwind(AssertUnwindSafe(|| checker.check(evidence, claims))) {
        Ok(judgements) => (judgements, "the checker did not answer for it".to_owned()),
        Err(panic) => (Vec::new(), format!("the checker crashed: {}", words(panic.as_ref()))),
    };
    for &guarantee in checker.guarantees() {
        if judgements.iter().all(|judgement| judgement.guarantee != guarantee) {
            let mut draft = Draft::new(checker.name(), guarantee, None, evidence, claims);
            // A claim on one node only must not vanish with the crash either.
            draft.claim(claims.everywhere.contains(&guarantee) || claims.on_primary.contains(&guarantee));
            draft.doubt(reason.clone());
            judgements.push(draft.finish("not judged"));
        }
    }
    judgements
}

fn words(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|&words| words.to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "without a message".to_owned())
}

#[cfg(test)]
mod tests;
