//! Steps: what an event changes.

use super::expression::Expression;
use super::failure::{Problem, ReducerFailure, Rule};
use super::reference::{Segment, name_of};
use super::scan::Scanner;
use super::scene::{Item, Scene};
use super::target::{Name, Target, Update};
use super::value::Value;

/// Writes that are made together, once or for each element of an array, and where a condition holds.
#[derive(Debug)]
pub struct Step {
    /// Where it stands in the document.
    pub place: Box<str>,
    pub each: Option<Expression>,
    pub condition: Option<Expression>,
    pub writes: Vec<Write>,
    /// Whether a write reads the state, other than the first: then all read before the first is made.
    pub reads_first: bool,
}

/// One change at one path.
#[derive(Debug)]
pub struct Write {
    /// Where it stands in the document.
    pub place: Box<str>,
    pub update: Update,
    pub path: Vec<Segment>,
    /// None for `$unset` and `$remove`.
    pub operand: Option<Expression>,
}

impl Step {
    /// Makes the changes.
    pub fn run(&self, scene: &Scene<'_>, state: &mut Value) -> Result<(), ReducerFailure> {
        let Some(each) = &self.each else { return self.round(scene, state) };
        let at = |problem: Problem| problem.at(&self.place, ".$for");
        if let Expression::Reference(reference) = each {
            let json = reference.json(scene, state).map_err(at)?;
            if json.starts_with('[') {
                return self.rounds_over_json(json, scene, state);
            }
        }
        let elements = match each.evaluate(scene, state).map_err(at)? {
            Some(given) if matches!(*given, Value::Array(_)) => scene.own(given).map_err(at)?,
            other => return Err(at(Rule::For.broken_by(other.as_deref()))),
        };
        let Value::Array(elements) = elements else { return Ok(()) };
        elements
            .iter()
            .try_for_each(|element| self.round(&Scene { item: Item::Value(element), ..*scene }, state))
    }

    fn rounds_over_json(
        &self,
        json: &str,
        scene: &Scene<'_>,
        state: &mut Value,
    ) -> Result<(), ReducerFailure> {
        let broken = || Problem::from(Rule::Json).at(&self.place, ".$for");
        let mut scanner = Scanner::new(json);
        scanner.enter();
        while scanner.next_element().ok_or_else(broken)? {
            let element = scanner.skip().ok_or_else(broken)?;
            self.round(&Scene { item: Item::Json(element), ..*scene }, state)?;
        }
        Ok(())
    }

    fn round(&self, scene: &Scene<'_>, state: &mut Value) -> Result<(), ReducerFailure> {
        if let Some(condition) = &self.condition {
            let is_true = condition.is_true(scene, state);
            if !is_true.map_err(|problem| problem.at(&self.place, ".$if"))? {
                return Ok(());
            }
        }
        if !self.reads_first {
            return self.writes.iter().try_for_each(|write| {
                let target = write.prepare(scene, state);
                let done = target.and_then(|mut target| target.write(state));
                done.map_err(|problem| problem.at(&write.place, ""))
            });
        }
        let mut targets = Vec::with_capacity(self.writes.len());
        for write in &self.writes {
            let target = write.prepare(scene, state);
            targets.push((write, target.map_err(|problem| problem.at(&write.place, ""))?));
        }
        targets.iter_mut().try_for_each(|(write, target)| {
            target.write(state).map_err(|problem| problem.at(&write.place, ""))
        })
    }
}

impl Write {
    /// Reads all that the change needs of event and state.
    fn prepare<'a>(&'a self, scene: &'a Scene<'a>, state: &Value) -> Result<Target<'a>, Problem> {
        let operand = match &self.operand {
            None => None,
            Some(operand) => match operand.short_number(scene) {
                Some(number) => Some(Value::Number(number)),
                None => self.value_of(operand, scene, state)?,
            },
        };
        let update = match (&operand, self.update) {
            (None, Update::Set) => Update::Unset,
            (_, update) => update,
        };
        if let (Some(operand), Update::Increment) = (&operand, update)
            && !matches!(operand, Value::Number(_))
        {
            return Err(update.rule().broken_by(Some(operand)));
        }
        let mut names = Vec::new();
        if self.path.iter().any(|segment| !matches!(segment, Segment::Name(_))) {
            for segment in &self.path {
                names.push(segment.resolve(scene, state)?);
            }
        }
        Ok(Target { update, path: &self.path, names, operand: operand.unwrap_or(Value::Null), scene })
    }

    fn value_of(
        &self,
        operand: &Expression,
        scene: &Scene<'_>,
        state: &Value,
    ) -> Result<Option<Value>, Problem> {
        match operand.evaluate(scene, state)? {
            None if self.update == Update::Set => Ok(None),
            None => Err(self.update.rule().broken_by(None)),
            Some(given) => scene.own(given).map(Some),
        }
    }
}

impl Segment {
    /// What it depends on.
    fn resolve(&self, scene: &Scene<'_>, state: &Value) -> Result<Name, Problem> {
        match self {
            Self::Name(_) | Self::Every => Ok(Name::Known),
            Self::Template(reference) => {
                let given = reference.evaluate(scene, state)?;
                let name = given.as_deref().and_then(name_of);
                name.map(|name| Name::Property(name.into()))
                    .ok_or_else(|| Rule::PathName.broken_by(given.as_deref()))
            }
            Self::Where { is, .. } => {
                let given = is.evaluate(scene, state)?;
                Ok(Name::Equal(given.map(|given| scene.own(given)).transpose()?))
            }
        }
    }
}
