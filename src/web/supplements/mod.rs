//! What the facade asks of supplements: each answers by its gate, once its code is there.

mod compaction;
mod consumers;
mod folding;
mod inquiries;
mod memory;
mod projections;

use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use js_sys::Function;
use wasm_bindgen::JsValue;

use crate::error::Error;
use crate::host::supplied;
use crate::supplement::Supplement;

use super::BrowserHost;
use super::engine::{BrowserStore, Kept};
use super::message::malformed;
use super::message::numbers::{self, Numbers};

pub use memory::gate_memory_storage;

/// What a supplement is asked.
pub struct Asked {
    /// What the answer is found in.
    pub store: BrowserStore,
    /// What the facade knows by numbers.
    pub kept: Rc<Kept>,
    /// Which of its calls.
    pub code: u32,
    /// The names of the message.
    pub names: String,
    /// The numbers of the message.
    pub numbers: Vec<f64>,
    /// Who is told how far it is.
    pub listener: Option<Function>,
}

/// What a supplement gives.
type Answering = LocalBoxFuture<'static, Result<JsValue, Error>>;

/// Asks a supplement. Errors: `SUPPLEMENT_UNAVAILABLE`, and those of the call.
pub fn consult(host: BrowserHost, supplement: u32, asked: Asked) -> Answering {
    Box::pin(async move {
        let supplement = Supplement::ALL.get(supplement as usize);
        match supplement.ok_or_else(|| malformed("a supplement has an unknown number"))? {
            Supplement::Compaction => compaction::gate_compaction_call(supplied(&host).await?, asked),
            Supplement::Inquiries => inquiries::gate_inquiries_call(supplied(&host).await?, asked),
            Supplement::Folding => folding::gate_folding_call(supplied(&host).await?, asked),
            // It is not asked: it is what others are asked of.
            Supplement::Memory => return Err(unknown()),
            Supplement::Projections => projections::gate_projections_call(supplied(&host).await?, asked),
            Supplement::Consumers => consumers::gate_consumers_call(supplied(&host).await?, asked),
        }
        .await
    })
}

impl Asked {
    /// Reads the message. Errors: those of `read`; `INTERNAL`.
    fn read<T>(&self, read: impl FnOnce(u32, &mut Numbers<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let (names, rest) = numbers::names(&self.names, &self.numbers)?;
        let mut message = Numbers::new(&names, rest);
        let read = read(self.code, &mut message);
        message.finish(read)
    }
}

/// A call that a supplement does not know.
#[cold]
#[inline(never)]
fn unknown() -> Error {
    malformed("a call has an unknown code")
}
