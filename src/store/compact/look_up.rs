//! Looking names up in the directory, past the caches of readers.

use crate::host::Host;
use crate::layout::directory::{Page, RunIndex, Summary};
use crate::layout::keys::RunRecord;
use crate::layout::root::RunInfo;
use crate::storage::{Area, Storage};

use super::{Compactor, Halt, damage_in};

/// So many pages are read at a time.
const PAGES_AT_ONCE: usize = 32;

impl<S: Storage, H: Host> Compactor<'_, S, H> {
    /// What these runs, which are in the order of their positions, know under each of these keys.
    pub(super) async fn look_up(
        &mut self,
        runs: &[RunInfo],
        keys: Vec<Vec<u8>>,
    ) -> Result<Vec<Option<Summary>>, Halt> {
        let mut found: Vec<Option<Summary>> = keys.iter().map(|_| None).collect();
        for run in runs {
            let damaged = |corrupt: Box<_>| damage_in(Area::Index, run.number.0, &corrupt);
            let key = RunRecord::Index.key(run.number);
            let index = self.read_keys(Area::Index, vec![(Area::Index, key)], run.number.0).await?;
            let index = index.first().map(Vec::as_slice).unwrap_or_default();
            let index = RunIndex::from_bytes(index).map_err(damaged)?;
            let pages: Vec<Option<u32>> = keys.iter().map(|key| index.page_of(key)).collect();
            let mut is_wanted = vec![false; index.page_count() as usize];
            pages.iter().flatten().for_each(|page| is_wanted[*page as usize] = true);
            let wanted: Vec<u32> = (0..index.page_count()).filter(|page| is_wanted[*page as usize]).collect();
            for numbers in wanted.chunks(PAGES_AT_ONCE) {
                let page_keys =
                    numbers.iter().map(|page| (Area::Index, RunRecord::Page(*page).key(run.number)));
                let stored = self.read_keys(Area::Index, page_keys.collect(), run.number.0).await?;
                for (number, bytes) in numbers.iter().zip(&stored) {
                    let page = Page::from_bytes(bytes).map_err(damaged)?;
                    for ((key, place), found) in keys.iter().zip(&pages).zip(&mut found) {
                        if *place != Some(*number) {
                            continue;
                        }
                        if let Some(newer) = page.find(key).map_err(damaged)? {
                            newer.add_to(found);
                        }
                    }
                }
                self.rest(None).await?;
            }
        }
        Ok(found)
    }
}
