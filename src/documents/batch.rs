//! A batch of documents: each read once, folded as often as events are of it, and written once.

use std::rc::Rc;

use crate::projection::Tree;
use crate::projection::changes::Change;
use crate::projection::index_key::{self, IndexValue};
use crate::reducer::{Document, EventView, IndexedValue, ReducerFailure};
use crate::sort::sort_numbers;
use crate::table::{Table, hash_of};

use super::{Changed, Definition, Folding};

/// What indexes have of a document: in which tree, and the values as bytes.
type Entries = Vec<Entry>;
type Entry = (Tree, Vec<u8>);

/// The documents of a batch, by their keys.
pub struct Batch {
    definition: Rc<Definition>,
    rows: Table<Row>,
    /// How many are here: the others lack.
    here_count: usize,
    /// The number of a document for each time that an event is of one, in the order of the events.
    turns: Vec<Turn>,
    /// So many of them are done.
    done_count: usize,
}

/// That an event is of a document.
struct Turn {
    position: u64,
    row: usize,
}

struct Row {
    key: Rc<str>,
    stored: Option<Rc<str>>,
    stored_entries: Entries,
    document: Document,
    last_position: u64,
}

impl Batch {
    pub fn new(definition: Rc<Definition>) -> Self {
        Self { definition, rows: Table::default(), here_count: 0, turns: Vec::new(), done_count: 0 }
    }
}

impl Folding for Batch {
    fn meet(&mut self, event: &EventView<'_>) -> Result<(), ReducerFailure> {
        let Self { definition, rows, turns, .. } = self;
        let first = turns.len();
        let met = definition.program.keys(event, &mut |key| {
            let hash = hash_of(key.as_bytes());
            let known = rows.find(hash, |row| *row.key == *key);
            let row = known.unwrap_or_else(|| {
                rows.push(hash, Row::new(key));
                rows.rows().len().saturating_sub(1)
            });
            // Of keys that are given twice for one event the first counts.
            let is_twice = turns.get(first..).is_some_and(|turns| turns.iter().any(|turn| turn.row == row));
            if !is_twice {
                turns.push(Turn { position: event.position, row });
            }
        });
        if met.is_err() {
            turns.truncate(first);
        }
        met
    }

    fn lacking(&self) -> Vec<Rc<str>> {
        let lacking = self.rows.rows().get(self.here_count..).unwrap_or_default();
        lacking.iter().map(|row| Rc::clone(&row.key)).collect()
    }

    fn bring(&mut self, stored: Vec<Option<Rc<str>>>) -> Option<Rc<str>> {
        for text in stored {
            let row = self.rows.row_mut(self.here_count)?;
            if let Some(text) = text {
                let Some(document) = Document::from_json(&text) else { return Some(Rc::clone(&row.key)) };
                row.stored_entries = entries_of(&self.definition, &document);
                (row.stored, row.document) = (Some(text), document);
            }
            self.here_count = self.here_count.saturating_add(1);
        }
        None
    }

    fn fold(&mut self, event: &EventView<'_>) -> Result<(), ReducerFailure> {
        while let Some(Turn { row, .. }) =
            self.turns.get(self.done_count).filter(|turn| turn.position == event.position)
        {
            if let Some(row) = self.rows.row_mut(*row) {
                self.definition.program.fold(&mut row.document, event)?;
                row.last_position = event.position;
            }
            self.done_count = self.done_count.saturating_add(1);
        }
        if self.done_count == self.turns.len() {
            self.turns.clear();
            self.done_count = 0;
        }
        Ok(())
    }

    fn count(&self) -> usize {
        self.here_count
    }

    fn change(&self, number: usize) -> Changed {
        let mut changed = Changed { key: None, changes: Vec::new(), last_position: 0, size_bytes: 0 };
        let Some(row) = self.rows.rows().get(number) else { return changed };
        changed.last_position = row.last_position;
        let text = row.document.to_json().map(Rc::<str>::from);
        if text == row.stored {
            return changed;
        }
        changed.key = Some(Rc::clone(&row.key));
        changed.size_bytes = text.as_ref().map_or(0, |text| text.len());
        let (before, after) = (&row.stored_entries, entries_of(&self.definition, &row.document));
        let document = Change { tree: Tree::DOCUMENTS, key: row.key.as_bytes().to_vec(), value: text };
        changed.changes.push(document);
        let mut change = |(tree, values): &Entry, value: Option<Rc<str>>| {
            let key = [values.as_slice(), row.key.as_bytes()].concat();
            changed.changes.push(Change { tree: *tree, key, value });
        };
        beyond(before, &after, &mut |entry| change(entry, None));
        beyond(&after, before, &mut |entry| change(entry, Some(Rc::default())));
        changed
    }
}

impl Row {
    fn new(key: &str) -> Self {
        Self {
            key: Rc::from(key),
            stored: None,
            stored_entries: Vec::new(),
            document: Document::NONE,
            last_position: 0,
        }
    }
}

/// Hands over the entries that are in one list and not in another, both of which are in their order.
fn beyond(entries: &Entries, others: &Entries, take: &mut dyn FnMut(&Entry)) {
    let mut others = others.iter().peekable();
    for entry in entries {
        while others.next_if(|other| *other < entry).is_some() {}
        if others.peek() != Some(&entry) {
            take(entry);
        }
    }
}

/// What all indexes have of a document, each entry once, in their order.
fn entries_of(definition: &Definition, document: &Document) -> Entries {
    let mut entries: Entries = Vec::new();
    for (place, index) in definition.indexes.iter().enumerate() {
        let first = entries.len();
        document.entries(index, &mut |values| {
            let mut bytes = Vec::new();
            for value in values {
                index_key::push(
                    &mut bytes,
                    match value {
                        IndexedValue::Boolean(value) => IndexValue::Boolean(*value),
                        IndexedValue::Number(number) => IndexValue::Number(*number),
                        IndexedValue::Text(text) => IndexValue::Text(text),
                    },
                );
            }
            entries.push((Tree::of_index(place), bytes));
        });
        // Of one document an index has mostly one entry.
        if first.saturating_add(1) < entries.len() {
            let own = sorted(entries.split_off(first));
            entries.extend(own);
        }
    }
    entries
}

fn sorted(mut entries: Entries) -> Entries {
    let mut places: Vec<u32> = (0..entries.len() as u32).collect();
    let key_of = |place: u32| entries.get(place as usize).map(|(_, bytes)| bytes);
    sort_numbers(&mut places, &|one, other| key_of(one) < key_of(other));
    let mut sorted: Entries = Vec::with_capacity(entries.len());
    for place in places {
        let entry = entries.get_mut(place as usize).map(|(tree, bytes)| (*tree, std::mem::take(bytes)));
        sorted.extend(entry.filter(|entry| sorted.last() != Some(entry)));
    }
    sorted
}
