//! Scripted interleavings of a few sessions, in which an isolation level or a replica shows what it allows.
//!
//! A [`Case`] is a file: its sessions, the order of their steps, by what the anomaly is recognised, what is expected at
//! each level, and what prevents it. Nothing here talks to a server: [`read`] makes a case of a text, [`Ending::of`] says
//! what a [`Transcript`] of it amounts to, and the [`catalogue`] is built in.

mod case;
mod catalogue;
mod ending;
mod file;
mod isolationtester;
mod placement;
mod problem;
pub mod replay;
mod transcript;

pub use case::{Action, Actor, Case, Needs, Place, Prevention, Seen, Sight, Step};
pub use catalogue::{SOURCES, catalogue, find};
pub use ending::{Ending, UnknownEnding};
pub use file::read;
pub use isolationtester::{Inexpressible, isolationtester};
pub use placement::Placement;
pub use problem::{CaseError, Problem};
pub use transcript::{Answer, Played, Seat, Transcript, Warning};
