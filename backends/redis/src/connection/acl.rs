//! Which right a user lacks. The server says only that a script was denied something.

use longshore_core::{StoreError, StoreErrorKind};
use redis::{Cmd, Value, cmd};

use crate::connection::reply::Reply;
use crate::scripts::Script;

const TEXT: &str = include_str!("../scripts/denied.lua");

/// The call that asks which commands of a script the user may not call. It changes nothing and
/// wants no right but that to run scripts.
pub(crate) fn question(script: &Script, key: Option<&String>, channel: &str) -> Cmd {
    let mut ask = cmd("EVAL");
    ask.arg(TEXT).arg(1).arg(key).arg(channel);
    for command in script.commands() {
        ask.arg(command);
    }
    ask
}

/// Names the keys or the command where the server refused a plain command.
pub(crate) fn of_command(operation: &'static str, error: StoreError, prefix: &str) -> StoreError {
    if error.kind() != StoreErrorKind::Denied {
        return error;
    }
    let text = error.to_string();
    // Servers of different ages put it differently.
    if text.contains("the keys") || text.contains("access a key") {
        return named(operation, None, prefix).unwrap_or(error);
    }
    match refused_command(&text) {
        Some(command) => lacks(operation, &format!("+{command}")),
        None => error,
    }
}

/// The command that the server's words name as refused.
fn refused_command(text: &str) -> Option<String> {
    let name = text.split("to run the '").nth(1)?.split('\'').next()?;
    Some(name.replace(|c: char| !c.is_ascii_alphanumeric() && c != '|', ""))
}

/// The sentence where the server refused even the question, in these words.
pub(crate) fn of_question(
    operation: &'static str,
    refusal: &str,
    prefix: &str,
) -> Option<StoreError> {
    if refused_command(refusal).is_some() {
        return Some(lacks(
            operation,
            "+eval +evalsha +script|load, to run scripts at all",
        ));
    }
    named(operation, None, prefix)
}

fn lacks(operation: &'static str, rights: &str) -> StoreError {
    let said =
        format!("the user lacks {rights}; docs/redis.md has the whole ACL line of each user");
    StoreError::new(StoreErrorKind::Denied, operation, said).effect_unknown()
}

/// The sentence about an answer; without one the user may not use the key at all.
pub(crate) fn named(
    operation: &'static str,
    answer: Option<Value>,
    prefix: &str,
) -> Option<StoreError> {
    let rights = match answer {
        None => format!("the keys ~{{{prefix}/* and ~{{{prefix}}}:*"),
        Some(answer) => {
            let names = Reply::new(operation, answer).list().ok()?;
            let names: Vec<String> = names
                .into_iter()
                .filter_map(|name| Some(format!("+{}", name.text().ok()?)))
                .collect();
            if names.is_empty() {
                return None;
            }
            format!("{} on the keys ~{{{prefix}/*", names.join(" "))
        }
    };
    Some(lacks(operation, &rights))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_names_command_and_keys() {
        let answer = Value::Array(vec![
            Value::BulkString(b"xdel".to_vec()),
            Value::BulkString(b"zrem".to_vec()),
        ]);
        let error = named("settle", Some(answer), "shop").unwrap().to_string();
        assert!(
            error.contains("+xdel +zrem on the keys ~{shop/*"),
            "{error}"
        );
        let error = named("settle", None, "shop").unwrap().to_string();
        assert!(error.contains("~{shop/* and ~{shop}:*"), "{error}");
        assert!(named("settle", Some(Value::Array(Vec::new())), "shop").is_none());
    }

    #[test]
    fn a_refused_command_is_named() {
        let refusal = "NOPERM: this user has no permissions to run the 'config|get' command";
        let error = StoreError::new(StoreErrorKind::Denied, "check", refusal);
        let said = of_command("check", error, "shop").to_string();
        assert!(said.contains("lacks +config|get;"), "{said}");
        let said = of_question("enqueue", refusal, "shop").unwrap().to_string();
        assert!(said.contains("+evalsha"), "{said}");
        let refusal = "NOPERM: no permissions to access one of the keys used as arguments";
        let said = of_question("enqueue", refusal, "shop").unwrap().to_string();
        assert!(said.contains("~{shop/*"), "{said}");
    }

    #[test]
    fn scripts_tell_their_commands() {
        let commands = crate::scripts::ACK.commands();
        assert!(commands.contains("xdel") && commands.contains("hincrby"));
        assert!(
            commands
                .iter()
                .all(|name| name.chars().all(char::is_alphanumeric))
        );
    }
}
