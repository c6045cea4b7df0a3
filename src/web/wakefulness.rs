//! Whether the page is frozen, and when it wakes up.
//!
//! To a frozen page the browser keeps back what its storage answers. Messages of other tabs come all the same, in Chromium. A transaction that the page began because
//! of one would stay open until the page wakes up, with all other tabs waiting for it: so none is begun. Pages are told when they freeze, by the events of the
//! [Page Lifecycle](https://wicg.github.io/page-lifecycle/) specification; workers are not, nor are pages of browsers that know no such events.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::task::{Poll, Waker};

use js_sys::Function;
use wasm_bindgen::prelude::*;

use super::global::global;
use super::listener::{Listener, listener};
use super::property;

thread_local! {
    static WAKEFULNESS: Cell<Option<&'static Wakefulness>> = const { Cell::new(None) };
}

/// Waits as long as the page is frozen.
pub async fn awake() {
    let wakefulness = Wakefulness::get();
    poll_fn(|context| {
        if !wakefulness.is_frozen.get() {
            return Poll::Ready(());
        }
        wakefulness.waiting.borrow_mut().push(context.waker().clone());
        Poll::Pending
    })
    .await;
}

/// What is known of the page, and who waits.
struct Wakefulness {
    is_frozen: Cell<bool>,
    waiting: RefCell<Vec<Waker>>,
    on_change: Listener,
}

impl Wakefulness {
    /// That of this page or worker, which is listened to from the first question on.
    fn get() -> &'static Self {
        WAKEFULNESS.get().unwrap_or_else(|| {
            let wakefulness: &Self = Box::leak(Box::new(Self {
                is_frozen: Cell::default(),
                waiting: RefCell::default(),
                on_change: listener(Box::new(|event| Self::get().hear(&event))),
            }));
            WAKEFULNESS.set(Some(wakefulness));
            wakefulness.listen();
            wakefulness
        })
    }

    fn listen(&self) {
        let Some(document) = property::get_if_some::<JsValue>(&global(), "document") else { return };
        let Some(add) = property::get_if_some::<Function>(&document, "addEventListener") else { return };
        for name in ["freeze", "resume"] {
            // Something else that calls itself a document may throw: then nothing is known of it.
            drop(add.call2(&document, &name.into(), self.on_change.as_ref()));
        }
    }

    fn hear(&self, event: &JsValue) {
        self.is_frozen.set(property::text(event, "type") == "freeze");
        if !self.is_frozen.get() {
            for waker in self.waiting.take() {
                waker.wake();
            }
        }
    }
}
