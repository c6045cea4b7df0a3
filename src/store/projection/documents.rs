//! Documents that are asked for, by their keys and by indexes.

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
    /// `None` where there is no such build.
    pub(in crate::store) async fn documents(
        &self,
        name: &Rc<str>,
        whose: Whose,
        keys: &[Rc<str>],
    ) -> Result<Option<Vec<Option<Rc<str>>>>, Error> {
        let mut documents = Vec::new();
        let looked = self
            .look_at_build(name, whose, &mut |_, shelf| {
                documents = documents_of(shelf, keys)?;
                Ok(())
            })
            .await?;
        Ok(looked.map(|_| documents))
    }

    /// `None` where the documents that answer have no such index.
    pub(in crate::store) async fn find_documents(
        &self,
        find: &Find,
    ) -> Result<Option<FoundDocuments>, Error> {
        limits::check("documents per answer", find.limit, limits::DOCUMENTS_PER_ANSWER_MAX)?;
        let mut found = None;
        self.look_at_build(&find.name, Whose::Answering, &mut |build, shelf| {
            found = match TreeOf::index(build, find.index.as_deref()) {
                Some(tree) => Some(found_in(shelf, &tree, find)?),
                None => None,
            };
            Ok(())
        })
        .await?;
        Ok(found)
    }

    /// `None` where the documents that answer have no such index.
    pub(in crate::store) async fn count_documents(&self, find: &Find) -> Result<Option<u64>, Error> {
        let mut counted = None;
        let all = EntryRange::within(&[], &[], None, find.range.direction);
        self.look_at_build(&find.name, Whose::Answering, &mut |build, shelf| {
            let Some(TreeOf { tree, .. }) = TreeOf::index(build, find.index.as_deref()) else {
                counted = None;
                return Ok(());
            };
            let mut count = 0;
            if tree == Tree::DOCUMENTS && find.range == all {
                count = build.document_count;
            } else {
                walk(shelf, tree, &find.range, &mut |_, _| {
                    count += 1;
                    ControlFlow::Continue(())
                })?;
            }
            counted = Some(count);
            Ok(())
        })
        .await?;
        Ok(counted)
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

fn found_in(shelf: &mut Shelf, tree: &TreeOf, find: &Find) -> Result<FoundDocuments, Lacks> {
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
    let rows = keys.into_iter().zip(documents).filter_map(|(key, document)| Some((key, document?))).collect();
    Ok(FoundDocuments { rows, next })
}

fn text_of(bytes: &[u8]) -> Option<Rc<str>> {
    str::from_utf8(bytes).ok().map(Rc::from)
}
