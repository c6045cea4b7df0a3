//! Which module may name which. The table is the architecture; the compiler alone would allow anything.

use std::collections::BTreeSet;

use super::source::{self, Source};

/// Each top module of the library, and the modules that it may name besides itself. Users stand above what they
/// use, so a name that stands higher than its line is an exception, and its reason is given.
const MAY_NAME: &[(&str, &[&str])] = &[
    // The browser: implements the two ports, offers the store to TypeScript, and hands it values. Entries of a page
    // come as they stand in their records, which the codec names. A document of a reducer comes as a message, and is
    // compiled where its handle is kept. Aggregates of a crate that has this one in its wasm are handed over here.
    (
        "web",
        &[
            "store",
            "log",
            "codec",
            "storage",
            "query",
            "host",
            "event",
            "json",
            "id",
            "position",
            "error",
            "limits",
            "table",
            "answer",
            "layout",
            "reducer",
            "snapshot",
            "aggregate",
            "projection",
            "documents",
            "supplement",
            "consumer",
        ],
    ),
    // Suites, simulations and faults know everything natively testable.
    (
        "testing",
        &[
            "store",
            "index",
            "layout",
            "log",
            "codec",
            "storage",
            "query",
            "host",
            "event",
            "json",
            "expected",
            "id",
            "position",
            "error",
            "limits",
            "supplement",
            "consumer",
            "projection",
        ],
    ),
    // The async shell knows all rules and both ports.
    (
        "store",
        &[
            "index",
            "layout",
            "log",
            "codec",
            "storage",
            "query",
            "host",
            "event",
            "json",
            "id",
            "position",
            "error",
            "limits",
            "table",
            "sort",
            "answer",
            "aggregate",
            "reducer",
            "snapshot",
            "subscription",
            "consumer",
            "projection",
            "documents",
            "supplement",
        ],
    ),
    // Documents are folded by the language of reducers, and found by what projections keep of them.
    ("documents", &["reducer", "projection", "error", "table", "sort"]),
    // When to read, and when to wait: positions are all that it has to know.
    ("subscription", &["position"]),
    // Sealed and tied to its key as snapshots are. What is parked names the event.
    ("consumer", &["layout", "codec", "storage", "query", "event", "id"]),
    // What a store folds with, over entries as they stand in their records. A typed event becomes one to append.
    ("aggregate", &["reducer", "codec", "event", "error"]),
    // A language of its own over JSON texts. What it shares is the one hash table and the one sort.
    ("reducer", &["error", "limits", "table", "sort"]),
    // Sealed and tied to its key as the records of the layout are.
    ("snapshot", &["layout", "codec", "storage", "event"]),
    // As snapshots; changes are put in the order of their keys.
    ("projection", &["layout", "codec", "storage", "event", "limits", "sort"]),
    // The index answers in the log's terms: a stream's state, the facts that a judgement needs. It begins where the
    // layout ends, and says of a stream what the layout says.
    (
        "index",
        &[
            "layout", "log", "codec", "storage", "query", "event", "id", "position", "error", "limits",
            "table", "sort",
        ],
    ),
    // Units are made of records, and their summaries answer in the log's terms.
    ("layout", &["log", "codec", "storage", "event", "id", "limits", "table", "sort"]),
    (
        "log",
        &["codec", "storage", "query", "event", "expected", "id", "position", "error", "limits", "table"],
    ),
    // A record is what the codec makes and the storage keeps: its type, bytes under a position, is the port's.
    ("codec", &["storage", "event", "id", "position", "error", "limits", "table", "sort"]),
    ("storage", &["event", "position", "error", "limits"]),
    ("host", &["event", "position", "error", "supplement"]),
    ("query", &["event", "position", "error", "limits", "table"]),
    ("event", &["json", "id", "position", "error", "limits"]),
    ("json", &["error", "limits", "sort"]),
    // A limit that is exceeded is an error.
    ("limits", &["error"]),
    // Errors carry what was wrong in its own types: a position, an id, an expectation.
    ("error", &["expected", "id", "position"]),
    ("expected", &["position"]),
    // The one hash table knows the names of streams, by which most things are found.
    ("table", &["event"]),
    ("sort", &[]),
    ("answer", &[]),
    // A word for what is loaded, and proofs that it is.
    ("supplement", &[]),
    ("id", &[]),
    ("position", &[]),
];

/// Crates that only the browser has; a pure module that names one is not pure.
const BROWSER_CRATES: &[&str] = &["wasm_bindgen", "wasm_bindgen_futures", "js_sys", "web_sys"];

/// The modules that may wait for something. All others are functions of their arguments.
const MAY_AWAIT: &[&str] = &["store", "testing", "web"];

#[test]
fn modules_name_only_what_the_table_allows() {
    let problems: Vec<String> = library()
        .iter()
        .flat_map(|source| [names(source), crates(source), awaits(source)].concat())
        .collect();
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn the_table_holds_exactly_the_modules_that_exist() {
    let existing: BTreeSet<String> = library().iter().filter_map(top_module).collect();
    let listed: BTreeSet<String> = MAY_NAME.iter().map(|(module, _)| module.to_string()).collect();
    assert_eq!(existing, listed);
    let named: BTreeSet<String> =
        MAY_NAME.iter().flat_map(|(_, named)| named.iter().map(|module| module.to_string())).collect();
    assert!(named.is_subset(&listed), "the table names unknown modules: {:?}", named.difference(&listed));
}

fn library() -> Vec<Source> {
    source::all().into_iter().filter(|source| source.path.starts_with("src/")).collect()
}

/// `src/log/append.rs` belongs to `log`; `src/lib.rs` to none.
fn top_module(source: &Source) -> Option<String> {
    let inside = source.path.strip_prefix("src/")?;
    let module = inside.split('/').next()?.trim_end_matches(".rs");
    (module != "lib").then(|| module.to_owned())
}

fn names(source: &Source) -> Vec<String> {
    let Some(module) = top_module(source) else { return Vec::new() };
    let allowed = MAY_NAME.iter().find(|(name, _)| *name == module).map_or(&[][..], |(_, allowed)| allowed);
    let (code, tests) = split_tests(source);
    let is_wrong =
        |named: &String| *named != module && is_module(named) && !allowed.contains(&named.as_str());
    // Tests of a module may use the simulations, and nothing else that the module itself may not.
    let roots = ["crate::".to_owned(), "super::".repeat(depth(source))];
    let wrong_in_tests = named_modules(&tests, &roots).into_iter().filter(|named| named != "testing");
    let wrong: BTreeSet<String> =
        named_modules(&code, &roots).into_iter().chain(wrong_in_tests).filter(is_wrong).collect();
    wrong.iter().map(|named| source.problem(format!("`{module}` may not name `{named}`"))).collect()
}

fn crates(source: &Source) -> Vec<String> {
    if top_module(source).as_deref() == Some("web") {
        return Vec::new();
    }
    let code = source.code();
    let words: BTreeSet<&str> = code.split(|character: char| !is_word(character)).collect();
    let found = BROWSER_CRATES.iter().filter(|name| words.contains(*name));
    found.map(|name| source.problem(format!("only `web` may name `{name}`"))).collect()
}

fn awaits(source: &Source) -> Vec<String> {
    let may_await = top_module(source).is_none_or(|module| MAY_AWAIT.contains(&module.as_str()));
    let (code, _) = split_tests(source);
    let awaits = !may_await && code.contains(".await");
    awaits
        .then(|| source.problem("only the store waits: this is a function of its arguments".into()))
        .into_iter()
        .collect()
}

/// The code of a file, and that of its tests, which stand at its end or are a file of their own.
fn split_tests(source: &Source) -> (String, String) {
    let code = source.code();
    if source.path.ends_with("/tests.rs") || source.path.contains("/tests/") {
        return (String::new(), code);
    }
    match code.split_once("#[cfg(test)]\nmod ") {
        Some((code, tests)) => (code.to_owned(), tests.to_owned()),
        None => (code, String::new()),
    }
}

/// How many steps up the root of the crate is: one from `src/log/mod.rs`, two from `src/log/append.rs`.
fn depth(source: &Source) -> usize {
    source.path.trim_end_matches("/mod.rs").matches('/').count()
}

/// Every first segment of a path from one of the roots, whether it stands alone or in braces.
fn named_modules(code: &str, roots: &[String]) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for root in roots {
        for (at, _) in code.match_indices(root) {
            let path = code[at + root.len()..].trim_start();
            match path.strip_prefix('{') {
                Some(list) => named.extend(first_segments(list)),
                None => named.extend(word(path)),
            }
        }
    }
    named
}

/// The first segments of the paths in a list in braces, of which the opening one has been read.
fn first_segments(list: &str) -> Vec<String> {
    let mut depth = 0;
    let mut segments = Vec::from_iter(word(list.trim_start()));
    for (at, character) in list.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => segments.extend(word(list[at + 1..].trim_start())),
            _ => {}
        }
    }
    segments
}

fn word(text: &str) -> Option<String> {
    let end = text.find(|character: char| !is_word(character)).unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn is_module(name: &str) -> bool {
    MAY_NAME.iter().any(|(module, _)| *module == name)
}

mod rules {
    use super::*;

    #[track_caller]
    fn check(rule: fn(&Source) -> Vec<String>, path: &str, text: &str, problems: &[&str]) {
        let found = rule(&Source { path: path.into(), text: text.into() });
        assert_eq!(found.len(), problems.len(), "{found:?}");
        for (found, part) in found.iter().zip(problems) {
            assert!(found.contains(part), "{found} does not hold {part}");
        }
    }

    #[test]
    fn a_name_against_the_arrows_is_found_however_it_is_written() {
        check(names, "src/codec/a.rs", "use crate::store::Store;", &["`store`"]);
        check(names, "src/codec/a.rs", "fn f() { crate::log::g() }", &["`log`"]);
        check(names, "src/codec/a.rs", "use super::super::log;", &["`log`"]);
        check(names, "src/event.rs", "use super::store;", &["`store`"]);
        check(
            names,
            "src/log/mod.rs",
            "use crate::{event::{A, store}, index::B,\n    store};",
            &["`index`", "`store`"],
        );
    }

    #[test]
    fn names_along_the_arrows_and_in_comments_are_fine() {
        check(names, "src/codec/a.rs", "use crate::{event::Event, id};\nuse crate::codec::b;", &[]);
        check(names, "src/codec/a.rs", "use super::log;", &[]);
        check(names, "src/codec/a.rs", "/// See [`crate::store`].\nfn f() {} // crate::store\n", &[]);
        check(names, "src/lib.rs", "use crate::web;", &[]);
    }

    #[test]
    fn only_tests_may_use_the_simulations() {
        check(names, "src/log/a.rs", "use crate::testing::Random;", &["`testing`"]);
        check(names, "src/log/a.rs", "#[cfg(test)]\nmod tests {\n    use crate::testing::Random;\n}", &[]);
        check(
            names,
            "src/log/a.rs",
            "#[cfg(test)]\nmod tests {\n    use crate::store::Store;\n}",
            &["`store`"],
        );
        check(names, "src/log/tests.rs", "use crate::testing::Random;", &[]);
    }

    #[test]
    fn a_browser_crate_outside_of_web_is_found() {
        check(crates, "src/host.rs", "use js_sys::Date;", &["`js_sys`"]);
        check(crates, "src/host.rs", "// unlike js_sys\nuse my_js_sys::Date;", &[]);
        check(crates, "src/web/host.rs", "use js_sys::Date;", &[]);
    }

    #[test]
    fn waiting_in_a_pure_module_is_found() {
        check(awaits, "src/log/a.rs", "async fn f() { g().await }", &["only the store"]);
        check(awaits, "src/store/a.rs", "async fn f() { g().await }", &[]);
        check(awaits, "src/log/a.rs", "#[cfg(test)]\nmod tests {\n    async fn f() { g().await }\n}", &[]);
    }
}
