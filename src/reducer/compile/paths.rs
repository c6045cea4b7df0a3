//! Paths of the state, and references.

use super::Compiler;
use crate::error::Error;
use crate::limits;
use crate::reducer::object::FieldName;
use crate::reducer::reference::{Reference, Root, Segment};

const PARTS: &str = " in a path; between its dots stand names, {data.x} for a name that is a value, [] for all elements of an \
     array, and [name={data.x}] for some";
const NAMES: &str = " in a reference; between its dots stand names, and {data.x} for a name that is a value";
const ROOTS: &str = " where a reference begins; $data, $metadata, $state, $type, $stream, $time, $revision, $position and the variable of \
     $for do that, and { \"$literal\": … } holds a text with a $";
const NO_FIELDS: &str = ", and what an event is beside data and metadata has no fields";

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
        let mut segments = Vec::with_capacity(parts.len());
        for part in parts {
            segments.push(self.segment(part)?);
        }
        Ok(segments)
    }

    fn segment(&mut self, part: &str) -> Result<Segment, Error> {
        if part == "[]" {
            return Ok(Segment::Every);
        }
        if let Some(reference) = inside(part, b'{', b'}') {
            return self.template(reference).map(Segment::Template);
        }
        if let Some(condition) = inside(part, b'[', b']')
            && let Some(at) = condition.bytes().position(|byte| byte == b'=')
            && let (Some(name), Some(value)) = (condition.get(..at), condition.get(at + 1..))
            && let Some(reference) = inside(value, b'{', b'}')
            && is_name(name)
        {
            return Ok(Segment::Where { name: name.into(), is: self.template(reference)? });
        }
        match is_name(part) {
            true => Ok(Segment::Name(FieldName::from(part))),
            false => Err(self.unknown(part, PARTS)),
        }
    }

    /// What stands in braces: a reference without its dollar sign, and without braces of its own.
    fn template(&mut self, reference: &str) -> Result<Reference, Error> {
        match reference.bytes().any(|byte| byte == b'{') {
            true => Err(self.unknown(reference, NAMES)),
            false => self.reference(reference),
        }
    }

    /// A reference, of which the dollar sign has been read.
    pub(super) fn reference(&mut self, text: &str) -> Result<Reference, Error> {
        let parts = split(text);
        let (first, names) = parts.split_first().map_or(("", &[][..]), |(first, names)| (*first, names));
        let segments = self.path(names)?;
        if segments.iter().any(|segment| matches!(segment, Segment::Every | Segment::Where { .. })) {
            return Err(self.unknown(text, NAMES));
        }
        let root = match root_named(first) {
            Some(Source::Known(root)) => {
                self.reads_state |= root == Root::State;
                if root != Root::State && !names.is_empty() {
                    return Err(self.unknown(text, NO_FIELDS));
                }
                root
            }
            Some(source) => return Ok(self.found_in_text(source, segments)),
            None if self.variable.as_deref() == Some(first) => Root::Item,
            None => return Err(self.unknown(first, ROOTS)),
        };
        Ok(Reference { root, parts: segments })
    }

    /// A reference to data or metadata: as far as its names are known it is found with all others in one go.
    fn found_in_text(&mut self, source: Source, segments: Vec<Segment>) -> Reference {
        let handler = &mut self.handler;
        let wanted = if source == Source::Data { &mut handler.data } else { &mut handler.metadata };
        let (mut names, mut rest) = (Vec::new(), Vec::new());
        for segment in segments {
            match segment {
                Segment::Name(field) if rest.is_empty() => names.push(field),
                segment => rest.push(segment),
            }
        }
        let slot = wanted.slot_of(names, handler.slot_count);
        handler.slot_count = handler.slot_count.max(slot + 1);
        Reference { root: Root::Slot(slot), parts: rest }
    }
}

fn inside(part: &str, opening: u8, closing: u8) -> Option<&str> {
    match part.as_bytes() {
        [first, .., last] if *first == opening && *last == closing => part.get(1..part.len() - 1),
        _ => None,
    }
}

/// Whether it is a name that stands for itself.
fn is_name(part: &str) -> bool {
    let is_bracket = |byte| matches!(byte, b'{' | b'}' | b'[' | b']');
    !part.is_empty() && !part.starts_with('$') && !part.bytes().any(is_bracket)
}
