//! Waiting for a time to pass.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_channel::oneshot;
use wasm_bindgen::prelude::*;

use super::global::global;

/// A time-out of the global scope, as a future. Dropping it cancels it.
#[must_use = "a timer that is dropped is cancelled"]
pub struct Timer {
    handle: JsValue,
    elapsed: oneshot::Receiver<()>,
    _callback: Closure<dyn FnMut()>,
}

impl Timer {
    /// The longest delay that `setTimeout` knows; a longer one would fire at once.
    pub const DELAY_MS_MAX: u64 = i32::MAX as u64;

    /// Begins to wait, for at most [`Self::DELAY_MS_MAX`].
    pub fn start(delay_ms: u64) -> Self {
        let (sender, elapsed) = oneshot::channel();
        let callback = Closure::once(move || sender.send(()).unwrap_or_default());
        let delay_ms = i32::try_from(delay_ms).unwrap_or(i32::MAX);
        let handle = global().set_timeout(callback.as_ref().unchecked_ref(), delay_ms);
        Self { handle, elapsed, _callback: callback }
    }
}

impl Future for Timer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.elapsed).poll(context).map(drop)
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        global().clear_timeout(&self.handle);
    }
}
