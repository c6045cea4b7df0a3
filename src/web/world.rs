//! A world that a test decides of: what time it is, what chance comes to, and what becomes of a storage in memory.

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;

use crate::error::WriteOutcome;
use crate::event::UnixMillis;
use crate::storage::{FaultKind, StorageFault};

use super::promise::settled;

/// A function of the testing kit, which is asked by codes: those of `World` in `ts/engine.ts`.
#[derive(Clone)]
pub struct World {
    ask: Function,
}

/// What is to be done with the storage.
#[derive(Clone, Copy)]
pub enum Access {
    /// A read.
    Read,
    /// A write of any kind.
    Write,
}

const NOW: u32 = 0;
const CHANCE: u32 = 1;
const READ: u32 = 2;
const WRITE: u32 = 3;

const FULL: f64 = 1.0;
const ANSWER_LOST: f64 = 2.0;
const KILLED: f64 = 3.0;

impl World {
    /// The world behind a function.
    pub fn new(ask: Function) -> Self {
        Self { ask }
    }

    /// What time it is.
    pub fn now(&self) -> UnixMillis {
        UnixMillis(self.number(NOW) as i64)
    }

    /// Fills `bytes` with what chance comes to.
    pub fn random(&self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte = self.number(CHANCE) as u8;
        }
    }

    /// Waits until something may be done, and says how its answer is to be: as it is, or lost. Errors: what keeps it from
    /// being done.
    pub async fn admit(&self, access: Access) -> Result<Result<(), StorageFault>, StorageFault> {
        let code = match access {
            Access::Read => READ,
            Access::Write => WRITE,
        };
        let admitted = Promise::resolve(&self.answer(code));
        let code = settled(admitted).await.ok().and_then(|code| code.as_f64()).unwrap_or_default();
        let (kind, outcome) = if code == FULL {
            (FaultKind::Quota { usage_bytes: None, quota_bytes: None }, WriteOutcome::NotWritten)
        } else if code == KILLED {
            (FaultKind::Closed, WriteOutcome::NotWritten)
        } else if code == ANSWER_LOST {
            (FaultKind::Disconnected, WriteOutcome::Unknown)
        } else {
            return Ok(Ok(()));
        };
        let fault = StorageFault { kind, outcome, cause: "a test wants it so".to_owned() };
        if outcome == WriteOutcome::Unknown { Ok(Err(fault)) } else { Err(fault) }
    }

    fn number(&self, code: u32) -> f64 {
        self.answer(code).as_f64().unwrap_or_default()
    }

    /// What a test's own function throws is told where it was handed over.
    fn answer(&self, code: u32) -> JsValue {
        self.ask.call1(&JsValue::UNDEFINED, &JsValue::from(code)).unwrap_or_default()
    }
}
