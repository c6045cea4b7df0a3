//! Snapshots: finding the one that a load may begin with, and keeping new ones.

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::error::Error;
use crate::event::{Position, Revision, StreamName};
use crate::host::Host;
use crate::layout::keys::ROOT;
use crate::limits;
use crate::snapshot::{KeepPlan, Snapshot, keys};
use crate::storage::{
    Area, Direction, Durability, Found, GuardedWrite, Key, LayoutChange, PageRequest, Request, Storage,
    Written,
};

use super::view::{Stop, View};
use super::{Shared, SnapshotFound, SnapshotKeep, SnapshotRead};

/// So many snapshots of a set are looked at: more only stand there where several tabs have just added some.
const SET_RECORDS_MAX: usize = 4 * keys::SNAPSHOTS_PER_SET_MAX;

impl<S: Storage, H: Host> Shared<S, H> {
    pub(super) async fn snapshot(&self, read: &SnapshotRead) -> Result<SnapshotFound, Error> {
        self.check_open()?;
        let SnapshotRead { aggregate, stream, reducer, event_count_min, before, as_of } = read;
        let key = keys::key(aggregate, stream);
        let request = Request { keys: vec![(Area::Snapshots, key.clone())], ..Request::default() };
        let refreshing = as_of.is_none().then(|| {
            // While the newest state is found out, what leads to the stream is already read.
            self.begin_early(&mut |view| view.stored_stream(stream.as_str()).map(drop));
            request.clone()
        });
        let Looked { as_of, found, seen } = self.look_with(refreshing, stream, *as_of).await?;
        let Some(seen) = seen.filter(|seen| *event_count_min <= seen.event_count()) else {
            return Ok(SnapshotFound { as_of, snapshot: None });
        };
        let mut found = match found {
            Some(found) => found,
            None => self.ask(request).await?,
        };
        let stored = found.values.pop().flatten();
        let snapshot = stored.and_then(|bytes| Snapshot::from_bytes(&key, bytes).ok()).filter(|it| {
            it.reducer == *reducer
                && it.position <= as_of
                && before.is_none_or(|before| it.revision < before)
                && seen.last_fact == it.last_fact
                && seen.shows(it.revision)
        });
        Ok(SnapshotFound { as_of, snapshot })
    }

    pub(super) async fn keep_snapshot(&self, keep: SnapshotKeep) -> Result<Written, Error> {
        self.check_writable()?;
        limits::check("snapshot state bytes", keep.state.len(), limits::SNAPSHOT_STATE_BYTES_MAX)?;
        self.let_appends_pass().await;
        let page = PageRequest {
            area: Area::Snapshots,
            range: keys::range_of_set(&keep.stream),
            direction: Direction::Forwards,
            count_max: SET_RECORDS_MAX,
        };
        let request = Request { keys: vec![(Area::Index, Key::text(ROOT))], pages: vec![page], then: None };
        let Looked { found, seen, .. } = self.look_with(Some(request), &keep.stream, None).await?;
        self.check_writable()?;
        let (Some(found), Some(seen)) = (found, seen) else { return Ok(Written::Refused) };
        found.head.check_writer()?;
        let Some(mut write) = write_of(keep, found, seen) else { return Ok(Written::Refused) };
        write.durability = write.durability.min(self.storage.strongest_durability());
        Ok(self.storage.write(write).await?)
    }

    /// Looks what is seen of a stream as of a position, or now. Where something is asked for, it is read in the
    /// transaction in which the index begins to be brought up to the head.
    fn look_with<'a>(
        &'a self,
        more: Option<Request>,
        stream: &'a StreamName,
        as_of: Option<Position>,
    ) -> LocalBoxFuture<'a, Result<Looked, Error>> {
        async move {
            let found = match more {
                Some(more) => Some(self.refresh_with(more).await?),
                None => None,
            };
            self.check_open()?;
            let as_of = as_of.unwrap_or_else(|| self.index.borrow().head().position);
            let mut seen = None;
            self.look(&mut |view| {
                seen = Seen::of(view, stream.as_str(), as_of)?;
                Ok(())
            })
            .await?;
            Ok(Looked { as_of, found, seen })
        }
        .boxed_local()
    }
}

/// The write that keeps a snapshot, unless it is stale or there is one that is as good.
#[inline(never)]
fn write_of(keep: SnapshotKeep, mut found: Found, seen: Seen) -> Option<GuardedWrite> {
    let SnapshotKeep { aggregate, stream, reducer, revision, position, as_of, state } = keep;
    let Seen { last_fact, .. } = seen;
    // What was folded may be hidden by now, and erased: it must not come to stand here.
    if as_of < last_fact || !seen.shows(revision) {
        return None;
    }
    let key = keys::key(&aggregate, &stream);
    let snapshot = Snapshot { reducer, revision, position, last_fact, state };
    let plan = KeepPlan::new(&key, &snapshot, found.pages.pop().unwrap_or_default())?;
    let root = found.values.pop().flatten();
    let bytes = snapshot.to_bytes(&key);
    Some(GuardedWrite {
        // Whoever erases something writes the root: what has become hidden since is not erased yet, and who erases it
        // will find the snapshot.
        expect: vec![(Area::Index, Key::text(ROOT), root), (Area::Snapshots, key.clone(), plan.replaced)],
        deletes: plan.evicted.into_iter().map(|key| (Area::Snapshots, key.into())).collect(),
        puts: vec![(Area::Snapshots, key, bytes)],
        layout: LayoutChange::Keep,
        durability: Durability::Relaxed,
    })
}

/// What was found, and what is seen of the stream that it is about.
struct Looked {
    as_of: Position,
    found: Option<Found>,
    seen: Option<Seen>,
}

/// What is seen of a stream as of a position.
#[derive(Clone, Copy)]
struct Seen {
    /// The last fact of the stream.
    last_fact: Position,
    /// The first revision that is seen.
    from: Revision,
    /// The last one that there is, later ones included.
    last: Revision,
}

impl Seen {
    /// `None` where the stream has no events, or was marked so often that its facts are not told apart.
    fn of(view: &mut View<'_>, stream: &str, as_of: Position) -> Result<Option<Self>, Stop> {
        let Some(stream) = view.stream(stream)? else { return Ok(None) };
        let summary = stream.summary();
        let Some(last) = summary.last_revision else { return Ok(None) };
        let last_hiding = summary.hidings.iter().rev().find(|hiding| hiding.position <= as_of);
        let last_fact = last_hiding.map_or(Position::START, |hiding| hiding.position);
        let is_known = summary.tells_hidings_apart(as_of);
        Ok(is_known.then_some(Self { last_fact, from: summary.visible_from(as_of), last }))
    }

    /// How many events are seen, later ones included.
    fn event_count(&self) -> u64 {
        (self.last.0 + 1).saturating_sub(self.from.0)
    }

    fn shows(&self, revision: Revision) -> bool {
        self.from <= revision && revision <= self.last
    }
}
