//! What a store knows of the layout of its log: the root, and going over from one to the next.

use std::rc::Rc;

use crate::host::Host;
use crate::index::Index;
use crate::layout::root::Root;
use crate::storage::{Head, Storage};

use super::Shared;

impl<S: Storage, H: Host> Shared<S, H> {
    /// The root under which the store reads: what units there are, and what they cover.
    pub(super) fn root(&self) -> Rc<Root> {
        Rc::clone(&self.root.borrow())
    }

    /// Goes over to a root that stands in the storage: a catch-up has read it, or a compaction of our own has
    /// written it. What was derived from records that its units cover is forgotten; and what was read of parts that it
    /// calls unread, or else a reader would believe that they can be read.
    pub(super) fn adopt_root(&self, root: Root) {
        if !root.unread.is_empty() {
            self.cache.borrow_mut().clear();
        }
        self.cache.borrow_mut().forget_covered(root.covered);
        self.index.borrow_mut().relayout(&root);
        *self.root.borrow_mut() = Rc::new(root);
    }

    /// Goes over to the root that was read with a head, from an index that knew the log up to `seen`. `false` where what
    /// is stored is not of use.
    pub(super) fn go_over(&self, seen: Head, head: Head, stored: Option<&[u8]>) -> bool {
        if head.position < seen.position {
            // The log is another one: what was derived holds no longer.
            *self.index.borrow_mut() = Index::default();
            self.cache.borrow_mut().clear();
            self.early.take();
        }
        let root = usable_root(head, stored);
        let is_usable = root.is_some();
        if let Some(root) = root {
            self.adopt_root(root);
        }
        is_usable
    }
}

/// The root under a head, where what is stored is of use. A log that was never compacted has none.
pub(super) fn usable_root(head: Head, stored: Option<&[u8]>) -> Option<Root> {
    match stored {
        Some(bytes) => Root::from_bytes(bytes).ok().filter(|root| root.layout == head.layout),
        None => (head.layout == 0).then(Root::default),
    }
}
