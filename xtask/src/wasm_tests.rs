//! Runs the tests that are compiled to wasm, in a window and in a worker of each browser.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use xshell::cmd;

use crate::browser::Browser;
use crate::project::Project;

/// How long one test file may run in a browser before its silence counts as a failure.
const FILE_TIMEOUT_S: &str = "300";
/// How long a driver may take to answer; the runner's own five seconds are short on a busy machine.
const DRIVER_TIMEOUT_S: &str = "30";

/// Compiles the runner and the tests, then runs them in every browser.
pub fn run(project: &Project) -> Result<()> {
    let shell = &project.shell;
    let build_runner = "build --locked --profile tools --package xtask --features wasm-test-runner";
    cmd!(shell, "cargo").args(build_runner.split(' ')).args(["--bin", "wasm-test-runner"]).run()?;
    let runner = project.target("tools/wasm-test-runner");
    for browser in Browser::ALL {
        run_in(project, browser, &runner)?;
    }
    Ok(())
}

fn run_in(project: &Project, browser: Browser, runner: &Path) -> Result<()> {
    println!("\nwasm tests in {}", browser.name());
    let shell = &project.shell;
    let driver = browser.driver().with_context(|| format!("{} has no driver", browser.name()))?;
    // Chromium leaves about 19 MB behind in each run: they go with this folder.
    let temporary = shell.create_temp_dir()?;
    let configuration = configure(project, browser, temporary.path())?;
    let test = cmd!(shell, "cargo test --locked --target wasm32-unknown-unknown");
    let mut test = test
        .args(["--test", "wasm_window", "--test", "wasm_worker"])
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", runner)
        .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", configuration)
        .env("WASM_BINDGEN_TEST_TIMEOUT", FILE_TIMEOUT_S)
        .env("WASM_BINDGEN_TEST_DRIVER_TIMEOUT", DRIVER_TIMEOUT_S)
        .env("TMPDIR", temporary.path());
    // The runner takes the first driver that it finds named, so there must be one.
    for variable in ["CHROMEDRIVER", "GECKODRIVER", "SAFARIDRIVER", "MSEDGEDRIVER"] {
        test = test.env_remove(variable);
    }
    test.env(browser.driver_variable(), driver).run()?;
    Ok(())
}

/// Adds the path of this machine's browser to the browser's WebDriver capabilities.
fn configure(project: &Project, browser: Browser, folder: &Path) -> Result<PathBuf> {
    let name = browser.name();
    let binary = browser.binary().with_context(|| format!("{name} is not installed"))?;
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
