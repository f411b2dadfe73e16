//! What a transaction of a run read.

use crate::history::{Call, Micro, Observed, Outcome, TxnOp, TxnReply};

/// Each key that was read, with what was seen of it; nothing where the transaction was not acknowledged.
pub(super) fn observed<'a>(call: &Call<'a, TxnOp>) -> impl Iterator<Item = (i64, &'a Observed)> {
    let reads = match &call.outcome {
        Outcome::Ok { reply: TxnReply::Committed(committed), .. } => committed.reads.as_slice(),
        Outcome::Ok { reply: TxnReply::Digest(_), .. } | Outcome::Fail(_) | Outcome::Info(_) => &[],
    };
    call.op.micros().iter().filter(|micro| micro.is_read()).map(Micro::key).zip(reads)
}
