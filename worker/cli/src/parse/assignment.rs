//! `--set PATH=VALUE`: a field of a JSON body.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::{RawValue, to_raw_value};

use crate::output::escape;

/// One field and what it becomes.
#[derive(Clone, Debug)]
pub(crate) struct Assignment {
    /// Names of fields and places in lists, from the outside in.
    path: Vec<String>,
    value: Box<RawValue>,
}

impl FromStr for Assignment {
    type Err = String;

    /// A value that is no JSON is text.
    fn from_str(text: &str) -> Result<Self, String> {
        let shown = escape::cut(text, 40);
        let example = "write PATH=VALUE, such as user.id=7";
        let Some((path, value)) = text.split_once('=') else {
            return Err(format!("\"{shown}\" has no =; {example}"));
        };
        let path: Vec<String> = path.split('.').map(str::to_owned).collect();
        if path.iter().any(String::is_empty) {
            return Err(format!("\"{shown}\" has an empty name before =; {example}"));
        }
        let value = serde_json::from_str(value).or_else(|_| to_raw_value(value));
        value
            .map(|value| Self { path, value })
            .map_err(|error| error.to_string())
    }
}

impl Assignment {
    /// The body after all of them. A field that is missing in an object is added; anything else
    /// that is not there is an error. What is not named stays as it was written: the order of
    /// fields, and numbers of any length.
    pub(crate) fn apply_all(all: &[Self], body: &[u8]) -> Result<Vec<u8>, String> {
        let mut json: Box<RawValue> = serde_json::from_slice(body).map_err(|error| {
            format!("the body is not JSON ({error}); --set changes JSON, --body replaces any body")
        })?;
        for one in all {
            json = one
                .within(&json, &one.path)
                .map_err(|what| format!("{}: {what}", escape::cut(&one.path.join("."), 40)))?;
        }
        Ok(json.get().as_bytes().to_vec())
    }

    /// What stands here, with what stands at the path below it replaced.
    fn within(&self, at: &RawValue, path: &[String]) -> Result<Box<RawValue>, String> {
        let Some((name, deeper)) = path.split_first() else {
            return Ok(self.value.clone());
        };
        let broken = |error: serde_json::Error| error.to_string();
        match at.get().as_bytes().first() {
            Some(b'{') => {
                let Fields(mut fields) = serde_json::from_str(at.get()).map_err(broken)?;
                let found = fields.iter_mut().rev().find(|(known, _)| known == name);
                match found {
                    Some((_, value)) => *value = self.within(value, deeper)?,
                    None if deeper.is_empty() => fields.push((name.clone(), self.value.clone())),
                    None => return Err(format!("there is no \"{}\"", escape::cut(name, 40))),
                }
                raw(format!("{{{}}}", fields_text(&fields)?))
            }
            Some(b'[') => {
                let mut items: Vec<Box<RawValue>> =
                    serde_json::from_str(at.get()).map_err(broken)?;
                let length = items.len();
                let item = name.parse().ok().and_then(|at: usize| items.get_mut(at));
                let item = item.ok_or_else(|| {
                    let shown = escape::cut(name, 40);
                    format!("\"{shown}\" is no place in a list of {length}, counted from 0")
                })?;
                *item = self.within(item, deeper)?;
                let items: Vec<&str> = items.iter().map(|item| item.get()).collect();
                raw(format!("[{}]", items.join(",")))
            }
            _ => {
                let shown = escape::cut(name, 40);
                Err(format!(
                    "what should have a \"{shown}\" is neither an object nor a list"
                ))
            }
        }
    }
}

fn raw(text: String) -> Result<Box<RawValue>, String> {
    RawValue::from_string(text).map_err(|error| error.to_string())
}

fn fields_text(fields: &[(String, Box<RawValue>)]) -> Result<String, String> {
    let field = |(name, value): &(String, Box<RawValue>)| {
        let name = serde_json::to_string(name).map_err(|error| error.to_string())?;
        Ok(format!("{name}:{}", value.get()))
    };
    let all: Result<Vec<String>, String> = fields.iter().map(field).collect();
    Ok(all?.join(","))
}

/// The fields of an object in the order in which they are written.
struct Fields(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Fields, M::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        from.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(all: &[&str], body: &str) -> Result<String, String> {
        let all: Result<Vec<Assignment>, _> = all.iter().map(|text| text.parse()).collect();
        let body = Assignment::apply_all(&all?, body.as_bytes())?;
        Ok(String::from_utf8(body).unwrap())
    }

    #[test]
    fn fields_are_set_wherever_they_are() {
        let table = [
            (&["b=2"][..], r#"{"a":1}"#, r#"{"a":1,"b":2}"#),
            (&["a=x y"], r#"{"a":1}"#, r#"{"a":"x y"}"#),
            (&["a=\"1\""], r#"{"a":1}"#, r#"{"a":"1"}"#),
            (
                &["a.b.1=null"],
                r#"{"a":{"b":[1,2]}}"#,
                r#"{"a":{"b":[1,null]}}"#,
            ),
            (&["a={\"c\":3}", "a.c=4"], r#"{"a":1}"#, r#"{"a":{"c":4}}"#),
            (&["0.k==v"], r#"[{"k":1}]"#, r#"[{"k":"=v"}]"#),
        ];
        for (all, body, expected) in table {
            assert_eq!(set(all, body).as_deref(), Ok(expected), "{all:?}");
        }
    }

    #[test]
    fn the_order_of_fields_and_big_numbers_stay() {
        let body = r#"{"z":1,"a":12345678901234567890,"m":1.50}"#;
        assert_eq!(
            set(&["b=1"], body).as_deref(),
            Ok(r#"{"z":1,"a":12345678901234567890,"m":1.50,"b":1}"#)
        );
    }

    #[test]
    fn what_is_not_there_gets_a_sentence() {
        let table = [
            ("a", "{}", "has no ="),
            ("a..b=1", "{}", "an empty name"),
            ("=1", "{}", "an empty name"),
            ("a.b=1", "{}", "a.b: there is no \"a\""),
            ("a.b=1", r#"{"a":1}"#, "neither an object nor a list"),
            ("3=1", "[1]", "no place in a list of 1"),
            ("a=1", "text", "the body is not JSON"),
        ];
        for (one, body, expected) in table {
            let error = set(&[one], body).unwrap_err();
            assert!(error.contains(expected), "{one}: {error}");
        }
    }
}
