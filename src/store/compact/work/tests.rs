//! Work done by hand: what it wants is looked up in a list of records, what it puts down is entered there. No storage, no
//! host, nothing that waits.

use std::rc::Rc;

use super::{Desk, TRANSACTION_BYTES, Work};
use crate::codec::{Body, Entry, Extensions, Frame, Tags, encode_records};
use crate::event::{Fact, Position, Revision, UnixMillis};
use crate::id::EventId;
use crate::index::plan::Source;
use crate::layout::keys::ROOT;
use crate::layout::plan::Bounds;
use crate::layout::root::Root;
use crate::layout::unit::UnitInfo;
use crate::layout::{BlockAddress, BlockIndex};
use crate::storage::records::{Changes, Records};
use crate::storage::{Area, GuardedWrite, Head, Key, LayoutChange, Request, Written};
use crate::store::compact::Halt;
use crate::store::compact::claim::{Stored, Token};
use crate::store::compact::erasure::Erasure;
use crate::store::compact::runs::RunsWork;
use crate::store::compact::unit_work::UnitWork;
use crate::store::fetch::page_of_log;
use crate::store::parts::{Item, Part};

const STREAMS: [&str; 3] = ["a", "b", "c"];
const TOKEN: Token = [7; 8];
static NO_EXTENSIONS: Extensions = Extensions::new();

/// A log, and its root as it was read last.
struct Bench {
    records: Records,
    stored: Stored,
    /// What work wanted to read.
    wanted: Vec<Request>,
}

impl Bench {
    fn new() -> Self {
        let (head, root) = (Head::default(), Root::default());
        let stored = Stored { head, root, bytes: None, token: None };
        Self { records: Records::default(), stored, wanted: Vec::new() }
    }

    /// Appends commits of one event each, one to a record, in turn to each stream.
    fn append(&mut self, count: u64) {
        let first = self.stored.head.position.0 + 1;
        for position in first..first + count {
            let number = position - 1;
            let stream = STREAMS[(number % 3) as usize];
            let revision = Revision(number / 3);
            let body =
                Body::Event { revision, event_type: "t", data: Some("1"), metadata: None, tags: Tags::NONE };
            self.append_entry(position, stream, body);
        }
    }

    fn append_entry(&mut self, position: u64, stream: &str, body: Body<'_>) {
        let (position, time) = (Position(position), UnixMillis(position as i64));
        let id = EventId::from_bytes(u128::from(position.0).to_be_bytes());
        let entries = vec![Entry { position, stream, id, time, body }];
        for record in encode_records(&[Frame { time, extensions: &NO_EXTENSIONS, entries }]) {
            let key = Key::Position(record.first);
            self.records.apply(Changes::of_record(Area::Log, key, Some(record.bytes)));
        }
        self.stored.head.position = position;
        self.put_head();
    }

    fn put_head(&mut self) {
        let head = Some(self.stored.head.to_bytes());
        self.records.apply(Changes::of_record(Area::Meta, Key::text(Head::KEY), head));
    }

    fn write(&mut self, write: GuardedWrite) {
        let (written, changes) = self.records.write(write).unwrap();
        assert_eq!(written, Written::Yes);
        self.records.apply(changes);
    }

    fn claim(&mut self) {
        let (claimed, write) = self.stored.claim(TOKEN);
        self.write(write);
        self.stored = claimed;
    }

    /// Does work to its end. What it wants is given to it, what it puts down is written at once.
    fn carry_through(&mut self, work: &mut dyn Work) -> Result<Desk, Halt> {
        let mut desk = Desk::new(&self.stored);
        for _ in 0..10_000 {
            let progress = work.advance(&mut desk)?;
            if let Some(request) = desk.wanted.take() {
                assert!(progress.is_continue(), "it ends, and wants to read");
                desk.found = Some(self.records.read(&request).unwrap());
                self.wanted.push(request);
            }
            if let Some(write) = desk.take_write() {
                assert_eq!(write.layout, LayoutChange::Keep);
                assert!(write.deletes.is_empty(), "what is staged replaces nothing");
                self.write(write);
            }
            if progress.is_break() {
                return Ok(desk);
            }
        }
        panic!("it never ends");
    }

    /// Does work under a claim, and swaps.
    fn step(&mut self, work: impl FnOnce(&Stored) -> Box<dyn Work>) {
        self.wanted.clear();
        self.claim();
        let mut work = work(&self.stored);
        let mut desk = self.carry_through(&mut *work).ok().unwrap();
        let swap = desk.swap.take().unwrap();
        let olders = swap.tail.iter().flat_map(|tail| tail.erasure.streams()).map(|_| None).collect();
        let (write, root) = swap.into_write(&self.stored, olders);
        self.write(write);
        self.stored.bytes = Some(root.to_bytes());
        self.stored.head.layout = root.layout;
        self.stored.root = root;
        self.stored.token = None;
    }

    fn compact_tail(&mut self) {
        self.step(|claimed| Box::new(UnitWork::of_tail(claimed, &Bounds::DEFAULT)));
    }

    fn part(&self, part: Part) -> Item {
        let request = Request { keys: vec![part.key()], ..Request::default() };
        let value = self.records.read(&request).unwrap().values.pop().flatten();
        part.decode(value).unwrap()
    }

    /// The positions that a unit holds, block by block.
    fn positions_in(&self, unit: &UnitInfo) -> Vec<u64> {
        let addresses =
            (0..unit.block_count).map(|block| BlockAddress { unit: unit.number, block: BlockIndex(block) });
        let mut positions = Vec::new();
        for address in addresses {
            let Item::Entries(block) = self.part(Part::Entries(Source::Block(address))) else {
                panic!("{address:?} holds no entries")
            };
            positions.extend(block.entries().map(|entry| entry.position.0));
        }
        positions
    }

    /// The keys of all entries of a run.
    fn keys_of_run(&self, index: usize) -> Vec<Vec<u8>> {
        let run = self.stored.root.runs[index];
        let mut keys = Vec::new();
        for page in 0..run.page_count {
            let Item::Page(page) = self.part(Part::Page(run.number, page)) else { panic!("no page") };
            keys.extend((0..page.len()).map(|entry| page.key(entry).unwrap().to_vec()));
        }
        keys
    }

    fn log_is_empty(&self) -> bool {
        let page = page_of_log(Default::default(), 1);
        self.records.read(&page).unwrap().pages[0].is_empty()
    }
}

#[test]
fn a_tail_becomes_a_unit_of_what_was_wanted_and_found() {
    let mut bench = Bench::new();
    bench.append(100);
    bench.compact_tail();
    // 64 records first, then as many as a page of a catch-up is made of.
    let firsts: Vec<_> = bench.wanted.iter().map(|request| request.pages[0].range.from.clone()).collect();
    assert_eq!(firsts, [1, 65].map(|first| Some(Key::Position(Position(first)))));
    let root = bench.stored.root.clone();
    assert_eq!(
        (root.layout, root.covered, root.stream_count, root.visible_count),
        (1, Position(100), 3, 100)
    );
    assert_eq!((root.staged.len(), root.units.len(), root.runs.len()), (0, 1, 1));
    let of_stream = |stream: u64| (1..=100).filter(move |position| (position - 1) % 3 == stream);
    let expected: Vec<u64> = (0..3).flat_map(of_stream).collect();
    assert_eq!(bench.positions_in(&root.units[0]), expected, "stream by stream");
    assert!(bench.log_is_empty());
}

#[test]
fn what_is_hidden_is_left_out_although_its_fact_comes_later() {
    let mut bench = Bench::new();
    bench.append(9);
    bench.append_entry(10, "b", Body::Fact(Fact::Deleted));
    bench.compact_tail();
    let unit = bench.stored.root.units[0];
    assert_eq!(bench.positions_in(&unit), [1, 4, 7, 10, 3, 6, 9]);
    assert_eq!((unit.entry_count, unit.remains_count, bench.stored.root.visible_count), (7, 1, 6));
}

#[test]
fn units_become_one_and_their_runs_too() {
    let mut bench = Bench::new();
    for _ in 0..3 {
        bench.append(30);
        bench.compact_tail();
    }
    assert_eq!((bench.stored.root.units.len(), bench.stored.root.runs.len()), (3, 3));
    let keys = bench.keys_of_run(0);

    bench.step(|claimed| Box::new(RunsWork::new(claimed, 0..3, 1).ok().unwrap()));
    assert_eq!((bench.stored.root.units.len(), bench.stored.root.runs.len()), (3, 1));
    assert_eq!(bench.keys_of_run(0), keys, "the same streams, types and tags");
    // The unit takes the place of two in a run that knows of three.
    let erasure = Rc::new(Erasure::default());
    bench.step(|claimed| Box::new(UnitWork::of_units(claimed, 1..3, 1, &erasure).ok().unwrap()));
    let root = bench.stored.root.clone();
    assert_eq!((root.units.len(), root.runs.len(), root.covered), (2, 1, Position(90)));
    assert_eq!((root.runs[0].first, root.runs[0].last), (Position(1), Position(90)));
    assert_eq!(bench.keys_of_run(0), keys);
    assert_eq!((root.units[1].first, root.units[1].last), (Position(31), Position(90)));
    let mut positions = bench.positions_in(&root.units[1]);
    positions.sort_unstable();
    assert_eq!(positions, (31..=90).collect::<Vec<_>>());
}

#[test]
fn work_ends_at_a_record_that_cannot_be_read_and_swaps_nothing() {
    let mut bench = Bench::new();
    bench.append(3);
    let second = Key::Position(Position(2));
    bench.records.apply(Changes::of_record(Area::Log, second, Some(vec![0; 40])));
    bench.claim();
    let mut work = UnitWork::of_tail(&bench.stored, &Bounds::DEFAULT);
    let halt = bench.carry_through(&mut work).err().unwrap();
    let Halt::Failed(error) = halt else { panic!("it is not told what is damaged") };
    assert_eq!((error.code(), error.to_string().contains("log/2")), ("CORRUPT_DATA", true), "{error}");
}

#[test]
fn work_ends_at_a_page_of_the_directory_that_is_lost_and_has_it_made_again() {
    let mut bench = Bench::new();
    for _ in 0..2 {
        bench.append(3);
        bench.compact_tail();
    }
    let (area, key) = Part::Page(bench.stored.root.runs[1].number, 0).key();
    bench.records.apply(Changes::of_record(area, key, None));
    bench.claim();
    let mut work = RunsWork::new(&bench.stored, 0..2, 1).ok().unwrap();
    assert!(matches!(bench.carry_through(&mut work), Err(Halt::Directory)));
}

#[test]
fn of_two_claims_whose_roots_are_equal_the_later_one_holds() {
    let mut bench = Bench::new();
    bench.append(3);
    let (one, write) = bench.stored.claim([1; 8]);
    bench.write(write);
    // The root is lost, and another compaction begins where this one did.
    bench.records.apply(Changes::of_record(Area::Index, Key::text(ROOT), None));
    let (other, write) = bench.stored.claim([2; 8]);
    bench.write(write);
    assert_eq!(one.bytes, other.bytes);
    let written = |write| bench.records.write(write).unwrap().0;
    assert_eq!((written(one.write()), written(one.give_up())), (Written::Refused, Written::Refused));
    assert_eq!(written(other.write()), Written::Yes);
}

#[test]
fn what_lies_on_a_desk_is_written_once_under_the_root_that_it_holds_to() {
    let bench = Bench::new();
    let (claimed, _) = bench.stored.claim(TOKEN);
    let mut desk = Desk::new(&claimed);
    assert!(desk.take_write().is_none() && !desk.is_full());
    let key = |number: u8| Key::Bytes(vec![number; 13]);
    desk.put(Area::Units, key(1), vec![0; TRANSACTION_BYTES - 1]);
    assert!(!desk.is_full());
    desk.put(Area::Index, key(2), vec![0]);
    assert!(desk.is_full());
    let write = desk.take_write().unwrap();
    assert_eq!((write.expect, write.puts.len()), (claimed.write().expect, 2));
    assert!(desk.take_write().is_none() && !desk.is_full());
}
