//! What went wrong, by kind.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::ErrorCount;
use super::load::{Ending, Sample};
use crate::history::{CauseClass, NodeName};

type Kind<'a> = (CauseClass, Option<&'a str>, &'static str, NodeName);

#[derive(Debug, Default)]
pub(super) struct Errors<'a> {
    by_kind: BTreeMap<Kind<'a>, (u64, u64, &'a str)>,
}

impl<'a> Errors<'a> {
    pub(super) fn add(&mut self, sample: &Sample<'a>) {
        let Some(cause) = sample.cause else { return };
        let kind = (cause.class, cause.sqlstate.as_deref(), sample.operation, sample.node);
        let (fail, info, _) = self.by_kind.entry(kind).or_insert((0, 0, &cause.message));
        *(if sample.ending == Ending::Info { info } else { fail }) += 1;
    }

    pub(super) fn figures(self) -> Vec<ErrorCount> {
        let count =
            |((class, sqlstate, operation, node), (fail, info, example)): (Kind<'_>, (u64, u64, &str))| {
                ErrorCount {
                    class,
                    sqlstate: sqlstate.map(str::to_owned),
                    operation: operation.to_owned(),
                    node,
                    fail,
                    info,
                    example: example.to_owned(),
                }
            };
        let mut errors: Vec<ErrorCount> = self.by_kind.into_iter().map(count).collect();
        errors.sort_by_key(|error| Reverse(error.fail + error.info));
        errors
    }
}
