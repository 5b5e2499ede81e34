//! JSON as it is printed.

use serde::Serialize;

use super::escape;
use crate::error::{CliError, Result};
use crate::exit::Exit;

/// The value as one line of JSON without characters that a terminal would act on.
pub(super) fn render(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value)
        .map(|document| escape::json(&document))
        .map_err(|error| {
            CliError::new(
                Exit::Failed,
                format!("the answer cannot be written as JSON: {error}"),
            )
        })
}
