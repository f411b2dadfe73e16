//! When to do what to which node: schedules, pure and from a seed.
//!
//! A schedule is a value. It does not know how a node is crashed (`topology` does) nor what time it is (`run` does).

mod act;
pub mod catalogue;
mod conditions;
mod duration;
mod grammar;
mod impairment;
mod network;
mod profile;
mod random;
mod schedule;
mod standard;
mod target;

pub use act::{Act, Present};
pub use duration::{DurationSyntax, duration, format_duration};
pub use grammar::ScheduleSyntax;
pub use profile::Profile;
pub use schedule::{Schedule, ScheduleError, Stage, Step};
pub use target::Target;
