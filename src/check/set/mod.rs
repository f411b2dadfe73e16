//! A set that only grows: nothing that was acknowledged is missing at the end, nothing is there that nobody inserted, and no
//! reader sees an element go (Jepsen's `set-full`).

mod kept;
mod ranges;
#[cfg(test)]
mod tests;
mod visible;

pub(super) use kept::Kept;
pub(super) use visible::Visible;

use crate::history::{Call, Outcome, SetOp, SetReply};
use ranges::Ranges;

/// What a read saw; `None` of anything else, and an error where it is no set.
fn elements(call: &Call<'_, SetOp>) -> Option<Result<Ranges, String>> {
    let Outcome::Ok { reply: SetReply::Elements(elements), .. } = &call.outcome else { return None };
    let wrong = || format!("the ranges that were read on {} do not ascend", call.node);
    Some(Ranges::read(elements).ok_or_else(wrong))
}
