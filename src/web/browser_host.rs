//! The host port over what browsers give: clock, randomness, timers, locks and the other tabs. It also runs in
//! Node, where it is alone.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::{Poll, Waker};

use futures_util::future::LocalBoxFuture;
use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use web_sys::{BroadcastChannel, Crypto, MessageChannel};

use crate::error::{Detail, Error, Obstacle};
use crate::event::{Position, UnixMillis};
use crate::host::Host;
use crate::limits::INTEGER_MAX;
use crate::supplement::Supplement;

use crate::answer::Answer;

use super::global::{global, lock_manager};
use super::listener::{Listener, listener};
use super::locks::{self, BrowserLock, Reach};
use super::promise::settled;
use super::property;
use super::tasks;
use super::timer::Timer;
use super::world::World;

/// The last moment that a `Date` can hold, in milliseconds since 1970.
const DATE_MS_MAX: f64 = 8.64e15;
/// Most bytes that `crypto.getRandomValues` fills in one call.
const RANDOM_BYTES_MAX: usize = 65_536;

/// The page or worker that a store runs in.
#[derive(Clone)]
pub struct BrowserHost {
    inner: Rc<Inner>,
}

struct Inner {
    crypto: Crypto,
    /// The name of the store, where other tabs can have it too.
    name: Option<String>,
    ear: Rc<Ear>,
    voice: Option<Voice>,
    /// Who decides of time and chance, where it is a test.
    world: Option<World>,
    /// What loads a supplement, by its number, where it is not there from the beginning.
    load: Option<Function>,
    /// The numbers of those that are there, as bits.
    loaded: Cell<u32>,
}

/// The channel between the tabs that opened stores of one name.
struct Voice {
    channel: BroadcastChannel,
    _on_message: Listener,
}

/// Where announcements arrive. Only the newest is kept: an older one says nothing that it does not say.
#[derive(Default)]
struct Ear {
    is_closed: Cell<bool>,
    newest: Cell<Option<Position>>,
    wakers: RefCell<Vec<Waker>>,
}

impl BrowserHost {
    /// A host that hears the other hosts of this name, in this tab and in others of the origin. Where the
    /// browser has no channel between tabs, it hears nothing.
    ///
    /// # Errors
    ///
    /// `STORAGE_UNAVAILABLE` where there is no `crypto` to make random bytes with.
    pub fn new(name: &str) -> Result<Self, Error> {
        Self::named(name, None, None)
    }

    /// As [`BrowserHost::new`], with what loads supplements, and in a world that a test decides of. Errors: as there.
    pub(super) fn named(name: &str, load: Option<Function>, world: Option<World>) -> Result<Self, Error> {
        let ear = Rc::new(Ear::default());
        let voice = Voice::new(name, &ear);
        Self::build(Some(name.to_owned()), ear, voice, load, world)
    }

    /// A host that neither announces nor hears: for a store that no other tab can see. It keeps no process of
    /// Node's alive.
    ///
    /// # Errors
    ///
    /// `STORAGE_UNAVAILABLE` where there is no `crypto` to make random bytes with.
    pub fn alone() -> Result<Self, Error> {
        Self::alone_with(None)
    }

    /// As [`BrowserHost::alone`], with what loads supplements. Errors: as there.
    pub(super) fn alone_with(load: Option<Function>) -> Result<Self, Error> {
        Self::build(None, Rc::new(Ear::default()), None, load, None)
    }

    fn build(
        name: Option<String>,
        ear: Rc<Ear>,
        voice: Option<Voice>,
        load: Option<Function>,
        world: Option<World>,
    ) -> Result<Self, Error> {
        let no_crypto = || {
            let cause = "there is no `crypto` here to make random ids with".to_owned();
            Error::new(Detail::StorageUnavailable { cause, obstacle: Obstacle::Absent })
        };
        let crypto = property::get_if_some(&global(), "crypto").ok_or_else(no_crypto)?;
        Ok(Self { inner: Rc::new(Inner { crypto, name, ear, voice, world, load, loaded: Cell::new(0) }) })
    }
}

impl Host for BrowserHost {
    type Lock = BrowserLock;

    fn now(&self) -> UnixMillis {
        self.inner.world.as_ref().map_or_else(|| UnixMillis(now_ms() as i64), World::now)
    }

    fn random(&self, bytes: &mut [u8]) {
        if let Some(world) = &self.inner.world {
            return world.random(bytes);
        }
        for chunk in bytes.chunks_mut(RANDOM_BYTES_MAX) {
            let filled = self.inner.crypto.get_random_values_with_u8_array(chunk);
            assert!(filled.is_ok(), "more random bytes were asked for than are given at once");
        }
    }

    async fn sleep(&self, duration_ms: u64) {
        let mut left_ms = duration_ms;
        while Timer::DELAY_MS_MAX < left_ms {
            Timer::start(Timer::DELAY_MS_MAX).await;
            left_ms -= Timer::DELAY_MS_MAX;
        }
        Timer::start(left_ms).await;
    }

    /// Browsers hold back the timers of pages that nobody looks at, and not those of workers.
    fn may_oversleep(&self) -> bool {
        property::get_if_some::<JsValue>(&global(), "document")
            .and_then(|document| property::get(&document, "hidden").ok())
            .is_some_and(|is_hidden| is_hidden.is_truthy())
    }

    fn yield_now(&self) -> impl Future<Output = ()> {
        give_way()
    }

    fn lock(&self, name: &str, timeout_ms: u64) -> impl Future<Output = Option<BrowserLock>> {
        let inner = &self.inner;
        let (name, reach) = match &inner.name {
            Some(store) => (format!("{store}:{name}"), Reach::Origin),
            // Nobody else has this store: in this page it is known by the place where it is, which another page's may be at, too.
            None => (format!("{}:{name}", Rc::as_ptr(inner) as usize), Reach::Page),
        };
        locks::lock(name, reach, timeout_ms)
    }

    fn has_locks(&self) -> bool {
        self.is_alone() || lock_manager().is_some()
    }

    fn announce(&self, position: Position) {
        if let (Some(voice), false) = (&self.inner.voice, self.inner.ear.is_closed.get()) {
            // An announcement is a hint: one that cannot be made is not missed.
            drop(voice.channel.post_message(&JsValue::from_f64(position.0 as f64)));
        }
    }

    async fn heard(&self) -> Option<Position> {
        poll_fn(|context| {
            let ear = &self.inner.ear;
            if ear.is_closed.get() {
                return Poll::Ready(None);
            }
            if let Some(position) = ear.newest.take() {
                return Poll::Ready(Some(position));
            }
            ear.wakers.borrow_mut().push(context.waker().clone());
            Poll::Pending
        })
        .await
    }

    fn is_alone(&self) -> bool {
        self.inner.name.is_none()
    }

    fn supply(&self, supplement: Supplement) -> impl Future<Output = Result<(), Error>> {
        self.load(supplement)
    }

    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        tasks::spawn(Box::pin(task));
    }

    fn close(&self) {
        self.inner.ear.is_closed.set(true);
        self.inner.ear.wake();
        if let Some(voice) = &self.inner.voice {
            voice.channel.close();
        }
    }
}

impl BrowserHost {
    /// Boxed, so that it is compiled once.
    fn load(&self, supplement: Supplement) -> LocalBoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            let Inner { load, loaded, .. } = &*self.inner;
            let bit = 1 << supplement.number();
            let Some(load) = load else { return Ok(()) };
            if loaded.get() & bit != 0 {
                return Ok(());
            }
            let number = JsValue::from_f64(f64::from(supplement.number()));
            let loading = load.call1(&JsValue::UNDEFINED, &number);
            let result = match loading {
                Ok(promise) => settled(Promise::resolve(&promise)).await,
                Err(thrown) => Err(thrown),
            };
            result.map_err(|thrown| {
                let (supplement, cause) = (supplement.name(), property::text(&thrown, "message"));
                Error::new(Detail::SupplementUnavailable { supplement, cause })
            })?;
            loaded.set(loaded.get() | bit);
            Ok(())
        })
    }
}

impl Voice {
    fn new(name: &str, ear: &Rc<Ear>) -> Option<Self> {
        let channel = BroadcastChannel::new(&format!("everfold:{name}")).ok()?;
        // Where there is such a thing, as in Node, listening keeps no process alive.
        if let Some(unref) = property::get_if_some::<Function>(&channel, "unref") {
            drop(unref.call0(&channel));
        }
        let ear = Rc::clone(ear);
        let on_message = listener(Box::new(move |message| {
            if let Some(position) = property::get(&message, "data").ok().and_then(position_of) {
                ear.hear(position);
            }
        }));
        property::set(&channel, "onmessage", on_message.as_ref());
        Some(Self { channel, _on_message: on_message })
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is where the host takes the time from that it gives to others"
)]
fn now_ms() -> f64 {
    // A page may have put anything in the place of its clock, and what is stored is to be a date.
    js_sys::Date::now().clamp(0.0, DATE_MS_MAX)
}

impl Drop for Voice {
    fn drop(&mut self) {
        property::set(&self.channel, "onmessage", &JsValue::NULL);
        self.channel.close();
    }
}

impl Ear {
    fn hear(&self, position: Position) {
        self.newest.set(Some(position));
        self.wake();
    }

    fn wake(&self) {
        for waker in self.wakers.take() {
            waker.wake();
        }
    }
}

/// Any script of the origin can post to the channel: only what could be a position is heard.
fn position_of(message: JsValue) -> Option<Position> {
    let number = message.as_f64()?;
    let is_position = number.fract() == 0.0 && (0.0..=INTEGER_MAX as f64).contains(&number);
    is_position.then_some(Position(number as u64))
}

/// Gives way to everything else that is ready.
pub(super) async fn give_way() {
    match yielding() {
        // It rejects only where it was aborted, and nobody has the means to.
        Some(yielded) => drop(settled(yielded).await),
        None => yield_by_message().await,
    }
}

/// Gives way by `scheduler.yield`, where there is one.
fn yielding() -> Option<Promise> {
    let scheduler: JsValue = property::get_if_some(&global(), "scheduler")?;
    let yield_function: Function = property::get_if_some(&scheduler, "yield")?;
    Some(Promise::resolve(&yield_function.call0(&scheduler).ok()?))
}

/// Gives way by a message to ourselves, which browsers do not hold back as they do timers.
async fn yield_by_message() {
    let Ok(channel) = MessageChannel::new() else {
        return Timer::start(0).await;
    };
    let received = Rc::<Answer<()>>::default();
    let receiving = Rc::clone(&received);
    let on_message = listener(Box::new(move |_| receiving.give(())));
    property::set(&channel.port1(), "onmessage", on_message.as_ref());
    if channel.port2().post_message(&JsValue::NULL).is_ok() {
        poll_fn(|context| received.poll(context)).await;
    }
    // An open port would keep a process of Node's alive.
    channel.port1().close();
}

impl fmt::Debug for BrowserHost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("BrowserHost")
    }
}
