//! Promises as futures, and futures as promises.

use std::future::{Future, poll_fn};
use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;

use crate::answer::Answer;

use super::global::Thenable;
use super::listener::listener;
use super::tasks;
use super::timer::Timer;

/// What a promise is settled with.
pub type Settled = Result<JsValue, JsValue>;

/// Waits until a promise is settled.
///
/// # Errors
///
/// What it was rejected with.
pub fn settled(promise: Promise) -> impl Future<Output = Settled> {
    let answer = answer_of(promise);
    poll_fn(move |context| answer.poll(context))
}

/// Waits until a promise is settled, for at most `timeout_ms`. What it was resolved with, if it was.
pub async fn resolved_within(promise: Promise, timeout_ms: u64) -> Option<JsValue> {
    answer_of(promise).within(&mut Timer::start(timeout_ms)).await?.ok()
}

fn answer_of(promise: Promise) -> Rc<Answer<Settled>> {
    let answer = Rc::<Answer<Settled>>::default();
    // They belong to the browser, because the promise may be settled when nobody waits for it any more.
    let hear = |outcome: fn(JsValue) -> Settled| {
        let answer = Rc::clone(&answer);
        listener(Box::new(move |value| answer.give(outcome(value)))).into_js_value()
    };
    promise.unchecked_into::<Thenable>().then(&hear(Ok), &hear(Err));
    answer
}

/// The promise of what a future gives. The future runs by itself, from the next microtask on.
pub fn promise_of(future: LocalBoxFuture<'static, Settled>) -> Promise {
    let mut future = Some(future);
    Promise::new(&mut |resolve: Function, reject: Function| {
        let Some(future) = future.take() else { return };
        tasks::spawn(Box::pin(async move {
            let (settle, value) = match future.await {
                Ok(value) => (resolve, value),
                Err(error) => (reject, error),
            };
            // A function that only settles a promise does not throw.
            drop(settle.call1(&JsValue::UNDEFINED, &value));
        }));
    })
}
