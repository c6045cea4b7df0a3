//! Projections, as they are begun, carried on and asked.

use std::rc::Rc;

use futures_util::FutureExt;
use wasm_bindgen::JsValue;

use crate::documents::DocumentReducer;
use crate::error::Error;
use crate::event::Position;
use crate::store::{Advance, Begin, Find, GivenEvent, Projection, Ready, Whose};
use crate::supplement::{Projections, Supplied, entered};
use crate::web::engine::Kept;
use crate::web::message::numbers::Numbers;
use crate::web::message::projection::Carrying;
use crate::web::message::{malformed, projection};

use super::{Answering, Asked, unknown};

/// What is asked.
enum Task {
    /// A `ProjectMessage`; the answer is a `StandingMessage`.
    Project { projection: Projection, begin: Begin },
    /// A `ProjectionMessage`, and after which position changes are wanted; the answer is a `StandingMessage`.
    Standing { projection: Projection, changed_after: Option<Position> },
    /// A `ProjectionMessage`; the answer is a `ClaimMessage`, or nothing.
    Claim(Projection),
    /// An `AdvanceMessage`; the answer is whether it was done.
    Advance(Box<Advance>),
    /// A `DocumentsMessage`; the answer is a JSON text, or nothing.
    Documents { name: Rc<str>, whose: Whose, keys: Vec<Rc<str>> },
    /// A `FindMessage`; the answer is a `FoundMessage`, or nothing.
    Find(Find),
    /// A `FindMessage`; the answer is a number, or nothing.
    Count(Find),
    /// A `CarryOnMessage`, and the number of a subscription; the answer is a `CarriedMessage`, or nothing.
    CarryOn { carrying: Carrying, subscription: u64 },
    /// A `CarryOnMessage`, events, and up to where they are all that is wanted; the answer is a `CarriedMessage`, or nothing.
    CarryOnBy { carrying: Carrying, events: Vec<GivenEvent>, end: Position, ready: Ready },
}

/// Does what has to do with projections, by its code.
#[inline(never)]
pub fn gate_projections_call(_: Supplied<Projections>, asked: Asked) -> Answering {
    entered(Box::pin(async move {
        let task = asked.read(by_code)?;
        let (store, kept) = (asked.store, asked.kept);
        Ok(match task {
            Task::Project { projection: defined, begin } => {
                projection::standing(&store.project(&defined, begin).await?)
            }
            Task::Standing { projection: defined, changed_after } => {
                projection::standing(&store.standing(&defined, changed_after).await?)
            }
            Task::Claim(defined) => projection::claim(store.claim(&defined).await?),
            Task::Advance(advance) => projection::turn(store.advance(*advance).await?),
            Task::Documents { name, whose, keys } => {
                projection::documents_found(store.documents(&name, whose, &keys).await?)
            }
            Task::Find(find) => projection::found(store.find_documents(&find).await?),
            Task::Count(find) => {
                let count = store.count_documents(&find).await?;
                count.map_or(JsValue::UNDEFINED, |count| JsValue::from_f64(count as f64))
            }
            Task::CarryOn { carrying, subscription } => {
                let reducer = reducer_of(&kept, carrying.reducer)?;
                let mut next = move || {
                    let kept = Rc::clone(&kept);
                    async move { kept.subscriptions.next(subscription).await }.boxed_local()
                };
                projection::carried(store.carry_on(carrying.with(&reducer), &mut next).await?)
            }
            Task::CarryOnBy { carrying, events, end, ready } => {
                let reducer = reducer_of(&kept, carrying.reducer)?;
                projection::carried(store.carry_on_by(carrying.with(&reducer), events, end, ready).await?)
            }
        })
    }))
}

/// Errors: `INTERNAL`.
fn reducer_of(kept: &Kept, handle: usize) -> Result<Rc<DocumentReducer>, Error> {
    let reducer = kept.documents.borrow().get(handle).cloned();
    reducer.ok_or_else(|| malformed("a reducer of documents has an unknown handle"))
}

fn by_code(code: u32, message: &mut Numbers<'_>) -> Result<Task, Error> {
    Ok(match code {
        0 => {
            Task::Project { projection: projection::projection(message)?, begin: projection::begin(message) }
        }
        1 => Task::Standing {
            projection: projection::projection(message)?,
            changed_after: message.whole_if_some().map(Position),
        },
        2 => Task::Claim(projection::projection(message)?),
        3 => Task::Advance(Box::new(projection::advance(message)?)),
        4 => {
            let (name, whose, keys) = projection::documents(message);
            Task::Documents { name, whose, keys }
        }
        5 => Task::Find(projection::find(message)),
        6 => Task::Count(projection::find(message)),
        7 => Task::CarryOn { carrying: projection::carrying(message)?, subscription: message.whole() },
        8 => Task::CarryOnBy {
            carrying: projection::carrying(message)?,
            end: Position(message.whole()),
            ready: projection::ready(message),
            events: projection::events(message),
        },
        _ => return Err(unknown()),
    })
}
