//! Shortens the names by which the wasm and its glue know each other: a hash in each of them, twice, weighs some
//! kilobytes that no compression takes away.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// Has wasm-opt shorten the names in the wasm, and print what became of each.
pub const WASM_OPT_FLAG: &str = "--minify-imports-and-exports-and-modules";
/// What the wasm calls the glue, and what wasm-opt makes of it.
const MODULE: (&str, &str) = ("\"./everfold_bg.js\": import0", "a: import0");

/// New names by their old ones.
type Names = HashMap<String, String>;

/// What became of the names of one wasm.
pub struct ShortNames {
    imports: Names,
    exports: Names,
}

impl ShortNames {
    /// Reads what wasm-opt printed: `{"imports": [[module, old, new]...], "exports": [[old, new]...]}`.
    pub fn read(printed: &str) -> Result<Self> {
        let table: Value = serde_json::from_str(printed).context("wasm-opt printed no table of names")?;
        Ok(Self { imports: names(&table["imports"])?, exports: names(&table["exports"])? })
    }

    /// Writes the new names into the glue, and the types beside it.
    pub fn apply(&self, glue: &Path) -> Result<()> {
        let script = glue.join("everfold.js");
        let text = fs::read_to_string(&script)?;
        ensure!(text.contains(MODULE.0), "the glue does not offer its functions as it used to");
        let lines = text.replace(MODULE.0, MODULE.1);
        let (mut offered, mut short) = (0, String::with_capacity(lines.len()));
        for line in lines.lines() {
            match renamed(line, "        ", ":", &self.imports) {
                Some(line) => {
                    offered += 1;
                    short.push_str(&line);
                }
                None => short.push_str(&self.calls(line)),
            }
            short.push('\n');
        }
        ensure!(
            offered == self.imports.len(),
            "the glue offers {offered} of {} functions",
            self.imports.len()
        );
        fs::write(script, short)?;
        self.declare(&glue.join("everfold_bg.wasm.d.ts"))
    }

    /// Renames what a line of the glue calls of the wasm.
    fn calls(&self, line: &str) -> String {
        let mut parts = line.split("wasm.");
        let mut short = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            short.push_str("wasm.");
            short.push_str(&renamed(part, "", "", &self.exports).unwrap_or_else(|| part.to_owned()));
        }
        short
    }

    fn declare(&self, types: &Path) -> Result<()> {
        let text = fs::read_to_string(types)?;
        let lines = text
            .lines()
            .map(|line| renamed(line, "export const ", ":", &self.exports).unwrap_or(line.to_owned()));
        Ok(fs::write(types, lines.collect::<Vec<_>>().join("\n") + "\n")?)
    }
}

fn names(rows: &Value) -> Result<Names> {
    let rows = rows.as_array().context("wasm-opt printed a table without rows")?;
    let pair = |row: &Value| match row.as_array()?.as_slice() {
        [.., old, new] => Some((old.as_str()?.to_owned(), new.as_str()?.to_owned())),
        _ => None,
    };
    rows.iter().map(|row| pair(row).context("wasm-opt printed a row without names")).collect()
}

/// The line with the new name of what stands between `before` and `after` in it, where that has one.
fn renamed(line: &str, before: &str, after: &str, names: &Names) -> Option<String> {
    let rest = line.strip_prefix(before)?;
    let is_part = |character: char| character.is_alphanumeric() || matches!(character, '_' | '$');
    let length = rest.find(|character| !is_part(character)).unwrap_or(rest.len());
    let (old, rest) = rest.split_at(length);
    if !rest.starts_with(after) {
        return None;
    }
    Some(format!("{before}{}{rest}", names.get(old)?))
}
