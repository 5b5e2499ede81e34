//! Checking a parsed file against the table of keys.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::ConfigError;
use crate::load::read::document::Document;
use crate::load::read::node::{Node, NodeValue};
use crate::load::read::scalar::Scalar;
use crate::load::read::shape::{Shape, TableShape};
use crate::load::read::strays;
use crate::load::read::values::shown;
use crate::load::read::variables::{self, Lookup};

type Value<'i> = Spanned<DeValue<'i>>;

/// Parses and checks a whole file. All mistakes are told, in the order of the file.
pub(crate) fn read(
    document: &Document,
    shape: &'static TableShape,
    lookup: Lookup<'_>,
) -> Result<Node, Vec<ConfigError>> {
    let mut check = Check {
        document,
        lookup,
        errors: Vec::new(),
    };
    let tree = match DeTable::parse(&document.text) {
        Ok(tree) => tree,
        Err(error) => {
            let span = error.span().unwrap_or(0..0);
            if let Some(word) = bare_word(&document.text, span.start) {
                let message = "this is not TOML: a text stands here without quotes";
                let refused = document.error(&span, message);
                return Err(vec![refused.hint(format!("write {}", shown(word)))]);
            }
            let message = format!("this is not TOML: {}", error.message());
            return Err(vec![document.error(&span, message.replace('\n', " "))]);
        }
    };
    let span = tree.span();
    let node = check.table(shape, tree.get_ref(), &span, &mut Vec::new());
    if check.errors.is_empty() {
        return Ok(node);
    }
    check.errors.sort_by_key(|error| (error.line, error.column));
    Err(check.errors)
}

/// The word at this place, where it stands for a value and lacks its quotes. What the parser says
/// of it depends on its first letter: one that begins with t might be true.
fn bare_word(text: &str, at: usize) -> Option<&str> {
    let is_of_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ':');
    let (before, after) = text.split_at_checked(at)?;
    let begin = before.trim_end_matches(is_of_word).len();
    let end = at + (after.len() - after.trim_start_matches(is_of_word).len());
    let word = text.get(begin..end)?;
    let is_value = before[..begin]
        .trim_end_matches([' ', '\t'])
        .ends_with(['=', ',', '[']);
    let is_text = word.starts_with(char::is_alphabetic) && !word.is_empty();
    (is_value && is_text).then_some(word)
}

struct Check<'a> {
    document: &'a Document,
    lookup: Lookup<'a>,
    errors: Vec<ConfigError>,
}

impl Check<'_> {
    fn refuse(&mut self, span: &Range<usize>, message: impl Into<String>) {
        self.errors.push(self.document.error(span, message));
    }

    /// Checks a table; what is wrong in it is told and left out.
    fn table(
        &mut self,
        shape: &'static TableShape,
        table: &DeTable<'_>,
        span: &Range<usize>,
        path: &mut Vec<String>,
    ) -> Node {
        let mut entries = BTreeMap::new();
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            let Some(known) = shape.key(name) else {
                let error = self.document.error(
                    &key.span(),
                    format!("{} has no key {}", shape.name, shown(name)),
                );
                let hint = strays::hint(shape, name, value.get_ref(), path);
                self.errors.push(error.hint(hint));
                continue;
            };
            if matches!(known.shape, Shape::Later) {
                let error = format!("the key {name:?} of {} is not supported yet", shape.name);
                self.refuse(&key.span(), error);
                continue;
            }
            path.push(name.to_owned());
            if let Some(node) = self.value(&known.shape, value, path) {
                entries.insert(name.to_owned(), (key.span(), node));
            }
            path.pop();
        }
        for key in shape.keys.iter().filter(|key| key.required) {
            if !table.contains_key(key.name) {
                let message = format!("{} needs the key {:?}", shape.name, key.name);
                self.refuse(span, message);
            }
        }
        Node {
            span: span.clone(),
            value: NodeValue::Table(entries),
            written: None,
        }
    }

    fn value(&mut self, shape: &Shape, value: &Value<'_>, path: &mut Vec<String>) -> Option<Node> {
        let span = value.span();
        let node = |value| {
            Some(Node {
                span: span.clone(),
                value,
                written: None,
            })
        };
        match (shape, value.get_ref()) {
            (Shape::TableOr(first, _), DeValue::Table(_))
            | (Shape::TextOr(first, _), DeValue::String(_)) => self.value(first, value, path),
            (Shape::TableOr(_, other) | Shape::TextOr(_, other), _) => {
                self.value(other, value, path)
            }
            (Shape::Table(shape), DeValue::Table(table)) => {
                Some(self.table(shape, table, &span, path))
            }
            (Shape::Tables(shape), DeValue::Array(items)) => {
                let nodes = items
                    .iter()
                    .filter_map(|item| self.one_table(shape, item, path));
                let nodes = nodes.collect();
                node(NodeValue::List(nodes))
            }
            (Shape::List(inner), DeValue::Array(items)) => {
                if items.is_empty() {
                    self.refuse(&span, format!("{} is empty", last(path)));
                    return None;
                }
                let nodes = items
                    .iter()
                    .filter_map(|item| self.value(inner, item, path));
                let nodes = nodes.collect();
                node(NodeValue::List(nodes))
            }
            (Shape::Named(inner), DeValue::Table(table)) => {
                Some(self.named(inner, table, &span, path))
            }
            (_, leaf) => self.leaf(shape, leaf, &span, path),
        }
    }

    /// A value that is no table and no list, its variables filled in.
    fn leaf(
        &mut self,
        shape: &Shape,
        value: &DeValue<'_>,
        span: &Range<usize>,
        path: &[String],
    ) -> Option<Node> {
        let scalar = match value {
            DeValue::String(text) => match variables::fill(text, self.lookup) {
                Ok(filled) => {
                    let node = self.scalar(shape, Scalar::Text(&filled), span, path)?;
                    let written = (filled != *text).then(|| text.to_string());
                    return Some(Node { written, ..node });
                }
                Err(reason) => {
                    self.refuse(span, reason);
                    return None;
                }
            },
            DeValue::Integer(number) => {
                let Ok(number) = i64::from_str_radix(number.as_str(), number.radix()) else {
                    let shown = shown(number.as_str());
                    self.refuse(span, format!("{shown} is too great a number"));
                    return None;
                };
                Scalar::Integer(number)
            }
            DeValue::Float(number) => {
                let number = number.as_str().replace('_', "");
                Scalar::Real(number.parse().unwrap_or(f64::NAN))
            }
            DeValue::Boolean(flag) => Scalar::Flag(*flag),
            other => {
                self.mismatch(shape, other.type_str(), span, path);
                return None;
            }
        };
        self.scalar(shape, scalar, span, path)
    }

    fn one_table(
        &mut self,
        shape: &'static TableShape,
        item: &Value<'_>,
        path: &mut Vec<String>,
    ) -> Option<Node> {
        if let DeValue::Table(table) = item.get_ref() {
            return Some(self.table(shape, table, &item.span(), path));
        }
        self.mismatch(
            &Shape::Tables(shape),
            item.get_ref().type_str(),
            &item.span(),
            path,
        );
        None
    }

    fn named(
        &mut self,
        inner: &Shape,
        table: &DeTable<'_>,
        span: &Range<usize>,
        path: &mut Vec<String>,
    ) -> Node {
        let mut entries = BTreeMap::new();
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            path.push(name.to_owned());
            if let Some(node) = self.value(inner, value, path) {
                entries.insert(name.to_owned(), (key.span(), node));
            }
            path.pop();
        }
        Node {
            span: span.clone(),
            value: NodeValue::Table(entries),
            written: None,
        }
    }

    fn scalar(
        &mut self,
        shape: &Shape,
        scalar: Scalar<'_>,
        span: &Range<usize>,
        path: &[String],
    ) -> Option<Node> {
        let Some(checked) = scalar.check(shape) else {
            self.mismatch(shape, scalar.name(), span, path);
            return None;
        };
        match checked {
            Ok(value) => Some(Node {
                span: span.clone(),
                value,
                written: None,
            }),
            Err(reason) => {
                self.refuse(span, format!("{}: {reason}", last(path)));
                None
            }
        }
    }

    fn mismatch(&mut self, shape: &Shape, found: &str, span: &Range<usize>, path: &[String]) {
        let key = last(path);
        let error = self
            .document
            .error(span, format!("{key} is {}, found {found}", expected(shape)));
        let hint = strays::type_hint(shape, found, key);
        self.errors.push(error.hint(hint));
    }
}

fn last(path: &[String]) -> &str {
    path.last().map_or("the file", String::as_str)
}

/// What a shape takes, in words.
fn expected(shape: &Shape) -> &'static str {
    match shape {
        Shape::Span(..) => "a span of time in quotes, such as \"30s\"",
        Shape::Size(..) => "a size, such as \"64KiB\"",
        Shape::Count(..) => "a whole number",
        Shape::Real(..) => "a number",
        Shape::Flag => "true or false",
        Shape::Table(_) | Shape::Named(_) => "a table",
        Shape::Tables(_) => "a list of tables",
        Shape::List(_) => "a list of strings",
        Shape::TextOr(_, other) | Shape::TableOr(_, other) => expected(other),
        _ => "a string",
    }
}
