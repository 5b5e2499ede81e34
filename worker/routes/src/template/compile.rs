//! Compiling and rendering.

use std::fmt;
use std::sync::Arc;

use longshore_core::{Failure, Label, nearest};
use minijinja::{Environment, ErrorKind, Value};

use crate::ConfigError;
use crate::load::read::{Document, Node, shown};
use crate::template::{Data, Flavour, names};

/// The top-level names that templates may use.
const NAMES: &[&str] = &[
    "body", "original", "headers", "id", "kind", "queue", "group", "attempt",
];

/// The one template of its environment.
const NAME: &str = "template";

/// Text that may hold `{{ … }}`.
#[derive(Clone)]
pub(crate) struct Template {
    source: String,
    /// The source as it was written in the file, without the values of variables.
    written: String,
    /// `None`: there is nothing to render.
    compiled: Option<Arc<Compiled>>,
}

struct Compiled {
    environment: Environment<'static>,
    /// Which values it looks at.
    names: Vec<&'static str>,
}

impl Template {
    /// Compiles the text of a file.
    pub(crate) fn of(
        document: &Document,
        node: &Node,
        flavour: Flavour,
    ) -> Result<Self, ConfigError> {
        let source = node.as_text().unwrap_or_default();
        Self::new(source, node.written(), flavour)
            .map_err(|reason| document.error(&node.span, reason))
    }

    /// Compiles a text that a store kept; an error in words if it cannot be.
    pub(crate) fn stored(source: &str) -> Result<Self, String> {
        Self::new(source, source, Flavour::Plain)
    }

    /// Compiles a text; an error in words if it cannot be, or names what does not exist.
    fn new(source: &str, written: &str, flavour: Flavour) -> Result<Self, String> {
        if !has_placeholder(source) {
            return Ok(Self {
                source: source.to_owned(),
                written: written.to_owned(),
                compiled: None,
            });
        }
        let mut environment = flavour.environment();
        environment
            .add_template_owned(NAME, source.to_owned())
            .map_err(|error| in_words(&error))?;
        let names = used_names(&environment)?;
        if let Some(reason) = names::unknown(source, &environment) {
            return Err(reason);
        }
        Ok(Self {
            source: source.to_owned(),
            written: written.to_owned(),
            compiled: Some(Arc::new(Compiled { environment, names })),
        })
    }

    /// Whether there is nothing to render.
    pub(crate) fn is_literal(&self) -> bool {
        self.compiled.is_none()
    }

    /// The text with its placeholders.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// The text as it was written in the file: what may be shown.
    pub(crate) fn written(&self) -> &str {
        &self.written
    }

    /// The text with its values, or a permanent failure: the same values give the same error.
    pub(crate) fn render(&self, data: &Data<'_>) -> Result<String, Failure> {
        let Some(compiled) = &self.compiled else {
            return Ok(self.source.clone());
        };
        compiled.fill(data).map_err(|reason| {
            let source = shown(&self.written);
            failure(format!(
                "the template {source} cannot be rendered: {reason}"
            ))
        })
    }

    /// Whether a condition holds: it must render as true or false (or as nothing, which is false).
    pub(crate) fn holds(&self, data: &Data<'_>) -> Result<bool, Failure> {
        let text = self.render(data)?;
        match text.trim() {
            "true" => Ok(true),
            "false" | "" => Ok(false),
            other => Err(failure(format!(
                "the condition {} gives {}, which is neither true nor false",
                shown(&self.written),
                shown(other)
            ))),
        }
    }
}

impl Compiled {
    fn fill(&self, data: &Data<'_>) -> Result<String, String> {
        let mut values = Vec::with_capacity(self.names.len());
        for &name in &self.names {
            values.push((name, data.value(name)?));
        }
        let template = self
            .environment
            .get_template(NAME)
            .map_err(|error| in_words(&error))?;
        let values = Value::from_pairs(values);
        template.render(&values).map_err(|error| {
            let reason = in_words(&error);
            if error.kind() != ErrorKind::UndefinedError {
                return reason;
            }
            match missing(&template, &values).as_slice() {
                [] => reason,
                paths => format!(
                    "this message has no {}; write {{{{ {} | default('…') }}}} where it may be missing",
                    paths.join(" and no "),
                    paths[0]
                ),
            }
        })
    }
}

/// The values that a template names and that are not there, as `headers.width`.
fn missing(template: &minijinja::Template<'_, '_>, values: &Value) -> Vec<String> {
    let mut named: Vec<_> = template.undeclared_variables(true).into_iter().collect();
    named.sort();
    named.retain(|path| {
        let found = path
            .split('.')
            .try_fold(values.clone(), |value, name| value.get_attr(name).ok());
        found.is_none_or(|value| value.is_undefined())
    });
    named
}

/// Whether a text holds anything that is rendered.
pub(crate) fn has_placeholder(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|mark| text.contains(mark))
}

/// A failure with label `template`.
pub(crate) fn failure(message: String) -> Failure {
    Failure::permanent(message).with_label(Label::lossy("template"))
}

fn used_names(environment: &Environment<'_>) -> Result<Vec<&'static str>, String> {
    let template = environment
        .get_template(NAME)
        .map_err(|error| in_words(&error))?;
    let globals: Vec<_> = environment.globals().map(|(name, _)| name).collect();
    let mut used: Vec<_> = template.undeclared_variables(false).into_iter().collect();
    used.sort();
    let mut names = Vec::new();
    for name in used {
        if let Some(known) = NAMES.iter().find(|known| **known == name) {
            names.push(*known);
        } else if name == "epoch" {
            return Err("epoch is not supported yet".into());
        } else if !globals.contains(&name.as_str()) {
            let hint = nearest(&name, NAMES.iter().copied()).map_or_else(
                || format!("there are {}", NAMES.join(", ")),
                |near| format!("did you mean {near}?"),
            );
            let name = shown(&name);
            return Err(format!(
                "the template names {name}, which does not exist; {hint}"
            ));
        }
    }
    Ok(names)
}

/// An error of the template engine in one line.
fn in_words(error: &minijinja::Error) -> String {
    let kind = error.kind();
    let mut text = error
        .detail()
        .map_or_else(|| kind.to_string(), |detail| format!("{kind}: {detail}"));
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text.replace('\n', " ")
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Template({:?})", self.written)
    }
}

#[cfg(test)]
mod tests;
