//! Exec steps: an ordinary program works the message.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use longshore_core::{Failure, Label};
use tokio::process::Command;

use crate::ConfigError;
use crate::load::read::{Document, Mark, Node, plain, shown};
use crate::model::mistakes::Mistakes;
use crate::program::{self, Ended, Output, Plan};
use crate::steps::Input;
use crate::steps::find_program;
use crate::steps::output_log::OutputLog;
use crate::steps::shortage;
use crate::template::{Data, Flavour, Template, failure, has_placeholder};

const TIMEOUT: Duration = Duration::from_secs(600);
const OUTPUT_MAX: usize = 1024 * 1024;
/// Some programs that run what stands in their arguments, for a warning. Nothing depends on it.
const RUNNERS: &[&str] = &[
    "awk", "bash", "dash", "env", "find", "ksh", "make", "node", "perl", "php", "python",
    "python3", "ruby", "sed", "sh", "ssh", "su", "sudo", "tar", "timeout", "xargs", "zsh",
];
/// What a program may do before it is killed with its group.
const GRACE: Duration = Duration::from_secs(5);
/// What a program sees of this process's environment; all else comes from the step.
const INHERITED: &[&str] = &["PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR"];

/// Runs a program: its exit code says what becomes of the message.
#[derive(Debug)]
pub(crate) struct ExecStep {
    place: Mark,
    /// As it was written.
    name: String,
    /// Where it is; an error in words if it is nowhere.
    program: Result<PathBuf, String>,
    arguments: Vec<Template>,
    inherited: Vec<(OsString, OsString)>,
    env: Vec<(String, Template)>,
    /// Whether values of the message may stand in its arguments.
    values_in_arguments: bool,
    cwd: PathBuf,
    reads_body: bool,
    log: OutputLog,
    output_max: Option<usize>,
    timeout: Duration,
}

impl ExecStep {
    pub(super) fn of(document: &std::sync::Arc<Document>, node: &Node) -> Result<Self, Mistakes> {
        let command = node.items("command");
        let written: Vec<_> = command.iter().filter_map(Node::as_text).collect();
        let first = command.first().unwrap_or(node);
        let name = written.first().copied().unwrap_or_default();
        let mut mistakes = Mistakes::default();
        mistakes.keep(check_command(document, command, &written));
        let values_in_arguments = node.flag("values_in_arguments").unwrap_or(false);
        if !values_in_arguments {
            let env = node.get("env").map(Node::entries).unwrap_or_default();
            let env = env.iter().map(|(_, _, value)| *value);
            for value in command.iter().skip(1).chain(env) {
                mistakes.keep(refuse_value(document, value));
            }
        }
        let mut arguments = Vec::new();
        for argument in command.iter().skip(1) {
            let argument = Template::of(document, argument, Flavour::Plain);
            arguments.extend(mistakes.keep(argument));
        }
        let mut env = environment(document, node, &mut mistakes);
        env.extend(variables(document, node, &mut mistakes));
        let cwd = document.resolve(node.text("cwd").unwrap_or_default());
        if !cwd.is_dir() {
            let folder = node.get("cwd").unwrap_or(node);
            mistakes
                .0
                .push(document.error(&folder.span, "cwd is not a directory"));
        }
        mistakes.none()?;
        let search = std::env::var_os("PATH");
        Ok(Self {
            place: Mark::new(document, &first.span),
            name: first.written().to_owned(),
            program: find_program::find(name, &document.folder, search.as_deref()),
            arguments,
            inherited: inherited(),
            env,
            values_in_arguments,
            cwd,
            reads_body: node.text("stdin") != Some("none"),
            log: OutputLog::of(node.text("log")),
            output_max: (node.text("stdout") == Some("body")).then(|| {
                node.whole("output_max")
                    .map_or(OUTPUT_MAX, |max| max as usize)
            }),
            timeout: node.duration("timeout").unwrap_or(TIMEOUT),
        })
    }

    /// How long it may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The program, if it is one that runs its arguments and a message has a say in them.
    pub(crate) fn runs_values(&self) -> Option<&str> {
        let program = Path::new(&self.name).file_name()?.to_str()?;
        let in_values = self.arguments.iter().any(|argument| !argument.is_literal());
        (self.values_in_arguments && in_values && RUNNERS.contains(&program)).then_some(program)
    }

    /// What is wrong with the program, if anything.
    pub(crate) fn missing(&self) -> Option<ConfigError> {
        let reason = self.program.as_ref().err()?;
        Some(self.place.error(reason.clone()))
    }

    pub(super) async fn run(&self, input: &Input<'_>) -> Result<Option<Bytes>, Failure> {
        let program = self.program.as_ref().map_err(|reason| unstarted(reason))?;
        let mut command = self.command(program, &input.data)?;
        command.env("LONGSHORE_BODY_BYTES", input.body.len().to_string());
        let plan = Plan {
            stdin: self.reads_body.then(|| input.body.clone()),
            stdout: match self.output_max {
                Some(max) => Output::Kept(max),
                None => self.log.stdout(input),
            },
            on_stderr: self.log.stderr(input),
            timeout: Some(self.timeout),
            grace: GRACE,
            start_by: input.job.held_until(),
        };
        let ended = program::run(command, plan, input.job.hold()).await;
        let ended = ended.map_err(|error| {
            let reason = format!(
                "{} cannot be started: {}",
                self.name,
                self.why(&error, program)
            );
            if let Some(failure) = shortage::of_host(&error, &reason) {
                return failure;
            }
            match error.kind() {
                // The same message gives the same arguments again.
                std::io::ErrorKind::ArgumentListTooLong => Failure::permanent(reason),
                _ => Failure::retryable(reason),
            }
            .with_label(Label::lossy("exec.start"))
        })?;
        self.judge(ended)
    }

    fn command(&self, program: &Path, data: &Data<'_>) -> Result<Command, Failure> {
        let mut command = Command::new(program);
        command.env_clear().current_dir(&self.cwd);
        command.envs(self.inherited.iter().map(|(name, value)| (name, value)));
        let message = data.message;
        command
            .env("LONGSHORE_ID", message.id.to_string())
            .env("LONGSHORE_ATTEMPT", data.attempt.to_string())
            .env("LONGSHORE_QUEUE", data.queue.as_str())
            .env("LONGSHORE_KIND", message.kind.as_str());
        if let Some(group) = &message.group {
            command.env("LONGSHORE_GROUP", group.as_str());
        }
        for (name, value) in &self.env {
            command.env(name, checked(value.render(data)?)?);
        }
        for argument in &self.arguments {
            let value = checked(argument.render(data)?)?;
            if value.starts_with('-') && !begins_as_written(argument, &value) {
                let reason = "would be read as an option; put a fixed text before it";
                return Err(failure(format!("the argument {} {reason}", shown(&value))));
            }
            command.arg(value);
        }
        Ok(command)
    }

    /// A start error in words. The system says "not found" of three things.
    fn why(&self, error: &std::io::Error, program: &Path) -> String {
        if error.kind() != std::io::ErrorKind::NotFound || !program.is_file() {
            return plain(error);
        }
        if !self.cwd.is_dir() {
            return "the folder that it is to start in (cwd) is not there any more".into();
        }
        "it is there, but the interpreter that its first line (#!) names, or the loader that it needs, is not".into()
    }

    fn judge(&self, ended: Ended) -> Result<Option<Bytes>, Failure> {
        match ended.failure(&self.name) {
            Some(failure) => Err(failure),
            None => Ok(self.output_max.map(|_| Bytes::from(ended.stdout))),
        }
    }
}

fn unstarted(reason: &str) -> Failure {
    Failure::retryable(reason).with_label(Label::lossy("exec.start"))
}

/// An argument or a variable cannot hold a NUL byte.
fn checked(value: String) -> Result<String, Failure> {
    if value.contains('\0') {
        return Err(failure(
            "a value holds a NUL byte, which no argument can".into(),
        ));
    }
    Ok(value)
}

/// Whether a rendered argument begins with a text that its author wrote, and that is more than the
/// mark of an option.
fn begins_as_written(argument: &Template, rendered: &str) -> bool {
    let written = argument.source();
    let fixed = written.split('{').next().unwrap_or_default();
    argument.is_literal() || (rendered.starts_with(fixed) && !fixed.trim_matches('-').is_empty())
}

/// Refuses a value of a message where a program may take it for an option, a file or code.
fn refuse_value(document: &Document, value: &Node) -> Result<(), ConfigError> {
    if !value.as_text().is_some_and(has_placeholder) {
        return Ok(());
    }
    let message = "no message may choose what a program does: a value in command or env may be taken for an option, a file or code";
    let hint =
        "hand it over in vars (LONGSHORE_VAR_NAME) or on stdin, or say values_in_arguments = true";
    Err(document.error(&value.span, message).hint(hint))
}

/// The values of the message, under names that no program interprets.
fn variables(document: &Document, node: &Node, mistakes: &mut Mistakes) -> Vec<(String, Template)> {
    let mut vars: Vec<(String, Template)> = Vec::new();
    for (name, span, value) in node.get("vars").map(Node::entries).unwrap_or_default() {
        let is_word = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if name.is_empty() || !is_word {
            let message = format!("{} is not a name of letters, digits and _", shown(name));
            mistakes.0.push(document.error(span, message));
            continue;
        }
        let variable = format!("LONGSHORE_VAR_{}", name.to_ascii_uppercase());
        if vars.iter().any(|(other, _)| *other == variable) {
            let message = format!("{variable} is named twice");
            mistakes.0.push(document.error(span, message));
        }
        let value = mistakes.keep(Template::of(document, value, Flavour::Plain));
        vars.extend(value.map(|value| (variable, value)));
    }
    vars
}

/// Refuses a program that a message could choose.
fn check_command(
    document: &Document,
    command: &[Node],
    written: &[&str],
) -> Result<(), ConfigError> {
    let (Some(first), Some(name)) = (command.first(), written.first()) else {
        return Ok(());
    };
    if name.is_empty() {
        return Err(document.error(&first.span, "the program has no name"));
    }
    if has_placeholder(name) {
        let message = "the program itself cannot be a template: no message may choose what runs";
        return Err(document.error(&first.span, message));
    }
    if let Some(part) = written.iter().position(|part| part.contains('\0')) {
        let span = command.get(part).map_or(&first.span, |node| &node.span);
        return Err(document.error(span, "an argument cannot hold a NUL byte"));
    }
    Ok(())
}

fn environment(
    document: &Document,
    node: &Node,
    mistakes: &mut Mistakes,
) -> Vec<(String, Template)> {
    let mut env = Vec::new();
    for (name, span, value) in node.get("env").map(Node::entries).unwrap_or_default() {
        if name.is_empty() || name.contains(['=', '\0']) {
            let message = format!("{} is not the name of a variable", shown(name));
            mistakes.0.push(document.error(span, message));
        }
        if name.starts_with("LONGSHORE_") {
            let message = "names with LONGSHORE_ are set by the worker";
            mistakes.0.push(document.error(span, message));
        }
        let value = mistakes.keep(Template::of(document, value, Flavour::Plain));
        env.extend(value.map(|value| (name.to_owned(), value)));
    }
    env
}

fn inherited() -> Vec<(OsString, OsString)> {
    std::env::vars_os()
        .filter(|(name, _)| {
            let name = name.to_string_lossy();
            INHERITED.contains(&&*name) || name.starts_with("LC_")
        })
        .collect()
}

impl fmt::Display for ExecStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exec {}", self.name)?;
        for argument in &self.arguments {
            write!(f, " {}", argument.written())?;
        }
        Ok(())
    }
}
