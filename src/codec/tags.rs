//! The tags of an entry, wherever they are kept.

use std::fmt;

use crate::event::Tag;

use super::DecodedRecord;

/// The tags of an entry: those that a caller gave, or those that stand in a record.
#[derive(Clone, Copy)]
pub enum Tags<'a> {
    /// A caller's.
    Given(&'a [Tag]),
    /// Those of a decoded record.
    Stored(StoredTags<'a>),
}

/// Tags that stand in a decoded record, as indexes into its table of tags.
#[derive(Clone, Copy)]
pub struct StoredTags<'a> {
    pub(super) record: &'a DecodedRecord,
    pub(super) indexes: &'a [u32],
}

/// Goes through tags as text, in the order in which they were given.
#[derive(Clone)]
pub struct TagsIter<'a> {
    tags: Tags<'a>,
}

impl<'a> Tags<'a> {
    /// No tags.
    pub const NONE: Self = Self::Given(&[]);

    /// How many tags there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Given(tags) => tags.len(),
            Self::Stored(tags) => tags.indexes.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The tags as text, in the order in which they were given.
    pub fn iter(&self) -> TagsIter<'a> {
        TagsIter { tags: *self }
    }
}

impl<'a> Iterator for TagsIter<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        match &mut self.tags {
            Tags::Given(tags) => {
                let (tag, rest) = tags.split_first()?;
                *tags = rest;
                Some(tag.as_str())
            }
            Tags::Stored(StoredTags { record, indexes }) => {
                let (index, rest) = indexes.split_first()?;
                *indexes = rest;
                record.tag_name(*index)
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.tags.len(), Some(self.tags.len()))
    }
}

impl ExactSizeIterator for TagsIter<'_> {}

impl<'a> IntoIterator for Tags<'a> {
    type Item = &'a str;
    type IntoIter = TagsIter<'a>;

    fn into_iter(self) -> TagsIter<'a> {
        self.iter()
    }
}

/// Tags are equal when they are the same texts in the same order, wherever they are kept.
impl PartialEq for Tags<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Tags<'_> {}

impl fmt::Debug for Tags<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}
