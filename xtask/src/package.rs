//! Makes the content of the npm package, `dist/`: the compiled facade, the glue and the wasm beside it.

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;
use xshell::cmd;

use crate::build_lock::BuildLock;
use crate::glue;
use crate::inline;
use crate::project::Project;
use crate::setup::{self, Requirement};
use crate::short_names::{self, ShortNames};
use crate::split;

/// What building needs of the machine.
pub const REQUIREMENTS: &[Requirement] =
    &[Requirement::Node, Requirement::WasmTarget, Requirement::RustSource, Requirement::NodePackages];

/// The folder of what an npm user gets.
pub const DIST: &str = "dist";
/// The folder of the generated glue, which `tsconfig.json` lays over `ts/`: the facade imports
/// `./everfold.js` as if it stood beside it, as it does in [`DIST`].
const GLUE: &str = "pkg";
/// What comes from the linker.
const COMPILED: &str = "wasm32-unknown-unknown/release/everfold.wasm";
/// Has the linker tell what names what: see `split`.
const RELOCATIONS: &str = "-Clink-arg=--emit-relocs";
/// Has the compiler write less code. Of appends, batches and reads no time could be measured for it; a compaction takes a fiftieth
/// longer. It inlines what costs 20 of its instructions, and not 50 as for size otherwise. It makes no copies of what is computed on
/// one of two ways only, to save the other way from computing it again. And it does not step pointers and counters along with each
/// other, which addresses of wasm have no use for.
const LESS_CODE: [&str; 3] =
    ["-Cllvm-args=-inline-threshold=20", "-Cllvm-args=-enable-pre=false", "-Cllvm-args=-disable-lsr"];
/// Has the stack begin 64 KiB below 1 MiB, so that the data behind it has addresses that are written in three bytes instead of four.
const STACK: &str = "-Clink-arg=-zstack-size=983040";
/// The stem of the glue's files.
const STEM: &str = "everfold";
/// The wasm that is loaded first.
pub const WASM: &str = "everfold_bg.wasm";
/// What it is called where supplements are called by their names.
pub const FIRST: &str = "bg";
/// What wasm-opt does, whatever `opt-level` in Cargo.toml says: smallest, twice, from flat code in which the loops
/// and blocks were found anew.
///
/// What is called from one place is put there only if it is small: in large functions there are more locals to be told apart, which
/// compresses worse than the calls.
///
/// Nothing of ours is in the first 1,024 bytes of memory, so an address that lies a little past a pointer can be
/// folded into the access: the linker puts the stack there, growing down ([`STACK`]), and a stack that came so far
/// is about to run out. Then the access traps a few hundred bytes before the stack would have.
const WASM_OPT_FLAGS: [&str; 7] = [
    "--low-memory-unused",
    "--one-caller-inline-max-function-size=60",
    "--flatten",
    "--rereloop",
    "-Oz",
    "-Oz",
    "--strip-target-features",
];

/// The type of what the glue knows of its build.
const BUILD_TYPE: &str = "
/**
 * What tells the modules of this build from those of any other: the name by which the first one exports its table.
 */
export const build: string;
";

/// The one file that uses a library from npm, which is put into it: who installs the package installs nothing else.
pub const PATCH: &str = "json-patch.js";
/// Bundles a file in its place, below a comment.
const BUNDLE: &str = r#"
    const [file, comment] = process.argv.slice(1);
    const options = { bundle: true, minify: true, format: "esm", allowOverwrite: true, logLevel: "warning" };
    require("esbuild").buildSync({ ...options, entryPoints: [file], outfile: file, banner: { js: comment } });
"#;
/// What the licence of the library asks to be kept with it.
const PATCH_NOTICE: &str = r#"/*!
rfc6902: Copyright 2014-2021 Christopher Brown. MIT License.

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation
files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy,
modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the
Software is furnished to do so, subject to the following conditions: The above copyright notice and this permission notice
shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE,
ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
*/"#;

/// How much of the wasm is left to the optimiser.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Optimisation {
    /// What is shipped, measured and tested.
    Full,
    /// As it comes from the compiler: for trying things out.
    None,
}

/// Builds everything anew; only cargo's own cache is used. While another build is running in this checkout it waits.
pub fn build(project: &Project, optimisation: Optimisation) -> Result<()> {
    let _lock = BuildLock::take(project)?;
    let shell = &project.shell;
    compile(project, STEM, &[&[RELOCATIONS, STACK], &LESS_CODE[..]].concat())?;
    empty(&project.path(GLUE))?;
    bind(project)?;
    trim(project)?;
    if optimisation == Optimisation::Full {
        optimise(project)?;
    }
    cut(project)?;
    empty(&project.path(DIST))?;
    project.npm_tool("typescript/bin/tsc")?.args(["-p", "tsconfig.json"]).run()?;
    for file in shell.read_dir(project.path(GLUE))? {
        shell.copy_file(&file, project.path(DIST))?;
    }
    let patch = project.path(DIST).join(PATCH);
    cmd!(shell, "node --eval {BUNDLE} {patch} {PATCH_NOTICE}").quiet().run()?;
    println!("built {DIST}/");
    Ok(())
}

/// Compiles a package to wasm, as a `cdylib` alone: cargo forgoes link-time optimisation where an `rlib` is made beside it.
///
/// The standard library is compiled with it, for size and with panics that stop at once: the one that comes with
/// the compiler formats a message for each of them, which weighs more than a tenth of the whole download. A stable
/// compiler does neither unless it is told that it is no stable one; so what is unstable here is as fixed as the
/// version in rust-toolchain.toml, and has to be looked at when that changes. Tests are compiled without any of it.
///
/// What names a file of a library names it by the library, not by the path on the machine that built it, which is
/// long and nobody's business.
pub fn compile(project: &Project, package: &str, linking: &[&str]) -> Result<()> {
    let shell = &project.shell;
    let sysroot = cmd!(shell, "rustc --print sysroot").read()?;
    let cargo_home = match env::var_os("CARGO_HOME") {
        Some(home) => PathBuf::from(home),
        None => PathBuf::from(env::var_os("HOME").context("HOME is not set")?).join(".cargo"),
    };
    let registry = cargo_home.join("registry/src");
    // Cargo names the library's files by where they really are, which may be behind a link.
    let sysroot = fs::canonicalize(sysroot)?;
    let mut remaps = vec![
        format!("{}=", sysroot.join(setup::RUST_SOURCE).display()),
        format!("{}=", project.path("").display()),
    ];
    for index in shell.read_dir(&registry).unwrap_or_default() {
        remaps.push(format!("{}=", index.display()));
    }
    let mut flags = vec!["-Zunstable-options".to_owned(), "-Cpanic=immediate-abort".to_owned()];
    flags.extend(remaps.into_iter().map(|remap| format!("--remap-path-prefix={remap}")));
    let command = cmd!(shell, "cargo rustc --locked --release --package {package} --lib --crate-type cdylib");
    let command = command
        .args(["--target", "wasm32-unknown-unknown"])
        .args(["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"])
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", flags.join(" "))
        .args(["--"])
        .args(linking);
    Ok(command.run()?)
}

/// Writes the glue. The library leaves out the types, which its command line puts in by default.
fn bind(project: &Project) -> Result<()> {
    let compiled = project.target(COMPILED);
    Bindgen::new()
        .input_bytes(STEM, split::without_links(&fs::read(compiled)?)?)
        .out_name(STEM)
        .web(true)?
        .typescript(true)
        .remove_producers_section(true)
        .generate(project.path(GLUE))
        .context("wasm-bindgen could not write the glue")
}

/// Has the glue, and its types, be what is shipped.
fn trim(project: &Project) -> Result<()> {
    let glue = project.path(GLUE).join(STEM);
    let (script, types) = (glue.with_extension("js"), glue.with_extension("d.ts"));
    fs::write(&script, glue::trimmed(&fs::read_to_string(&script)?)?)?;
    Ok(fs::write(&types, glue::trimmed_types(&fs::read_to_string(&types)?)?)?)
}

/// Runs npm's Binaryen by its own path: Debian's older wasm-opt of the same name writes a module that validates
/// and cannot be started, because it exports another table than it was given.
fn optimise(project: &Project) -> Result<()> {
    let wasm = project.path(GLUE).join(WASM);
    let before_bytes = fs::metadata(&wasm)?.len();
    let wasm_opt = project.npm_tool("binaryen/bin/wasm-opt")?;
    // The names of functions are needed until the wasm is cut.
    let command = wasm_opt
        .args(["-g", &format!("--no-inline={}", split::GATES)])
        .args(WASM_OPT_FLAGS)
        .arg(short_names::WASM_OPT_FLAG)
        .arg(&wasm)
        .arg("-o")
        .arg(&wasm);
    ShortNames::read(&command.read()?)?.apply(&project.path(GLUE))?;
    println!("wasm-opt: {before_bytes} -> {} bytes", fs::metadata(&wasm)?.len());
    Ok(())
}

/// The file of a supplement, which `ts/supplements.ts` loads.
pub fn supplement_file(name: &str) -> String {
    format!("{STEM}_{name}.wasm")
}

/// Cuts the wasm into what is loaded first and its supplements, which stand beside it; and writes all of them as
/// scripts too.
fn cut(project: &Project) -> Result<()> {
    let glue = project.path(GLUE);
    let parts = split::split(&fs::read(project.target(COMPILED))?, &fs::read(glue.join(WASM))?)?;
    sign(&glue.join(STEM), &parts.build)?;
    fs::write(glue.join(WASM), &parts.first)?;
    inline::write(&glue, FIRST, &parts.first)?;
    for (supplement, module) in split::SUPPLEMENTS.iter().zip(&parts.supplements) {
        fs::write(glue.join(supplement_file(supplement.name)), module)?;
        inline::write(&glue, supplement.name, module)?;
    }
    Ok(())
}

/// Has the glue know the build of which it is: `ts/core.ts` looks for that in the wasm before it runs anything of it.
fn sign(glue: &Path, build: &str) -> Result<()> {
    let (script, types) = (glue.with_extension("js"), glue.with_extension("d.ts"));
    fs::write(&script, fs::read_to_string(&script)? + &format!("export const build = \"{build}\";\n"))?;
    Ok(fs::write(&types, fs::read_to_string(&types)? + BUILD_TYPE)?)
}

/// Makes a folder that has nothing in it.
pub fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("could not empty {}", folder.display()))?;
    }
    Ok(fs::create_dir_all(folder)?)
}
