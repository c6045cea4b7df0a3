//! Runs the tests that are compiled to wasm, in a window and in a worker of each browser.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::{Value, json};
use xshell::{Cmd, TempDir, cmd};

use crate::browser::Browser;
use crate::project::Project;
use crate::screen::Screen;

/// How long one test file may run in a browser before its silence counts as a failure.
const FILE_TIMEOUT_S: &str = "300";
/// How long a driver may take to answer; the runner's own five seconds are short on a busy machine.
const DRIVER_TIMEOUT_S: &str = "30";

/// Compiles the runner and the tests, then runs them in all browsers at once.
pub fn run(project: &Project) -> Result<()> {
    let shell = &project.shell;
    let build_runner = "build --locked --profile tools --package xtask --features wasm-test-runner";
    cmd!(shell, "cargo").args(build_runner.split(' ')).args(["--bin", "wasm-test-runner"]).run()?;
    tests(project).arg("--no-run").run()?;
    let runs = Browser::ALL.iter().map(|browser| Run::prepare(project, *browser));
    let runs: Vec<Run> = runs.collect::<Result<_>>()?;
    let outcomes: Vec<Result<()>> = thread::scope(|scope| {
        let running: Vec<_> = runs.into_iter().map(|run| scope.spawn(|| run.finish())).collect();
        let panicked = |_| Err(anyhow!("a run ended by a panic"));
        running.into_iter().map(|run| run.join().unwrap_or_else(panicked)).collect()
    });
    outcomes.into_iter().collect()
}

fn tests(project: &Project) -> Cmd<'_> {
    let test = cmd!(project.shell, "cargo test --locked --target wasm32-unknown-unknown");
    test.args(["--test", "wasm_window", "--test", "wasm_worker"])
}

/// The tests in one browser.
struct Run {
    browser: &'static str,
    command: Command,
    /// WebKit has no mode without one.
    _screen: Option<Screen>,
    /// Chromium leaves about 19 MB behind in each run: they go with this folder.
    _temporary: TempDir,
}

impl Run {
    fn prepare(project: &Project, browser: Browser) -> Result<Self> {
        let name = browser.name();
        let driver = browser.driver().with_context(|| format!("{name} has no driver"))?;
        let temporary = project.shell.create_temp_dir()?;
        let mut test = tests(project)
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", project.target("tools/wasm-test-runner"))
            .env("WASM_BINDGEN_TEST_TIMEOUT", FILE_TIMEOUT_S)
            .env("WASM_BINDGEN_TEST_DRIVER_TIMEOUT", DRIVER_TIMEOUT_S)
            .env("TMPDIR", temporary.path());
        // The runner takes the first driver that it finds named, so there must be one, and whatever settings there are for it.
        for variable in [
            "CHROMEDRIVER",
            "GECKODRIVER",
            "SAFARIDRIVER",
            "MSEDGEDRIVER",
            "WASM_BINDGEN_TEST_WEBDRIVER_JSON",
        ] {
            test = test.env_remove(variable);
        }
        let mut command: Command = test.env(browser.driver_variable(), driver).into();
        let mut screen = None;
        if browser == Browser::WebKit {
            let opened = Screen::open(&binary(browser)?)?;
            command.envs(opened.environment());
            screen = Some(opened);
        } else {
            let configuration = configure(project, browser, temporary.path())?;
            command.env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", configuration);
        }
        Ok(Self { browser: name, command, _screen: screen, _temporary: temporary })
    }

    /// Waits for it, and shows what it printed as one piece.
    fn finish(mut self) -> Result<()> {
        let Output { status, stdout, stderr } = self.command.output()?;
        let mut shown = io::stdout().lock();
        writeln!(shown, "\nwasm tests in {}", self.browser)?;
        shown.write_all(&stderr)?;
        shown.write_all(&stdout)?;
        ensure!(status.success(), "the wasm tests in {} ended with {status}", self.browser);
        Ok(())
    }
}

fn binary(browser: Browser) -> Result<PathBuf> {
    browser.binary().with_context(|| format!("{} is not installed", browser.name()))
}

/// Adds the path of this machine's browser to the browser's WebDriver capabilities.
fn configure(project: &Project, browser: Browser, folder: &Path) -> Result<PathBuf> {
    let name = browser.name();
    let binary = binary(browser)?;
    let template = project.path("tests/webdriver").join(format!("{name}.json"));
    let mut capabilities: Value = serde_json::from_str(&fs::read_to_string(&template)?)?;
    let options = capabilities
        .as_object_mut()
        .and_then(|capabilities| capabilities.values_mut().next())
        .and_then(Value::as_object_mut)
        .with_context(|| format!("{} holds no browser options", template.display()))?;
    options.insert("binary".to_owned(), json!(binary));
    let path = folder.join("webdriver.json");
    fs::write(&path, capabilities.to_string())?;
    Ok(path)
}
