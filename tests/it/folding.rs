//! Folding: one stream, a query, or each stream of the log, now or as of another moment.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::rc::Rc;

use everfold::aggregate::{Reducer, ReducerFailure};
use everfold::codec::{Body, Entry};
use everfold::error::{Detail, Error};
use everfold::event::{EventType, Json, NewEvent, Position, Revision, UnixMillis, category_of};
use everfold::host::Host;
use everfold::query::Query;
use everfold::reducer::{Program, Versions};
use everfold::storage::{Area, Request, Storage};
use everfold::store::{
    AllRead, FoldRequest, FoldSource, Folded, JsonReducer, Mark, Passed, Store, StoredPlace, StoredRead,
    StreamRead,
};
use everfold::testing::prng::Prng;
use everfold::testing::simulated_host::SimulatedHost;
use everfold::testing::watched_storage::Watch;

use futures_util::future::join;

use crate::compaction::laid::{compact, history, lay, on_demand};
use crate::layout::lived::Shape;
use crate::one_tab::{
    Browser, RELAXED, TestStore, append, at, event, in_browser, in_one_tab, mark, name, of_types, whole_log,
    whole_stream,
};

/// Writes down what it is handed, but for types with names of odd lengths.
struct Trace;

type Lines = Vec<String>;

impl Reducer for Trace {
    type State = Lines;

    fn initial(&self) -> Lines {
        Vec::new()
    }

    fn folds(&self, event_type: &str) -> bool {
        event_type.len().is_multiple_of(2)
    }

    fn evolve(&self, state: &mut Lines, entry: &Entry<'_>) -> Result<(), ReducerFailure> {
        state.extend(line_of(entry));
        Ok(())
    }

    fn state_to_json(&self, state: &Lines) -> Result<String, ReducerFailure> {
        Ok(format!("{state:?}"))
    }

    fn state_from_json(&self, _: &str) -> Option<Lines> {
        None
    }
}

fn line_of(entry: &Entry<'_>) -> Option<String> {
    match &entry.body {
        Body::Event { revision, event_type, data, .. } if event_type.len().is_multiple_of(2) => {
            let length = data.map_or(0, str::len);
            Some(format!("{} {revision} {event_type} {length} {}", entry.stream, entry.position))
        }
        _ => None,
    }
}

fn nothing_wanted_less(_: Passed) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// What reading comes to, page by page.
#[derive(Default)]
struct Told(BTreeMap<String, Folded<Lines>>);

impl Told {
    fn take(&mut self, key: &str, entry: &Entry<'_>) {
        let Body::Event { revision, .. } = entry.body else { return };
        let folded = self.0.entry(key.to_owned()).or_insert_with(|| Folded::nothing(Vec::new()));
        folded.state.extend(line_of(entry));
        folded.count += 1;
        folded.last_position = entry.position;
        folded.revision = Some(revision);
    }

    fn into_map(mut self, as_of: Position) -> BTreeMap<String, Folded<Lines>> {
        self.0.values_mut().for_each(|folded| folded.as_of = as_of);
        self.0
    }

    fn one_state(self, as_of: Position) -> Folded<Lines> {
        let found = self.into_map(as_of).into_values().next();
        found.unwrap_or_else(|| Folded { as_of, ..Folded::nothing(Vec::new()) })
    }
}

async fn told_of_all<S: Storage, H: Host>(
    store: &Store<S, H>,
    category: Option<&str>,
) -> BTreeMap<String, Folded<Lines>> {
    let (mut told, mut read) = (Told::default(), whole_log());
    loop {
        let page = store.read_all(&read).await.unwrap();
        for entry in page.entries() {
            if category.is_none_or(|category| category_of(entry.stream) == category) {
                told.take(entry.stream, &entry);
            }
        }
        let Some(next) = page.next else { return told.into_map(page.as_of) };
        (read.after, read.as_of) = (Position(next), Some(page.as_of));
    }
}

async fn folded_of_all<S: Storage, H: Host>(
    store: &Store<S, H>,
    category: Option<&str>,
) -> BTreeMap<String, Folded<Lines>> {
    let all = store.load_all(&Trace, category, nothing_wanted_less).await.unwrap();
    all.streams.into_iter().map(|(stream, folded)| (stream.to_string(), folded)).collect()
}

async fn check_all<S: Storage, H: Host>(store: &Store<S, H>) {
    let told = told_of_all(store, None).await;
    assert_eq!(folded_of_all(store, None).await, told);
    let categories = told.keys().map(|stream| category_of(stream)).chain(["none"]);
    for category in categories.take(3) {
        assert_eq!(folded_of_all(store, Some(category)).await, told_of_all(store, Some(category)).await);
    }
}

/// Lays a history a part at a time, of which some are compacted.
async fn check_history(browser: Browser, seed: u64) {
    println!("seed {seed}");
    let mut prng = Prng::new(seed);
    let shape = Shape::any(&mut prng);
    let commits = history(&mut prng, shape);
    let options = on_demand(*prng.pick(&[20, 100, 1_000]));
    let store = browser.open_with(options).await.unwrap();
    let mut laid = 0;
    while laid < commits.len() {
        let count = prng.between(1..=commits.len() as u64).min((commits.len() - laid) as u64) as usize;
        lay(&browser.storage, &commits[laid..laid + count], prng.between(1..=20) as usize).await;
        laid += count;
        if prng.chance(600) {
            compact(&store).await.unwrap();
        }
        check_all(&store).await;
        let opened_anew = browser.open_with(options).await.unwrap();
        check_all(&opened_anew).await;
        check_moments(&opened_anew, &mut prng).await;
    }
}

#[test]
fn each_stream_is_folded_to_what_reading_everything_comes_to() {
    for seed in 0..20 {
        in_browser(|browser| check_history(browser, seed));
    }
}

/// Streams and the log as of random positions, and up to random revisions.
async fn check_moments(store: &TestStore, prng: &mut Prng) {
    let streams: Vec<String> = told_of_all(store, None).await.into_keys().collect();
    for _ in 0..5 {
        let as_of = Position(prng.between(1..=store.position().0));
        let before = prng.chance(500).then(|| Revision(prng.below(20)));
        let stream = if streams.is_empty() { "none" } else { prng.pick(&streams) };
        check_stream(store, stream, before, as_of).await;
        check_query(store, as_of).await;
    }
}

async fn check_stream(store: &TestStore, stream: &str, before: Option<Revision>, as_of: Position) {
    let source = FoldSource::Stream { stream: name(stream), before };
    let folded = store.load(&Trace, &FoldRequest { source, as_of: Some(as_of) }).await.unwrap();
    let mut read = StreamRead { before, as_of: Some(as_of), ..whole_stream(stream) };
    let mut told = Told::default();
    loop {
        let page = store.read_stream(&read).await.unwrap();
        page.entries().for_each(|entry| told.take(stream, &entry));
        let Some(next) = page.next else { break };
        read.from = Revision(next);
    }
    assert_eq!(folded, told.one_state(as_of), "{stream} before {before:?} as of {as_of}");
}

/// In two steps and in one.
async fn check_query(store: &TestStore, as_of: Position) {
    let request = |as_of| FoldRequest { source: FoldSource::Query(Query::everything()), as_of: Some(as_of) };
    let folded = store.load(&Trace, &request(as_of)).await.unwrap();
    let mut read = AllRead { as_of: Some(as_of), ..whole_log() };
    let mut told = Told::default();
    loop {
        let page = store.read_all(&read).await.unwrap();
        page.entries().for_each(|entry| told.take("", &entry));
        let Some(next) = page.next else { break };
        read.after = Position(next);
    }
    assert_eq!(folded, told.one_state(as_of));
}

#[test]
fn a_fold_goes_on_where_it_was() {
    in_one_tab(|store| async move {
        for number in 0..20 {
            append(&store, if number % 3 == 0 { "a" } else { "b" }, vec![event("Ab"), event("Cd")]).await;
        }
        let sources =
            [FoldSource::Stream { stream: name("a"), before: None }, FoldSource::Query(of_types(&["Ab"]))];
        for source in sources {
            let request = |as_of| FoldRequest { source: source.clone(), as_of };
            let whole = store.load(&Trace, &request(None)).await.unwrap();
            for as_of in [0, 1, 7, 39, 40] {
                let part = store.load(&Trace, &request(Some(Position(as_of)))).await.unwrap();
                let gone_on = store.fold(&Trace, part, &request(None), nothing_wanted_less).await.unwrap();
                assert_eq!(gone_on, whole, "from {as_of}");
            }
        }
    });
}

#[test]
fn facts_are_passed_over_where_a_query_names_them() {
    in_one_tab(|store| async move {
        append(&store, "a", vec![event("Ab"), event("Cd")]).await;
        append(&store, "b", vec![event("Ef")]).await;
        mark(&store, "b", Mark::Delete).await.unwrap();
        let request = |as_of| FoldRequest {
            source: FoldSource::Query(of_types(&["Ab", "Cd", "$deleted"])),
            as_of: Some(Position(as_of)),
        };
        let folded = store.load(&Trace, &request(4)).await.unwrap();
        assert_eq!(folded.state.len(), 2);
        let numbers = (folded.count, folded.revision, folded.last_position, folded.as_of);
        assert_eq!(numbers, (2, Some(Revision(1)), Position(2), Position(4)));
        let part = store.load(&Trace, &request(3)).await.unwrap();
        assert_eq!(store.fold(&Trace, part, &request(4), nothing_wanted_less).await.unwrap(), folded);
    });
}

#[test]
fn the_state_at_a_time_is_that_before_the_first_event_that_is_later() {
    in_one_tab(|store| async move {
        append(&store, "a", vec![at("Ab", 10), at("Cd", 30), at("Ef", 20)]).await;
        append(&store, "b", vec![at("Gh", 40)]).await;
        mark(&store, "a", Mark::Truncate { before: Revision(1) }).await.unwrap();
        let mut found = Vec::new();
        for time in [9, 10, 29, 30, 39, 40, i64::MAX] {
            found.push(store.position_at(UnixMillis(time)).await.unwrap().0);
        }
        // The first event was hidden by a truncation that is later than all of them.
        assert_eq!(found, [0, 1, 1, 3, 3, 4, 5]);
    });
}

/// Payload of an event, in bytes: it is a block of its own.
const PAYLOAD_BYTES: usize = 20 * 1024;

/// Appends events whose texts do not become shorter by being packed.
async fn append_large(store: &TestStore, prng: &mut Prng, count: u64) {
    for _ in 0..count {
        let bytes = prng.bytes(PAYLOAD_BYTES).into_iter();
        let text: String = bytes.map(|it| char::from(b'0' + it % 64)).collect();
        let data = Json::parse(format!("\"{}\"", text.replace('\\', "~"))).unwrap();
        let event = NewEvent { data: Some(data), ..NewEvent::new(EventType::new("Noted!").unwrap()) };
        append(store, &format!("stream-{}", prng.below(3)), vec![event]).await;
    }
}

/// Reads page by page in stored order, and folds as those do who cannot keep a place.
async fn paged(store: &TestStore, mut between: impl AsyncFnMut(usize)) -> BTreeMap<String, Folded<Lines>> {
    let mut told = Told::default();
    let mut read = StoredRead { category: None, place: StoredPlace::default(), as_of: None };
    for number in 0.. {
        let stored = store.read_stored(&read).await.unwrap();
        for entry in stored.page.entries() {
            assert!(read.place.after < entry.position, "what was walked through as a whole comes again");
            let last = told.0.get(entry.stream).map(|folded| folded.last_position);
            if last.is_none_or(|last| last < entry.position) {
                told.take(entry.stream, &entry);
            }
        }
        read.as_of = Some(stored.page.as_of);
        let Some(next) = stored.next else { break };
        read.place = next;
        between(number).await;
    }
    told.into_map(read.as_of.unwrap_or_default())
}

#[test]
fn pages_in_stored_order_hold_everything_though_the_log_is_compacted_meanwhile() {
    for compacted_after in 0..5 {
        in_browser(|browser| async move {
            let (store, other) = (
                browser.open_with(on_demand(30)).await.unwrap(),
                browser.open_with(on_demand(1_000)).await.unwrap(),
            );
            let mut prng = Prng::new(compacted_after);
            append_large(&store, &mut prng, 40).await;
            compact(&store).await.unwrap();
            append_large(&store, &mut prng, 20).await;
            let told = told_of_all(&store, None).await;
            let reader = browser.open_with(on_demand(30)).await.unwrap();
            let found = paged(&reader, async |number| {
                if number as u64 == compacted_after {
                    append_large(&other, &mut prng, 5).await;
                    compact(&other).await.unwrap();
                }
            });
            assert_eq!(found.await, told, "compacted after page {compacted_after}");
        });
    }
}

/// The third portion is asked for, and not answered before another tab has made one unit of all.
#[test]
fn all_is_folded_once_though_the_log_is_compacted_between_two_portions() {
    in_browser(|browser| async move {
        let mut prng = Prng::new(1);
        let store = browser.open_with(on_demand(80)).await.unwrap();
        append_large(&store, &mut prng, 160).await;
        compact(&store).await.unwrap();
        append_large(&store, &mut prng, 20).await;
        let told = told_of_all(&store, None).await;
        let watch = Watch::default();
        let reader = browser.open_watched(&watch, on_demand(80)).await;
        let mut portion_count = 0;
        let folding = reader.load_all(&Trace, None, |_| {
            portion_count += 1;
            if portion_count == 1 {
                watch.hold_reads();
            }
            ControlFlow::Continue(())
        });
        let compacting = async {
            browser.sleep(100).await;
            let other = browser.open_with(on_demand(1_000)).await.unwrap();
            let compacted = compact(&other).await.unwrap();
            watch.let_reads_go();
            compacted.unit_count
        };
        let (found, unit_count) = join(folding, compacting).await;
        let found: BTreeMap<_, _> =
            found.unwrap().streams.into_iter().map(|(name, folded)| (name.to_string(), folded)).collect();
        assert_eq!((found, unit_count), (told, 1));
        assert!(3 < portion_count, "{portion_count} portions");
    });
}

#[test]
fn each_block_is_asked_for_once_and_two_portions_before_the_first_is_there() {
    in_browser(|browser| async move {
        let store = browser.open_with(on_demand(200)).await.unwrap();
        append_large(&store, &mut Prng::new(1), 150).await;
        compact(&store).await.unwrap();
        let watch = Watch::default();
        let reader = browser.open_watched(&watch, on_demand(200)).await;
        browser.sleep(1).await;
        watch.take_reads();
        watch.hold_reads();
        let asked = || watch.take_reads().iter().map(block_count).sum::<usize>();
        let answering = async {
            browser.sleep(100).await;
            let asked_before_any_answer = asked();
            watch.let_reads_go();
            asked_before_any_answer
        };
        let (folded, asked_first) = join(folded_of_all(&reader, None), answering).await;
        assert_eq!(folded, told_of_all(&store, None).await);
        assert_eq!((asked_first, asked()), (128, 22));
    });
}

/// How many blocks a request asks for.
fn block_count(request: &Request) -> usize {
    let of_units = |area: &Area| *area == Area::Units;
    let keys = request.keys.iter().filter(|(area, _)| of_units(area)).count();
    let pages = request.pages.iter().filter(|page| of_units(&page.area));
    keys + pages.map(|page| page.count_max).sum::<usize>()
}

/// Takes ten milliseconds to write a state, and notes which turn of the page it is meanwhile.
struct Slow {
    host: SimulatedHost,
    turn: Rc<Cell<u32>>,
    seen: Rc<RefCell<BTreeSet<u32>>>,
}

impl Reducer for Slow {
    type State = ();

    fn initial(&self) {}

    fn folds(&self, _: &str) -> bool {
        false
    }

    fn evolve(&self, (): &mut (), _: &Entry<'_>) -> Result<(), ReducerFailure> {
        Ok(())
    }

    fn state_to_json(&self, (): &()) -> Result<String, ReducerFailure> {
        self.host.shift_clock(10);
        self.seen.borrow_mut().insert(self.turn.get());
        Ok("null".to_owned())
    }

    fn state_from_json(&self, _: &str) -> Option<()> {
        Some(())
    }
}

#[test]
fn while_many_states_are_written_the_page_has_its_turn() {
    in_browser(|browser| async move {
        let host = browser.host();
        let store = browser.open_on(host.clone(), RELAXED).await.unwrap();
        for number in 0..200 {
            append(&store, &format!("a-{number}"), vec![event("Ab")]).await;
        }
        let (turn, seen) = (Rc::new(Cell::new(0)), Rc::default());
        let slow = Slow { host: host.clone(), turn: Rc::clone(&turn), seen: Rc::clone(&seen) };
        let reducer = JsonReducer::new(slow, Versions::default());
        let is_done = Cell::new(false);
        let folded = async {
            let folded = store.fold_all_json(&reducer, None, None, &mut nothing_wanted_less).await.unwrap();
            assert_eq!(folded.states.len(), 200);
            is_done.set(true);
        };
        let page = async {
            while !is_done.get() {
                turn.set(turn.get() + 1);
                host.yield_now().await;
            }
        };
        join(folded, page).await;
        assert!(2 < seen.borrow().len(), "written in {} turns", seen.borrow().len());
    });
}

#[test]
fn a_fold_that_is_not_wanted_any_more_ends() {
    in_one_tab(|store| async move {
        append(&store, "a", vec![event("Ab")]).await;
        let ended = store.load_all(&Trace, None, |_| ControlFlow::Break(())).await;
        assert_eq!(ended.unwrap_err().code(), "ABORTED");
    });
}

#[test]
fn what_cannot_be_folded_is_named() {
    in_one_tab(|store| async move {
        append(&store, "a", vec![event("Ab"), event("Cd")]).await;
        let program = Program::compile(r#"{"Cd":{"$inc":{"count":"$data.is"}}}"#, r#"{"count":0}"#).unwrap();
        let check = |error: Error| {
            let Detail::ReducerFailed { stream, revision, event_type, problem } = error.detail() else {
                panic!("{error}");
            };
            assert_eq!((&**stream, revision.0, &**event_type), ("a", 1, "Cd"));
            assert!(problem.contains("evolve.Cd.$inc.count"), "{problem}");
        };
        check(store.load_all(&program, None, nothing_wanted_less).await.unwrap_err());
        let source = FoldSource::Stream { stream: name("a"), before: None };
        check(store.load(&program, &FoldRequest { source, as_of: None }).await.unwrap_err());
        let source = FoldSource::Stream { stream: name("a"), before: Some(Revision(1)) };
        let folded = store.load(&program, &FoldRequest { source, as_of: None }).await.unwrap();
        assert_eq!((folded.state.to_json().as_str(), folded.count), (r#"{"count":0}"#, 1));
    });
}
