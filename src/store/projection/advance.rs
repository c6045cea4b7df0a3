//! Carrying a build on: pages that change, and the model with them, in one transaction.

use std::cell::RefCell;
use std::rc::Rc;

use crate::error::Error;
use crate::host::Host;
use crate::limits;
use crate::projection::changes::Changes;
use crate::projection::{Build, Page, Shelf, Tree, keys};
use crate::storage::{Area, Key, Storage, Written};

use super::super::Shared;
use super::super::catch_up::Slice;
use super::{Advance, Ready, Turn, Whose};

/// What becomes of a page.
struct Edit {
    tree: Tree,
    fence: Vec<u8>,
    pages: Vec<(Vec<u8>, Rc<Page>)>,
}

/// All that is written with the model.
#[derive(Default)]
struct Pages {
    edits: Vec<Edit>,
    deletes: Vec<Key>,
    puts: Vec<(Area, Key, Vec<u8>)>,
    /// How many documents came, less those that went.
    documents_gained: i64,
}

impl<S: Storage, H: Host> Shared<S, H> {
    pub(in crate::store) async fn advance(&self, advance: Advance) -> Result<Turn, Error> {
        self.check_writable()?;
        let Advance { projection, token, position, changed, changes, ready } = advance;
        for value in changes.iter().filter_map(|change| change.value.as_ref()) {
            limits::check("document bytes", value.len(), limits::DOCUMENT_BYTES_MAX)?;
        }
        let (changes, pages) = (Rc::new(Changes::new(changes)), Rc::new(RefCell::default()));
        let (looked_for, seen) = (Rc::clone(&changes), Rc::clone(&pages));
        let look = Box::new(move |_: &Build, shelf: &mut Shelf| {
            *seen.borrow_mut() = looked_for.pages(shelf)?;
            Ok(())
        });
        let looked = self.look_at_build(&projection.name, Whose::Own(token), look).await?;
        let Some(build) = looked else { return Ok(Turn::Lost) };
        let mut made = Pages::default();
        let mut slice = Slice::begin(&self.host);
        for change in pages.take() {
            let new = changes.apply(&change);
            made.add(&build, change.tree, change.fence, &change.page, new);
            slice.yield_when_over(&self.host).await;
        }
        self.check_writable()?;
        loop {
            let (mut model, expected) = {
                let mut models = self.models.borrow_mut();
                let known = models.of(&projection.name);
                (known.model.clone(), known.bytes.clone())
            };
            // Another build of the same model may have gone on meanwhile. This one must not.
            let own = [&mut model.coming, &mut model.answering].into_iter().flatten();
            let Some(own) = own.into_iter().find(|own| own.stamp() == build.stamp()) else {
                return Ok(Turn::Lost);
            };
            own.advance(
                position,
                &changed,
                build.document_count.saturating_add_signed(made.documents_gained),
            );
            let stamp = own.stamp();
            // What answers may have gone on meanwhile, and somebody may have waited for it: it is never taken back.
            let is_behind = model.answering.as_ref().is_some_and(|answering| position < answering.position);
            let is_coming = model.coming.as_ref().is_some_and(|coming| coming.id == build.id);
            if ready == Ready::Now && is_coming && !is_behind {
                model.take_over();
            }
            let (deletes, puts) = (made.deletes.clone(), made.puts.clone());
            if self.put_model(&projection.name, model, expected, deletes, puts).await? == Written::Yes {
                let mut models = self.models.borrow_mut();
                let shelf = models.of(&projection.name).shelf(build.id);
                if shelf.stamp() == Some(build.stamp()) {
                    for Edit { tree, fence, pages } in made.edits {
                        shelf.replace(tree, &fence, pages);
                    }
                    shelf.become_of(stamp);
                }
                return Ok(Turn::Done);
            }
            self.ask_model(&projection.name, Vec::new()).await?;
        }
    }
}

impl Pages {
    /// Takes note of what becomes of a page.
    fn add(&mut self, build: &Build, tree: Tree, fence: Vec<u8>, old: &Page, new: Vec<(Vec<u8>, Rc<Page>)>) {
        if tree == Tree::DOCUMENTS {
            let count: usize = new.iter().map(|(_, page)| page.len()).sum();
            self.documents_gained += count as i64 - old.len() as i64;
        }
        if new.is_empty() && !old.is_empty() {
            self.deletes.push(keys::page(build.id, tree, &fence));
        }
        for (fence, page) in &new {
            let key = keys::page(build.id, tree, fence);
            let bytes = page.to_bytes(&key);
            self.puts.push((Area::Documents, key, bytes));
        }
        self.edits.push(Edit { tree, fence, pages: new });
    }
}
