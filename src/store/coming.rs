//! Reading early: what the next look will lack is asked for while nobody waits for it.

use std::rc::Rc;

use crate::answer::Answer;
use crate::error::Error;
use crate::host::Host;
use crate::storage::{Found, Storage};

use super::Shared;
use super::fetch::{Asked, Looked};
use super::view::{Held, Stop, View};

/// So many parts are kept that were read early, as they are stored: the blocks of a unit are fewer.
const EARLY_PARTS_MAX: usize = 640;

/// Parts that were asked for, and what was found of them as soon as it is there.
pub(super) struct Coming {
    pub asked: Asked,
    /// Whether they were asked for before anybody needed them.
    pub is_early: bool,
    pub found: Rc<Answer<Result<Found, Error>>>,
}

/// What was asked for early and not needed yet.
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
        let mut begun = Vec::with_capacity(lacking.len());
        let early = &mut self.early.borrow_mut().coming;
        for mut asked in lacking {
            if let Some(place) = early.iter().position(|coming| coming.asked.is_same(&asked)) {
                begun.push(early.swap_remove(place));
                continue;
            }
            let found = Rc::<Answer<_>>::default();
            let request = std::mem::take(&mut asked.request);
            // Whoever looks at a store has a handle to it.
            if let Some(shared) = self.own.upgrade() {
                let answer = Rc::clone(&found);
                self.host.spawn(async move { answer.give(shared.ask(request).await) });
            }
            begun.push(Coming { asked, is_early: false, found });
        }
        begun
    }

    /// Asks for what a look lacks, for one that comes later. It may be wrong: then the later look asks itself, and what
    /// nobody took up is forgotten when something else is asked for.
    #[inline(never)]
    pub(super) fn begin_early(&self, look: &mut dyn FnMut(&mut View<'_>) -> Result<(), Stop>) {
        let Ok(Looked::Lacks(lacking)) = self.look_once(&mut Held::default(), look) else { return };
        if lacking.iter().map(Asked::part_count).sum::<usize>() <= EARLY_PARTS_MAX {
            let mut begun = self.begin(lacking);
            begun.iter_mut().for_each(|coming| coming.is_early = true);
            self.early.borrow_mut().coming = begun;
        }
    }
}

#[cfg(test)]
mod tests;
