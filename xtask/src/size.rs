//! Weighs what a page loads, and holds it under a budget.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;
use xshell::cmd;

use crate::inline;
use crate::package::{DIST, FIRST, PATCH, WASM, supplement_file};
use crate::project::Project;
use crate::split::{SUPPLEMENTS, Supplement};

/// What a page may load to open, append, read and subscribe, in bytes after gzip: the wasm that comes first, and the JavaScript
/// as a bundler would ship it. Every budget stands just above what there is, so that nothing is added to it unnoticed.
const BUDGET_BYTES: usize = 164_800;
/// What each supplement may weigh, by their numbers.
const SUPPLEMENT_BUDGETS_BYTES: [usize; SUPPLEMENTS.len()] = [46_500, 24_900, 35_700, 23_500, 5_800, 19_900];
/// Where the budget has to come to.
const GOAL_BYTES: usize = 110_000;

/// Asks esbuild through its library: its command is a script or a binary, depending on how npm was told to
/// install it. What is loaded only by who asks for it is left out.
const MINIFY: &str = r#"
    const [entry, ...later] = process.argv.slice(1);
    const options = { bundle: true, minify: true, format: "esm", write: false, logLevel: "warning" };
    const external = later.map((file) => "*/" + file);
    const { outputFiles } = require("esbuild").buildSync({ ...options, entryPoints: [entry], external });
    process.stdout.write(outputFiles[0].contents);
"#;

/// What one kind of content weighs.
#[derive(Clone, Copy, Default)]
struct Weight {
    raw_bytes: usize,
    gzipped_bytes: usize,
}

/// Prints the table of sizes.
///
/// # Errors
///
/// When what a page loads, or a supplement, is heavier than its budget, or nothing is built.
pub fn check(project: &Project) -> Result<()> {
    let dist = project.path(DIST);
    ensure!(dist.join("index.js").is_file(), "nothing is built in {DIST}/: run `cargo xtask build`");
    let first = weigh(&fs::read(dist.join(WASM))?)?;
    let shipped = sum(project)?;
    let minified = weigh(&minify(project, &dist.join("index.js"))?)?;
    let loaded = first + minified;
    let mut all = loaded;
    let mut over = vec![over("what a page loads", loaded, BUDGET_BYTES)];

    println!("{:<36}{:>12}{:>12}{:>12}", "", "bytes", "gzipped", "budget");
    print("wasm that is loaded first", first);
    print("JavaScript, as in the package", shipped);
    print("JavaScript, bundled and minified", minified);
    print_with_budget("a page loads (wasm + minified)", loaded, BUDGET_BYTES);
    for (Supplement { name, .. }, budget_bytes) in SUPPLEMENTS.iter().zip(SUPPLEMENT_BUDGETS_BYTES) {
        let weight = weigh(&fs::read(dist.join(supplement_file(name)))?)?;
        print_with_budget(&format!("more for {name}"), weight, budget_bytes);
        over.push(self::over(name, weight, budget_bytes));
        all = all + weight;
    }
    print("a page that uses everything loads", all);
    print("more for a history with patches", weigh(&fs::read(dist.join(PATCH))?)?);
    print("a page of everfold/inline loads", weigh(&minify(project, &dist.join("inline.js"))?)?);
    println!("{:<36}{:>12}{:>12}", "goal of what a page loads", "", GOAL_BYTES);
    let over: Vec<String> = over.into_iter().flatten().collect();
    ensure!(over.is_empty(), "{}", over.join("; "));
    Ok(())
}

fn over(what: &str, weight: Weight, budget_bytes: usize) -> Option<String> {
    let over_bytes = weight.gzipped_bytes.checked_sub(budget_bytes).filter(|over| 0 < *over)?;
    Some(format!("{what} is {over_bytes} bytes over its budget"))
}

fn print_with_budget(title: &str, weight: Weight, budget_bytes: usize) {
    println!("{title:<36}{:>12}{:>12}{budget_bytes:>12}", weight.raw_bytes, weight.gzipped_bytes);
}

fn print(title: &str, weight: Weight) {
    println!("{title:<36}{:>12}{:>12}", weight.raw_bytes, weight.gzipped_bytes);
}

/// Each file is compressed on its own, as a server does. What has the wasm in it is no JavaScript but for its name.
fn sum(project: &Project) -> Result<Weight> {
    let inline: Vec<String> = supplements().chain([FIRST]).map(inline::script).collect();
    let mut total = Weight::default();
    for file in project.files(DIST, ".js")? {
        if !inline.iter().any(|script| file.ends_with(script)) {
            total = total + weigh(&fs::read(file)?)?;
        }
    }
    Ok(total)
}

fn supplements() -> impl Iterator<Item = &'static str> {
    SUPPLEMENTS.iter().map(|supplement| supplement.name)
}

fn minify(project: &Project, entry: &Path) -> Result<Vec<u8>> {
    let later = supplements().map(inline::script);
    let output = cmd!(project.shell, "node --eval {MINIFY} {entry} {PATCH} {later...}").quiet().output();
    Ok(output.context("esbuild could not bundle the package")?.stdout)
}

fn weigh(content: &[u8]) -> Result<Weight> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    Ok(Weight { raw_bytes: content.len(), gzipped_bytes: encoder.finish()?.len() })
}

impl std::ops::Add for Weight {
    type Output = Weight;

    fn add(self, other: Weight) -> Weight {
        Weight {
            raw_bytes: self.raw_bytes + other.raw_bytes,
            gzipped_bytes: self.gzipped_bytes + other.gzipped_bytes,
        }
    }
}
