//! Commands in which an argument is itself a program.

use std::path::Path;

use super::compile::has_placeholder;

/// A program that takes a program as an argument: its name, and the flags before that argument.
/// Without flags it is the first operand.
struct Interpreter {
    names: &'static [&'static str],
    flags: &'static [char],
    long: &'static [&'static str],
    /// Whether the first operand is a program even without a flag.
    operand: bool,
}

/// These put all their arguments together and let a shell read the result.
const READ_ALL: &[&str] = &["eval", "ssh", "parallel", "watch"];

const INTERPRETERS: &[Interpreter] = &[
    Interpreter {
        names: &[
            "sh", "bash", "dash", "zsh", "ksh", "mksh", "ash", "fish", "csh", "tcsh", "su",
            "script",
        ],
        flags: &['c'],
        long: &["--command", "--init-command"],
        operand: true,
    },
    Interpreter {
        names: &["python", "pypy"],
        flags: &['c', 'm'],
        long: &[],
        operand: true,
    },
    Interpreter {
        names: &["perl", "ruby", "lua", "luajit", "Rscript", "osascript"],
        flags: &['e', 'E'],
        long: &[],
        operand: true,
    },
    Interpreter {
        names: &["node", "nodejs", "deno", "bun"],
        flags: &['e', 'p'],
        long: &["--eval", "--print"],
        operand: true,
    },
    Interpreter {
        names: &["php"],
        flags: &['r', 'B', 'R', 'E'],
        long: &["--run"],
        operand: true,
    },
    Interpreter {
        names: &[
            "awk", "gawk", "mawk", "nawk", "sed", "gsed", "jq", "psql", "sqlite3", "mysql",
        ],
        flags: &['e', 'f', 'c'],
        long: &[
            "--expression",
            "--file",
            "--command",
            "--execute",
            "--source",
        ],
        operand: true,
    },
    Interpreter {
        names: READ_ALL,
        flags: &[],
        long: &[],
        operand: true,
    },
];

/// The argument that holds a template although another program reads it as code: its index and
/// the name of that program.
pub(in crate::routes) fn templated_script(command: &[&str]) -> Option<(usize, String)> {
    // The first one counts: what follows its script are the script's own arguments.
    let (at, name, interpreter) = command.iter().enumerate().find_map(|(at, argument)| {
        let name = base_name(argument)?;
        let interpreter = INTERPRETERS.iter().find(|one| one.is(name))?;
        Some((at, name, interpreter))
    })?;
    let found = interpreter.templated(&command[at + 1..], name)?;
    Some((at + 1 + found, name.to_owned()))
}

/// The name of a program that is written literally.
fn base_name(argument: &str) -> Option<&str> {
    if has_placeholder(argument) {
        return None;
    }
    Path::new(argument).file_name()?.to_str()
}

impl Interpreter {
    fn is(&self, name: &str) -> bool {
        let plain = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        self.names.contains(&name) || self.names.contains(&plain)
    }

    /// The first argument with a template among those that may be code.
    fn templated(&self, arguments: &[&str], name: &str) -> Option<usize> {
        let reads_all = READ_ALL.contains(&name);
        let mut code_next = false;
        for (index, argument) in arguments.iter().enumerate() {
            let is_flag = argument.len() > 1 && argument.starts_with('-') && !code_next;
            if has_placeholder(argument) {
                return Some(index);
            }
            if reads_all {
                continue;
            }
            if code_next || (!is_flag && self.operand) {
                return None;
            }
            code_next = is_flag && self.takes_code(argument);
        }
        None
    }

    fn takes_code(&self, flag: &str) -> bool {
        if flag.starts_with("--") {
            return self.long.contains(&flag);
        }
        flag.chars().skip(1).any(|c| self.flags.contains(&c))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_in_the_script_of_an_interpreter_is_found() {
        let bad: &[(&[&str], usize)] = &[
            (&["sh", "-c", "echo {{ body }}"], 2),
            (&["/bin/bash", "-ec", "x={{ id }}; echo $x"], 2),
            (&["env", "A=1", "dash", "-c", "{{ body }}"], 4),
            (&["timeout", "5", "zsh", "-c", "echo {{ id }}"], 4),
            (&["python3", "-c", "print('{{ id }}')"], 2),
            (&["python3.12", "-c", "print('{{ id }}')"], 2),
            (&["perl", "-ne", "print '{{ id }}'"], 2),
            (&["node", "--eval", "{{ body }}"], 2),
            (&["awk", "{{ body }}"], 1),
            (&["sed", "s/x/{{ id }}/"], 1),
            (&["sh", "{{ headers.script }}"], 1),
            (&["ssh", "host", "ls", "{{ headers.path }}"], 3),
            (&["xargs", "sh", "-c", "{{ id }}"], 3),
            (&["find", ".", "-exec", "sh", "-c", "{{ id }}", ";"], 5),
        ];
        for (command, at) in bad {
            assert_eq!(
                templated_script(command).map(|(at, _)| at),
                Some(*at),
                "{command:?}"
            );
        }
    }

    #[test]
    fn a_template_beside_the_script_is_fine() {
        let good: &[&[&str]] = &[
            &["sh", "-c", "echo \"$1\"", "sh", "--", "{{ body.name }}"],
            &["convert", "-", "-resize", "{{ headers.width }}", "-"],
            &["./parse", "{{ id }}"],
            &["python3", "worker.py", "{{ id }}"],
            &["sh", "./script.sh", "{{ id }}"],
            &["bash", "-e", "run.sh", "{{ id }}"],
            &["awk", "{ print $1 }", "{{ headers.file }}"],
        ];
        for command in good {
            assert_eq!(templated_script(command), None, "{command:?}");
        }
    }
}
