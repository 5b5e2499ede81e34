//! Options among the arguments of a program.

/// Options by their letters and by their long names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    pub(super) letters: &'static str,
    pub(super) names: &'static [&'static str],
}

/// Whether an argument is one of some options, and where its value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// It is none of them.
    Nothing,
    /// The value is part of the argument.
    Itself,
    /// The next argument is the value.
    Next,
}

/// Whether it looks like an option at all.
pub(super) fn is_option(argument: &str) -> bool {
    argument.len() > 1 && argument.starts_with('-')
}

impl Options {
    pub(super) const NONE: Self = Self::new("", &[]);

    pub(super) const fn new(letters: &'static str, names: &'static [&'static str]) -> Self {
        Self { letters, names }
    }

    /// What an argument takes as one of these. Long names may be shortened, as many programs
    /// allow, and may have one dash; letters may stand together.
    pub(super) fn takes(&self, argument: &str) -> Takes {
        if !is_option(argument) {
            return Takes::Nothing;
        }
        let text = argument.trim_start_matches('-');
        let (name, value) = match text.split_once('=') {
            Some((name, _)) => (name, Takes::Itself),
            None => (text, Takes::Next),
        };
        let shortened = argument.starts_with("--") && !name.is_empty();
        let is_known = |known: &&str| *known == name || (shortened && known.starts_with(name));
        if self.names.iter().any(is_known) {
            return value;
        }
        if argument.starts_with("--") {
            return Takes::Nothing;
        }
        let letters = text.split('{').next().unwrap_or_default();
        match letters.find(|c| self.letters.contains(c)) {
            Some(at) if at + 1 == text.len() => Takes::Next,
            Some(_) => Takes::Itself,
            None => Takes::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_in_the_argument_or_behind_it() {
        let options = Options::new("ce", &["command", "exec"]);
        let rows = [
            ("-c", Takes::Next),
            ("-xc", Takes::Next),
            ("-cls", Takes::Itself),
            ("-c{{ id }}", Takes::Itself),
            ("--command", Takes::Next),
            ("--comm", Takes::Next),
            ("--command={{ id }}", Takes::Itself),
            ("-exec", Takes::Next),
            ("-x", Takes::Nothing),
            ("-x{{ c }}", Takes::Nothing),
            ("--other", Takes::Nothing),
            ("--", Takes::Nothing),
            ("-", Takes::Nothing),
            ("c", Takes::Nothing),
        ];
        for (argument, expected) in rows {
            assert_eq!(options.takes(argument), expected, "{argument}");
        }
    }
}
