//! Rules about the source itself, so that `cargo test` is the whole truth about it. Each rule is a function from
//! one file to what is wrong with it, and is shown here to find what it looks for.

mod dependencies;
mod source;

use source::Source;

/// A file has at most this many lines: one noun a file, and one that can be read in a sitting.
const LINES_MAX: usize = 500;

/// Files that are longer, with their length. An entry may only shrink, and goes when its file fits.
const LONG_FILES: &[(&str, usize)] = &[];

/// File names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &["common", "helper", "helpers", "misc", "stuff", "util", "utils"];

/// Text that no file may hold, and why.
const FORBIDDEN: &[(&str, &str)] = &[
    (concat!("TO", "DO"), "finish it, or write down in ARCHITECTURE.md that it is not done"),
    (concat!("FIX", "ME"), "mend it"),
    (concat!("#[", "ignore"), "a test that does not run proves nothing"),
    (concat!(".on", "ly("), "it keeps all other tests from running"),
    (concat!(".sk", "ip(\""), "a test that does not run proves nothing"),
];

/// The rules that look at one file alone.
const RULES: &[fn(&Source) -> Vec<String>] = &[
    name_says_something,
    is_short,
    ends_with_a_newline,
    holds_nothing_forbidden,
    is_introduced,
    asserts_matches,
];

#[test]
fn every_file_keeps_the_rules() {
    let sources = source::all();
    assert!(sources.len() > 20, "the walk found only {} files", sources.len());
    let problems: Vec<String> =
        sources.iter().flat_map(|source| RULES.iter().flat_map(|rule| rule(source))).collect();
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn the_list_of_long_files_holds_no_file_that_fits_or_is_gone() {
    let sources = source::all();
    for (path, _) in LONG_FILES {
        let source = sources.iter().find(|source| source.path == *path);
        assert!(source.is_some_and(|source| source.lines() > LINES_MAX), "{path} is no longer long");
    }
}

fn name_says_something(source: &Source) -> Vec<String> {
    let mut parts = source.path.split(['/', '.']);
    let empty = parts.find(|part| EMPTY_NAMES.contains(part));
    empty.map(|part| source.problem(format!("`{part}` says nothing of what is inside"))).into_iter().collect()
}

fn is_short(source: &Source) -> Vec<String> {
    if !source.is_code() {
        return Vec::new();
    }
    let listed = LONG_FILES.iter().find(|(path, _)| *path == source.path);
    let lines_max = listed.map_or(LINES_MAX, |(_, lines)| *lines);
    let lines = source.lines();
    let is_long = lines > lines_max;
    is_long.then(|| source.problem(format!("{lines} lines, {lines_max} allowed"))).into_iter().collect()
}

fn ends_with_a_newline(source: &Source) -> Vec<String> {
    let ends_well = source.text.is_empty() || source.text.ends_with('\n') && !source.text.ends_with("\n\n");
    (!ends_well).then(|| source.problem("does not end with exactly one newline".into())).into_iter().collect()
}

fn holds_nothing_forbidden(source: &Source) -> Vec<String> {
    let found = FORBIDDEN.iter().filter(|(text, _)| source.text.contains(text));
    found.map(|(text, why)| source.problem(format!("holds `{text}`: {why}"))).collect()
}

fn is_introduced(source: &Source) -> Vec<String> {
    let is_missing = source.path.ends_with(".rs") && !source.text.starts_with("//! ");
    is_missing.then(|| source.problem("does not begin with a module doc".into())).into_iter().collect()
}

/// A `matches!` that stands as a statement throws its answer away, which looks like an assertion and is none.
fn asserts_matches(source: &Source) -> Vec<String> {
    if !source.path.ends_with(".rs") {
        return Vec::new();
    }
    let code = source.code();
    let found = code.match_indices("matches!(").filter(|(at, name)| {
        let before = code[..*at].trim_end();
        let after = after_parenthesis(&code[at + name.len()..]);
        before.ends_with([';', '{', '}']) && after.trim_start().starts_with(';')
    });
    found.map(|_| source.problem("a `matches!` is not asserted".into())).collect()
}

/// What follows the parenthesis that closes the one just opened.
fn after_parenthesis(code: &str) -> &str {
    let mut depth = 1;
    for (at, character) in code.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &code[at + 1..];
        }
    }
    ""
}

mod rules {
    use super::*;

    #[track_caller]
    fn check(rule: fn(&Source) -> Vec<String>, path: &str, text: &str, problems: usize) {
        let found = rule(&Source { path: path.into(), text: text.into() });
        assert_eq!(found.len(), problems, "{found:?}");
    }

    #[test]
    fn a_name_that_says_nothing_is_found_in_files_and_folders() {
        check(name_says_something, "src/utils.rs", "", 1);
        check(name_says_something, "tests/common/mod.rs", "", 1);
        check(name_says_something, "src/commons.rs", "", 0);
    }

    #[test]
    fn a_file_is_long_from_the_first_line_too_many() {
        check(is_short, "src/a.rs", &"x\n".repeat(LINES_MAX), 0);
        check(is_short, "src/a.rs", &"x\n".repeat(LINES_MAX + 1), 1);
        check(is_short, "FORMAT.md", &"x\n".repeat(LINES_MAX + 1), 0);
    }

    #[test]
    fn a_file_ends_with_one_newline() {
        check(ends_with_a_newline, "a.rs", "x\n", 0);
        check(ends_with_a_newline, "a.rs", "x", 1);
        check(ends_with_a_newline, "a.rs", "x\n\n", 1);
    }

    #[test]
    fn every_forbidden_text_is_found() {
        for (text, _) in FORBIDDEN {
            check(holds_nothing_forbidden, "a.rs", &format!("// {text} x"), 1);
        }
        check(holds_nothing_forbidden, "a.rs", "// done", 0);
    }

    #[test]
    fn a_rust_file_begins_with_a_module_doc() {
        check(is_introduced, "a.rs", "use x;\n", 1);
        check(is_introduced, "a.rs", "//! A thing.\n", 0);
        check(is_introduced, "a.ts", "import x;\n", 0);
    }

    #[test]
    fn a_matches_that_is_thrown_away_is_found() {
        check(asserts_matches, "a.rs", "fn f() {\n    matches!(x, Some(_));\n}", 1);
        check(
            asserts_matches,
            "a.rs",
            "fn f() {\n    g();\n    matches!(\n        x,\n        (1)\n    );\n}",
            1,
        );
        check(asserts_matches, "a.rs", "fn f() -> bool {\n    matches!(x, Some(_))\n}", 0);
        check(asserts_matches, "a.rs", "fn f() {\n    assert!(matches!(x, Some(_)));\n}", 0);
        check(asserts_matches, "a.rs", "fn f() {\n    let y =\n        matches!(x, Some(_));\n}", 0);
    }
}
