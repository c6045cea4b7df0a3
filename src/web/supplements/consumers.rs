//! Consumers, as they are begun, handed events, told of what became of them, changed and listed.

use std::rc::Rc;

use wasm_bindgen::JsValue;

use crate::error::Error;
use crate::store::{ConsumerChange, ConsumerRequest, Report};
use crate::supplement::{Consumers, Supplied, entered};
use crate::web::message::numbers::Numbers;
use crate::web::message::{consumer, projection};

use super::{Answering, Asked, unknown};

/// What is asked.
enum Task {
    /// A `ConsumerMessage`; the answer is a number.
    Begin(ConsumerRequest),
    /// The number of a consumer; the answer is a `PageMessage`, or nothing once it has ended.
    Next(u64),
    /// The number of a consumer, and a `ReportMessage`; the answer is whether it has the lead.
    Report { number: u64, report: Report },
    /// The name of a consumer, and a `ConsumerChangeMessage`; the answer is whether there was anything to change.
    Change { name: Rc<str>, change: ConsumerChange },
    /// The answer is an array of `ConsumerInfoMessage`.
    List,
}

/// Does what has to do with consumers, by its code.
#[inline(never)]
pub fn gate_consumers_call(_: Supplied<Consumers>, asked: Asked) -> Answering {
    entered(Box::pin(async move {
        let task = asked.read(by_code)?;
        let (store, kept) = (asked.store, asked.kept);
        Ok(match task {
            Task::Begin(request) => {
                JsValue::from_f64(kept.consumers.begin(store.consumer(request)).await as f64)
            }
            Task::Next(number) => consumer::handout(kept.consumers.next(number).await?),
            Task::Report { number, report } => {
                projection::turn(kept.consumers.report(number, &report).await?)
            }
            Task::Change { name, change } => JsValue::from_bool(store.change_consumer(&name, &change).await?),
            Task::List => consumer::infos(&store.consumers().await?),
        })
    }))
}

fn by_code(code: u32, message: &mut Numbers<'_>) -> Result<Task, Error> {
    Ok(match code {
        0 => Task::Begin(consumer::request(message)?),
        1 => Task::Next(message.whole()),
        2 => Task::Report { number: message.whole(), report: consumer::report(message) },
        3 => Task::Change { name: consumer::name(message)?, change: consumer::change(message) },
        4 => Task::List,
        _ => return Err(unknown()),
    })
}
