//! One way through a link, for all its connections.

use std::cell::{Cell, RefCell};

use tokio::time::Instant;

use super::Shape;
use super::wire::Wire;

/// The shape in force, and the wire that its bandwidth is measured on.
#[derive(Debug, Default)]
pub(super) struct Lane {
    shape: Cell<Shape>,
    version: Cell<u64>,
    wire: RefCell<Wire>,
}

impl Lane {
    pub(super) fn shape(&self) -> Shape {
        self.shape.get()
    }

    /// Grows with every change of the shape.
    pub(super) fn version(&self) -> u64 {
        self.version.get()
    }

    /// From now on, no byte passes under the old shape.
    pub(super) fn set(&self, shape: Shape) {
        self.shape.set(shape);
        self.version.set(self.version.get() + 1);
        self.wire.borrow_mut().clear();
    }

    /// Puts `bytes` on the wire; answers when it has taken the last of them.
    pub(super) fn take(&self, now: Instant, bytes: usize) -> Instant {
        self.wire.borrow_mut().take(now, bytes, self.shape().bandwidth)
    }
}
