//! Which right a user lacks. The server says only that a script was denied something.

use longshore_core::{StoreError, StoreErrorKind};
use redis::{Cmd, Value, cmd};

use crate::reply::Reply;
use crate::script::Script;

const TEXT: &str = include_str!("scripts/denied.lua");

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

/// Names the keys where the server refused a key of a plain command.
pub(crate) fn of_key(operation: &'static str, error: StoreError, prefix: &str) -> StoreError {
    let is_key = error.kind() == StoreErrorKind::Denied && error.to_string().contains("the keys");
    if !is_key {
        return error;
    }
    named(operation, None, prefix).unwrap_or(error)
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
    let said =
        format!("the user lacks {rights}; docs/redis.md has the whole ACL line of each user");
    Some(StoreError::new(StoreErrorKind::Denied, operation, said).effect_unknown())
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
    fn scripts_tell_their_commands() {
        let commands = crate::script::ACK.commands();
        assert!(commands.contains("xdel") && commands.contains("hincrby"));
        assert!(
            commands
                .iter()
                .all(|name| name.chars().all(char::is_alphanumeric))
        );
    }
}
