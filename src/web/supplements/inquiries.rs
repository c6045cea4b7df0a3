//! What is asked of a store besides pages: single events, streams, counts, sizes, snapshots.

use wasm_bindgen::JsValue;

use crate::error::Error;
use crate::id::EventId;
use crate::store::{Count, SnapshotKeep, SnapshotRead, StoredRead, StreamList};
use crate::supplement::{Inquiries, Supplied, entered};
use crate::web::message::numbers::Numbers;
use crate::web::message::{describe, fold, page, read, snapshot};

use super::{Answering, Asked, unknown};

/// What is asked.
enum Inquiry {
    /// An id, and a stream or none; the answer is a `PageMessage` of one event or of none.
    Event { id: EventId, stream: Option<String> },
    /// A stream; the answer is a `StreamInfoMessage`, or nothing.
    StreamInfo(String),
    /// A `StreamsMessage`; the answer is an array of `StreamInfoMessage`.
    Streams(StreamList),
    /// A `CountMessage`; the answer is a `CountPageMessage`.
    Count(Count),
    /// The answer is a `StatsMessage`.
    Stats,
    /// A `StoredReadMessage`; the answer is a `StoredPageMessage`.
    ReadStored(StoredRead),
    /// A `SnapshotMessage`; the answer is a `SnapshotAnswer`.
    Snapshot(SnapshotRead),
    /// A `KeepSnapshotMessage`; there is no answer.
    KeepSnapshot(SnapshotKeep),
}

/// Answers an inquiry, by its code.
#[inline(never)]
pub fn gate_inquiries_call(_: Supplied<Inquiries>, asked: Asked) -> Answering {
    entered(Box::pin(async move {
        let inquiry = asked.read(by_code)?;
        let store = asked.store;
        Ok(match inquiry {
            Inquiry::Event { id, stream } => page::write(&store.event(id, stream.as_deref()).await?),
            Inquiry::StreamInfo(stream) => {
                let info = store.stream_info(&stream).await?;
                info.as_ref().map_or(JsValue::UNDEFINED, describe::stream_info)
            }
            Inquiry::Streams(list) => describe::stream_infos(&store.streams(&list).await?),
            Inquiry::Count(count) => describe::count_page(&store.count(&count).await?),
            Inquiry::Stats => describe::stats(&store.stats().await?),
            Inquiry::ReadStored(read) => fold::stored_page(&store.read_stored(&read).await?),
            Inquiry::Snapshot(read) => snapshot::found(&store.snapshot(&read).await?),
            Inquiry::KeepSnapshot(keep) => {
                store.keep_snapshot(keep).await?;
                JsValue::UNDEFINED
            }
        })
    }))
}

fn by_code(code: u32, message: &mut Numbers<'_>) -> Result<Inquiry, Error> {
    Ok(match code {
        0 => event(message)?,
        1 => Inquiry::StreamInfo(message.name().as_ref().to_owned()),
        2 => Inquiry::Streams(read::streams(message)),
        3 => Inquiry::Count(read::count(message)?),
        4 => Inquiry::Stats,
        5 => Inquiry::ReadStored(fold::stored_read(message)),
        6 => Inquiry::Snapshot(snapshot::read(message)?),
        7 => Inquiry::KeepSnapshot(snapshot::keep(message)?),
        _ => return Err(unknown()),
    })
}

fn event(message: &mut Numbers<'_>) -> Result<Inquiry, Error> {
    let id = EventId::parse(&message.name());
    let id = id.ok_or_else(|| Error::invalid_argument("id", "is not a UUID"))?;
    Ok(Inquiry::Event { id, stream: message.name_if_some().map(|name| name.as_ref().to_owned()) })
}
