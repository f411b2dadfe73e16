//! The only module that sees all stages: it makes a cluster, runs clients and nemesis against it, writes what
//! happened, and has it judged.

pub mod anomalies;
mod begin;
pub mod bench;
pub mod checker;
mod directory;
mod endpoints;
pub mod example;
mod execute;
mod facts;
mod finale;
mod gaps;
mod histories;
pub mod imported;
mod injector;
mod judge;
mod kept;
mod lab;
pub mod laps;
mod load;
mod machine;
mod manifest;
mod mark;
pub mod matrix;
mod nemesis;
mod parts;
mod place;
mod positions;
mod progress;
mod publish;
mod record;
mod running;
mod sampler;
mod samples;
mod set_up;
pub mod shrunk;
mod worker;

pub use begin::begin;
pub use directory::{FindError, RunDir};
pub use execute::{RunError, Watcher, execute};
pub use injector::{Injector, Witness};
pub use judge::{JudgeError, judge};
pub use lab::cpu_time;
pub use manifest::{Ended, Manifest, ManifestError};
pub use progress::{Outcomes, Progress};
pub use publish::publish;
