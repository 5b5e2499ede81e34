//! Headers on the command line: `NAME=VALUE`.

use std::str::FromStr;

use crate::output::escape;

/// One header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeaderPair {
    /// Its name.
    pub(crate) name: String,
    /// Its value, which may hold `=`.
    pub(crate) value: String,
}

impl FromStr for HeaderPair {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => Ok(Self {
                name: name.to_owned(),
                value: value.to_owned(),
            }),
            _ => Err(format!(
                "\"{}\" is not a header; write it as NAME=VALUE",
                escape::cut(text, 40)
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_equals_sign_divides() {
        let pair: HeaderPair = "a=b=c".parse().unwrap();
        assert_eq!((pair.name.as_str(), pair.value.as_str()), ("a", "b=c"));
        assert!("a".parse::<HeaderPair>().is_err());
        assert!("=b".parse::<HeaderPair>().is_err());
    }
}
