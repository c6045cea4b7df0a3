//! What compaction costs: bytes an event of blocks, filters and directory, and nanoseconds an event to make them.
//!
//! `cargo bench --bench layout`. Bank events of 1,000 accounts, and of so many that few have two: sixteen units of 4,096 events, merged into one of 65,536,
//! then eight such units' runs merged into one; of each step the fastest of several rounds, because everything else that
//! a machine does only adds.
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock of the machine that it measures")]
#![allow(clippy::unwrap_used, reason = "a benchmark may end where it is surprised")]

use std::rc::Rc;
use std::time::{Duration, Instant};

use everfold::codec::{Body, DecodedRecord, Entry, Extensions, Frame, Tags, encode_records};
use everfold::event::{Position, Revision, UnixMillis};
use everfold::id::{EventId, IdGenerator};
use everfold::layout::UnitNumber;
use everfold::layout::directory::{DirectoryEntry, Merge, MergeStep, Page, RunBuilder};
use everfold::layout::unit::{BlockStep, UnitBuilder, UnitHeader, UnitIdentity, UnitInfo, decode_block};
use everfold::testing::prng::Prng;

const TAIL_EVENTS: usize = 4_096;
const UNIT_EVENTS: usize = 65_536;
const RUN_COUNT: usize = 8;
const ACCOUNT_COUNT: usize = 1_000;
const MANY_ACCOUNTS_COUNT: usize = 1_000_000;
const ROUND_COUNT: usize = 5;

/// An event of the bank.
struct BankEvent {
    stream: String,
    revision: u64,
    event_type: &'static str,
    data: String,
    id: EventId,
    time: i64,
}

/// A unit as it is stored, and what it took to make.
struct Made {
    header: UnitHeader,
    blocks: Vec<Vec<u8>>,
    filter_bytes: usize,
    entries: Vec<DirectoryEntry>,
    steps: Vec<(Step, Duration)>,
}

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Add,
    Arrange,
    Block,
    Finish,
}

fn main() {
    for (commit_events, account_count) in [(1, ACCOUNT_COUNT), (10, ACCOUNT_COUNT), (1, MANY_ACCOUNTS_COUNT)]
    {
        println!("commits of {commit_events}, {account_count} accounts:");
        let mut bank = Bank::new(account_count);
        let events: Vec<BankEvent> = (0..UNIT_EVENTS).map(|_| bank.event()).collect();
        let extensions = Extensions::new();
        let frames = frames(&events, commit_events, &extensions);
        let tails = frames.chunks(TAIL_EVENTS / commit_events);
        let mut small: Vec<Made> = Vec::new();
        for frames in tails {
            let like = small.last().map(|unit| unit.header.info);
            small.push(fastest(|| make(0, &[(like, records_of(frames))])));
        }
        report("  units of level 0", &small.iter().collect::<Vec<_>>());
        let large = fastest(|| {
            let decode = |block: &Vec<u8>| Rc::new(decode_block(block).unwrap());
            let records = |unit: &Made| unit.blocks.iter().map(decode).collect();
            make(1, &small.iter().map(|unit| (Some(unit.header.info), records(unit))).collect::<Vec<_>>())
        });
        report("  merged", &[&large]);
    }
    merge_runs(&mut Bank::new(ACCOUNT_COUNT));
}

fn report(what: &str, units: &[&Made]) {
    let events: u64 = units.iter().map(|unit| unit.header.info.entry_count).sum();
    let blocks: usize = units.iter().map(|unit| unit.blocks.len()).sum();
    let block_bytes: usize = units.iter().flat_map(|unit| &unit.blocks).map(Vec::len).sum();
    let filter_bytes: usize = units.iter().map(|unit| unit.filter_bytes).sum();
    let header_bytes: usize = units.iter().map(|unit| unit.header.to_bytes().len()).sum();
    let pages: Vec<Vec<u8>> = units.iter().flat_map(|unit| run_of(&unit.entries)).collect();
    let page_bytes: usize = pages.iter().map(Vec::len).sum();
    let steps = || units.iter().flat_map(|unit| &unit.steps);
    let nanos = |wanted: Step| {
        let of_kind = steps().filter(|(step, _)| *step == wanted);
        of_kind.map(|(_, time)| time.as_nanos()).sum::<u128>() / u128::from(events)
    };
    let kinds = [Step::Add, Step::Arrange, Step::Block, Step::Finish];
    let longest =
        kinds.map(|kind| (kind, steps().filter(|(step, _)| *step == kind).map(|(_, time)| *time).max()));
    let each = |bytes: usize| bytes as f64 / events as f64;
    println!(
        "{what}: {events} events, {blocks} blocks of {} bytes; bytes an event: blocks {:.1}, filters {:.2}, headers {:.2}, \
         directory {:.2} ({} entries, pages of {} bytes); ns an event: {} to take in, {} to arrange, {} for blocks, {} in all; \
         {} steps of blocks; longest steps {:?}",
        block_bytes / blocks,
        each(block_bytes),
        each(filter_bytes),
        each(header_bytes),
        each(page_bytes),
        units.iter().map(|unit| unit.entries.len()).sum::<usize>(),
        page_bytes / pages.len(),
        nanos(Step::Add),
        nanos(Step::Arrange),
        nanos(Step::Block),
        kinds.map(nanos).iter().sum::<u128>(),
        steps().filter(|(step, _)| *step == Step::Block).count(),
        longest.map(|(kind, time)| (kind, time.unwrap_or_default())),
    );
}

fn records_of(frames: &[Frame<'_>]) -> Vec<Rc<DecodedRecord>> {
    encode_records(frames)
        .iter()
        .map(|record| Rc::new(DecodedRecord::decode(&record.bytes, record.first).unwrap()))
        .collect()
}

/// Makes a unit of records, each list of them with a unit that is like it.
fn make(level: u32, sources: &[(Option<UnitInfo>, Vec<Rc<DecodedRecord>>)]) -> Made {
    let records = || sources.iter().flat_map(|(_, records)| records);
    let first = records().map(|record| record.first()).min().unwrap();
    let last = records().map(|record| record.last()).max().unwrap();
    let mut steps = Vec::new();
    let mut step_start = Instant::now();
    let mut end_step = |step: Step| {
        steps.push((step, step_start.elapsed()));
        step_start = Instant::now();
    };
    let mut builder = UnitBuilder::new(UnitIdentity { number: UnitNumber(1), level, first, last });
    for (like, records) in sources {
        if let Some(info) = like {
            builder.expect_like(info);
        }
        for record in records {
            builder.add(Rc::clone(record), &|_| false).unwrap();
            end_step(Step::Add);
        }
    }
    while builder.arrange_step().is_continue() {
        end_step(Step::Arrange);
    }
    let mut arranged = builder.arrange().unwrap();
    end_step(Step::Arrange);
    let (mut blocks, mut filter_bytes) = (Vec::new(), 0);
    loop {
        match arranged.block_step().unwrap() {
            BlockStep::Tried => {}
            BlockStep::Block(built) => {
                filter_bytes += built.filter.len();
                blocks.push(built.block);
            }
            BlockStep::Finished => break,
        }
        end_step(Step::Block);
    }
    while arranged.finish_step().is_continue() {
        end_step(Step::Finish);
    }
    let finished = arranged.finish();
    end_step(Step::Finish);
    let entries = finished.entries.collect();
    Made { header: finished.header, blocks, filter_bytes, entries, steps }
}

fn run_of(entries: &[DirectoryEntry]) -> Vec<Vec<u8>> {
    let mut builder = RunBuilder::new(Position(1), Position(2));
    let mut pages: Vec<Vec<u8>> = entries.iter().filter_map(|entry| builder.push_entry(entry)).collect();
    pages.extend(builder.finish().page);
    pages
}

/// Merges the runs of eight units of the whole bank.
fn merge_runs(bank: &mut Bank) {
    let extensions = Extensions::new();
    let runs: Vec<Vec<Vec<u8>>> = (0..RUN_COUNT)
        .map(|_| {
            let events: Vec<BankEvent> = (0..UNIT_EVENTS).map(|_| bank.event()).collect();
            run_of(&make(1, &[(None, records_of(&frames(&events, 1, &extensions)))]).entries)
        })
        .collect();
    let (pages, time) =
        (0..ROUND_COUNT).map(|_| timed(|| merged(&runs))).min_by_key(|(_, time)| *time).unwrap();
    let bytes = |pages: &[Vec<u8>]| pages.iter().map(Vec::len).sum::<usize>();
    let entries: usize = pages.iter().map(|page| Page::from_bytes(page).unwrap().len()).sum();
    println!(
        "{RUN_COUNT} runs of {} bytes merged: {} bytes, {entries} entries in {} pages; {time:?}, {} ns an entry of all runs",
        runs.iter().map(|run| bytes(run)).sum::<usize>(),
        bytes(&pages),
        pages.len(),
        time.as_nanos() as usize / (entries * RUN_COUNT),
    );
}

fn merged(runs: &[Vec<Vec<u8>>]) -> Vec<Vec<u8>> {
    let mut merge = Merge::new(runs.len(), Position(1), Position(2));
    let mut feeds: Vec<_> = runs.iter().map(|run| run.iter()).collect();
    let mut pages = Vec::new();
    loop {
        match merge.step().unwrap() {
            MergeStep::Hungry(run) => {
                let page = feeds[run].next().map(|page| Page::from_bytes(page).unwrap());
                merge.feed(run, page.map(Rc::new));
            }
            MergeStep::Page(page) => pages.push(page),
            MergeStep::Finished => break,
        }
    }
    pages.extend(merge.finish().page);
    pages
}

fn timed<T>(run: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = run();
    (result, start.elapsed())
}

/// The same unit made several times, each of its steps as fast as it once was.
fn fastest(make: impl Fn() -> Made) -> Made {
    let mut fastest = make();
    for _ in 1..ROUND_COUNT {
        for ((_, time), (_, again)) in fastest.steps.iter_mut().zip(make().steps) {
            *time = again.min(*time);
        }
    }
    fastest
}

fn frames<'a>(events: &'a [BankEvent], commit_events: usize, extensions: &'a Extensions) -> Vec<Frame<'a>> {
    let mut position = Position::START;
    let frame = |events: &'a [BankEvent]| {
        let time = UnixMillis(events[0].time);
        let entry = |event: &'a BankEvent| {
            position = position.next();
            let BankEvent { stream, revision, event_type, data, id, .. } = event;
            let (revision, data) = (Revision(*revision), Some(data.as_str()));
            let body = Body::Event { revision, event_type, data, metadata: None, tags: Tags::NONE };
            Entry { position, stream, id: *id, time, body }
        };
        Frame { time, extensions, entries: events.iter().map(entry).collect() }
    };
    events.chunks(commit_events).map(frame).collect()
}

/// Accounts, and what happens to them.
struct Bank {
    prng: Prng,
    generator: IdGenerator,
    revisions: Vec<u64>,
    time: i64,
}

impl Bank {
    fn new(account_count: usize) -> Self {
        let generator = IdGenerator::new([7; EventId::PREFIX_BYTES]);
        Self { prng: Prng::new(1), generator, revisions: vec![0; account_count], time: 1_760_000_000_000 }
    }

    fn event(&mut self) -> BankEvent {
        let account = self.prng.index(self.revisions.len());
        let revision = self.revisions[account];
        self.revisions[account] += 1;
        self.time += self.prng.below(5_000) as i64;
        let amount = self.prng.between(1..=100_000);
        let event_type = *self.prng.pick(&["deposited", "withdrawn"]);
        let data = format!("{{\"amount\":{amount},\"currency\":\"EUR\"}}");
        let id = self.generator.next_id();
        BankEvent { stream: format!("account-{account}"), revision, event_type, data, id, time: self.time }
    }
}
