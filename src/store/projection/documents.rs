//! Documents that are asked for, by their keys and by indexes.

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;
use std::rc::Rc;

use crate::error::Error;
use crate::host::Host;
use crate::limits;
use crate::projection::range::{EntryRange, walk};
use crate::projection::shelf::{Lacks, Shelf};
use crate::projection::{Build, Tree, index_key};
use crate::storage::Storage;

use super::super::Shared;
use super::{Find, FoundDocuments, Whose};

impl<S: Storage, H: Host> Shared<S, H> {
    /// `None` where there is no such build, or it has to be made anew.
    pub(in crate::store) async fn documents(
        &self,
        name: &Rc<str>,
        whose: Whose,
        keys: &[Rc<str>],
    ) -> Result<Option<Vec<Option<Rc<str>>>>, Error> {
        let (keys, documents) = (keys.to_vec(), Rc::new(RefCell::default()));
        let seen = Rc::clone(&documents);
        let look = Box::new(move |_: &Build, shelf: &mut Shelf| {
            *seen.borrow_mut() = documents_of(shelf, &keys)?;
            Ok(())
        });
        let looked = self.look_at_build(name, whose, look).await?;
        Ok(looked.map(|_| documents.take()))
    }

    /// `None` where the documents that answer have no such index, or have to be made anew.
    pub(in crate::store) async fn find_documents(
        &self,
        find: &Find,
    ) -> Result<Option<FoundDocuments>, Error> {
        limits::check("documents per answer", find.limit, limits::DOCUMENTS_PER_ANSWER_MAX)?;
        let (name, find, found) = (&find.name, find.clone(), Rc::new(RefCell::default()));
        let seen = Rc::clone(&found);
        let look = Box::new(move |build: &Build, shelf: &mut Shelf| {
            *seen.borrow_mut() = match TreeOf::index(build, find.index.as_deref()) {
                Some(tree) => Some(found_in(shelf, &tree, &find)?),
                None => None,
            };
            Ok(())
        });
        let Some(build) = self.look_at_build(name, Whose::Answering, look).await? else { return Ok(None) };
        let found: Option<(FoundDocuments, usize)> = found.take();
        // What an index names is there, unless a page of documents is gone.
        let Some((found, entry_count)) = found else { return Ok(None) };
        if found.rows.len() < entry_count && self.check_writable().is_ok() {
            self.begin_in_place_of(name, build.id).await?;
            return Ok(None);
        }
        Ok(Some(found))
    }

    /// `None` where the documents that answer have no such index, or have to be made anew.
    pub(in crate::store) async fn count_documents(&self, find: &Find) -> Result<Option<u64>, Error> {
        let (name, find, counted) = (&find.name, find.clone(), Rc::new(Cell::new(None)));
        let seen = Rc::clone(&counted);
        let look = Box::new(move |build: &Build, shelf: &mut Shelf| {
            seen.set(count_in(build, shelf, &find)?);
            Ok(())
        });
        let looked = self.look_at_build(name, Whose::Answering, look).await?;
        Ok(looked.and_then(|_| counted.get()))
    }
}

/// A tree, and how many values stand before the key of the document in its keys.
struct TreeOf {
    tree: Tree,
    value_count: usize,
}

impl TreeOf {
    fn index(build: &Build, text: Option<&str>) -> Option<Self> {
        let Some(text) = text else { return Some(Self { tree: Tree::DOCUMENTS, value_count: 0 }) };
        let indexes = &build.definition.indexes;
        let place = indexes.iter().position(|index| &*index.text == text)?;
        Some(Self { tree: Tree::of_index(place), value_count: indexes.get(place)?.value_count })
    }
}

/// The documents of these keys. What lacks of all of them is found out at once.
fn documents_of(shelf: &mut Shelf, keys: &[Rc<str>]) -> Result<Vec<Option<Rc<str>>>, Lacks> {
    let (mut documents, mut lacks) = (Vec::with_capacity(keys.len()), None);
    for key in keys {
        match shelf.covering(Tree::DOCUMENTS, key.as_bytes()) {
            Ok(held) => documents.push(held.page().find(key.as_bytes()).and_then(text_of)),
            Err(missing) => lacks = Some(missing),
        }
    }
    lacks.map_or(Ok(documents), Err)
}

/// What was found, and of how many entries.
fn found_in(shelf: &mut Shelf, tree: &TreeOf, find: &Find) -> Result<(FoundDocuments, usize), Lacks> {
    let (mut keys, mut documents, mut last, mut next) = (Vec::new(), Vec::new(), Vec::new(), None);
    walk(shelf, tree.tree, &find.range, &mut |entry, value| {
        if keys.len() == find.limit {
            next = Some(std::mem::take(&mut last));
            return ControlFlow::Break(());
        }
        // What is no key is no text, which the checksum of the page would have told.
        if let Some(key) = index_key::document_key(entry, tree.value_count).and_then(text_of) {
            keys.push(key);
            documents.push(text_of(value));
        }
        last.clear();
        last.extend(entry);
        ControlFlow::Continue(())
    })?;
    if tree.tree != Tree::DOCUMENTS {
        documents = documents_of(shelf, &keys)?;
    }
    let entry_count = keys.len();
    let rows = keys.into_iter().zip(documents).filter_map(|(key, document)| Some((key, document?))).collect();
    Ok((FoundDocuments { rows, next }, entry_count))
}

/// How many entries are in a range. `None` where there is no such index.
fn count_in(build: &Build, shelf: &mut Shelf, find: &Find) -> Result<Option<u64>, Lacks> {
    let Some(TreeOf { tree, .. }) = TreeOf::index(build, find.index.as_deref()) else { return Ok(None) };
    if tree == Tree::DOCUMENTS && find.range == EntryRange::within(&[], &[], None, find.range.direction) {
        return Ok(Some(build.document_count));
    }
    let mut count = 0;
    walk(shelf, tree, &find.range, &mut |_, _| {
        count += 1;
        ControlFlow::Continue(())
    })?;
    Ok(Some(count))
}

fn text_of(bytes: &[u8]) -> Option<Rc<str>> {
    str::from_utf8(bytes).ok().map(Rc::from)
}
