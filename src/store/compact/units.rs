//! Units that become one, without the events that were hidden since they were made.

use std::rc::Rc;

use crate::layout::unit::{UnitBuilder, UnitIdentity, UnitInfo};
use crate::store::parts::Item;

use super::Halt;
use super::erasure::Erasure;
use super::reader::{Next, Reader};
use super::work::Desk;

/// Takes units in, the oldest first.
pub(super) struct UnitsIntake {
    /// `None` once it was given.
    builder: Option<UnitBuilder>,
    /// Those that were not begun, the next one last.
    left: Vec<UnitInfo>,
    reader: Reader,
    erasure: Rc<Erasure>,
}

impl UnitsIntake {
    pub fn new(identity: UnitIdentity, merged: &[UnitInfo], erasure: &Rc<Erasure>) -> Self {
        let left = merged.iter().rev().copied().collect();
        let reader = Reader::new(std::iter::empty(), None);
        Self { builder: Some(UnitBuilder::new(identity)), left, reader, erasure: Rc::clone(erasure) }
    }

    /// Takes in a block or a page of remains. Gives the builder after the last.
    pub fn advance(&mut self, desk: &mut Desk) -> Result<Option<UnitBuilder>, Halt> {
        let Some(builder) = &mut self.builder else { return Ok(None) };
        match self.reader.next(desk)? {
            Next::Item(part, item) => {
                let added = match item {
                    Item::Page(page) => builder.add_remains(&page),
                    Item::Entries(block) => builder.add(block, &|entry| self.erasure.hides(entry)),
                    _ => Ok(()),
                };
                added.map_err(|corrupt| self.reader.damage_of(part, &corrupt.to_string()))?;
            }
            Next::Pending => {}
            Next::End => match self.left.pop() {
                Some(unit) => {
                    builder.begin_unit(&unit);
                    self.reader = Reader::of_unit(&unit);
                }
                None => return Ok(self.builder.take()),
            },
        }
        Ok(None)
    }
}
