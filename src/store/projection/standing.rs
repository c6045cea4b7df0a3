//! Beginning, claiming and clearing away builds.

use std::rc::Rc;

use crate::error::Error;
use crate::event::Position;
use crate::host::Host;
use crate::projection::{BuildId, Model, Token, keys};
use crate::storage::{Area, Direction, KeyRange, PageRequest, Storage};

use super::super::Shared;
use super::{Begin, Claim, Projection, Standing};

/// So many pages of a build that is gone are deleted at once.
const PAGES_PER_DELETION: usize = 64;

impl<S: Storage, H: Host> Shared<S, H> {
    pub(in crate::store) async fn project(
        &self,
        projection: &Projection,
        begin: Begin,
        changed_after: Option<Position>,
    ) -> Result<Standing, Error> {
        self.check_open()?;
        let Projection { name, definition } = projection;
        let id = BuildId(self.random_bytes());
        self.write_model(name, &mut |model| {
            let is_older = |build: &Option<_>| {
                build
                    .as_ref()
                    .is_some_and(|it: &crate::projection::Build| definition.version < it.definition.version)
            };
            let is_settled =
                model.build(definition).is_some() || is_older(&model.answering) || is_older(&model.coming);
            if begin == Begin::IfNew && is_settled {
                return false;
            }
            model.begin(id, definition.clone());
            true
        })
        .await?;
        Ok(self.standing_of(projection, changed_after))
    }

    /// Begins a build in the place of one that is damaged.
    pub(super) async fn begin_in_place_of(&self, name: &Rc<str>, damaged: BuildId) -> Result<(), Error> {
        let id = BuildId(self.random_bytes());
        self.write_model(name, &mut |model| model.begin_in_place_of(damaged, id)).await
    }

    pub(in crate::store) async fn standing(
        &self,
        projection: &Projection,
        changed_after: Option<Position>,
    ) -> Result<Standing, Error> {
        self.check_open()?;
        self.ask_model(&projection.name, Vec::new()).await?;
        Ok(self.standing_of(projection, changed_after))
    }

    fn standing_of(&self, projection: &Projection, changed_after: Option<Position>) -> Standing {
        let mut models = self.models.borrow_mut();
        let model = &models.of(&projection.name).model;
        let (answering, own) = (model.answering.as_ref(), model.build(&projection.definition));
        let changed = answering.zip(changed_after).and_then(|(build, after)| build.changed.since(after));
        Standing {
            build: answering.map(|build| build.id),
            answering: answering.map(|build| build.position),
            own: own.map(|build| build.position),
            is_answering: own.zip(answering).is_some_and(|(own, answering)| own.id == answering.id),
            changed,
        }
    }

    /// `None` where there is no build of the definition.
    pub(in crate::store) async fn claim(&self, projection: &Projection) -> Result<Option<Claim>, Error> {
        self.check_open()?;
        let Projection { name, definition } = projection;
        let token = Token(self.random_bytes());
        self.write_model(name, &mut |model| match model.build_mut(definition) {
            Some(build) => {
                build.token = token;
                true
            }
            None => false,
        })
        .await?;
        self.clear_away(projection).await?;
        let mut models = self.models.borrow_mut();
        let model = &models.of(name).model;
        let claim = model.build(definition).filter(|build| build.token == token).map(|build| Claim {
            token,
            position: build.position,
            is_answering: model.answering.as_ref().is_some_and(|it| it.id == build.id),
        });
        Ok(claim)
    }

    /// Deletes the pages of builds that are gone, a few at a time.
    pub(super) async fn clear_away(&self, projection: &Projection) -> Result<(), Error> {
        loop {
            let doomed = self.models.borrow_mut().of(&projection.name).model.doomed.first().copied();
            let Some(id) = doomed else { return Ok(()) };
            let page = PageRequest {
                area: Area::Documents,
                range: keys::pages_of(id),
                direction: Direction::Forwards,
                count_max: PAGES_PER_DELETION,
            };
            let mut found = self.ask_model(&projection.name, vec![page]).await?;
            let pages = found.pages.pop().unwrap_or_default();
            let (Some(first), Some(last)) = (pages.first(), pages.last()) else {
                self.write_model(&projection.name, &mut |model: &mut Model| {
                    let count = model.doomed.len();
                    model.doomed.retain(|doomed| *doomed != id);
                    model.doomed.len() < count
                })
                .await?;
                continue;
            };
            let range = KeyRange { from: Some(first.key.clone()), to: Some(last.key.clone()) };
            // Nothing has to be expected: what is doomed once is never written again, but by who has not noticed yet,
            // and is refused.
            self.put(Vec::new(), vec![(Area::Documents, range)], Vec::new()).await?;
            self.host.yield_now().await;
        }
    }

    fn random_bytes(&self) -> [u8; 8] {
        let mut bytes = [0; 8];
        self.host.random(&mut bytes);
        bytes
    }
}
