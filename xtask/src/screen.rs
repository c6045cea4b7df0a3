//! A screen in memory, for a browser that has no mode without one.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};

/// A screen that nobody sees, until it is dropped.
pub struct Screen {
    server: Child,
    number: String,
}

impl Screen {
    /// Starts the X server of this path, under the first number that is free.
    ///
    /// # Errors
    ///
    /// When it does not start.
    pub fn open(program: &Path) -> Result<Self> {
        let mut server = Command::new(program)
            .args(["-displayfd", "1", "-nolisten", "tcp"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("could not start {}", program.display()))?;
        let said = server.stdout.take();
        // From here on it ends with this, whatever is to come.
        let mut screen = Self { server, number: String::new() };
        BufReader::new(said.context("the X server has no output")?).read_line(&mut screen.number)?;
        screen.number.truncate(screen.number.trim_end().len());
        ensure!(!screen.number.is_empty(), "{} ended without a screen", program.display());
        Ok(screen)
    }

    /// What tells a program of GTK to use this screen, and none that the user sees.
    pub fn environment(&self) -> [(&'static str, String); 2] {
        [("DISPLAY", format!(":{}", self.number)), ("GDK_BACKEND", "x11".to_owned())]
    }
}

impl Drop for Screen {
    /// It may have ended already, which is what is wanted.
    fn drop(&mut self) {
        drop(self.server.kill());
        drop(self.server.wait());
    }
}
