//! The browsers that the tests run in, and the programs that drive them.

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result};

/// A browser that every test in a browser has to pass in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Browser {
    Chromium,
    Firefox,
    /// The engine of Safari, in GTK's build of it.
    WebKit,
}

/// A program that is looked for in a variable first, then on the `PATH`, under several names.
struct Program {
    variable: &'static str,
    names: &'static [&'static str],
}

/// The version of geckodriver that is installed where none is found; Debian 12 has no package of it.
pub const GECKODRIVER_VERSION: &str = "0.37.1";

impl Browser {
    /// All of them that there are for this system, in the order in which tests use them. GTK's WebKit is Linux's alone.
    pub const ALL: &[Browser] = if cfg!(target_os = "linux") {
        &[Browser::Chromium, Browser::Firefox, Browser::WebKit]
    } else {
        &[Browser::Chromium, Browser::Firefox]
    };

    /// Its name, as in `tests/webdriver/<name>.json`.
    pub fn name(self) -> &'static str {
        match self {
            Browser::Chromium => "chromium",
            Browser::Firefox => "firefox",
            Browser::WebKit => "webkit",
        }
    }

    /// The variable that names the driver to wasm-bindgen's test runner, which knows WebKit by Safari's driver alone, and talks to all alike.
    pub fn driver_variable(self) -> &'static str {
        match self {
            Browser::WebKit => "SAFARIDRIVER",
            _ => self.driver_program().variable,
        }
    }

    /// The browser itself, or for WebKit, whose driver knows its browser, the screen that it needs; if this machine has it.
    pub fn binary(self) -> Option<PathBuf> {
        self.binary_program().find()
    }

    /// The browser's WebDriver, if this machine has it.
    pub fn driver(self) -> Option<PathBuf> {
        let cached = match self {
            Browser::Chromium | Browser::WebKit => None,
            Browser::Firefox => {
                geckodriver_folder().ok().map(|folder| folder.join("bin").join("geckodriver"))
            }
        };
        self.driver_program().find().or_else(|| cached.filter(|path| path.is_file()))
    }

    /// Where this machine has browser and driver: variables for tests that start browsers on their own.
    pub fn environment(self) -> Vec<(&'static str, PathBuf)> {
        let found = [
            (self.binary_program().variable, self.binary()),
            (self.driver_program().variable, self.driver()),
        ];
        found.into_iter().filter_map(|(variable, path)| Some((variable, path?))).collect()
    }

    /// The variables for this browser that name a file which is not there.
    pub fn broken_variables(self) -> Vec<&'static str> {
        let programs = [self.binary_program(), self.driver_program()];
        let is_broken =
            |program: &Program| env::var_os(program.variable).is_some() && program.find().is_none();
        programs.into_iter().filter(is_broken).map(|program| program.variable).collect()
    }

    fn binary_program(self) -> Program {
        match self {
            Browser::Chromium => {
                Program { variable: "CHROMIUM", names: &["chromium", "chromium-browser", "google-chrome"] }
            }
            Browser::Firefox => Program { variable: "FIREFOX", names: &["firefox-esr", "firefox"] },
            Browser::WebKit => Program { variable: "XVFB", names: &["Xvfb"] },
        }
    }

    fn driver_program(self) -> Program {
        match self {
            Browser::Chromium => Program { variable: "CHROMEDRIVER", names: &["chromedriver"] },
            Browser::Firefox => Program { variable: "GECKODRIVER", names: &["geckodriver"] },
            Browser::WebKit => Program { variable: "WEBKITDRIVER", names: &["WebKitWebDriver"] },
        }
    }
}

impl Program {
    fn find(&self) -> Option<PathBuf> {
        match env::var_os(self.variable) {
            Some(path) => Some(PathBuf::from(path)).filter(|path| path.is_file()),
            None => self.names.iter().find_map(|name| on_path(name)),
        }
    }
}

/// The folder that `cargo install` puts our geckodriver into: outside of the checkout, so that clones share it,
/// and named after the version, so that a new one is installed beside the old.
pub fn geckodriver_folder() -> Result<PathBuf> {
    let cache = match env::var_os("XDG_CACHE_HOME") {
        Some(cache) => PathBuf::from(cache),
        None => env::home_dir().context("this user has no home folder")?.join(".cache"),
    };
    Ok(cache.join("everfold").join(format!("geckodriver-{GECKODRIVER_VERSION}")))
}

/// The first executable file of this name in the folders of `PATH`.
pub fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|file| is_executable(file))
}

#[cfg(unix)]
fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(file).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|metadata| metadata.is_file())
}
