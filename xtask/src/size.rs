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
const BUDGET_BYTES: usize = 144_550;
/// What each supplement may weigh, by their numbers.
const SUPPLEMENT_BUDGETS_BYTES: [usize; SUPPLEMENTS.len()] = [45_750, 24_150, 42_500, 30_650, 5_800, 19_650];
/// Where the budget has to come to.
const GOAL_BYTES: usize = 110_000;

/// What a page is at least: it opens a store, appends, reads and subscribes.
const PAGE: &str = r#"
    import { EventStore } from "./index.js";
    const store = await EventStore.open("page");
    store.subscribe({ after: "end" }, (event) => console.log(event.position));
    await store.append("page-1", { type: "Opened", data: { at: location.href } });
    for await (const event of store.read("page-1")) console.log(event.type, event.data);
"#;
/// Asks esbuild through its library: its command is a script or a binary, depending on how npm was told to
/// install it. What is loaded only by who asks for it is left out.
const MINIFY: &str = r#"
    const [entry, ...later] = process.argv.slice(1);
    const options = { bundle: true, minify: true, format: "esm", write: false, logLevel: "warning" };
    const external = later.map((file) => "*/" + file);
    const { outputFiles } = require("esbuild").buildSync({ ...options, entryPoints: [entry], external });
    process.stdout.write(outputFiles[0].contents);
"#;
/// Bundles a page into files, of which some are loaded later. Prints a table: what is loaded first, and what is loaded more for each
/// file that is asked for later, by its name: [`Page`].
const SPLIT: &str = r#"
    const { basename, resolve } = require("node:path");
    const [folder, contents, ...later] = process.argv.slice(1);
    const options = { bundle: true, minify: true, format: "esm", splitting: true, write: false, metafile: true, logLevel: "error" };
    const external = later.map((file) => "*/" + file);
    const stdin = { contents, resolveDir: folder, sourcefile: "page.js" };
    const { outputFiles, metafile } = require("esbuild").buildSync({ ...options, stdin, external, outdir: folder });
    const texts = new Map(outputFiles.map(({ path, text }) => [path, text]));
    const filesOf = (file, found = new Set()) => {
        if (found.has(file)) return found;
        found.add(file);
        for (const { path, kind } of metafile.outputs[file].imports) if (kind === "import-statement") filesOf(path, found);
        return found;
    };
    const entries = Object.entries(metafile.outputs).filter(([, { entryPoint }]) => entryPoint !== undefined);
    const isPage = ([, { entryPoint }]) => entryPoint.endsWith("page.js");
    const first = filesOf(entries.find(isPage)[0]);
    const textsOf = (files) => files.map((file) => texts.get(resolve(file)));
    const more = entries.filter((entry) => !isPage(entry)).map(([file, { entryPoint }]) => {
        return [basename(entryPoint), textsOf([...filesOf(file)].filter((other) => !first.has(other)))];
    });
    process.stdout.write(JSON.stringify([textsOf([...first]), more.sort()]));
"#;

/// The texts of the files of a page: what it loads first, and what it loads more for each file that is asked for later.
type Page = (Vec<String>, Vec<(String, Vec<String>)>);

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
    let (first_of_page, more_of_page): Page = page(project, &dist)?;
    let of_page = weigh_all(&first_of_page)?;
    let loaded = first + of_page;
    let mut all = first + weigh(&minify(project, &dist.join("index.js"))?)?;
    let mut over = vec![over("what a page loads", loaded, BUDGET_BYTES)];

    println!("{:<36}{:>12}{:>12}{:>12}", "", "bytes", "gzipped", "budget");
    print("wasm that is loaded first", first);
    print("JavaScript, as in the package", shipped);
    print("JavaScript of a page, minified", of_page);
    print_with_budget("a page loads (wasm + minified)", loaded, BUDGET_BYTES);
    for (Supplement { name, .. }, budget_bytes) in SUPPLEMENTS.iter().zip(SUPPLEMENT_BUDGETS_BYTES) {
        let weight = weigh(&fs::read(dist.join(supplement_file(name)))?)?;
        print_with_budget(&format!("more for {name}"), weight, budget_bytes);
        over.push(self::over(name, weight, budget_bytes));
        all = all + weight;
    }
    for (file, texts) in &more_of_page {
        print(&format!("more for {file}"), weigh_all(texts)?);
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

fn page(project: &Project, dist: &Path) -> Result<Page> {
    let later = supplements().map(inline::script);
    let output = cmd!(project.shell, "node --eval {SPLIT} {dist} {PAGE} {PATCH} {later...}").quiet().output();
    serde_json::from_slice(&output.context("esbuild could not bundle a page")?.stdout)
        .context("esbuild told of no files")
}

/// Each text is a file of its own, which is compressed as such.
fn weigh_all(texts: &[String]) -> Result<Weight> {
    texts.iter().try_fold(Weight::default(), |sum, text| Ok(sum + weigh(text.as_bytes())?))
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
