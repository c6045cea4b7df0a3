//! What a tab knows of models, and the reading and writing of them.

use std::rc::Rc;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::error::Error;
use crate::host::Host;
use crate::projection::{Build, BuildId, Model, Shelf, keys};
use crate::storage::{Area, Found, Key, Request, Storage, Written};

use super::super::Shared;
use super::Whose;

/// So much of pages is kept in memory for all projections of a store, in bytes; after that, what was not used lately is
/// let go.
const SHELVES_BYTES_MAX: usize = 32 * 1024 * 1024;

/// The models that were looked at.
#[derive(Default)]
pub struct KnownModels(Vec<KnownModel>);

/// A model as it was read last.
pub struct KnownModel {
    name: Rc<str>,
    pub model: Model,
    /// As it is stored.
    pub bytes: Option<Vec<u8>>,
    shelves: Vec<(BuildId, Shelf)>,
}

impl KnownModels {
    pub fn of(&mut self, name: &Rc<str>) -> &mut KnownModel {
        let place = self.0.iter().position(|known| known.name == *name);
        let place = place.unwrap_or_else(|| {
            let (model, bytes, shelves) = (Model::default(), None, Vec::new());
            self.0.push(KnownModel { name: Rc::clone(name), model, bytes, shelves });
            self.0.len() - 1
        });
        &mut self.0[place]
    }

    /// Lets go of pages, where there are too many.
    pub fn tidy(&mut self) {
        let shelves = || self.0.iter().flat_map(|known| &known.shelves);
        let size_bytes: usize = shelves().map(|(_, shelf)| shelf.size_bytes()).sum();
        if SHELVES_BYTES_MAX < size_bytes {
            self.0.iter_mut().flat_map(|known| &mut known.shelves).for_each(|(_, shelf)| shelf.tidy());
        }
    }
}

impl KnownModel {
    /// Takes in what is stored of it. What cannot be read is as if it were not there: builds begin anew.
    pub fn learn(&mut self, bytes: Option<Vec<u8>>) {
        if self.bytes == bytes {
            return;
        }
        let key = keys::model(&self.name);
        let read = bytes.clone().and_then(|bytes| Model::from_bytes(&key, bytes).ok());
        self.become_of(read.unwrap_or_default(), bytes);
    }

    /// Takes note of what is stored now.
    pub fn become_of(&mut self, model: Model, bytes: Option<Vec<u8>>) {
        (self.model, self.bytes) = (model, bytes);
        let model = &self.model;
        let lives =
            |id: BuildId| [&model.answering, &model.coming].into_iter().flatten().any(|it| it.id == id);
        self.shelves.retain(|(id, _)| lives(*id));
    }

    /// The build that is meant.
    pub fn build(&self, whose: Whose) -> Option<Build> {
        match whose {
            Whose::Answering => self.model.answering.clone(),
            Whose::Own(token) => {
                let builds = [&self.model.coming, &self.model.answering];
                builds.into_iter().flatten().find(|build| build.token == token).cloned()
            }
        }
    }

    /// The pages of a build.
    pub fn shelf(&mut self, id: BuildId) -> &mut Shelf {
        let place = self.shelves.iter().position(|(known, _)| *known == id);
        let place = place.unwrap_or_else(|| {
            self.shelves.push((id, Shelf::default()));
            self.shelves.len() - 1
        });
        &mut self.shelves[place].1
    }
}

impl<S: Storage, H: Host> Shared<S, H> {
    /// Reads the model, and pages in the same transaction.
    pub(super) fn ask_model<'a>(
        &'a self,
        name: &'a Rc<str>,
        pages: Vec<crate::storage::PageRequest>,
    ) -> LocalBoxFuture<'a, Result<Found, Error>> {
        async move {
            let keys = vec![(Area::Documents, keys::model(name))];
            let mut found = self.ask(Request { keys, pages, then: None }).await?;
            self.check_open()?;
            self.models.borrow_mut().of(name).learn(found.values.pop().flatten());
            Ok(found)
        }
        .boxed_local()
    }

    /// Changes the model that is stored, as often as somebody else was faster. `change` says whether there is anything to
    /// change; it is given the model as it is.
    pub(super) fn write_model<'a>(
        &'a self,
        name: &'a Rc<str>,
        change: &'a mut dyn FnMut(&mut Model) -> bool,
    ) -> LocalBoxFuture<'a, Result<(), Error>> {
        async move {
            loop {
                self.ask_model(name, Vec::new()).await?;
                let (mut model, bytes) = {
                    let mut models = self.models.borrow_mut();
                    let known = models.of(name);
                    (known.model.clone(), known.bytes.clone())
                };
                if !change(&mut model) {
                    return Ok(());
                }
                self.check_writable()?;
                let written = self.put_model(name, model, bytes, Vec::new(), Vec::new()).await?;
                if written == Written::Yes {
                    return Ok(());
                }
            }
        }
        .boxed_local()
    }

    /// Writes a model in the place of what is expected there, and pages with it.
    pub(super) async fn put_model(
        &self,
        name: &Rc<str>,
        model: Model,
        expected: Option<Vec<u8>>,
        deletes: Vec<Key>,
        mut puts: Vec<(Area, Key, Vec<u8>)>,
    ) -> Result<Written, Error> {
        let key = keys::model(name);
        let bytes = model.to_bytes(&key);
        puts.push((Area::Documents, key.clone(), bytes.clone()));
        let expect = vec![(Area::Documents, key, expected)];
        let deletes = deletes.into_iter().map(|key| (Area::Documents, key.into())).collect();
        let written = self.put(expect, deletes, puts).await?;
        if written == Written::Yes {
            self.models.borrow_mut().of(name).become_of(model, Some(bytes));
        }
        Ok(written)
    }
}
