//! How much may be made of values.

use std::cell::Cell;

use super::failure::Rule;
use crate::limits;

/// What is left of the bytes that values may take. Counted before they are taken, so that no event makes a state of any
/// size: a state can name itself twice, and values take more than their texts.
#[derive(Debug)]
pub struct Budget {
    left_bytes: Cell<usize>,
}

impl Budget {
    /// What one event may make.
    pub fn of_event() -> Self {
        Self { left_bytes: Cell::new(limits::REDUCER_EVENT_BYTES_MAX) }
    }

    /// For a text whose length somebody else bounds.
    pub fn boundless() -> Self {
        Self { left_bytes: Cell::new(usize::MAX) }
    }

    /// Counts what is about to be made. Errors: where nothing is left.
    pub fn spend(&self, bytes: usize) -> Result<(), Rule> {
        let left_bytes = self.left_bytes.get().checked_sub(bytes).ok_or(Rule::EventBytes)?;
        self.left_bytes.set(left_bytes);
        Ok(())
    }
}
