//! Lanes: who did what when, one bar a transaction or call, and beside them the arrows of what came before what.
//!
//! ```text
//! values ([`Picture`]) ──▶ layout (places, all of them tested not to overlap) ──▶ SVG, in a page or alone
//! ```
//!
//! An arrow's kind is said by its word, its dashes and its colour.

mod draw;
mod layout;
mod scale;
#[cfg(test)]
mod tests;
mod text;

use crate::history::Nanos;

pub(super) use draw::{figure, standalone};
pub(super) use text::{shorten, shown};

/// The styles of pictures, for a page and for a file alone.
pub(super) const STYLE: &str = include_str!("picture.css");

/// What is drawn.
#[derive(Clone, Debug)]
pub(super) struct Picture {
    /// Its anchor: a name of letters, digits and dashes.
    pub id: String,
    /// What it shows.
    pub title: String,
    /// The same in a sentence; with a file alone, it stands above.
    pub about: String,
    /// What is to be seen, for those who do not see it.
    pub description: String,
    /// Whether the history tells of times; where not, bars have no length.
    pub is_timed: bool,
    /// The lanes.
    pub lanes: Vec<Lane>,
    /// The arrows.
    pub arrows: Vec<Arrow>,
    /// What the picture leaves out.
    pub note: Option<String>,
}

/// How what a lane shows has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Acknowledged.
    Acknowledged,
    /// Certainly without effect.
    Failed,
    /// It may have had an effect, and may still have one.
    Unknown,
}

/// One transaction or call.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    /// `T1`.
    pub name: String,
    /// Who ran it: lanes of a node stand together.
    pub process: u32,
    /// Where.
    pub node: String,
    /// When it was invoked.
    pub start: Nanos,
    /// When it completed.
    pub end: Nanos,
    /// How.
    pub ending: Ending,
    /// What it did, and whether that is what the picture is about.
    pub operations: Vec<(String, bool)>,
}

/// What an arrow says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A write after a write.
    Ww,
    /// A read of a write.
    Wr,
    /// A read that missed a write.
    Rw,
    /// A process's own order.
    Process,
    /// The order of real time.
    RealTime,
    /// Before, for no reason that can be shown.
    Before,
}

/// One thing came before another.
#[derive(Clone, Debug)]
pub(super) struct Arrow {
    /// The earlier lane's place in [`Picture::lanes`].
    pub from: usize,
    /// The later one's.
    pub to: usize,
    /// Why.
    pub kind: Kind,
    /// The same in a few letters: `rw x 1→2`.
    pub label: String,
    /// The same in a sentence.
    pub sentence: String,
}

impl Kind {
    /// The word that stands for it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Kind::Ww => "ww",
            Kind::Wr => "wr",
            Kind::Rw => "rw",
            Kind::Process => "process",
            Kind::RealTime => "realtime",
            Kind::Before => "before",
        }
    }

    /// What an arrow of the kind from one to another says.
    pub(super) fn meaning(self) -> &'static str {
        match self {
            Kind::Ww => "one wrote, and another wrote over it",
            Kind::Wr => "one wrote, and another saw it",
            Kind::Rw => "one did not yet see what another wrote",
            Kind::Process => "one process ran the one before the other",
            Kind::RealTime => "one was acknowledged before the other began",
            Kind::Before => "one comes before the other",
        }
    }
}
