//! The host port: the clock, randomness, waiting, and the other tabs.
//!
//! Every loop of the store is Rust over this port and the storage port, so that a simulation drives time,
//! tabs and crashes.

use std::future::Future;

use futures_util::FutureExt;

use crate::error::Error;
use crate::event::{Position, UnixMillis};
use crate::supplement::{Supplement, Supplementary, Supplied};

/// What a store needs of the place it runs in.
///
/// # Contract
///
/// - `now` may jump in either direction: a user can set the clock.
/// - `random` fills the bytes from a source that no two tabs share.
/// - `sleep` ends no earlier than asked for; `yield_now` lets input and painting go first.
/// - Where `may_oversleep` is false, a short `sleep` ends within tens of milliseconds, as long as its thread has nothing else to do.
/// - A lock is held by one holder over all tabs of the origin, until it is dropped or its tab ends, where the host has
///   locks. A tab that is frozen keeps those that it holds.
/// - What one handle announces, every *other* handle of the same name hears, at most once, perhaps late,
///   perhaps never: a hint, not a message to rely on.
/// - A spawned task runs on this thread, in no particular order with others.
/// - A supplement that was there once stays there. One that could not be had may be had later.
#[allow(async_fn_in_trait, reason = "everything runs on one thread: no future needs to be Send")]
pub trait Host: Clone + 'static {
    /// Holds a lock; dropping it releases the lock.
    type Lock;

    /// The wall clock.
    fn now(&self) -> UnixMillis;

    /// Fills `bytes` with random ones.
    fn random(&self, bytes: &mut [u8]);

    /// Waits at least this long.
    async fn sleep(&self, duration_ms: u64);

    /// Whether a sleep may end seconds late, as in pages that nobody looks at.
    fn may_oversleep(&self) -> bool;

    /// Gives way to everything else that is ready.
    async fn yield_now(&self);

    /// Takes the lock of this name, or gives up after `timeout_ms` with `None`.
    async fn lock(&self, name: &str, timeout_ms: u64) -> Option<Self::Lock>;

    /// Whether a lock keeps out every other tab: where it does not, it keeps out no more than this page, or nobody.
    fn has_locks(&self) -> bool;

    /// Tells other tabs that the log reaches to this position.
    fn announce(&self, position: Position);

    /// Waits for the next announcement of another tab. `None` once the host is closed.
    async fn heard(&self) -> Option<Position>;

    /// Whether nobody else can have the store, so that there is never anything to hear.
    fn is_alone(&self) -> bool;

    /// Waits until the code of a supplement is there.
    ///
    /// # Errors
    ///
    /// `SUPPLEMENT_UNAVAILABLE` where it cannot be had.
    async fn supply(&self, supplement: Supplement) -> Result<(), Error>;

    /// Runs a task in the background.
    fn spawn(&self, task: impl Future<Output = ()> + 'static);

    /// Stops listening: `heard` ends with `None`.
    fn close(&self);
}

/// Waits until the code of a supplement is there, and gives the proof with which it is entered.
///
/// # Errors
///
/// `SUPPLEMENT_UNAVAILABLE` where it cannot be had.
pub fn supplied<S: Supplementary>(host: &impl Host) -> impl Future<Output = Result<Supplied<S>, Error>> {
    host.supply(S::SUPPLEMENT).map(|supplied| supplied.map(Supplied::of_host))
}
