//! What comes once: from a callback of the browser to the one who waits for it.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use wasm_bindgen::prelude::*;

use super::timer::Timer;

/// How something in the browser ended, as soon as that is known.
pub struct Answer<T> {
    given: Cell<Option<T>>,
    waker: Cell<Option<Waker>>,
}

impl<T> Default for Answer<T> {
    fn default() -> Self {
        Self { given: Cell::default(), waker: Cell::default() }
    }
}

impl<T> Answer<T> {
    /// Gives the answer. Where one was given and not taken yet, that one counts.
    pub fn give(&self, answer: T) {
        self.given.set(Some(self.given.take().unwrap_or(answer)));
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Takes the answer, or has the task of `context` woken when it comes.
    pub fn poll(&self, context: &Context<'_>) -> Poll<T> {
        if let Some(given) = self.given.take() {
            return Poll::Ready(given);
        }
        self.waker.set(Some(context.waker().clone()));
        Poll::Pending
    }

    /// Waits for the answer; `None` where the time has passed without one.
    pub fn within(&self, timer: &mut Timer) -> impl Future<Output = Option<T>> {
        poll_fn(|context| match self.poll(context) {
            Poll::Ready(given) => Poll::Ready(Some(given)),
            Poll::Pending => Pin::new(&mut *timer).poll(context).map(|()| None),
        })
    }
}

/// A function of ours that the browser calls, until it is dropped. What it is called with is `undefined` where
/// the browser passes nothing.
pub type Listener = Closure<dyn FnMut(JsValue)>;

/// Makes a listener. All of them are of one type, so that what the boundary needs for it is compiled once.
pub fn listener(hear: Box<dyn FnMut(JsValue)>) -> Listener {
    Closure::wrap(hear)
}
