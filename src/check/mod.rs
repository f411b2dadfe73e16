//! Pure judgements over a history: no runtime, no clock, no files.
//!
//! A checker answers for one guarantee (or a few that rest on the same evidence), on the whole cluster or node by
//! node. Given an empty, cut or unsuitable history it says `Unknown` and why.

mod judgement;

pub use judgement::{
    Checker, Claims, Count, EventRef, Evidence, Finding, Guarantee, Judgement, MAX_FINDINGS, Verdict, overall,
};
