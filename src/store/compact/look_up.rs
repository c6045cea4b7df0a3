//! What the directory says, as of the root that a compaction works on.

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::event::{Fact, Revision, StreamName};
use crate::host::Host;
use crate::index::plan::Source;
use crate::layout::directory::{Kind, Summary, key};
use crate::layout::root::Root;
use crate::layout::{BlockAddress, StreamSummary};
use crate::storage::Storage;
use crate::store::parts::Part;
use crate::store::view::{Stop, View};
use crate::table::Table;

use super::erasure::{Erasure, FactsWork, Hidden};
use super::work::Desk;
use super::{Compactor, Halt, Stored};

/// So many streams are looked up at a time.
pub(super) const STREAMS_AT_ONCE: usize = 64;
/// So many blocks that hold facts are read at a time.
const BLOCKS_AT_ONCE: usize = 64;
/// So many streams that have facts may be known of which nobody has looked whether anything hidden is left of them; and
/// twice as many as those of which there is.
const STREAMS_UNSEEN_MAX: usize = 4_096;

impl<'a, S: Storage, H: Host> Compactor<'a, S, H> {
    /// What facts say that stand in this unit or a later one. The directory knows the blocks that hold facts: mostly
    /// none.
    pub(super) fn erasure_of<'b>(
        &'b mut self,
        stored: &'b Stored,
        first_unit: usize,
    ) -> LocalBoxFuture<'b, Result<Erasure, Halt>> {
        async move {
            let mut parts = Vec::new();
            self.look(&mut |view| {
                parts = blocks_of_facts(view, first_unit)?;
                Ok(())
            })
            .await?;
            let (mut erasure, mut hiding_count) = (Erasure::default(), 0);
            for some in parts.chunks(BLOCKS_AT_ONCE) {
                let mut work = FactsWork::new(erasure, some.to_vec());
                self.carry_through(&mut work, &mut Desk::new(stored)).await?;
                erasure = work.erasure;
                if 2 * hiding_count + STREAMS_UNSEEN_MAX < erasure.streams().len() {
                    self.forget_erased(&mut erasure).await?;
                    hiding_count = erasure.streams().len();
                }
            }
            Ok(erasure)
        }
        .boxed_local()
    }

    /// Forgets the streams of which all that is hidden was erased before: mostly all of those that were deleted ever.
    async fn forget_erased(&mut self, erasure: &mut Erasure) -> Result<(), Halt> {
        let mut stays = Vec::with_capacity(erasure.streams().len());
        for some in erasure.streams().chunks(STREAMS_AT_ONCE) {
            let summaries = self.look_up(some).await?;
            let holds_hidden =
                |it: &Option<StreamSummary>| it.as_ref().is_some_and(|it| it.hidden_runs().next().is_some());
            stays.extend(summaries.iter().map(holds_hidden));
        }
        erasure.retain(&stays);
        Ok(())
    }

    /// What units know of streams.
    pub(super) fn look_up<'b>(
        &'b mut self,
        streams: &'b [(StreamName, Hidden)],
    ) -> LocalBoxFuture<'b, Result<Vec<Option<StreamSummary>>, Halt>> {
        async move {
            let mut found = Vec::with_capacity(streams.len());
            for some in streams.chunks(STREAMS_AT_ONCE) {
                let mut found_of_some = Vec::new();
                self.look(&mut |view| {
                    found_of_some = summaries_of(view, some)?;
                    Ok(())
                })
                .await?;
                found.append(&mut found_of_some);
            }
            Ok(found)
        }
        .boxed_local()
    }

    /// Looks at the store, if it is of the layout that is compacted.
    pub(super) fn look<'b>(
        &'b mut self,
        look: &'b mut dyn FnMut(&mut View<'_>) -> Result<(), Stop>,
    ) -> LocalBoxFuture<'b, Result<(), Halt>> {
        async move {
            let layout = self.layout;
            if self.shared.root().layout != layout {
                self.shared.refresh().await?;
            }
            let mut is_current = false;
            let mut look_if_current = |view: &mut View<'_>| {
                is_current = view.root.layout == layout;
                if is_current { look(view) } else { Ok(()) }
            };
            self.shared.look(&mut look_if_current).await?;
            self.rest(None).await?;
            if is_current { Ok(()) } else { Err(Halt::Overtaken) }
        }
        .boxed_local()
    }
}

/// The blocks that hold facts, of this unit and later ones.
fn blocks_of_facts(view: &mut View<'_>, first_unit: usize) -> Result<Vec<Part>, Stop> {
    let root: &Root = view.root;
    let later = root.units.get(first_unit..).unwrap_or_default();
    let mut blocks: Table<Part> = Table::default();
    for fact in [Fact::Deleted, Fact::Tombstoned, Fact::Truncated { before: Revision::FIRST }] {
        let Some(Summary::Posting(posting)) = view.look_up(&key(Kind::Type, fact.type_name()))? else {
            continue;
        };
        for posting in posting.units.iter().filter(|it| later.iter().any(|unit| unit.number == it.unit)) {
            for block in &posting.blocks {
                let part = Part::Entries(Source::Block(BlockAddress { unit: posting.unit, block: *block }));
                // One block may hold facts of all kinds.
                if blocks.find(part.hash(), |other| *other == part).is_none() {
                    blocks.push(part.hash(), part);
                }
            }
        }
    }
    Ok(blocks.into_rows())
}

fn summaries_of(
    view: &mut View<'_>,
    streams: &[(StreamName, Hidden)],
) -> Result<Vec<Option<StreamSummary>>, Stop> {
    let mut summaries = Vec::with_capacity(streams.len());
    for (name, _) in streams {
        summaries.push(match view.look_up(&key(Kind::Stream, name.as_str())) {
            Ok(Some(Summary::Stream(summary))) => Some(summary),
            // What the others need is read in the same transaction.
            Ok(_) | Err(Stop::Pending) => None,
            Err(stop) => return Err(stop),
        });
    }
    view.check()?;
    Ok(summaries)
}
