//! Who builds in a checkout: one at a time.

use std::fs::{self, File, TryLockError};
use std::path::Path;

use anyhow::{Context, Result};

use crate::project::Project;

/// In the checkout, as what is built is, wherever cargo's target folder may be.
const FOLDER: &str = "target";
const FILE: &str = "build.lock";

/// Keeps other builds out of the folders that a build empties and fills, until it is dropped.
///
/// The system takes it from a process that dies, and programs that are started do not inherit it. Whoever holds one
/// must not ask for another: that would wait for itself. It ends with the build: who reads what was built is not kept
/// from the next one.
pub struct BuildLock {
    _file: File,
}

impl BuildLock {
    /// Waits for the build that is running, if there is one, and says so.
    ///
    /// # Errors
    ///
    /// When the file cannot be made, or the file system knows no locks.
    pub fn take(project: &Project) -> Result<Self> {
        Self::take_in(&project.path(FOLDER))
    }

    fn take_in(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("could not make {}", folder.display()))?;
        let path = folder.join(FILE);
        let context = || format!("could not lock {}", path.display());
        let file =
            File::options().write(true).create(true).truncate(false).open(&path).with_context(context)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                eprintln!("another build is running here: waiting for it");
                file.lock().with_context(context)?;
            }
            Err(TryLockError::Error(error)) => return Err(error).with_context(context),
        }
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use xshell::Shell;

    use super::*;

    #[test]
    fn one_build_has_it_at_a_time_and_the_next_when_it_is_dropped() -> Result<()> {
        let folder = Shell::new()?.create_temp_dir()?;
        let folder = folder.path().join("made");
        let lock = BuildLock::take_in(&folder)?;
        let other = File::open(folder.join(FILE))?;
        assert!(matches!(other.try_lock(), Err(TryLockError::WouldBlock)));
        drop(lock);
        other.try_lock()?;
        Ok(())
    }
}
