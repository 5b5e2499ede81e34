//! All that is wrong with a part of a route file.

use crate::ConfigError;

/// Mistakes, gathered so that all of them are told at once.
#[derive(Debug, Default)]
pub(crate) struct Mistakes(pub(crate) Vec<ConfigError>);

impl Mistakes {
    /// Keeps what is wrong with a part; `None` if something is.
    pub(crate) fn keep<T>(&mut self, part: Result<T, impl Into<Self>>) -> Option<T> {
        match part {
            Ok(part) => Some(part),
            Err(wrong) => {
                self.0.extend(wrong.into().0);
                None
            }
        }
    }

    /// Fails if anything was wrong.
    pub(crate) fn none(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl From<ConfigError> for Mistakes {
    fn from(error: ConfigError) -> Self {
        Self(vec![error])
    }
}
