//! Whoever is overtaken between looking and writing writes nothing, or what it would have written without being overtaken.

use std::cell::RefCell;
use std::rc::Rc;

use everfold::event::Position;
use everfold::storage::memory::MemoryStorage;
use everfold::storage::{
    Batch, Durability, Found, GuardedWrite, Head, LogRecord, Outcome, Request, Seen, Storage, StorageFault,
    Usage, Written,
};
use everfold::store::{Begin, Claim, Ready, Store, Turn};
use everfold::testing::prng::Prng;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::one_tab::{RELAXED, TestStore, in_browser};

use super::{Event, advance, begin, check_answers, events, fold_all, naive, projection};

const FIRST: Position = Position(100);
const SECOND: Position = Position(200);

/// What another tab does before the next write of this one.
type Deed = Box<dyn FnOnce(Rc<Scene>) -> LocalBoxFuture<'static, ()>>;

/// What a deed is done with.
struct Scene {
    store: TestStore,
    /// What the tab was given that is overtaken.
    claim: Claim,
    events: Vec<Event>,
}

/// What is to be done before the next write, once.
type Next = (Rc<Scene>, Deed);

struct Overtaken {
    inner: MemoryStorage,
    next: Rc<RefCell<Option<Next>>>,
}

impl Storage for Overtaken {
    fn strongest_durability(&self) -> Durability {
        self.inner.strongest_durability()
    }

    async fn read(&self, request: Request) -> Result<Found, StorageFault> {
        self.inner.read(request).await
    }

    async fn commit<J>(&self, seen: Seen, durability: Durability, judge: J) -> Result<Outcome, StorageFault>
    where
        J: FnMut(Head, &[LogRecord]) -> Option<Batch> + 'static,
    {
        self.inner.commit(seen, durability, judge).await
    }

    async fn write(&self, write: GuardedWrite) -> Result<Written, StorageFault> {
        let next = self.next.borrow_mut().take();
        if let Some((scene, deed)) = next {
            deed(scene).await;
        }
        self.inner.write(write).await
    }

    async fn usage(&self) -> Result<Usage, StorageFault> {
        self.inner.usage().await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

/// Of a second stretch that is folded, and before whose write something is done: whether it is written, and that all tabs have the
/// documents of one checkpoint then.
#[track_caller]
fn check(expected: Turn, deed: impl AsyncFnOnce(Rc<Scene>) + 'static) {
    let deed: Deed = Box::new(|scene| async move { deed(scene).await }.boxed_local());
    in_browser(move |browser| async move {
        let orders = projection(1, 7);
        let events = events(&mut Prng::new(1), 300);
        let (store, next) = (browser.open().await, Rc::new(RefCell::new(None)));
        let storage = Overtaken { inner: browser.storage.handle(), next: Rc::clone(&next) };
        let overtaken = Store::open(storage, browser.host(), RELAXED, |_| ()).await.unwrap();
        begin(&overtaken, &orders).await;
        let claim = overtaken.claim(&orders).await.unwrap().unwrap();
        let stretch = (Position(0), FIRST);
        let turn = advance(&overtaken, &orders, &events, claim.token, stretch, Ready::Now).await;
        assert_eq!(turn, Ok(Turn::Done));
        *next.borrow_mut() = Some((Rc::new(Scene { store, claim, events: events.clone() }), deed));
        let stretch = (FIRST, SECOND);
        let turn = advance(&overtaken, &orders, &events, claim.token, stretch, Ready::Now).await;
        assert!(next.borrow().is_none(), "nothing was to be written");
        assert_eq!(turn, Ok(expected));
        for asking in [&browser.open().await, &browser.open().await] {
            let position = asking.standing(&orders, None).await.unwrap().answering.unwrap();
            check_answers(asking, &naive(&events, position), &mut Prng::new(2)).await;
        }
        let position = overtaken.standing(&orders, None).await.unwrap().answering.unwrap();
        check_answers(&overtaken, &naive(&events, position), &mut Prng::new(2)).await;
        assert!(expected == Turn::Lost || position == SECOND, "{position:?}");
    });
}

#[test]
fn who_was_overtaken_by_another_holder_of_the_right_writes_nothing() {
    check(Turn::Lost, async |scene| {
        let orders = projection(1, 7);
        let claim = scene.store.claim(&orders).await.unwrap().unwrap();
        let stretch = (FIRST, Position(150));
        let turn = advance(&scene.store, &orders, &scene.events, claim.token, stretch, Ready::Now).await;
        assert_eq!(turn, Ok(Turn::Done));
    });
}

#[test]
fn who_lost_the_right_writes_nothing_though_nothing_was_written_yet() {
    check(Turn::Lost, async |scene| {
        scene.store.claim(&projection(1, 7)).await.unwrap().unwrap();
    });
}

#[test]
fn what_is_written_twice_with_one_right_is_refused_the_second_time() {
    check(Turn::Lost, async |scene| {
        let (orders, stretch) = (projection(1, 7), (FIRST, SECOND));
        let token = scene.claim.token;
        let turn = advance(&scene.store, &orders, &scene.events, token, stretch, Ready::Now).await;
        assert_eq!(turn, Ok(Turn::Done));
    });
}

#[test]
fn who_carries_on_what_another_build_has_replaced_writes_nothing() {
    check(Turn::Lost, async |scene| {
        let orders = projection(1, 7);
        scene.store.project(&orders, Begin::Anew).await.unwrap();
        fold_all(&scene.store, &orders, &scene.events, 70).await;
        scene.store.claim(&orders).await.unwrap().unwrap();
    });
}

#[test]
fn another_build_that_goes_on_beside_is_kept() {
    check(Turn::Done, async |scene| {
        let coming = projection(2, 7);
        begin(&scene.store, &coming).await;
        let claim = scene.store.claim(&coming).await.unwrap().unwrap();
        let stretch = (Position(0), Position(50));
        let turn = advance(&scene.store, &coming, &scene.events, claim.token, stretch, Ready::NotYet).await;
        assert_eq!(turn, Ok(Turn::Done));
        let own = scene.store.standing(&coming, None).await.unwrap().own;
        assert_eq!(own, Some(Position(50)));
    });
}
