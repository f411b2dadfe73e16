//! Tasks that are raced against each other: the same done in several ways, each task by one client, again where somebody
//! else was faster.

mod client;
mod retry;
mod subject;
mod task;

pub use client::BenchClient;
pub(in crate::workload) use retry::Tried;
pub use retry::{Effort, Policy};
pub use subject::{Left, Subject};
pub use task::{Crowd, Task, Tasks};
