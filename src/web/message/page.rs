//! Pages of events out: all payloads as one text, all numbers as one array.
//!
//! The numbers of a `PageMessage` are, for each event:
//!
//! ```text
//! position  revision  time  stream  type  parts  tagCount
//! ```

use js_sys::{Float64Array, Uint32Array};
use wasm_bindgen::JsValue;

use crate::codec::{Body, Entry};
use crate::event::Fact;
use crate::id::EventId;
use crate::store::EventPage;
use crate::table::{Table, hash_of};
use crate::web::fields::Fields;

use super::NONE;
use super::texts::units_of;

/// Numbers of each event.
const PAGE_COLUMNS: usize = 7;
const PAGE_HAS_DATA: u32 = 1;
const PAGE_HAS_METADATA: u32 = 2;

/// Writes a `PageMessage`.
pub fn write(page: &EventPage) -> JsValue {
    fields(page).into()
}

/// The fields of a `PageMessage`.
pub fn fields(page: &EventPage) -> Fields {
    let mut writer = PageWriter::new(page);
    for entry in page.entries() {
        writer.entry(&entry);
    }
    let name_lengths: Vec<u32> = writer.names.texts.rows().iter().map(|name| units_of(name)).collect();
    Fields::new()
        .with("data", writer.data.finish())
        .with("metadata", writer.metadata.finish())
        .with("names", writer.names.texts.rows().concat())
        .with("nameLengths", Uint32Array::from(&*name_lengths))
        .with("ids", writer.ids.finish())
        .with("numbers", Float64Array::from(&*writer.numbers))
        .with("tags", Uint32Array::from(&*writer.tags))
        .with_whole_if_some("next", page.next)
        .with_whole("asOf", page.as_of.0)
}

struct PageWriter<'a> {
    data: JsonArray,
    metadata: JsonArray,
    names: Names<'a>,
    ids: JsonArray,
    numbers: Vec<f64>,
    tags: Vec<u32>,
}

impl<'a> PageWriter<'a> {
    fn new(page: &EventPage) -> Self {
        let event_count = page.events.len();
        // Growing step by step would copy each payload several times.
        let payload_bytes = page.events.iter().map(|(record, place)| record.payload_bytes(*place) + 1).sum();
        Self {
            data: JsonArray(String::with_capacity(payload_bytes)),
            metadata: JsonArray::default(),
            names: Names::new(event_count),
            ids: JsonArray(String::with_capacity(event_count * (EventId::TEXT_LENGTH + 3) + 2)),
            numbers: Vec::with_capacity(event_count * PAGE_COLUMNS),
            tags: Vec::new(),
        }
    }

    fn entry(&mut self, entry: &Entry<'a>) {
        let stream = self.names.place(entry.stream);
        self.ids.push_id(entry.id);
        let tag_count_before = self.tags.len();
        let (revision, event_type, parts) = match &entry.body {
            Body::Event { revision, event_type, data, metadata, tags } => {
                self.tags.extend(tags.iter().map(|tag| self.names.place(tag)));
                (revision.0 as f64, *event_type, self.payloads(*data, *metadata))
            }
            Body::Fact(fact) => (NONE, fact.type_name(), self.payloads(fact_data(*fact).as_deref(), None)),
        };
        let event_type = self.names.place(event_type);
        self.numbers.extend([
            entry.position.0 as f64,
            revision,
            entry.time.0 as f64,
            f64::from(stream),
            f64::from(event_type),
            f64::from(parts),
            (self.tags.len() - tag_count_before) as f64,
        ]);
    }

    fn payloads(&mut self, data: Option<&str>, metadata: Option<&str>) -> u32 {
        let mut parts = 0;
        if let Some(data) = data {
            self.data.push(data);
            parts |= PAGE_HAS_DATA;
        }
        if let Some(metadata) = metadata {
            self.metadata.push(metadata);
            parts |= PAGE_HAS_METADATA;
        }
        parts
    }
}

/// What a fact says, as the data of an event.
fn fact_data(fact: Fact) -> Option<String> {
    match fact {
        Fact::Deleted | Fact::Tombstoned => None,
        Fact::Truncated { before } => Some(format!("{{\"before\":{before}}}")),
    }
}

/// The text of a JSON array in the making.
#[derive(Default)]
pub(super) struct JsonArray(String);

impl JsonArray {
    pub fn push(&mut self, element: &str) {
        self.0.push_str(if self.0.is_empty() { "[" } else { "," });
        self.0.push_str(element);
    }

    fn push_id(&mut self, id: EventId) {
        self.0.push_str(if self.0.is_empty() { "[\"" } else { ",\"" });
        id.write_text(&mut self.0);
        self.0.push('"');
    }

    pub fn finish(mut self) -> String {
        self.0.push_str(if self.0.is_empty() { "[]" } else { "]" });
        self.0
    }
}

/// Each name once.
struct Names<'a> {
    texts: Table<&'a str>,
    /// Names that were met, by where they stand in memory: those of a record are each in one place, and are met again
    /// and again.
    met: Vec<Option<(&'a str, u32)>>,
}

/// A power of two: of so many names it is remembered where they stand.
const NAMES_MET_MAX: usize = 1024;

impl<'a> Names<'a> {
    fn new(event_count: usize) -> Self {
        let met = vec![None; event_count.next_power_of_two().min(NAMES_MET_MAX)];
        Self { texts: Table::default(), met }
    }

    fn place(&mut self, name: &'a str) -> u32 {
        let address = name.as_ptr().addr();
        // Names stand side by side: their addresses differ in the lowest bits.
        let slot = (address ^ address >> 10) & (self.met.len() - 1);
        match self.met[slot] {
            Some((met, place)) if std::ptr::eq(met, name) => place,
            _ => {
                let place = self.find(name);
                self.met[slot] = Some((name, place));
                place
            }
        }
    }

    fn find(&mut self, name: &'a str) -> u32 {
        let hash = hash_of(name.as_bytes());
        let place = self.texts.find(hash, |other| *other == name).unwrap_or_else(|| {
            self.texts.push(hash, name);
            self.texts.rows().len() - 1
        });
        // A page has far fewer names than that.
        place as u32
    }
}
