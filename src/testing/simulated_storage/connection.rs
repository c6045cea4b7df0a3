//! The connection of a tab to a database, which can be lost, and before whose operations something can happen.

use std::cell::{Cell, RefCell};

#[derive(Default)]
pub(super) struct Connection {
    pub is_closed: Cell<bool>,
    /// How often it was lost.
    pub losses: Cell<u64>,
    pub under_way: Cell<u64>,
    fuse: RefCell<Option<Fuse>>,
}

/// What happens before an operation.
struct Fuse {
    /// How many operations are spared.
    spared: u64,
    action: Box<dyn FnOnce()>,
}

impl Connection {
    pub fn lose(&self) {
        self.losses.set(self.losses.get() + 1);
    }

    pub fn light_fuse(&self, spared: u64, action: Box<dyn FnOnce()>) {
        *self.fuse.borrow_mut() = Some(Fuse { spared, action });
    }

    pub fn put_fuse_out(&self) {
        self.fuse.take();
    }

    /// What is to happen before this operation.
    pub fn burn(&self) -> Option<Box<dyn FnOnce()>> {
        let mut fuse = self.fuse.borrow_mut();
        match fuse.as_mut()? {
            Fuse { spared: 0, .. } => Some(fuse.take()?.action),
            Fuse { spared, .. } => {
                *spared -= 1;
                None
            }
        }
    }
}
