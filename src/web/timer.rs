//! Waiting for a time to pass.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use wasm_bindgen::prelude::*;

use crate::answer::Answer;

use super::global::{clear_timeout, set_timeout};
use super::listener::{Listener, listener};

/// A time-out of the global scope, as a future. Dropping it cancels it.
#[must_use = "a timer that is dropped is cancelled"]
pub struct Timer {
    handle: JsValue,
    elapsed: Rc<Answer<()>>,
    _callback: Listener,
}

impl Timer {
    /// The longest delay that `setTimeout` knows; a longer one would fire at once.
    pub const DELAY_MS_MAX: u64 = i32::MAX as u64;

    /// Begins to wait, for at most [`Self::DELAY_MS_MAX`].
    pub fn start(delay_ms: u64) -> Self {
        let elapsed = Rc::<Answer<()>>::default();
        let elapsing = Rc::clone(&elapsed);
        let callback = listener(Box::new(move |_| elapsing.give(())));
        let delay_ms = i32::try_from(delay_ms).unwrap_or(i32::MAX);
        let handle = set_timeout(callback.as_ref(), delay_ms);
        Self { handle, elapsed, _callback: callback }
    }
}

impl Future for Timer {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.elapsed.poll(context)
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        clear_timeout(&self.handle);
    }
}

impl<T> Answer<T> {
    /// Waits for the answer; `None` where the time has passed without one.
    pub(super) fn within(&self, timer: &mut Timer) -> impl Future<Output = Option<T>> {
        poll_fn(|context| match self.poll(context) {
            Poll::Ready(given) => Poll::Ready(Some(given)),
            Poll::Pending => Pin::new(&mut *timer).poll(context).map(|()| None),
        })
    }
}
