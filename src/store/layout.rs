//! What a store knows of the layout of its log: the root, and going over from one to the next.

use std::rc::Rc;

use crate::error::Error;
use crate::host::Host;
use crate::layout::keys::ROOT;
use crate::layout::root::Root;
use crate::storage::{Area, Direction, Found, Head, Key, KeyRange, PageRequest, Request, Storage};

use super::Shared;

impl<S: Storage, H: Host> Shared<S, H> {
    /// The root under which the store reads: what units there are, and what they cover.
    pub(super) fn root(&self) -> Rc<Root> {
        Rc::clone(&self.root.borrow())
    }

    /// Goes over to a root that stands in the storage: a catch-up has read it, or a compaction of our own has
    /// written it. What was derived from records that its units cover is forgotten.
    pub(super) fn adopt_root(&self, root: Root) {
        self.index.borrow_mut().relayout(&root);
        *self.root.borrow_mut() = Rc::new(root);
    }

    /// Reads the root of the newest layout, and goes over to it.
    pub(super) async fn reload_root(&self) -> Result<(), Error> {
        let keys = vec![(Area::Index, Key::text(ROOT))];
        let (range, direction) = (KeyRange::default(), Direction::Forwards);
        let first_of_units = PageRequest { area: Area::Units, range, direction, count_max: 1 };
        let Found { head, values, pages } = self.ask(Request { keys, pages: vec![first_of_units] }).await?;
        let stored = values.into_iter().flatten().next();
        let root = match usable_root(head, stored.as_deref()) {
            Ok(root) => root,
            Err(problem) => {
                // Where no unit was ever made, there is nothing that a root could name.
                if pages.iter().any(|units| !units.is_empty()) {
                    return Err(damaged_root(&problem));
                }
                Root { layout: head.layout, ..Root::default() }
            }
        };
        self.adopt_root(root);
        Ok(())
    }
}

/// The root under a head. A log that was never compacted has none. Errors: why what is stored is not of use.
fn usable_root(head: Head, stored: Option<&[u8]>) -> Result<Root, String> {
    let Some(bytes) = stored else {
        return if head.layout == 0 { Ok(Root::default()) } else { Err("the root is missing".to_owned()) };
    };
    match Root::from_bytes(bytes) {
        Ok(root) if root.layout == head.layout => Ok(root),
        Ok(root) => Err(format!("the root is of layout {}, and the head of {}", root.layout, head.layout)),
        Err(corrupt) => Err(corrupt.to_string()),
    }
}

fn damaged_root(problem: &str) -> Error {
    Error::corrupt_data(None, format!("{}/{ROOT}", Area::Index.name()), problem)
}
