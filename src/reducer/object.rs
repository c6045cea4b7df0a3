//! Properties of an object, in the order in which they were added.

use std::rc::Rc;

use super::value::{OBJECT_BYTES, PROPERTY_BYTES, VALUE_BYTES, Value};
use crate::table::{Slots, hash_of};

/// Properties by their names. Every name is an ordinary one: there is nothing that an object inherits.
///
/// Few are looked through, many are found by a hash. What is removed from among many leaves a gap until half of them
/// are gaps, so that removing does not take longer the more there are.
#[derive(Debug, Clone, Default)]
pub struct Object {
    rows: Vec<Option<Property>>,
    /// How many are no gap.
    count: usize,
    /// Empty where there are few.
    slots: Slots,
}

/// A property, whose name is in the one spelling.
#[derive(Debug, Clone)]
pub struct Property {
    pub name: Rc<str>,
    pub value: Value,
}

/// What a path says of a property or an element.
#[derive(Debug, Clone)]
pub struct FieldName {
    pub name: Rc<str>,
    /// Which element of an array it is, where it can be one.
    pub index: Option<u32>,
}

/// So many properties are looked through.
const FEW: usize = 12;

impl Object {
    /// All properties, in the order in which they were added.
    pub fn properties(&self) -> impl Iterator<Item = &Property> {
        self.rows.iter().flatten()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// What a copy of it takes, gaps included, in bytes.
    pub fn size_bytes(&self) -> usize {
        let value_bytes =
            |row: &Option<Property>| row.as_ref().map_or(VALUE_BYTES, |property| property.value.size_bytes());
        OBJECT_BYTES + self.rows.iter().map(|row| PROPERTY_BYTES + value_bytes(row)).sum::<usize>()
    }

    /// The value of a property.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let row = self.rows.get(self.find(name)?)?;
        row.as_ref().map(|property| &property.value)
    }

    /// The value of a property.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        let number = self.find(name)?;
        let row = self.rows.get_mut(number)?;
        row.as_mut().map(|property| &mut property.value)
    }

    /// Sets a property: where it is, or behind all others.
    pub fn insert(&mut self, name: &Rc<str>, value: Value) {
        match self.get_mut(name) {
            Some(place) => *place = value,
            None => {
                self.rows.push(Some(Property { name: Rc::clone(name), value }));
                self.count += 1;
                match self.rows.len() {
                    ..=FEW => {}
                    row_count if self.count == FEW + 1 || row_count == FEW + 1 => self.index(),
                    row_count => {
                        self.slots.push(hash_of(name.as_bytes()), row_count as u32 - 1, self.count - 1)
                    }
                }
            }
        }
    }

    /// Removes a property.
    pub fn remove(&mut self, name: &str) {
        let Some(number) = self.find(name) else { return };
        self.count -= 1;
        if self.rows.len() <= FEW {
            self.rows.remove(number);
            return;
        }
        self.slots.remove(hash_of(name.as_bytes()), number as u32);
        if let Some(row) = self.rows.get_mut(number) {
            *row = None;
        }
        if self.count < self.rows.len() / 2 {
            self.rows.retain(Option::is_some);
            self.index();
        }
    }

    /// The properties as JavaScript orders them: names that are indices of an array first, by number, and all others
    /// in the order in which they were added.
    pub fn in_order(&self) -> Vec<&Property> {
        let properties: Vec<&Property> = self.properties().collect();
        let mut keyed = Vec::with_capacity(self.count);
        let mut is_ordered = true;
        for (number, property) in properties.iter().enumerate() {
            let index = array_index(&property.name);
            is_ordered &= index.is_none();
            keyed.push((index.map_or(1 << 32, u64::from), number));
        }
        if is_ordered {
            return properties;
        }
        let sorted = crate::sort::sort_by_key(keyed);
        sorted.iter().filter_map(|(_, number)| properties.get(*number).copied()).collect()
    }

    fn find(&self, name: &str) -> Option<usize> {
        let has_name = |row: &Option<Property>| row.as_ref().is_some_and(|property| &*property.name == name);
        if self.rows.len() <= FEW {
            return self.rows.iter().position(has_name);
        }
        let is_wanted = |number: u32| self.rows.get(number as usize).is_some_and(has_name);
        self.slots.find(hash_of(name.as_bytes()), &is_wanted).map(|number| number as usize)
    }

    /// Makes the hashes anew.
    fn index(&mut self) {
        self.slots = Slots::default();
        if self.rows.len() <= FEW {
            return;
        }
        for (number, property) in self.rows.iter().enumerate() {
            if let Some(property) = property {
                self.slots.push(hash_of(property.name.as_bytes()), number as u32, number);
            }
        }
    }
}

impl From<&str> for FieldName {
    fn from(name: &str) -> Self {
        Self::from(Rc::<str>::from(name))
    }
}

impl From<Rc<str>> for FieldName {
    fn from(name: Rc<str>) -> Self {
        Self { index: array_index(&name), name }
    }
}

/// The number of an element that a name stands for, as JavaScript sees it: `7`, not `07`, `-1` or `1e3`.
pub fn array_index(name: &str) -> Option<u32> {
    let is_plain = name == "0" || !name.starts_with('0');
    let is_index = is_plain && name.len() <= 10 && name.bytes().all(|byte| byte.is_ascii_digit());
    if !is_index || name.is_empty() {
        return None;
    }
    let index = name.bytes().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    u32::try_from(index).ok().filter(|index| *index < u32::MAX)
}
