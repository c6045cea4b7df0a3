//! Looking at a build: what has to be read for it is found out by looking, and read in one transaction.

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::error::Error;
use crate::host::Host;
use crate::projection::model::Stamp;
use crate::projection::shelf::{Lacks, Wants};
use crate::projection::{Build, BuildId, Shelf, keys};
use crate::storage::{Area, Found, Request, Storage, Then};

use super::super::Shared;
use super::{KnownModels, Whose};

/// Looks at pages, and notes down what it sees. It is done once nothing lacks, and may have to begin anew before.
pub(super) type Look = Box<dyn FnMut(&Build, &mut Shelf) -> Result<(), Lacks>>;

/// A look on its way.
struct Looking {
    models: Rc<RefCell<KnownModels>>,
    name: Rc<str>,
    whose: Whose,
    look: Look,
    /// The state of the build in which nothing lacked before anything was read.
    enough: Option<Stamp>,
    looked: Result<Option<Build>, Error>,
    /// The build of which a page is damaged, where one is.
    damaged: Option<BuildId>,
}

impl<S: Storage, H: Host> Shared<S, H> {
    /// Looks at a build of a model, has the pages read that lack, and looks again, until none does: in one transaction, so
    /// that it comes to an end whoever writes meanwhile, and what it concludes is of one state of the build, the one that is
    /// stored. `None` where there is no such build, or one that is damaged: then another one is begun in its place.
    pub(super) fn look_at_build<'a>(
        &'a self,
        name: &'a Rc<str>,
        whose: Whose,
        look: Look,
    ) -> LocalBoxFuture<'a, Result<Option<Build>, Error>> {
        async move {
            self.check_open()?;
            let models = Rc::clone(&self.models);
            models.borrow_mut().tidy();
            let looking = Looking {
                models,
                name: Rc::clone(name),
                whose,
                look,
                enough: None,
                looked: Ok(None),
                damaged: None,
            };
            let looking = Rc::new(RefCell::new(looking));
            let wants = looking.borrow_mut().begin();
            self.ask(request(&looking, wants)).await?;
            self.check_open()?;
            let (looked, damaged) = {
                let mut looking = looking.borrow_mut();
                (std::mem::replace(&mut looking.looked, Ok(None)), looking.damaged)
            };
            match damaged {
                Some(id) if self.check_writable().is_ok() => {
                    self.begin_in_place_of(name, id).await?;
                    Ok(None)
                }
                _ => looked,
            }
        }
        .boxed_local()
    }
}

/// Asks for the model, and with it for pages of a build.
fn request(looking: &Rc<RefCell<Looking>>, wants: Option<(BuildId, Wants)>) -> Request {
    let keys = vec![(Area::Documents, keys::model(&looking.borrow().name))];
    let pages = wants.as_ref().map_or_else(Vec::new, |(id, wants)| wants.requests(*id));
    let looking = Rc::clone(looking);
    let then = Then(Rc::new(move |found| {
        let lacking = looking.borrow_mut().go_on(wants.as_ref(), found)?;
        Some(request(&looking, Some(lacking)))
    }));
    Request { keys, pages, then: Some(then) }
}

impl Looking {
    /// What is known is most likely still so: it is looked at before that is found out. Gives what lacks.
    fn begin(&mut self) -> Option<(BuildId, Wants)> {
        let mut models = self.models.borrow_mut();
        let known = models.of(&self.name);
        let build = known.build(self.whose)?;
        let shelf = known.shelf(build.id);
        shelf.hold_to(build.stamp());
        if (self.look)(&build, shelf).is_ok() {
            self.enough = Some(build.stamp());
        }
        Some((build.id, shelf.take_wants()))
    }

    /// Looks at what was found, which is of one state of the build, all of it. Gives what lacks.
    fn go_on(&mut self, wants: Option<&(BuildId, Wants)>, found: &mut Found) -> Option<(BuildId, Wants)> {
        let mut models = self.models.borrow_mut();
        let known = models.of(&self.name);
        known.learn(found.values.pop().flatten());
        let build = known.build(self.whose);
        (self.looked, self.damaged) = (Ok(build.clone()), None);
        let build = build?;
        if self.enough.take() == Some(build.stamp()) {
            return None;
        }
        let shelf = known.shelf(build.id);
        shelf.hold_to(build.stamp());
        if let Some((_, wants)) = wants.filter(|(id, _)| *id == build.id)
            && let Err(corrupt) = shelf.take(build.id, wants, std::mem::take(&mut found.pages))
        {
            let place = [Area::Documents.name(), "/", &self.name].concat();
            self.damaged = Some(build.id);
            self.looked = Err(Error::corrupt_data(None, place, corrupt.to_string()));
            return None;
        }
        (self.look)(&build, shelf).is_err().then(|| (build.id, shelf.take_wants()))
    }
}
