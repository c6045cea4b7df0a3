//! Installs what a fresh machine with Rust and Node lacks, and says what it installs and why.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use xshell::cmd;

use crate::browser::{self, Browser, GECKODRIVER_VERSION};
use crate::project::Project;

/// Something that a command needs of the machine.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Requirement {
    /// Node of at least [`NODE_MAJOR_MIN`].
    Node,
    /// Rust's standard library for `wasm32-unknown-unknown`.
    WasmTarget,
    /// The source of Rust's standard library, which the shipped wasm is compiled from.
    RustSource,
    /// What package-lock.json names, in node_modules.
    NodePackages,
    /// Chromium, Firefox and WebKit with their WebDrivers, and the screen that WebKit needs.
    Browsers,
}

const NODE_MAJOR_MIN: u32 = 20;
const WASM_TARGET: &str = "wasm32-unknown-unknown";
/// Where the compiler's folder holds the source of the standard library.
pub const RUST_SOURCE: &str = "lib/rustlib/src/rust/library";
const DEBIAN_PACKAGES: [&str; 5] =
    ["chromium", "chromium-driver", "firefox-esr", "webkit2gtk-driver", "xvfb"];

impl Requirement {
    /// All of them, quick ones first.
    pub const ALL: &[Requirement] = &[
        Requirement::Node,
        Requirement::WasmTarget,
        Requirement::RustSource,
        Requirement::NodePackages,
        Requirement::Browsers,
    ];
}

/// Checks each requirement in order and installs it where it is missing.
///
/// # Errors
///
/// What is missing and cannot be installed from here, with what to install by hand.
pub fn provide(project: &Project, requirements: &[Requirement]) -> Result<()> {
    for requirement in requirements {
        match requirement {
            Requirement::Node => check_node(project)?,
            Requirement::WasmTarget => provide_wasm_target(project)?,
            Requirement::RustSource => provide_rust_source(project)?,
            Requirement::NodePackages => provide_node_packages(project, "")?,
            Requirement::Browsers => provide_browsers(project)?,
        }
    }
    Ok(())
}

fn check_node(project: &Project) -> Result<()> {
    ensure!(
        browser::on_path("node").is_some() && browser::on_path("npm").is_some(),
        "Node and npm are missing: install Node {NODE_MAJOR_MIN} or newer from https://nodejs.org"
    );
    let version = cmd!(project.shell, "node --version").quiet().read()?;
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    ensure!(
        major.is_some_and(|major| major >= NODE_MAJOR_MIN),
        "Node is {version}: install {NODE_MAJOR_MIN} or newer from https://nodejs.org"
    );
    Ok(())
}

fn provide_wasm_target(project: &Project) -> Result<()> {
    let libraries =
        cmd!(project.shell, "rustc --print target-libdir --target {WASM_TARGET}").quiet().read()?;
    if fs::exists(&libraries)? {
        return Ok(());
    }
    ensure!(
        browser::on_path("rustup").is_some(),
        "Rust's {WASM_TARGET} target is missing and so is rustup: install the target as you installed Rust"
    );
    step("Rust's wasm target", || Ok(cmd!(project.shell, "rustup target add {WASM_TARGET}").run()?))
}

/// The lock file stands for the rest: without it cargo compiles nothing of the library.
fn provide_rust_source(project: &Project) -> Result<()> {
    let sysroot = cmd!(project.shell, "rustc --print sysroot").quiet().read()?;
    if Path::new(&sysroot).join(RUST_SOURCE).join("Cargo.lock").is_file() {
        return Ok(());
    }
    ensure!(
        browser::on_path("rustup").is_some(),
        "the source of Rust's standard library (rust-src) is missing and so is rustup: install it as you installed Rust"
    );
    step("the source of Rust's standard library", || {
        Ok(cmd!(project.shell, "rustup component add rust-src").run()?)
    })
}

/// Installs what the lock file of a folder names. npm leaves its own lock file in node_modules as the last thing it does, so an older one, or none, says
/// that an installation is out of date or was broken off.
///
/// # Errors
///
/// What npm says.
pub fn provide_node_packages(project: &Project, folder: &str) -> Result<()> {
    let folder = project.path(folder);
    let wanted = fs::metadata(folder.join("package-lock.json"))?.modified()?;
    let installed =
        fs::metadata(folder.join("node_modules/.package-lock.json")).and_then(|file| file.modified());
    if installed.is_ok_and(|installed| installed >= wanted) {
        return Ok(());
    }
    // Not `npm ci`: packages for other platforms, which nobody here needs, may be named without a version.
    step("npm packages", || {
        Ok(cmd!(project.shell, "npm install --no-save --no-audit --no-fund --prefix {folder}").run()?)
    })
}

fn provide_browsers(project: &Project) -> Result<()> {
    for browser in Browser::ALL {
        let broken = browser.broken_variables();
        ensure!(broken.is_empty(), "{} names a file that does not exist", broken.join(" and "));
    }
    // Debian 12 has no package of Firefox's driver.
    let has_driver = |browser: &Browser| *browser == Browser::Firefox || browser.driver().is_some();
    if !Browser::ALL.iter().all(|browser| browser.binary().is_some() && has_driver(browser)) {
        install_from_debian(project)?;
    }
    if Browser::Firefox.driver().is_none() {
        install_geckodriver(project)?;
    }
    for browser in Browser::ALL {
        let name = browser.name();
        ensure!(browser.binary().is_some(), "{name} was installed and still cannot be found on the PATH");
        ensure!(browser.driver().is_some(), "{name}'s driver was installed and still cannot be found");
    }
    Ok(())
}

fn install_from_debian(project: &Project) -> Result<()> {
    let shell = &project.shell;
    let advice = format!(
        "browsers or drivers are missing: install Chromium, chromedriver and Firefox, on Linux also WebKitGTK's driver and \
         Xvfb (Debian: {}), or name them in CHROMIUM, CHROMEDRIVER, FIREFOX, WEBKITDRIVER and XVFB",
        DEBIAN_PACKAGES.join(" ")
    );
    if browser::on_path("apt-get").is_none() {
        bail!(advice);
    }
    let is_root = cmd!(shell, "id -u").quiet().read()? == "0";
    let has_sudo = || cmd!(shell, "sudo -n true").quiet().ignore_stderr().run().is_ok();
    if !is_root && !has_sudo() {
        bail!("{advice}; this user can be neither root nor `sudo` without a password");
    }
    let prefix: &[&str] = if is_root { &[] } else { &["sudo", "-n"] };
    let prefix = [prefix, &["env", "DEBIAN_FRONTEND=noninteractive"]].concat();
    let (program, prefix) = prefix.split_first().context("the command is empty")?;
    step("browsers, from Debian", || {
        cmd!(shell, "{program} {prefix...} apt-get update -q").run()?;
        cmd!(shell, "{program} {prefix...} apt-get install -q -y {DEBIAN_PACKAGES...}").run()?;
        Ok(())
    })
}

fn install_geckodriver(project: &Project) -> Result<()> {
    let folder = browser::geckodriver_folder()?;
    let shell = &project.shell;
    let title = format!("geckodriver {GECKODRIVER_VERSION}, compiled into {}", folder.display());
    step(&title, || {
        let install = cmd!(shell, "cargo install geckodriver --version {GECKODRIVER_VERSION} --locked");
        // The build folder of this checkout is locked by whoever builds in it, and would keep the leftovers.
        install.args(["--root".as_ref(), folder.as_os_str()]).env_remove("CARGO_TARGET_DIR").run()?;
        Ok(())
    })
}

fn step(title: &str, install: impl FnOnce() -> Result<()>) -> Result<()> {
    println!("\nset-up: {title}");
    let begun = Instant::now();
    install().with_context(|| format!("could not install {title}"))?;
    println!("set-up: {title}: done in {:.1} s", begun.elapsed().as_secs_f64());
    Ok(())
}
