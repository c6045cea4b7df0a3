//! Databases as texts: what a version of everfold wrote is kept in files, for every later one to read.
//!
//! A line for each record: the name of its area, its key (a number in the log, else hexadecimal) and its bytes in
//! hexadecimal, with tabs between them.

use std::fmt::Write;
use std::rc::Rc;

use crate::codec::Body;
use crate::event::Position;
use crate::host::Host;
use crate::query::{Query, QueryItem};
use crate::storage::{
    Area, Direction, Durability, GuardedWrite, Key, KeyRange, LayoutChange, Storage, Written,
};
use crate::store::{AllRead, EventPage, Store, StreamInfo, StreamList};

use super::reads;

/// All records of a storage.
pub async fn dump<S: Storage>(storage: &S) -> String {
    let mut text = String::new();
    for area in Area::ALL {
        let range = KeyRange::default();
        let page = reads::page(storage, area, range, Direction::Forwards, u32::MAX as usize).await;
        for record in page.expect("a read").records {
            let key = match record.key {
                Key::Position(position) => position.to_string(),
                Key::Bytes(bytes) => hexadecimal(&bytes),
            };
            writeln!(text, "{}\t{key}\t{}", area.name(), hexadecimal(&record.value)).expect("a text grows");
        }
    }
    text
}

/// Puts the records of a text into an empty storage.
pub async fn restore<S: Storage>(storage: &S, text: &str) {
    let write = GuardedWrite {
        expect: Vec::new(),
        deletes: Vec::new(),
        puts: text.lines().map(record_of).collect(),
        layout: LayoutChange::Keep,
        durability: Durability::Relaxed,
    };
    assert_eq!(storage.write(write).await.expect("a write"), Written::Yes);
}

fn record_of(line: &str) -> (Area, Key, Vec<u8>) {
    let fields: Vec<&str> = line.split('\t').collect();
    let [area, key, value] = fields[..] else { panic!("not a record: {line}") };
    let area = Area::ALL.into_iter().find(|known| known.name() == area).expect("the name of an area");
    let key = match area {
        Area::Log => Key::Position(Position(key.parse().expect("a position"))),
        _ => Key::Bytes(bytes_of(key)),
    };
    (area, key, bytes_of(value))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes_of(hexadecimal: &str) -> Vec<u8> {
    let digits = hexadecimal.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("digits"));
    digits.map(|pair| u8::from_str_radix(pair, 16).expect("two digits")).collect()
}

/// All that a store says of its log, a line for each event and for each stream.
pub async fn transcript<S: Storage, H: Host>(store: &Store<S, H>) -> String {
    let mut text = String::new();
    note_log(store, Query::everything(), &mut text).await;
    note_log(store, facts(), &mut text).await;
    note_streams(store, &mut text).await;
    text
}

/// The store's own facts, which nobody reads who does not ask for them.
fn facts() -> Query {
    let types = ["$deleted", "$tombstoned", "$truncated"].map(Rc::from).to_vec();
    Query::new(vec![QueryItem { types: Some(types), ..QueryItem::default() }]).expect("a query")
}

async fn note_log<S: Storage, H: Host>(store: &Store<S, H>, query: Query, text: &mut String) {
    let mut read = AllRead { query, ..AllRead::everything() };
    loop {
        let page = store.read_all(&read).await.expect("a read");
        note_events(&page, text);
        let Some(next) = page.next else { return };
        read.after = Position(next);
        read.as_of = Some(page.as_of);
    }
}

fn note_events(page: &EventPage, text: &mut String) {
    for entry in page.entries() {
        let (position, stream, id, time) = (entry.position, entry.stream, entry.id, entry.time.0);
        write!(text, "{position}\t{stream}\t{id}\t{time}\t").expect("a text grows");
        match entry.body {
            Body::Fact(fact) => writeln!(text, "{}\t{fact:?}", fact.type_name()),
            Body::Event { revision, event_type, data, metadata, tags } => {
                let tags: Vec<&str> = tags.iter().collect();
                writeln!(text, "{revision}\t{event_type}\t{tags:?}\t{data:?}\t{metadata:?}")
            }
        }
        .expect("a text grows");
    }
}

async fn note_streams<S: Storage, H: Host>(store: &Store<S, H>, text: &mut String) {
    let mut after = None;
    loop {
        let list = StreamList { prefix: String::new(), after: after.take(), limit: 1_000 };
        let infos = store.streams(&list).await.expect("a list");
        let Some(last) = infos.last() else { return };
        after = Some(last.stream.to_string());
        for info in &infos {
            let StreamInfo { stream, revision, count, first_position, last_position, .. } = info;
            let StreamInfo { created_at, updated_at, life, truncated_before, .. } = info;
            let numbers = [
                revision.map(|revision| revision.0),
                Some(*count),
                first_position.map(|position| position.0),
                last_position.map(|position| position.0),
                Some(truncated_before.0),
            ];
            let times = [created_at.map(|time| time.0), updated_at.map(|time| time.0)];
            writeln!(text, "{stream}\t{life:?}\t{numbers:?}\t{times:?}").expect("a text grows");
        }
    }
}
