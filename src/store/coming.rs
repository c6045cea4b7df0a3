//! Reading early: what the next look will lack is asked for while nobody waits for it.

use std::rc::Rc;

use crate::answer::Answer;
use crate::error::{Detail, Error};
use crate::host::Host;
use crate::storage::{Found, Storage};

use super::Shared;
use super::fetch::{Asked, Looked};
use super::view::{Held, Stop, View};

/// So many parts are kept that were read early, as they are stored: the blocks of a unit are fewer.
const EARLY_PARTS_MAX: usize = 320;

/// Parts that were asked for, and what was found of them as soon as it is there.
pub(super) struct Coming {
    pub asked: Asked,
    /// Whether they were asked for before anybody needed them.
    pub is_early: bool,
    pub found: Rc<Answer<Result<Found, Error>>>,
}

/// What was asked for early and not needed yet, the newest last.
#[derive(Default)]
pub(super) struct Early {
    coming: Vec<Coming>,
    /// Where the portion of the whole log begins that was asked for last, in the terms of its read.
    pub next: Option<u64>,
}

impl<S: Storage, H: Host> Shared<S, H> {
    /// Asks for parts, but for those that were asked for early. All of it is under way at once.
    #[inline(never)]
    pub(super) fn begin(&self, lacking: Vec<Asked>) -> Vec<Coming> {
        let early = &mut self.early.borrow_mut().coming;
        let begin = |mut asked: Asked| {
            if let Some(place) = early.iter().position(|coming| coming.asked.is_same(&asked)) {
                return early.remove(place);
            }
            let found = Rc::<Answer<_>>::default();
            let request = std::mem::take(&mut asked.request);
            match self.own.upgrade() {
                Some(shared) => {
                    let answer = Rc::clone(&found);
                    self.host.spawn(async move { answer.give(shared.ask(request).await) });
                }
                None => found.give(Err(Error::new(Detail::Closed))),
            }
            Coming { asked, is_early: false, found }
        };
        lacking.into_iter().map(begin).collect()
    }

    /// Asks for what a look lacks, for one that comes later.
    ///
    /// It may be wrong: then the later look asks itself, and what nobody takes up is forgotten when more is asked for.
    #[inline(never)]
    pub(super) fn begin_early(&self, look: &mut dyn FnMut(&mut View<'_>) -> Result<(), Stop>) {
        let Ok(Looked::Lacks(lacking)) = self.look_once(&mut Held::default(), look) else { return };
        let begun = self.begin(lacking);
        let early = &mut self.early.borrow_mut().coming;
        early.extend(begun.into_iter().map(|coming| Coming { is_early: true, ..coming }));
        let mut part_count: usize = early.iter().map(|coming| coming.asked.part_count()).sum();
        while EARLY_PARTS_MAX < part_count {
            part_count -= early.remove(0).asked.part_count();
        }
    }
}
