//! What may stand where in a route file: the one table for reading it, for the nearest valid
//! key in errors, and for its JSON Schema.

use std::time::Duration;

/// What a value may be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// Any text.
    Text,
    /// Text that may hold `{{ … }}`.
    Template,
    /// A store URL.
    Url,
    /// A queue name.
    Queue,
    /// A kind.
    Kind,
    /// A route name.
    Route,
    /// A failure label, as a pattern.
    Label,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A span of time with its unit.
    Span(Duration, Duration),
    /// A size in bytes, with or without a unit.
    Size(u64, u64),
    /// A whole number.
    Count(i64, i64),
    /// A number.
    Real(f64, f64),
    /// true or false.
    Flag,
    /// A table with these keys.
    Table(&'static TableShape),
    /// `[[…]]`: tables with these keys.
    Tables(&'static TableShape),
    /// A list of such values, not empty.
    List(&'static Shape),
    /// A table whose keys are names of the user.
    Named(&'static Shape),
    /// The first if it is a table, the second if it is not.
    TableOr(&'static Shape, &'static Shape),
    /// The first if it is a text, the second if it is not.
    TextOr(&'static Shape, &'static Shape),
    /// A key of the format that this version does not support yet.
    Later,
}

/// A key of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    /// One sentence for the schema.
    pub(crate) about: &'static str,
    pub(crate) required: bool,
}

/// The keys of a table.
#[derive(Debug)]
pub(crate) struct TableShape {
    /// How the table is named in errors, such as `a route`.
    pub(crate) name: &'static str,
    pub(crate) keys: &'static [Key],
}

impl TableShape {
    pub(crate) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

pub(super) const fn key(name: &'static str, shape: Shape, about: &'static str) -> Key {
    Key {
        name,
        shape,
        about,
        required: false,
    }
}

pub(super) const fn required(name: &'static str, shape: Shape, about: &'static str) -> Key {
    Key {
        name,
        shape,
        about,
        required: true,
    }
}

pub(super) const fn later(name: &'static str) -> Key {
    Key {
        name,
        shape: Shape::Later,
        about: "not supported yet",
        required: false,
    }
}
