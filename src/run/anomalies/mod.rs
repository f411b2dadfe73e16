//! Plays scripted interleavings on servers.
//!
//! No step rests on a time: the next one is sent when every other is answered, or is seen by the server itself to wait
//! for a session of the case. What a deadline ends is a failure of the lab, never a result.

mod actor;
mod campaign;
mod error;
mod hold;
mod look;
mod play;
mod scenery;
mod script;
mod settle;
mod stage;
mod topology;

pub use campaign::{Campaign, Wanted};
pub use error::PlayError;
pub use stage::{Rules, Slip, Stage};
pub use topology::{cluster, topology};
