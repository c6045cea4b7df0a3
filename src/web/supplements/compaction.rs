//! Compaction that somebody asked for.

use std::ops::ControlFlow;

use wasm_bindgen::JsValue;

use crate::store::Progress;
use crate::supplement::{Compaction, Supplied, entered};
use crate::web::message::describe;

use super::{Answering, Asked};

/// Compacts the log; the answer is a `CompactedMessage`. The listener hears how many bytes of how many are done, and says
/// whether it is still wanted.
#[inline(never)]
pub fn gate_compaction_call(_: Supplied<Compaction>, asked: Asked) -> Answering {
    entered(Box::pin(async move {
        let Asked { store, listener, .. } = asked;
        let progress = |Progress { done_bytes, total_bytes }: Progress| {
            let (done, total) = (JsValue::from_f64(done_bytes as f64), JsValue::from_f64(total_bytes as f64));
            let heard = listener.as_ref().map(|listener| listener.call2(&JsValue::UNDEFINED, &done, &total));
            match heard {
                Some(Ok(wanted)) if wanted.is_falsy() => ControlFlow::Break(()),
                // A listener that throws must not fail what it listens to.
                _ => ControlFlow::Continue(()),
            }
        };
        Ok(describe::compacted(&store.compact(progress).await?))
    }))
}
