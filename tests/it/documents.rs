//! What the documents say, held against what they speak of: a number, a code or a link that is wrong is worse
//! than none.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use everfold::error::{Detail, Error, Matched, Obstacle, WriteOutcome};
use everfold::event::{Position, Revision};
use everfold::limits;

/// The document that people read first, by its path from the root.
const README: &str = "README.md";
/// What each error means.
const ERRORS: &str = "docs/errors.md";

/// The codes that the core does not give: where it cannot speak any more, and of what JavaScript alone does.
const OF_JAVASCRIPT: [&str; 7] = [
    "COMMAND_REFUSED",
    "OUT_OF_MEMORY",
    "PROJECTION_FAILED",
    "SCHEMA_FAILED",
    "SCHEMA_TOO_NEW",
    "UPCASTER_FAILED",
    "WASM_UNAVAILABLE",
];

#[test]
fn the_limits_in_the_readme_are_those_of_the_source() {
    let in_source = [
        (
            "a name of a stream, a type, a consumer or a store; a tag",
            format!("{} of UTF-8", bytes(limits::NAME_BYTES_MAX)),
        ),
        ("tags on one event", count(limits::TAGS_PER_EVENT_MAX)),
        ("one event: data and metadata as JSON, type, tags", bytes(limits::EVENT_BYTES_MAX)),
        ("events in one commit", count(limits::COMMIT_EVENTS_MAX)),
        ("writes and checks in one commit", count(limits::COMMIT_WRITES_MAX)),
        ("one commit, counted as its events are", bytes(limits::COMMIT_BYTES_MAX)),
        ("nesting of arrays and objects in data and metadata", format!("{} levels", limits::JSON_DEPTH_MAX)),
        ("items in a query, entries in each of its lists", count(limits::QUERY_ENTRIES_MAX)),
        ("names in all lists of a query", count(limits::QUERY_NAMES_MAX)),
        (
            "a document of a projection; its key",
            format!(
                "{}; {} of UTF-8",
                bytes(limits::DOCUMENT_BYTES_MAX),
                bytes(limits::DOCUMENT_KEY_BYTES_MAX)
            ),
        ),
        ("indexes of a projection", count(limits::PROJECTION_INDEXES_MAX)),
        ("documents in one answer", count(limits::DOCUMENTS_PER_ANSWER_MAX)),
        ("streams that a consumer has parked", count(limits::PARKED_STREAMS_MAX)),
        ("a batch of a consumer", count(limits::CONSUMER_BATCH_MAX)),
    ];
    let in_readme = table(&read(README), "| what | at most |");
    assert_eq!(in_readme, in_source.map(|(what, maximum)| vec![what.to_owned(), maximum]));
    assert_eq!(limits::INTEGER_MAX, (1 << 53) - 1);
    assert!(read(README).contains("whole numbers up to 2^53 − 1"));
}

#[test]
fn the_errors_in_the_documents_are_those_of_the_source() {
    let rows = table(&read(ERRORS), "| code | when | retryable | what to do |");
    let in_document: BTreeSet<(String, String)> = rows
        .iter()
        .filter_map(|row| Some((row.first()?.trim_matches('`').to_owned(), row.get(2)?.clone())))
        .collect();
    let in_source: BTreeSet<(String, String)> =
        details().map(Error::new).iter().map(|error| (error.code().to_owned(), yes_or_no(error))).collect();
    let codes: BTreeSet<String> = in_source.iter().map(|(code, _)| code.clone()).collect();
    // A file that could not be loaded may be there the next time.
    let retryable = |code| if code == "WASM_UNAVAILABLE" { "yes" } else { "no" };
    let of_javascript = OF_JAVASCRIPT.map(|code| (code.to_owned(), retryable(code).to_owned()));
    let all: BTreeSet<(String, String)> = in_source.into_iter().chain(of_javascript).collect();
    assert_eq!(in_document, all);
    assert_eq!(rows.len(), all.len(), "a code stands in the table twice");
    assert_eq!(codes_in(&read("src/error.rs")), codes, "the list of this test is not all of src/error.rs");
}

#[test]
fn typescript_has_the_same_errors_but_for_the_abort_and_its_own() {
    let mut codes = fields_in_capitals(&read("ts/errors.ts"), "export interface EverfoldErrorFields {");
    // An abort comes out as the reason of its signal, which is the caller's own.
    codes.insert("ABORTED".to_owned());
    for code in OF_JAVASCRIPT {
        assert!(codes.remove(code), "{code}");
    }
    assert_eq!(codes, codes_in(&read("src/error.rs")));
}

#[test]
fn the_size_in_the_readme_is_within_the_budget_and_the_goal_is_named() {
    let readme = read(README);
    let source = read("xtask/src/size.rs");
    let budget = number_after(&source, "BUDGET_BYTES: usize = ");
    let goal = number_after(&source, "GOAL_BYTES: usize = ");
    assert!(readme.contains(&format!("budget of {} bytes", count(budget))), "the budget is {budget}");
    let loaded = number_after(&readme, "| what a page loads, gzipped | ");
    assert!(loaded <= budget, "{loaded} of {budget}");
    assert_eq!(
        readme.contains(&format!("goal of {} bytes", count(goal))),
        goal < loaded,
        "{loaded} of {goal}"
    );
}

#[test]
fn the_version_is_the_same_wherever_it_is_said() {
    let version = env!("CARGO_PKG_VERSION");
    for (file, said) in [
        ("package.json", format!("\"version\": \"{version}\"")),
        ("ts/version.ts", format!("VERSION = \"{version}\"")),
        ("examples/rust-aggregate/package.json", format!("\"everfold\": \"{version}\"")),
    ] {
        assert!(read(file).contains(&said), "{file} does not say {said}");
    }
}

#[test]
fn the_measures_in_the_readme_are_those_that_were_written_down() {
    let measured = numbers_in(&read("docs/benchmarks.md"));
    let rows = table(&read(README), "| measured | everfold | Dexie, or IndexedDB by hand |");
    assert!(3 < rows.len(), "the table has {} rows", rows.len());
    let quoted: BTreeSet<String> = rows.iter().flat_map(|row| numbers_in(&row[1..].join(" "))).collect();
    let stale: Vec<_> = quoted.difference(&measured).collect();
    assert!(stale.is_empty(), "not in docs/benchmarks.md (any more): {stale:?}; take over the newest");
}

#[test]
fn every_link_of_a_document_leads_somewhere() {
    let documents = documents(Path::new(env!("CARGO_MANIFEST_DIR")));
    assert!(documents.len() > 5, "the walk found only {documents:?}");
    let dead: Vec<String> = documents.iter().flat_map(|document| dead_links(document)).collect();
    assert!(dead.is_empty(), "\n{}", dead.join("\n"));
}

#[test]
fn every_path_that_a_document_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let gone: Vec<String> = documents(root).iter().flat_map(|document| gone_paths(root, document)).collect();
    assert!(gone.is_empty(), "\n{}", gone.join("\n"));
}

/// One of each kind. The compiler does not say when one is missing, so the codes of the source do.
fn details() -> [Detail; 17] {
    let text = String::new;
    let matched = Matched { position: Position(1), stream: text(), event_type: text() };
    let outcome = WriteOutcome::NotWritten;
    [
        Detail::WrongExpectedRevision { violations: Vec::new() },
        Detail::AppendConditionFailed { matched },
        Detail::IdConflict { stream: text(), ids: Vec::new() },
        Detail::StreamDeleted { stream: text(), streams: Vec::new() },
        Detail::InvalidArgument { path: text(), problem: text() },
        Detail::LimitExceeded { limit: "", value: 1, maximum: 0, path: text() },
        Detail::QuotaExceeded { usage: None, quota: None },
        Detail::StorageUnavailable { cause: text(), obstacle: Obstacle::Refused },
        Detail::StorageFailed { cause: text(), outcome, ids: Vec::new() },
        Detail::VersionTooNew { version: 1, supported: 0 },
        Detail::VersionTooOld { version: 0, supported: 1 },
        Detail::CorruptData { position: None, segment: text(), problem: text() },
        Detail::SupplementUnavailable { supplement: "", cause: text() },
        Detail::ReducerFailed {
            stream: text(),
            revision: Revision::FIRST,
            event_type: text(),
            problem: text(),
        },
        Detail::Aborted,
        Detail::Closed,
        Detail::Internal { problem: text() },
    ]
}

fn yes_or_no(error: &Error) -> String {
    if error.is_retryable() { "yes" } else { "no" }.to_owned()
}

/// Every text in quotes that is made of capitals and underscores.
fn codes_in(source: &str) -> BTreeSet<String> {
    let is_code = |text: &&str| {
        text.len() > 3 && text.chars().all(|character| character.is_ascii_uppercase() || character == '_')
    };
    source.split('"').filter(is_code).map(str::to_owned).collect()
}

/// The fields of an interface whose names are in capitals.
#[track_caller]
fn fields_in_capitals(source: &str, heading: &str) -> BTreeSet<String> {
    let (_, below) = source.split_once(heading).expect("the interface is there");
    let lines = below.lines().take_while(|line| *line != "}");
    let names = lines.filter_map(|line| line.strip_prefix("  ")?.split_once(':')).map(|(name, _)| name);
    let in_capitals = |name: &&str| name.chars().all(|it| it.is_ascii_uppercase() || it == '_');
    names.filter(in_capitals).map(str::to_owned).collect()
}

/// The number that follows a text, whatever its thousands are set apart by.
#[track_caller]
fn number_after(source: &str, before: &str) -> usize {
    let (_, after) = source.split_once(before).expect("the number is there");
    let digits = after.chars().filter(|it| !['_', ','].contains(it)).take_while(char::is_ascii_digit);
    digits.collect::<String>().parse().expect("a number")
}

/// All numbers of a text, as they are written: `1,234` and `5.6` are one each.
fn numbers_in(text: &str) -> BTreeSet<String> {
    let is_part = |character: char| character.is_ascii_digit() || [',', '.'].contains(&character);
    let words = text.split(|character| !is_part(character)).map(|word| word.trim_matches([',', '.']));
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// The rows of the table under this heading, as the texts of their cells.
#[track_caller]
fn table(document: &str, heading: &str) -> Vec<Vec<String>> {
    let (_, below) = document.split_once(heading).expect("the table is there");
    let rows = below.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// A number of bytes as the documents write it.
fn bytes(size_bytes: usize) -> String {
    const MEBIBYTE: usize = 1024 * 1024;
    match size_bytes {
        _ if size_bytes.is_multiple_of(MEBIBYTE) => format!("{} MiB", size_bytes / MEBIBYTE),
        _ => format!("{} bytes", count(size_bytes)),
    }
}

/// A number as the documents write it: with a comma between thousands.
fn count(number: usize) -> String {
    let digits = number.to_string();
    let (head, tail) = digits.split_at(digits.len() % 3);
    let mut groups: Vec<&str> = Vec::from_iter((!head.is_empty()).then_some(head));
    groups.extend((0..tail.len()).step_by(3).map(|at| &tail[at..at + 3]));
    groups.join(",")
}

/// The documents of the checkout, none of them somebody else's.
fn documents(root: &Path) -> Vec<PathBuf> {
    let folders = ["", "docs", "www", "www/data", "tests", "tests/fixtures", "benches"];
    let entries = folders.iter().filter_map(|folder| fs::read_dir(root.join(folder)).ok()).flatten();
    let paths = entries.map(|entry| entry.expect("a readable folder").path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect()
}

/// The links of a document to files and headings that are not there.
fn dead_links(document: &Path) -> Vec<String> {
    let text = fs::read_to_string(document).expect("a readable document");
    let folder = document.parent().expect("a document stands in a folder");
    let is_dead = |link: &&str| {
        let (path, heading) = link.split_once('#').unwrap_or((link, ""));
        let target = if path.is_empty() { document.to_owned() } else { folder.join(path) };
        let found = target.exists() && (heading.is_empty() || has_heading(&target, heading));
        !found
    };
    let links = text.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next());
    let own = links.filter(|link| !link.contains("://") && !link.starts_with("mailto:"));
    own.filter(is_dead).map(|link| format!("{}: {link}", document.display())).collect()
}

/// The files and folders of the source that a document names, as code, and that are not there.
fn gone_paths(root: &Path, document: &Path) -> Vec<String> {
    const FOLDERS: [&str; 7] = ["src/", "ts/", "tests/", "xtask/", "www/", "benches/", "docs/"];
    let text = fs::read_to_string(document).expect("a readable document");
    // What stands between two backticks is at every second place; what is built or made up has no such name.
    let code = text.split('`').skip(1).step_by(2);
    let named = code.filter(|name| FOLDERS.iter().any(|folder| name.starts_with(folder)));
    let is_path = |name: &&str| !name.contains([' ', '*', '\n', '"']);
    let gone = named.filter(is_path).filter(|name| !root.join(name.trim_end_matches('/')).exists());
    gone.map(|name| format!("{}: {name}", document.display())).collect()
}

/// Whether a document has a heading of this anchor: its words in small letters, with hyphens between them.
fn has_heading(document: &Path, anchor: &str) -> bool {
    let text = fs::read_to_string(document).expect("a readable document");
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#'));
    let anchor_of = |heading: &str| {
        let kept = heading.trim().chars().filter(|it| it.is_alphanumeric() || [' ', '-', '_'].contains(it));
        kept.collect::<String>().to_lowercase().replace(' ', "-")
    };
    headings.map(anchor_of).any(|found| found == anchor)
}

#[track_caller]
fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("the file is there")
}

#[test]
fn numbers_are_written_as_people_read_them() {
    assert_eq!(
        [count(1), count(32), count(999), count(1_000), count(100_000), count(1_234_567)],
        ["1", "32", "999", "1,000", "100,000", "1,234,567"]
    );
    assert_eq!([bytes(256), bytes(60_000), bytes(1024 * 1024)], ["256 bytes", "60,000 bytes", "1 MiB"]);
}
