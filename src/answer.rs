//! What comes once: from where something ends to the one who waits for it.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// How something ended, as soon as that is known.
pub(crate) struct Answer<T> {
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

    /// Waits for the answer.
    pub fn wait(self: Rc<Self>) -> impl Future<Output = T> {
        poll_fn(move |context| self.poll(context))
    }
}
