//! Single values, held against what their key wants.

use std::time::Duration;

use longshore_core::{JobKind, Label, QueueName, RouteName, StoreUrl};

use crate::load::read::node::NodeValue;
use crate::load::read::shape::Shape;
use crate::load::read::strays;
use crate::load::read::values::{self, shown_span};

/// A value that is no table and no list.
#[derive(Clone, Copy)]
pub(super) enum Scalar<'a> {
    Text(&'a str),
    Integer(i64),
    Real(f64),
    Flag(bool),
}

impl Scalar<'_> {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Text(_) => "string",
            Self::Integer(_) => "integer",
            Self::Real(_) => "float",
            Self::Flag(_) => "boolean",
        }
    }

    /// `None`: the wrong type; an error: the right type and a wrong value.
    pub(super) fn check(self, shape: &Shape) -> Option<Result<NodeValue, String>> {
        Some(match (*shape, self) {
            (Shape::Span(min, max), Self::Text(text)) => {
                values::span(text).and_then(|span| in_span(span, min, max))
            }
            (Shape::Size(min, max), Self::Text(text)) => {
                values::size(text).and_then(|size| in_size(size, min, max))
            }
            (Shape::Size(min, max), Self::Integer(number)) => u64::try_from(number)
                .map_err(|_| format!("{number} is negative"))
                .and_then(|size| in_size(size, min, max)),
            (Shape::Count(min, max), Self::Integer(number)) => in_count(number, min, max),
            (Shape::Real(min, max), Self::Integer(number)) => in_real(number as f64, min, max),
            (Shape::Real(min, max), Self::Real(number)) => in_real(number, min, max),
            (Shape::Flag, Self::Flag(flag)) => Ok(NodeValue::Flag(flag)),
            (shape, Self::Text(text)) => return text_of(shape, text),
            _ => return None,
        })
    }
}

fn text_of(shape: Shape, text: &str) -> Option<Result<NodeValue, String>> {
    let kept = || NodeValue::Text(text.to_owned());
    let named = |checked: Result<(), longshore_core::NameError>| {
        checked.map(|()| kept()).map_err(|error| error.to_string())
    };
    Some(match shape {
        Shape::Text | Shape::Template => Ok(kept()),
        Shape::Url => text
            .parse::<StoreUrl>()
            .map(|_| kept())
            .map_err(|error| error.to_string()),
        Shape::Queue => named(QueueName::new(text).map(drop)),
        Shape::Kind => named(JobKind::new(text).map(drop)),
        Shape::Route => named(RouteName::new(text).map(drop)),
        Shape::Label => named(Label::new(text).map(drop)),
        Shape::Word(words) if words.contains(&text) => Ok(kept()),
        Shape::Word(words) => Err(strays::not_a_word(text, words)),
        _ => return None,
    })
}

fn in_span(span: Duration, min: Duration, max: Duration) -> Result<NodeValue, String> {
    if span < min || span > max {
        return Err(format!(
            "{} is out of range, {} to {} is allowed",
            shown_span(span),
            shown_span(min),
            shown_span(max)
        ));
    }
    Ok(NodeValue::Span(span))
}

fn in_size(size: u64, min: u64, max: u64) -> Result<NodeValue, String> {
    if size < min || size > max {
        return Err(format!(
            "{size} bytes is out of range, {min} to {max} is allowed"
        ));
    }
    Ok(NodeValue::Whole(size))
}

fn in_count(number: i64, min: i64, max: i64) -> Result<NodeValue, String> {
    if number < min || number > max {
        let range = if min == max {
            format!("only {min} is known")
        } else if max == i64::MAX {
            format!("at least {min} is allowed")
        } else {
            format!("{min} to {max} is allowed")
        };
        return Err(format!("{number} is out of range, {range}"));
    }
    Ok(NodeValue::Whole(number.unsigned_abs()))
}

fn in_real(number: f64, min: f64, max: f64) -> Result<NodeValue, String> {
    if number.is_nan() || number < min || number > max {
        return Err(format!(
            "{number} is out of range, {min} to {max} is allowed"
        ));
    }
    Ok(NodeValue::Real(number))
}
