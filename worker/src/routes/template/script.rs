//! Commands in which an argument is itself a program.

use super::compile::has_placeholder;
use super::interpreter::Look;
use super::options::{Options, Takes, is_option};
use super::programs::{Runs, named};

/// The argument that holds a template although a program before it runs that argument: its
/// index and the name of that program.
pub(in crate::routes) fn templated_script(command: &[&str]) -> Option<(usize, String)> {
    // Behind a program that starts others any word may be the next program.
    let mut behind_starter = false;
    for (at, argument) in command.iter().enumerate() {
        if has_placeholder(argument) {
            continue;
        }
        let Some((name, runs)) = named(argument, at == 0 || behind_starter) else {
            continue;
        };
        let arguments = &command[at + 1..];
        let look = match runs {
            Runs::Anything { data } => anything(arguments, *data),
            Runs::Values { code } => values(arguments, *code),
            Runs::Command { own, code, valued } => started(arguments, *own, *code, *valued),
            Runs::Script(interpreter) => interpreter.look(arguments),
        };
        match look {
            Look::Refused(found) => return Some((at + 1 + found, name.to_owned())),
            Look::Settled => return None,
            Look::Open => {
                behind_starter |= matches!(runs, Runs::Command { .. }) || name == "find";
            }
        }
    }
    None
}

/// Whether an argument is the name of a program that may run what stands behind it.
pub(in crate::routes) fn is_runner(argument: &str) -> bool {
    named(argument, true).is_some()
}

fn anything(arguments: &[&str], data: Options) -> Look {
    let mut is_value = false;
    for (index, argument) in arguments.iter().enumerate() {
        let takes = data.takes(argument);
        if has_placeholder(argument) && !is_value && takes != Takes::Itself {
            return Look::Refused(index);
        }
        is_value = !is_value && takes == Takes::Next;
    }
    Look::Open
}

fn values(arguments: &[&str], code: Options) -> Look {
    let mut is_code = false;
    for (index, argument) in arguments.iter().enumerate() {
        let takes = code.takes(argument);
        if has_placeholder(argument) && (is_code || takes == Takes::Itself) {
            return Look::Refused(index);
        }
        is_code = takes == Takes::Next;
    }
    Look::Open
}

/// No template may be the command that is started, nor stand in a text that is split into one.
fn started(arguments: &[&str], own: usize, code: Options, valued: Options) -> Look {
    let mut own_left = own;
    let mut options_ended = false;
    let (mut is_value, mut is_code) = (false, false);
    for (index, argument) in arguments.iter().enumerate() {
        let templated = has_placeholder(argument);
        let takes = code.takes(argument);
        if is_code || (!is_value && !options_ended && takes == Takes::Itself) {
            if templated {
                return Look::Refused(index);
            }
            // What follows is put behind that text.
            return match anything(&arguments[index..], Options::NONE) {
                Look::Refused(found) => Look::Refused(index + found),
                other => other,
            };
        }
        if std::mem::take(&mut is_value) {
            continue;
        }
        if !options_ended && is_option(argument) {
            let valued = valued.takes(argument);
            if templated && valued != Takes::Itself {
                return Look::Refused(index);
            }
            options_ended = *argument == "--";
            is_code = takes == Takes::Next;
            is_value = !is_code && valued == Takes::Next;
            continue;
        }
        let before_value = argument.split('{').next().unwrap_or_default();
        // A variable for the command: NAME=VALUE.
        if own == 0 && before_value.contains('=') {
            continue;
        }
        if own_left > 0 {
            own_left -= 1;
            continue;
        }
        if templated {
            return Look::Refused(index);
        }
        break;
    }
    Look::Open
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_that_a_program_would_run_is_found() {
        let bad: &[(&[&str], usize)] = &[
            (&["sh", "-c", "echo {{ body }}"], 2),
            (&["/bin/bash", "-ec", "x={{ id }}; echo $x"], 2),
            (&["bash", "-o", "pipefail", "-c", "{{ body }}"], 4),
            (&["bash", "-oe", "pipefail", "-c", "{{ body }}"], 4),
            (&["bash", "--norc", "-c", "{{ body }}"], 3),
            (&["env", "A=1", "dash", "-c", "{{ body }}"], 4),
            (&["env", "-S", "sh -c", "{{ body }}"], 3),
            (&["env", "-S{{ body }}"], 1),
            (&["env", "A={{ id }}", "{{ body }}"], 2),
            (&["timeout", "5", "zsh", "-c", "echo {{ id }}"], 4),
            (&["timeout", "-k", "1", "5", "{{ body }}"], 4),
            (&["nice", "-n", "5", "{{ body }}"], 3),
            (&["python3", "-c", "print('{{ id }}')"], 2),
            (&["python3.12", "-W", "error", "-c", "print('{{ id }}')"], 4),
            (&["perl", "-ne", "print '{{ id }}'"], 2),
            (&["perl", "-e", "1", "-e", "{{ body }}"], 4),
            (&["perl", "-M{{ body }}", "x.pl"], 1),
            (&["ruby", "-r", "{{ body }}", "x.rb"], 2),
            (&["node", "--eval", "{{ body }}"], 2),
            (&["node", "--conditions", "x", "-e", "{{ body }}"], 4),
            (&["deno", "eval", "{{ body }}"], 2),
            (&["php", "-r", "{{ body }}"], 2),
            (&["awk", "{{ body }}"], 1),
            (&["awk", "-v", "x=1", "{{ body }}"], 3),
            (&["sed", "s/x/{{ id }}/"], 1),
            (&["sed", "p", "-e", "{{ body }}"], 3),
            (&["sh", "{{ headers.script }}"], 1),
            (&["ssh", "host", "ls", "{{ headers.path }}"], 3),
            (&["xargs", "sh", "-c", "{{ id }}"], 3),
            (&["xargs", "-n", "1", "{{ id }}"], 3),
            (&["find", ".", "-exec", "sh", "-c", "{{ id }}", ";"], 5),
            (&["find", ".", "-exec", "{{ id }}", ";"], 3),
            (&["su", "nobody", "-s", "/bin/sh", "-c", "{{ body }}"], 5),
            (&["su", "-c", "{{ body }}"], 2),
            (&["runuser", "nobody", "-c", "{{ body }}"], 3),
            (&["sudo", "-n", "su", "nobody", "-c", "{{ body }}"], 5),
            (&["flock", "x", "-c", "{{ body }}"], 3),
            (&["flock", "-w", "5", "x", "{{ body }}"], 4),
            (&["script", "-qec", "{{ body }}", "/dev/null"], 2),
            (&["timeout", "5", "script", "-c", "{{ body }}"], 4),
            (&["watch", "ls", "{{ body }}"], 2),
            (&["sqlite3", "x.db", "{{ body }}"], 2),
            (&["psql", "-c", "select {{ id }}"], 2),
            (&["mysql", "-e", "{{ body }}"], 2),
            (&["make", "X={{ body }}"], 1),
            (
                &["tar", "-cf", "x", "--checkpoint-action=exec={{ id }}", "y"],
                3,
            ),
            (&["tar", "xf", "x", "--to-comm", "{{ id }}"], 4),
            (&["git", "-c", "core.pager={{ id }}", "log"], 2),
            (&["docker", "run", "image", "sh", "-c", "{{ body }}"], 5),
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
    fn a_template_that_is_data_is_fine() {
        let good: &[&[&str]] = &[
            &["sh", "-c", "echo \"$1\"", "sh", "--", "{{ body.name }}"],
            &[
                "bash",
                "-euo",
                "pipefail",
                "-c",
                "echo \"$1\"",
                "bash",
                "{{ id }}",
            ],
            &[
                "find",
                ".",
                "-exec",
                "sh",
                "-c",
                "echo \"$1\"",
                "sh",
                "{{ id }}",
                ";",
            ],
            &["find", "{{ headers.folder }}", "-name", "*.txt"],
            &["convert", "-", "-resize", "{{ headers.width }}", "-"],
            &["./parse", "{{ id }}"],
            &["./tool", "--mode", "batch", "{{ id }}"],
            &["timeout", "5", "./parse", "{{ id }}"],
            &[
                "timeout",
                "{{ headers.seconds }}",
                "./parse",
                "-c",
                "{{ id }}",
            ],
            &["env", "A={{ id }}", "./parse", "{{ id }}"],
            &["flock", "x", "grep", "-c", "{{ id }}"],
            &["setpriv", "--reuid=nobody", "./parse", "{{ id }}"],
            &["python3", "worker.py", "-c", "{{ id }}"],
            &["python3", "-u", "-m", "worker", "{{ id }}"],
            &["node", "worker.js", "{{ id }}"],
            &["sh", "./script.sh", "{{ id }}"],
            &["bash", "-e", "run.sh", "{{ id }}"],
            &["perl", "-lne", "print", "{{ headers.file }}"],
            &["awk", "{ print $1 }", "{{ headers.file }}"],
            &["awk", "-v", "x={{ id }}", "{ print x }"],
            &["sed", "-n", "-e", "p", "{{ headers.file }}"],
            &["psql", "-v", "id={{ id }}", "-f", "insert.sql"],
            &["git", "commit", "-m", "{{ body }}"],
            &["tar", "-czf", "{{ id }}.tgz", "folder"],
        ];
        for command in good {
            assert_eq!(templated_script(command), None, "{command:?}");
        }
    }
}
