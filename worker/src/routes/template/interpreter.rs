//! Where an interpreter finds its script among its arguments.

use super::compile::has_placeholder;
use super::options::{Options, Takes, is_option};

/// How an interpreter is given its script: as the value of an option, or else as its first
/// argument that is no option.
#[derive(Debug)]
pub(super) struct Interpreter {
    /// Options whose value is the script.
    pub(super) code: Options,
    /// Options whose value is run or loaded, too, beside the script.
    pub(super) loads: Options,
    /// Options with a value that is data.
    pub(super) valued: Options,
    /// Letters of options without a value.
    pub(super) plain: &'static str,
    /// A shell: `-c` says that the first argument is the text of the script rather than its
    /// file, and the value of an option is always an argument of its own.
    pub(super) is_shell: bool,
    /// Whether options may stand behind other arguments.
    pub(super) permutes: bool,
}

/// What a look at the arguments of a program gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// This argument would be run although it holds a template.
    Refused(usize),
    /// The text of a script is written out; what follows are the script's own arguments.
    Settled,
    /// Nothing is wrong; another program may follow.
    Open,
}

/// What an option is, or what the argument behind it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Code,
    Load,
    Data,
    Plain,
    /// Nobody knows whether it takes a value.
    Unknown,
}

impl Interpreter {
    /// Looks for a template where code stands.
    pub(super) fn look(&self, arguments: &[&str]) -> Look {
        let mut value_of = Role::Plain;
        // Whether the script is known, and whether its text stands here.
        let (mut located, mut is_text) = (false, false);
        let mut options_ended = false;
        for (index, argument) in arguments.iter().enumerate() {
            let templated = has_placeholder(argument);
            let is_option = !options_ended && self.is_option(argument);
            let refused = Look::Refused(index);
            match std::mem::replace(&mut value_of, Role::Plain) {
                Role::Code | Role::Load if templated => return refused,
                Role::Code => (located, is_text) = (true, true),
                Role::Load | Role::Data => {}
                Role::Unknown if !templated && !is_option => {}
                Role::Plain | Role::Unknown if !is_option => {
                    if templated && !located {
                        return refused;
                    }
                    if !self.permutes {
                        break;
                    }
                    located = true;
                }
                Role::Plain | Role::Unknown if *argument == "--" => options_ended = true,
                Role::Plain | Role::Unknown => {
                    let (role, attached) = self.role(argument);
                    if templated && !(role == Role::Data && attached) {
                        return refused;
                    }
                    is_text |= self.is_shell && role == Role::Plain && argument.contains('c');
                    if !attached {
                        value_of = role;
                    } else if role == Role::Code {
                        (located, is_text) = (true, true);
                    }
                }
            }
        }
        if is_text { Look::Settled } else { Look::Open }
    }

    fn is_option(&self, argument: &str) -> bool {
        is_option(argument) || (self.is_shell && argument.len() > 1 && argument.starts_with('+'))
    }

    /// The role of an option's value, and whether it is part of the argument.
    fn role(&self, argument: &str) -> (Role, bool) {
        let kinds = [
            (self.code, Role::Code),
            (self.loads, Role::Load),
            (self.valued, Role::Data),
        ];
        if argument.starts_with("--") {
            let known = kinds
                .iter()
                .find(|(options, _)| options.takes(argument) != Takes::Nothing);
            let attached = argument.contains('=');
            let unknown = if attached { Role::Plain } else { Role::Unknown };
            return known.map_or((unknown, attached), |(_, role)| (*role, attached));
        }
        let mut unknown = false;
        let letters = argument.get(1..).unwrap_or_default();
        for (at, letter) in letters.char_indices() {
            if letter == '{' {
                break;
            }
            let found = kinds
                .iter()
                .find(|(options, _)| options.letters.contains(letter));
            if let Some((_, role)) = found {
                let attached = !self.is_shell && at + letter.len_utf8() < letters.len();
                return (*role, attached);
            }
            unknown |= !self.plain.contains(letter);
        }
        let role = if unknown { Role::Unknown } else { Role::Plain };
        (role, false)
    }
}
