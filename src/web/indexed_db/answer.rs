//! What comes once: from an event of the browser to the one who waits for it.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Poll, Waker};

use wasm_bindgen::prelude::*;
use web_sys::Event;

use crate::web::timer::Timer;

use super::fault::Fault;

/// How an operation of the browser ended, as soon as that is known.
#[derive(Default)]
pub struct Answer {
    given: Cell<Option<Result<(), Fault>>>,
    waker: Cell<Option<Waker>>,
}

impl Answer {
    /// Gives the answer. Where one was given and not taken yet, that one counts.
    pub fn give(&self, answer: Result<(), Fault>) {
        self.given.set(Some(self.given.take().unwrap_or(answer)));
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Waits for the answer; `None` where the time has passed without one.
    pub async fn within(&self, timer: &mut Timer) -> Option<Result<(), Fault>> {
        poll_fn(|context| {
            let given = self.given.take();
            if given.is_some() || Pin::new(&mut *timer).poll(context).is_ready() {
                return Poll::Ready(given);
            }
            self.waker.set(Some(context.waker().clone()));
            Poll::Pending
        })
        .await
    }
}

/// A function of ours that the browser calls with events, until it is dropped.
pub type Listener = Closure<dyn FnMut(Event)>;

/// Makes a listener. All of them are of one type, so that what the boundary needs for it is compiled once.
pub fn listener(hear: Box<dyn FnMut(Event)>) -> Listener {
    Closure::wrap(hear)
}
