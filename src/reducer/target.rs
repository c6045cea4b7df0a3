//! Changing a state at a path.

use std::rc::Rc;

use super::expression::finite;
use super::failure::{Problem, Rule};
use super::object::{FieldName, Object};
use super::reference::Segment;
use super::scene::Scene;
use super::value::{OBJECT_BYTES, PROPERTY_BYTES, VALUE_BYTES, Value, compare};
use crate::limits;

/// What a segment came out as, for this event.
#[derive(Debug)]
pub enum Name {
    /// What the document says.
    Known,
    Property(FieldName),
    /// Elements are taken whose property equals this.
    Equal(Option<Value>),
}

/// The kind of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Update {
    Set,
    Unset,
    Increment,
    Minimum,
    Maximum,
    Push,
    Pull,
    AddToSet,
    /// Takes away the document itself.
    Remove,
}

/// Each kind of change with its name.
pub const UPDATES: [(&str, Update); 9] = [
    ("$set", Update::Set),
    ("$unset", Update::Unset),
    ("$inc", Update::Increment),
    ("$min", Update::Minimum),
    ("$max", Update::Maximum),
    ("$push", Update::Push),
    ("$pull", Update::Pull),
    ("$addToSet", Update::AddToSet),
    ("$remove", Update::Remove),
];

/// A change with all that it needs.
pub struct Target<'a> {
    pub update: Update,
    pub path: &'a [Segment],
    /// One for each segment; none at all where the document says every name.
    pub names: Vec<Name>,
    pub operand: Value,
    pub scene: &'a Scene<'a>,
}

impl Update {
    /// What it asks of values.
    pub fn rule(self) -> Rule {
        match self {
            Self::Increment => Rule::Increment,
            Self::Push | Self::Pull | Self::AddToSet => Rule::ArrayChange,
            _ => Rule::Extreme,
        }
    }

    /// Whether there is nothing to do where nothing is.
    fn only_removes(self) -> bool {
        matches!(self, Self::Unset | Self::Pull | Self::Remove)
    }
}

impl Target<'_> {
    /// Changes a state; or makes the document that is not there yet, where the change makes anything.
    pub fn write(&mut self, state: &mut Value) -> Result<(), Problem> {
        if matches!(state, Value::Null) {
            if let Some(made) = self.create(0)? {
                *state = made;
            }
            return Ok(());
        }
        self.update(state, 0)
    }

    /// Changes what the path from segment `at` on leads to.
    fn update(&mut self, value: &mut Value, at: usize) -> Result<(), Problem> {
        let path = self.path;
        match path.get(at) {
            None => self.change(value),
            Some(Segment::Every | Segment::Where { .. }) => self.update_elements(value, at),
            Some(Segment::Name(field)) => self.update_field(value, field, at),
            Some(Segment::Template(_)) => match self.names.get(at) {
                Some(Name::Property(field)) => {
                    let field = field.clone();
                    self.update_field(value, &field, at)
                }
                _ => Ok(()),
            },
        }
    }

    fn update_field(&mut self, value: &mut Value, field: &FieldName, at: usize) -> Result<(), Problem> {
        match value {
            Value::Object(object) => self.update_property(object, &field.name, at),
            Value::Array(elements) => self.update_element(elements, field.index, at),
            _ if self.update.only_removes() => Ok(()),
            _ => Err(Rule::Container.broken_by(Some(value))),
        }
    }

    fn update_property(&mut self, object: &mut Object, name: &Rc<str>, at: usize) -> Result<(), Problem> {
        if self.removes_at(at) {
            object.remove(name);
            return Ok(());
        }
        match object.get_mut(name) {
            Some(value) => self.update(value, at + 1),
            None => {
                if let Some(value) = self.create(at + 1)? {
                    self.scene.spend(name.len() + PROPERTY_BYTES + VALUE_BYTES)?;
                    object.insert(name, value);
                }
                Ok(())
            }
        }
    }

    fn update_element(
        &mut self,
        elements: &mut Vec<Value>,
        index: Option<u32>,
        at: usize,
    ) -> Result<(), Problem> {
        let count = elements.len();
        let index = index.map_or(usize::MAX, |index| index as usize);
        match elements.get_mut(index) {
            Some(element) if self.removes_at(at) => *element = Value::Null,
            Some(element) => return self.update(element, at + 1),
            None if self.update.only_removes() => {}
            None if index == count => {
                self.scene.spend(VALUE_BYTES)?;
                elements.extend(self.create(at + 1)?);
            }
            None => return Err(Rule::Index.into()),
        }
        Ok(())
    }

    fn update_elements(&mut self, value: &mut Value, at: usize) -> Result<(), Problem> {
        let Value::Array(elements) = value else {
            return Err(Rule::Elements.broken_by(Some(value)));
        };
        if self.removes_at(at) {
            elements.retain(|element| !self.is_picked(element, at));
            return Ok(());
        }
        for element in elements {
            if self.is_picked(element, at) {
                self.update(element, at + 1)?;
            }
        }
        Ok(())
    }

    /// Whether an element is one of those that a segment stands for.
    fn is_picked(&self, element: &Value, at: usize) -> bool {
        match (self.path.get(at), self.names.get(at)) {
            (Some(Segment::Where { name, .. }), Some(Name::Equal(wanted))) => match (element, wanted) {
                (Value::Object(object), Some(wanted)) => {
                    object.get(name).is_some_and(|value| compare(value, wanted).is_eq())
                }
                _ => false,
            },
            _ => true,
        }
    }

    fn removes_at(&self, at: usize) -> bool {
        self.update == Update::Unset && at + 1 == self.path.len()
    }

    /// What stands where nothing was before, from segment `at` on. `None` where nothing is to stand there.
    fn create(&mut self, at: usize) -> Result<Option<Value>, Problem> {
        if self.update.only_removes() {
            return Ok(None);
        }
        let name = match (self.path.get(at), self.names.get(at)) {
            (None, _) => return self.first().map(Some),
            (_, Some(Name::Property(field))) | (Some(Segment::Name(field)), _) => Rc::clone(&field.name),
            _ => return Ok(None),
        };
        self.scene.spend(OBJECT_BYTES + name.len() + PROPERTY_BYTES + VALUE_BYTES)?;
        let Some(inner) = self.create(at + 1)? else { return Ok(None) };
        let mut object = Object::default();
        object.insert(&name, inner);
        Ok(Some(Value::Object(Box::new(object))))
    }

    /// What a change makes of nothing.
    fn first(&mut self) -> Result<Value, Problem> {
        let operand = self.take()?;
        Ok(match self.update {
            Update::Push | Update::AddToSet => {
                self.scene.spend(VALUE_BYTES)?;
                Value::Array(vec![operand])
            }
            _ => operand,
        })
    }

    fn change(&mut self, value: &mut Value) -> Result<(), Problem> {
        match self.update {
            Update::Set => *value = self.take()?,
            Update::Minimum if compare(&self.operand, value).is_lt() => *value = self.take()?,
            Update::Maximum if compare(&self.operand, value).is_gt() => *value = self.take()?,
            Update::Remove => *value = Value::Null,
            Update::Minimum | Update::Maximum | Update::Unset => {}
            Update::Increment => match (&mut *value, &self.operand) {
                (Value::Number(sum), Value::Number(addend)) => *sum = finite(*sum + addend)?,
                _ => return Err(self.update.rule().broken_by(Some(value))),
            },
            Update::Push | Update::Pull | Update::AddToSet => match value {
                Value::Array(elements) => return self.change_array(elements),
                _ => return Err(self.update.rule().broken_by(Some(value))),
            },
        }
        Ok(())
    }

    fn change_array(&mut self, elements: &mut Vec<Value>) -> Result<(), Problem> {
        let is_equal = |element: &Value| compare(element, &self.operand).is_eq();
        if self.update == Update::Pull {
            elements.retain(|element| !is_equal(element));
        } else if self.update == Update::Push || !elements.iter().any(is_equal) {
            self.scene.spend(VALUE_BYTES)?;
            elements.push(self.take()?);
        }
        Ok(())
    }

    /// The operand, for one of the places that the path leads to.
    fn take(&mut self) -> Result<Value, Problem> {
        let leads_to_many = |segment: &Segment| matches!(segment, Segment::Every | Segment::Where { .. });
        let adds_level = matches!(self.update, Update::Push | Update::AddToSet);
        if self.path.len() + usize::from(adds_level) + self.operand.depth() > limits::JSON_DEPTH_MAX {
            return Err(Rule::StateDepth.into());
        }
        if self.path.iter().any(leads_to_many) {
            self.scene.spend(self.operand.size_bytes())?;
            return Ok(self.operand.clone());
        }
        Ok(std::mem::replace(&mut self.operand, Value::Null))
    }
}
