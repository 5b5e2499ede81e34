//! The JSON Schema of route files, made of the table of keys that reads them.

use serde_json::{Map, Value, json};

use crate::load::read::{Key, ROUTE_FILE, Shape, TableShape, shown_span};

/// The JSON Schema of a route file, for editors.
pub fn json_schema() -> Value {
    let mut schema = table(&ROUTE_FILE);
    if let Value::Object(object) = &mut schema {
        object.insert(
            "$schema".into(),
            json!("https://json-schema.org/draft/2020-12/schema"),
        );
        object.insert("title".into(), json!("longshore route file"));
    }
    schema
}

fn table(shape: &TableShape) -> Value {
    let known = || {
        shape
            .keys
            .iter()
            .filter(|key| !matches!(key.shape, Shape::Later))
    };
    let properties: Map<String, Value> = known().map(property).collect();
    let required: Vec<_> = known()
        .filter(|key| key.required)
        .map(|key| key.name)
        .collect();
    let mut object = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if let (Value::Object(object), false) = (&mut object, required.is_empty()) {
        object.insert("required".into(), json!(required));
    }
    object
}

fn property(key: &Key) -> (String, Value) {
    let mut value = one(&key.shape);
    if let Value::Object(object) = &mut value {
        object.insert("description".into(), json!(key.about));
    }
    (key.name.to_owned(), value)
}

fn one(shape: &Shape) -> Value {
    const NAME: &str = "^[A-Za-z0-9_][A-Za-z0-9_.:-]*$";
    match shape {
        Shape::Text | Shape::Template | Shape::Url | Shape::Later => json!({ "type": "string" }),
        Shape::Queue => json!({ "type": "string", "pattern": NAME, "maxLength": 255 }),
        Shape::Kind | Shape::Route => {
            json!({ "type": "string", "pattern": NAME, "maxLength": 128 })
        }
        Shape::Label => {
            json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*$" })
        }
        Shape::Word(words) => json!({ "enum": words }),
        Shape::Span(min, max) => json!({
            "type": "string",
            "examples": ["30s"],
            "$comment": format!("{} to {}", shown_span(*min), shown_span(*max)),
        }),
        Shape::Size(min, max) => json!({
            "anyOf": [
                { "type": "integer", "minimum": min, "maximum": max },
                { "type": "string", "pattern": "^[0-9]+ *(B|kB|KB|MB|KiB|MiB)?$" },
            ],
        }),
        Shape::Count(min, max) if *max == i64::MAX => json!({ "type": "integer", "minimum": min }),
        Shape::Count(min, max) => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Shape::Real(min, max) => json!({ "type": "number", "minimum": min, "maximum": max }),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Table(inner) => table(inner),
        Shape::Tables(inner) => json!({ "type": "array", "items": table(inner) }),
        Shape::List(inner) => json!({ "type": "array", "minItems": 1, "items": one(inner) }),
        Shape::Named(inner) => json!({ "type": "object", "additionalProperties": one(inner) }),
        Shape::TableOr(first, other) | Shape::TextOr(first, other) => {
            json!({ "anyOf": [one(first), one(other)] })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_knows_what_the_reader_knows() {
        let schema = json_schema();
        let route = &schema["properties"]["route"]["items"];
        assert_eq!(route["required"], json!(["name", "from"]));
        assert_eq!(route["additionalProperties"], json!(false));
        let exec = &route["properties"]["step"]["items"]["properties"]["exec"];
        assert_eq!(exec["properties"]["stdin"]["enum"], json!(["body", "none"]));
        assert!(route["properties"].get("startup_order").is_none(), "later");
        assert!(
            schema["properties"]["policy"]["properties"]
                .get("delays")
                .is_some()
        );
    }
}
