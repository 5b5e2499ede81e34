//! The checked tree of a route file.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) span: Range<usize>,
    pub(crate) value: NodeValue,
    /// The text as it was written, where variables were filled in: what may be shown.
    pub(crate) written: Option<String>,
}

/// A value of the right shape, with its variables filled in.
#[derive(Clone, Debug)]
pub(crate) enum NodeValue {
    Text(String),
    Span(Duration),
    Whole(u64),
    Real(f64),
    Flag(bool),
    List(Vec<Node>),
    /// Values by key, each with the place of the key.
    Table(BTreeMap<String, (Range<usize>, Node)>),
}

impl Node {
    /// The value of a key, if this is a table that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|(_, node)| node)
    }

    fn entry(&self, key: &str) -> Option<&(Range<usize>, Self)> {
        match &self.value {
            NodeValue::Table(entries) => entries.get(key),
            _ => None,
        }
    }

    /// Where a key stands; the table itself if it is not set.
    pub(crate) fn key_span(&self, key: &str) -> &Range<usize> {
        self.entry(key).map_or(&self.span, |(span, _)| span)
    }

    /// The entries of a table in the order of the file.
    pub(crate) fn entries(&self) -> Vec<(&str, &Range<usize>, &Self)> {
        let NodeValue::Table(entries) = &self.value else {
            return Vec::new();
        };
        let mut entries: Vec<_> = entries
            .iter()
            .map(|(key, (span, node))| (key.as_str(), span, node))
            .collect();
        entries.sort_by_key(|(_, span, _)| span.start);
        entries
    }

    /// The items of a list; none if there is none.
    pub(crate) fn items(&self, key: &str) -> &[Self] {
        match self.get(key).map(|node| &node.value) {
            Some(NodeValue::List(items)) => items,
            _ => &[],
        }
    }

    /// The values inside: of a table in the order of the file, of a list in its order.
    pub(crate) fn children(&self) -> Vec<&Self> {
        match &self.value {
            NodeValue::List(items) => items.iter().collect(),
            _ => self
                .entries()
                .into_iter()
                .map(|(_, _, node)| node)
                .collect(),
        }
    }

    /// This value as text.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.value {
            NodeValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// This text as it was written: values of variables, which may be secrets, are not in it.
    pub(crate) fn written(&self) -> &str {
        self.written
            .as_deref()
            .or(self.as_text())
            .unwrap_or_default()
    }

    /// This value as a number.
    pub(crate) fn as_real(&self) -> Option<f64> {
        match self.value {
            NodeValue::Real(number) => Some(number),
            _ => None,
        }
    }

    /// This value as a span of time.
    pub(crate) fn as_span(&self) -> Option<Duration> {
        match self.value {
            NodeValue::Span(span) => Some(span),
            _ => None,
        }
    }

    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Self::as_text)
    }

    pub(crate) fn duration(&self, key: &str) -> Option<Duration> {
        self.get(key).and_then(Self::as_span)
    }

    pub(crate) fn whole(&self, key: &str) -> Option<u64> {
        match self.get(key).map(|node| &node.value) {
            Some(NodeValue::Whole(number)) => Some(*number),
            _ => None,
        }
    }

    pub(crate) fn real(&self, key: &str) -> Option<f64> {
        self.get(key).and_then(Self::as_real)
    }

    pub(crate) fn flag(&self, key: &str) -> Option<bool> {
        match self.get(key).map(|node| &node.value) {
            Some(NodeValue::Flag(flag)) => Some(*flag),
            _ => None,
        }
    }

    /// A form that does not depend on layout: what the hash of the steps is made of.
    pub(crate) fn canonical(&self) -> String {
        match &self.value {
            NodeValue::Text(text) => format!("{text:?}"),
            NodeValue::Span(span) => format!("{}ms", span.as_millis()),
            NodeValue::Whole(number) => number.to_string(),
            NodeValue::Real(number) => format!("{number:?}"),
            NodeValue::Flag(flag) => flag.to_string(),
            NodeValue::List(items) => {
                let items: Vec<_> = items.iter().map(Self::canonical).collect();
                format!("[{}]", items.join(","))
            }
            NodeValue::Table(entries) => {
                let entries: Vec<_> = entries
                    .iter()
                    .map(|(key, (_, node))| format!("{key:?}:{}", node.canonical()))
                    .collect();
                format!("{{{}}}", entries.join(","))
            }
        }
    }
}
