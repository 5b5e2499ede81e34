//! What was probably meant by a key or a word that is not known.

use longshore_core::nearest;
use toml::de::DeValue;

use crate::load::read::keys::shapes;
use crate::load::read::shape::{Shape, TableShape};
use crate::load::read::values::shown;

/// A hint for an unknown key.
pub(super) fn hint(
    shape: &'static TableShape,
    name: &str,
    value: &DeValue<'_>,
    path: &[String],
) -> String {
    if path.first().is_some_and(|first| first == "queue") && value.is_table() {
        let quoted = [&path[1..], &[name.to_owned()]].concat().join(".");
        return format!("a queue name with dots needs quotes: [queue.{quoted:?}]");
    }
    if let Some(known) = nearest(name, shape.keys.iter().map(|key| key.name))
        && belongs(name).is_none()
    {
        return format!("did you mean {known:?}?");
    }
    match belongs(name) {
        Some(("[[route]]", _)) if shape.name != "a route" => format!(
            "{name:?} belongs to the route: write it above the first [[route.step]] of its [[route]]"
        ),
        Some((place, _)) => format!("{name:?} belongs to {place}"),
        None => format!(
            "its keys are {}",
            shape
                .keys
                .iter()
                .filter(|key| !matches!(key.shape, Shape::Later))
                .map(|key| key.name)
                .collect::<Vec<_>>()
                .join(", ")
        ),
    }
}

/// The table where a key is known, if there is one.
fn belongs(name: &str) -> Option<(&'static str, &'static TableShape)> {
    let rank = |place: &str| place != "[[route]]";
    shapes()
        .iter()
        .copied()
        .filter(|(_, shape)| shape.key(name).is_some())
        .min_by_key(|(place, _)| rank(place))
}

/// A hint for a value of the wrong type.
pub(super) fn type_hint(shape: &Shape, found: &str, key: &str) -> String {
    match shape {
        Shape::Tables(_) if found == "table" => match key {
            "step" | "on_error" => format!("write [[route.{key}]] with two brackets"),
            _ => format!("write [[{key}]] with two brackets"),
        },
        Shape::Span(..) if found == "integer" => "add the unit and quotes".to_owned(),
        Shape::List(_) if found == "string" => {
            "no shell splits it: write [\"program\", \"argument\"]".to_owned()
        }
        _ => String::new(),
    }
}

/// The error for a word that is not one of those allowed.
pub(super) fn not_a_word(text: &str, words: &[&'static str]) -> String {
    let listed = words
        .iter()
        .map(|word| format!("{word:?}"))
        .collect::<Vec<_>>()
        .join(", ");
    match nearest(text, words.iter().copied()) {
        Some(word) => format!(
            "{} is not one of {listed}; did you mean {word:?}?",
            shown(text)
        ),
        None => format!("{} is not one of {listed}", shown(text)),
    }
}
