//! A call of a script that is being put together.

use redis::{Cmd, RedisError, cmd};

use crate::scripts::Script;

/// A script with its keys and arguments.
pub(crate) struct Call {
    pub(crate) operation: &'static str,
    pub(super) script: &'static Script,
    keys: Vec<String>,
    args: Cmd,
}

impl Call {
    pub(crate) fn new(operation: &'static str, script: &'static Script, keys: Vec<String>) -> Self {
        Self {
            operation,
            script,
            keys,
            args: Cmd::new(),
        }
    }

    pub(crate) fn arg(&mut self, value: impl redis::ToRedisArgs) -> &mut Self {
        self.args.arg(value);
        self
    }

    /// Declares one more key.
    pub(crate) fn key(&mut self, key: String) -> &mut Self {
        self.keys.push(key);
        self
    }

    pub(super) fn keys(&self) -> &[String] {
        &self.keys
    }

    /// Some key of the slot it goes to.
    pub(crate) fn first_key(&self) -> &str {
        self.keys.first().map_or("", String::as_str)
    }

    /// The command; by the script's name in the cache, or with its whole text.
    pub(crate) fn command(&self, with_text: bool) -> Cmd {
        let mut command = if with_text {
            let mut command = cmd("EVAL");
            command.arg(self.script.source());
            command
        } else {
            let mut command = cmd("EVALSHA");
            command.arg(self.script.hash());
            command
        };
        command.arg(self.keys.len()).arg(&self.keys);
        for arg in self.args.args_iter() {
            if let redis::Arg::Simple(bytes) = arg {
                command.arg(bytes);
            }
        }
        command
    }
}

pub(crate) fn is_unknown_script(error: &RedisError) -> bool {
    error.code() == Some("NOSCRIPT") || error.kind() == redis::ServerErrorKind::NoScript.into()
}
