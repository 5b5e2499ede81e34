//! `--where`: which dead letters are meant.

mod field;

use std::cmp::Ordering;
use std::str::FromStr;

use longshore::core::{StoredMessage, Timestamp};

pub(crate) use field::Field;
use field::Value;

use crate::output::escape;
use crate::parse::TimeOrAge;

/// One condition: a field, how it is compared, and with what.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Condition {
    field: Field,
    test: Test,
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    Equal(String),
    Contains(String),
    Number(Ordering, u64),
    Time(Ordering, TimeOrAge),
}

impl Condition {
    /// Whether a message matches, where the clock shows `now`. A field that a message does not
    /// have matches nothing.
    pub(crate) fn takes(&self, stored: &StoredMessage, now: Timestamp) -> bool {
        let Some(value) = self.field.of(stored) else {
            return false;
        };
        match (&self.test, value) {
            (Test::Equal(wanted), value) => value.is(wanted),
            (Test::Contains(wanted), value) => value.text().to_lowercase().contains(wanted),
            (Test::Number(order, bound), Value::Number(number)) => number.cmp(bound) == *order,
            (Test::Time(order, bound), Value::Time(at)) => at.cmp(&bound.resolve(now)) == *order,
            _ => false,
        }
    }
}

/// Whether a message matches all conditions.
pub(crate) fn all_take(conditions: &[Condition], stored: &StoredMessage, now: Timestamp) -> bool {
    conditions
        .iter()
        .all(|condition| condition.takes(stored, now))
}

impl FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some(at) = text.find(['=', '~', '<', '>']) else {
            return Err(format!(
                "\"{}\" has no = ~ < or >; write it as reason=exhausted or error~timeout",
                escape::cut(text, 40)
            ));
        };
        let (field, rest) = text.split_at(at);
        let field: Field = field.trim().parse()?;
        let (operator, value) = rest.split_at(1);
        let compared = match operator {
            "=" => Test::Equal(field.check(value)?),
            "~" => Test::Contains(value.to_lowercase()),
            "<" => in_order(&field, Ordering::Less, value)?,
            _ => in_order(&field, Ordering::Greater, value)?,
        };
        Ok(Self {
            field,
            test: compared,
        })
    }
}

fn in_order(field: &Field, order: Ordering, value: &str) -> Result<Test, String> {
    if field.is_time() {
        return Ok(Test::Time(order, value.trim().parse()?));
    }
    if field.is_number() {
        let number = value.trim().parse().map_err(|_| {
            format!(
                "\"{}\" is not a number to compare {field} with",
                escape::cut(value, 40)
            )
        })?;
        return Ok(Test::Number(order, number));
    }
    Err(format!(
        "{field} has no order; use {field}=VALUE or {field}~TEXT"
    ))
}

#[cfg(test)]
mod tests;
