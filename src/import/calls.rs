//! Each process runs one operation at a time: which completion belongs to which invocation.

use rustc_hash::FxHashMap;

use super::error::{Fault, Place, Result};

/// What each process does.
#[derive(Debug)]
pub(super) struct Calls<T> {
    processes: FxHashMap<u32, Call<T>>,
}

#[derive(Debug)]
enum Call<T> {
    Open(Place, T),
    Over(Place),
}

impl<T> Default for Calls<T> {
    fn default() -> Calls<T> {
        Calls { processes: FxHashMap::default() }
    }
}

impl<T> Calls<T> {
    /// Whether `process` may invoke something now.
    pub(super) fn may_begin(&self, process: u32, place: Place) -> Result<()> {
        let Some(Call::Open(since, _)) = self.processes.get(&process) else { return Ok(()) };
        let message = format!(
            "process {process} invokes, but what it invoked in line {} has not completed",
            since.line
        );
        Fault::at(place, message)
    }

    pub(super) fn begin(&mut self, process: u32, place: Place, call: T) {
        self.processes.insert(process, Call::Open(place, call));
    }

    /// What `process` had invoked.
    pub(super) fn end(&mut self, process: u32, place: Place) -> Result<T> {
        let before = self.processes.insert(process, Call::Over(place));
        let last = match before {
            Some(Call::Open(_, call)) => return Ok(call),
            Some(Call::Over(last)) => format!("; its last operation completed in line {}", last.line),
            None => String::new(),
        };
        Fault::at(place, format!("process {process} completes what it has not invoked{last}"))
    }

    /// What never completed.
    pub(super) fn open(self) -> impl Iterator<Item = T> {
        self.processes.into_values().filter_map(|call| match call {
            Call::Open(_, call) => Some(call),
            Call::Over(_) => None,
        })
    }
}
