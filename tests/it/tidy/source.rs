//! The files of the checkout that people write.

use std::fs;
use std::path::Path;

/// One file, by its path from the root, with `/` between folders.
pub struct Source {
    pub path: String,
    pub text: String,
}

/// What is not written by hand, wherever it stands.
const GENERATED: &[&str] = &["node_modules", "target", "dist", "pkg", "fixtures", "package-lock.json"];

const CODE_ENDINGS: &[&str] = &[".rs", ".ts", ".mjs", ".js", ".css", ".html"];
const TEXT_ENDINGS: &[&str] = &[".md", ".json", ".toml"];

impl Source {
    /// Whether it is code, not prose or configuration.
    pub fn is_code(&self) -> bool {
        CODE_ENDINGS.iter().any(|ending| self.path.ends_with(ending))
    }

    /// How many lines it has.
    pub fn lines(&self) -> usize {
        self.text.lines().count()
    }

    /// Its text without line comments, which may name what code may not.
    pub fn code(&self) -> String {
        let lines = self.text.lines().map(|line| match line.trim_start().starts_with("//") {
            true => "",
            false => line.split(" // ").next().unwrap_or_default(),
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// A sentence about what is wrong with it.
    pub fn problem(&self, problem: String) -> String {
        format!("{}: {problem}", self.path)
    }
}

/// Every file of the checkout that people write.
pub fn all() -> Vec<Source> {
    let mut sources = Vec::new();
    collect(Path::new(env!("CARGO_MANIFEST_DIR")), "", &mut sources);
    sources.sort_by(|one, other| one.path.cmp(&other.path));
    sources
}

fn collect(folder: &Path, prefix: &str, sources: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = format!("{prefix}{name}");
        if name.starts_with('.') || GENERATED.contains(&name.as_str()) {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            collect(&entry.path(), &format!("{path}/"), sources);
        } else if CODE_ENDINGS.iter().chain(TEXT_ENDINGS).any(|ending| name.ends_with(ending)) {
            sources.push(Source { path, text: fs::read_to_string(entry.path()).unwrap() });
        }
    }
}
