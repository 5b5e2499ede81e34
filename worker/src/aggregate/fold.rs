//! From many parts to one body.

use std::fmt;
use std::marker::PhantomData;

use bytes::Bytes;
use longshore_core::{Failure, Label, Message};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value};

/// Makes one body of the parts of an epoch. It runs on a thread where it may block; the same parts
/// must give the same body, since it may run again.
pub trait Fold: fmt::Debug + Send + Sync + 'static {
    /// Folds parts, which are ordered by position and id.
    ///
    /// # Errors
    ///
    /// A failure sends the epoch with all its parts to the dead letters of the aggregate.
    fn fold(&self, parts: &[Message]) -> Result<Bytes, Failure>;
}

/// The folds that need no program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Folding {
    /// A JSON array of the bodies: JSON as it is, other text as a string.
    #[default]
    Array,
    /// The bodies, each on a line of its own.
    Lines,
    /// The bodies, one behind the other.
    Concat,
    /// The sum of JSON numbers; of JSON objects each field: numbers are added, of other values the
    /// last one is kept. Whole numbers stay whole.
    Sum,
}

impl Fold for Folding {
    fn fold(&self, parts: &[Message]) -> Result<Bytes, Failure> {
        match self {
            Self::Array => array(parts),
            Self::Lines => Ok(lines(parts)),
            Self::Concat => Ok(parts.iter().flat_map(|part| part.body.clone()).collect()),
            Self::Sum => sum(parts),
        }
    }
}

/// The bodies as a JSON array.
pub(crate) fn array(parts: &[Message]) -> Result<Bytes, Failure> {
    let mut out = b"[".to_vec();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        let text = text_of(part)?;
        // What is JSON already is copied as it is: no number loses a digit.
        if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() {
            out.extend_from_slice(text.trim().as_bytes());
        } else {
            out.extend_from_slice(Value::from(text).to_string().as_bytes());
        }
    }
    out.push(b']');
    Ok(out.into())
}

fn lines(parts: &[Message]) -> Bytes {
    let mut out = Vec::new();
    for part in parts {
        out.extend_from_slice(&part.body);
        out.push(b'\n');
    }
    out.into()
}

fn text_of(part: &Message) -> Result<&str, Failure> {
    std::str::from_utf8(&part.body).map_err(|_| {
        failed(
            part,
            "it is not UTF-8; fold such parts with lines or concat",
        )
    })
}

fn failed(part: &Message, why: impl fmt::Display) -> Failure {
    let said = format!("the part {} cannot be folded: {why}", part.id);
    Failure::permanent(said).with_label(Label::lossy("aggregate.fold"))
}

fn sum(parts: &[Message]) -> Result<Bytes, Failure> {
    let mut total: Option<Value> = None;
    for part in parts {
        let value: Value = serde_json::from_slice(&part.body)
            .map_err(|error| failed(part, format_args!("it is not JSON: {error}")))?;
        total = Some(match (total, value) {
            (None, value @ (Value::Number(_) | Value::Object(_))) => value,
            (Some(Value::Number(one)), Value::Number(other)) => {
                Value::Number(add(part, &one, &other)?)
            }
            (Some(Value::Object(fields)), Value::Object(more)) => {
                Value::Object(add_fields(part, fields, more)?)
            }
            _ => return Err(failed(part, "sum takes numbers, or objects, and not both")),
        });
    }
    Ok(total.unwrap_or(Value::from(0)).to_string().into())
}

fn add_fields(
    part: &Message,
    mut fields: Map<String, Value>,
    more: Map<String, Value>,
) -> Result<Map<String, Value>, Failure> {
    for (name, value) in more {
        let added = match (fields.get(&name), value) {
            (Some(Value::Number(one)), Value::Number(other)) => {
                Value::Number(add(part, one, &other)?)
            }
            (_, value) => value,
        };
        fields.insert(name, added);
    }
    Ok(fields)
}

/// Whole numbers are added as such, others as floating-point numbers.
fn add(part: &Message, one: &Number, other: &Number) -> Result<Number, Failure> {
    let too_large = || failed(part, "the sum is too large");
    if let (Some(one), Some(other)) = (one.as_i128(), other.as_i128()) {
        let total = one.checked_add(other).ok_or_else(too_large)?;
        return Number::from_i128(total).ok_or_else(too_large);
    }
    let floats = [one.as_f64(), other.as_f64()];
    let total = floats.into_iter().flatten().sum();
    Number::from_f64(total).ok_or_else(too_large)
}

/// A fold by a function of typed parts, read from JSON, to a value that is written as JSON.
pub fn fold_json<T, U, F>(fold: F) -> impl Fold
where
    T: DeserializeOwned + Send + Sync + 'static,
    U: Serialize + 'static,
    F: Fn(Vec<T>) -> Result<U, Failure> + Send + Sync + 'static,
{
    FoldJson {
        fold,
        types: PhantomData::<fn(T) -> U>,
    }
}

struct FoldJson<T, U, F> {
    fold: F,
    types: PhantomData<fn(T) -> U>,
}

impl<T, U, F> Fold for FoldJson<T, U, F>
where
    T: DeserializeOwned + Send + Sync + 'static,
    U: Serialize + 'static,
    F: Fn(Vec<T>) -> Result<U, Failure> + Send + Sync + 'static,
{
    fn fold(&self, parts: &[Message]) -> Result<Bytes, Failure> {
        let mut read = Vec::with_capacity(parts.len());
        for part in parts {
            let value = serde_json::from_slice(&part.body).map_err(|error| failed(part, error))?;
            read.push(value);
        }
        let folded = (self.fold)(read)?;
        let body = serde_json::to_vec(&folded).map_err(|error| {
            Failure::permanent(error.to_string()).with_label(Label::lossy("aggregate.fold"))
        })?;
        Ok(body.into())
    }
}

impl<T, U, F> fmt::Debug for FoldJson<T, U, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FoldJson")
    }
}

#[cfg(test)]
mod tests {
    use longshore_core::{IdOrigin, JobKind, MessageId, NewMessage, Timestamp};

    use super::*;

    fn parts(bodies: &[&str]) -> Vec<Message> {
        let of = |body: &&str| {
            let id = MessageId::from_content(&[body.as_bytes()]);
            NewMessage::new(id, IdOrigin::Given, JobKind::default(), (*body).to_owned())
                .stored_at(Timestamp::EPOCH, None)
        };
        bodies.iter().map(of).collect()
    }

    fn folded(fold: Folding, bodies: &[&str]) -> Result<String, String> {
        let folded = fold.fold(&parts(bodies));
        let text = |body: Bytes| String::from_utf8_lossy(&body).into_owned();
        folded.map(text).map_err(|failure| failure.to_string())
    }

    #[test]
    fn an_array_keeps_json_as_it_is_and_quotes_other_text() {
        let bodies = [
            "{\"a\": 1.10}",
            " 12345678901234567890123 ",
            "say \"hi\"",
            "",
        ];
        assert_eq!(
            folded(Folding::Array, &bodies).unwrap(),
            r#"[{"a": 1.10},12345678901234567890123,"say \"hi\"",""]"#
        );
        assert_eq!(folded(Folding::Array, &[]).unwrap(), "[]");
        assert_eq!(folded(Folding::Lines, &["a", "b"]).unwrap(), "a\nb\n");
        assert_eq!(folded(Folding::Concat, &["a", "b"]).unwrap(), "ab");
    }

    #[test]
    fn a_sum_keeps_whole_numbers_whole_and_adds_field_by_field() {
        let sum = |bodies: &[&str]| folded(Folding::Sum, bodies);
        assert_eq!(sum(&["1", "2"]).unwrap(), "3");
        assert_eq!(sum(&["1", "0.5"]).unwrap(), "1.5");
        assert_eq!(sum(&["9007199254740993", "1"]).unwrap(), "9007199254740994");
        let objects = [
            r#"{"amount":1,"who":"ann"}"#,
            r#"{"amount":2,"who":"bob","n":1}"#,
        ];
        assert_eq!(sum(&objects).unwrap(), r#"{"amount":3,"n":1,"who":"bob"}"#);
        assert!(
            sum(&["18446744073709551615", "1"])
                .unwrap_err()
                .contains("too large")
        );
        assert!(sum(&["1", "{}"]).unwrap_err().contains("not both"));
        assert!(sum(&["x"]).unwrap_err().contains("not JSON"));
        assert!(sum(&["[1]"]).is_err());
    }

    #[test]
    fn a_typed_fold_names_the_part_it_cannot_read() {
        let fold = fold_json(|numbers: Vec<u32>| Ok(numbers.iter().sum::<u32>()));
        assert_eq!(fold.fold(&parts(&["1", "2"])).unwrap(), "3");
        let failure = fold.fold(&parts(&["1", "x"])).unwrap_err();
        assert!(
            failure.to_string().contains("cannot be folded"),
            "{failure}"
        );
        assert_eq!(failure.labelled().as_str(), "aggregate.fold");
    }
}
