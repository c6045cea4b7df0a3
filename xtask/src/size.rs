//! Weighs what a page loads, and holds it under a budget.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;
use xshell::cmd;

use crate::package::{DIST, PATCH};
use crate::project::Project;

/// What a page may load for the package, in bytes after gzip: the wasm, and the JavaScript as a bundler
/// would ship it. It stands just above what the package weighs, so that nothing is added to it unnoticed.
const BUDGET_BYTES: usize = 290_400;
/// Where the budget has to come to.
const GOAL_BYTES: usize = 110_000;

/// Asks esbuild through its library: its command is a script or a binary, depending on how npm was told to
/// install it. What is loaded only by who asks for it is left out.
const MINIFY: &str = r#"
    const [entry, later] = process.argv.slice(1);
    const options = { bundle: true, minify: true, format: "esm", write: false, logLevel: "warning" };
    const { outputFiles } = require("esbuild").buildSync({ ...options, entryPoints: [entry], external: ["*/" + later] });
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
/// When the wasm and the minified JavaScript are heavier than the budget, or nothing is built.
pub fn check(project: &Project) -> Result<()> {
    let dist = project.path(DIST);
    ensure!(dist.join("index.js").is_file(), "nothing is built in {DIST}/: run `cargo xtask build`");
    let wasm = sum(project, ".wasm")?;
    let shipped = sum(project, ".js")?;
    let minified = weigh(&minify(project, &dist.join("index.js"))?)?;
    let loaded = wasm + minified;

    println!("{:<36}{:>12}{:>12}", "", "bytes", "gzipped");
    print("wasm", wasm);
    print("JavaScript, as in the package", shipped);
    print("JavaScript, bundled and minified", minified);
    print("a page loads (wasm + minified)", loaded);
    print("more for a history with patches", weigh(&fs::read(dist.join(PATCH))?)?);
    println!("{:<36}{:>12}{:>12}", "budget", "", BUDGET_BYTES);
    println!("{:<36}{:>12}{:>12}", "goal", "", GOAL_BYTES);
    ensure!(
        loaded.gzipped_bytes <= BUDGET_BYTES,
        "the package is {} bytes over its budget",
        loaded.gzipped_bytes - BUDGET_BYTES
    );
    Ok(())
}

fn print(title: &str, weight: Weight) {
    println!("{title:<36}{:>12}{:>12}", weight.raw_bytes, weight.gzipped_bytes);
}

/// Each file is compressed on its own, as a server does.
fn sum(project: &Project, ending: &str) -> Result<Weight> {
    let mut total = Weight::default();
    for file in project.files(DIST, ending)? {
        total = total + weigh(&fs::read(file)?)?;
    }
    Ok(total)
}

fn minify(project: &Project, entry: &Path) -> Result<Vec<u8>> {
    let output = cmd!(project.shell, "node --eval {MINIFY} {entry} {PATCH}").quiet().output();
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
