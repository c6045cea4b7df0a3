//! Paths of the state, and references.

use std::rc::Rc;

use super::{Compiler, quoted};
use crate::error::Error;
use crate::limits;
use crate::reducer::object::FieldName;
use crate::reducer::reference::{Part, Reference, Root};
use crate::reducer::target::Segment;

const PARTS: &str = " in a path; between its dots stand names, {data.x} for a name that is a value, [] for all elements of an \
     array, and [name={data.x}] for some";
const NAMES: &str = " in a reference; between its dots stand names, and {data.x} for a name that is a value";
const ROOTS: &str = " begins no reference; $data, $metadata, $state, $type, $stream, $time, $revision, $position and the variable of \
     $for do, and { \"$literal\": … } holds a text with a $";
const NO_FIELDS: &str = " has no fields";

/// What a reference may begin with, beside the variable of `$for`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Data,
    Metadata,
    Known(Root),
}

/// What the first name of a reference stands for.
pub(super) fn root_named(name: &str) -> Option<Source> {
    Some(match name {
        "data" => Source::Data,
        "metadata" => Source::Metadata,
        "state" => Source::Known(Root::State),
        "type" => Source::Known(Root::Type),
        "stream" => Source::Known(Root::Stream),
        "time" => Source::Known(Root::Time),
        "revision" => Source::Known(Root::Revision),
        "position" => Source::Known(Root::Position),
        _ => return None,
    })
}

/// The parts of a path: what stands between dots that no bracket is around.
pub(super) fn split(path: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut begin, mut depth) = (0, 0_usize);
    for (at, byte) in path.bytes().enumerate() {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'.' if depth == 0 => {
                parts.extend(path.get(begin..at));
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts.extend(path.get(begin..));
    parts
}

impl Compiler {
    /// A path of the state.
    pub(super) fn path(&mut self, parts: &[&str]) -> Result<Vec<Segment>, Error> {
        limits::check("JSON depth", parts.len(), limits::JSON_DEPTH_MAX)
            .map_err(|error| error.at(&self.place))?;
        parts.iter().map(|part| self.segment(part)).collect()
    }

    fn segment(&mut self, part: &str) -> Result<Segment, Error> {
        if part == "[]" {
            return Ok(Segment::Every);
        }
        if let Some(reference) = inside(part, "{", "}") {
            return self.template(reference).map(Segment::Template);
        }
        if let Some((name, value)) = inside(part, "[", "]").and_then(|inside| inside.split_once('='))
            && let Some(reference) = inside(value, "{", "}")
            && is_name(name)
        {
            return Ok(Segment::Where { name: name.into(), is: self.template(reference)? });
        }
        match is_name(part) {
            true => Ok(Segment::Name(FieldName::from(part))),
            false => Err(self.refused(&["has ", &quoted(part), PARTS].concat())),
        }
    }

    /// What stands in braces: a reference without its dollar sign, and without braces of its own.
    fn template(&mut self, reference: &str) -> Result<Reference, Error> {
        match reference.contains('{') {
            true => Err(self.refused(&["has ", &quoted(reference), NAMES].concat())),
            false => self.reference(reference),
        }
    }

    /// A reference, of which the dollar sign has been read.
    pub(super) fn reference(&mut self, text: &str) -> Result<Reference, Error> {
        let parts = split(text);
        let (first, names) = parts.split_first().map_or(("", &[][..]), |(first, names)| (*first, names));
        let mut compiled = Vec::with_capacity(names.len());
        for name in names {
            compiled.push(match inside(name, "{", "}") {
                Some(reference) => Part::Template(self.template(reference)?),
                None if is_name(name) => Part::Name(FieldName::from(*name)),
                None => return Err(self.refused(&["has ", &quoted(name), NAMES].concat())),
            });
        }
        let root = match root_named(first) {
            Some(Source::Known(Root::State)) => {
                self.reads_state = true;
                Root::State
            }
            Some(Source::Known(_)) if !names.is_empty() => {
                return Err(self.refused(&[&quoted(first), NO_FIELDS].concat()));
            }
            Some(Source::Known(root)) => root,
            Some(source) => return Ok(self.found_in_text(source, compiled)),
            None if self.variable.as_deref() == Some(first) => Root::Item,
            None => return Err(self.refused(&[&quoted(first), ROOTS].concat())),
        };
        Ok(Reference { root, parts: compiled })
    }

    /// A reference to data or metadata: as far as its names are known it is found with all others in one go.
    fn found_in_text(&mut self, source: Source, mut parts: Vec<Part>) -> Reference {
        let known_count = parts.iter().take_while(|part| matches!(part, Part::Name(_))).count();
        let rest = parts.split_off(known_count);
        let names: Vec<Rc<str>> = parts
            .into_iter()
            .filter_map(|part| match part {
                Part::Name(field) => Some(field.name),
                Part::Template(_) => None,
            })
            .collect();
        let handler = &mut self.handler;
        let wanted = if source == Source::Data { &mut handler.data } else { &mut handler.metadata };
        let slot = wanted.slot_of(&names, handler.slot_count);
        handler.slot_count = handler.slot_count.max(slot + 1);
        Reference { root: Root::Slot(slot), parts: rest }
    }
}

fn inside<'p>(part: &'p str, opening: &str, closing: &str) -> Option<&'p str> {
    part.strip_prefix(opening)?.strip_suffix(closing)
}

/// Whether it is a name that stands for itself.
fn is_name(part: &str) -> bool {
    !part.is_empty() && !part.starts_with('$') && !part.contains(['{', '}', '[', ']'])
}
