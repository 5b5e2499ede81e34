//! A script and bare commands behind it, in one transaction.

use longshore_core::{Result, StoreErrorKind};
use redis::{Cmd, ErrorKind, Pipeline, RedisError, ServerError, Value};

use crate::connection::call::{Call, is_unknown_script};
use crate::connection::reply::Reply;
use crate::connection::session::Session;
use crate::error::failed;

/// A script and commands of the same slot. The server runs all of them with nothing in between, or
/// none where it refuses one of them for its form, the user's rights or its own state.
pub(crate) struct Transaction<'a> {
    call: &'a Call,
    pipeline: Pipeline,
}

/// How it ended.
enum Ended {
    /// The answer of the script.
    Done(Value),
    /// The commands have run; the server did not know the script.
    WithoutScript,
    /// Nothing has run.
    Refused(ServerError),
    /// Something has run.
    Failed(ServerError),
}

impl<'a> Transaction<'a> {
    /// Begins one with room for `count` commands behind the script.
    pub(crate) fn new(call: &'a Call, count: usize) -> Self {
        let mut pipeline = Pipeline::with_capacity(count + 3);
        pipeline.cmd("MULTI").add_command(call.command(false));
        Self { call, pipeline }
    }

    pub(crate) fn add(&mut self, command: Cmd) {
        self.pipeline.add_command(command);
    }
}

impl Session {
    /// Runs a transaction on the line of the scripts. Answers what its script answered; where the
    /// server did not know that, it is run behind the commands.
    ///
    /// The user's right to open one must have been tested: refused that, the server runs each
    /// command by itself.
    pub(crate) async fn run_transaction(&self, transaction: Transaction<'_>) -> Result<Reply> {
        let Transaction { call, mut pipeline } = transaction;
        pipeline.cmd("EXEC");
        let operation = call.operation;
        let answers = self.on_main(operation, &pipeline, call.first_key()).await?;
        match ended(answers).map_err(|error| failed(operation, error))? {
            Ended::Done(value) => Ok(Reply::new(operation, value)),
            Ended::WithoutScript => {
                let answer = self.run_text(call).await;
                // The commands behind it have run.
                answer.map_err(longshore_core::StoreError::effect_unknown)
            }
            Ended::Refused(error) => {
                let error = failed(operation, error.into());
                if error.kind() == StoreErrorKind::Denied {
                    return Err(self.named_denial(call, error).await);
                }
                Err(error)
            }
            Ended::Failed(error) => Err(failed(operation, error.into()).effect_unknown()),
        }
    }

    /// Whether the user may open a transaction. It changes nothing.
    pub(crate) async fn allows_transactions(
        &self,
        operation: &'static str,
        key: &str,
    ) -> Result<bool> {
        let mut pipeline = Pipeline::with_capacity(2);
        pipeline.cmd("MULTI").cmd("EXEC");
        let answers = self.on_main(operation, &pipeline, key).await?;
        Ok(!answers
            .iter()
            .any(|one| matches!(one, Value::ServerError(_))))
    }
}

/// Reads the answers to MULTI, to each command behind it, and to EXEC.
fn ended(mut answers: Vec<Value>) -> Result<Ended, RedisError> {
    let Some(last) = answers.pop() else {
        return Err(cut_off());
    };
    if matches!(answers.first(), Some(Value::ServerError(_)) | None) {
        // No transaction was opened: what came behind ran by itself.
        return Ok(first_error(answers).map_or(Ended::WithoutScript, Ended::Failed));
    }
    let results = match last {
        Value::Array(results) => results,
        Value::ServerError(aborted) => {
            return Ok(Ended::Refused(first_error(answers).unwrap_or(aborted)));
        }
        _ => return Err(cut_off()),
    };
    let mut results = results.into_iter();
    let script = results.next().ok_or_else(cut_off)?;
    if let Some(error) = first_error(results) {
        return Ok(Ended::Failed(error));
    }
    Ok(match script {
        Value::ServerError(error) if is_unknown_script(&error.clone().into()) => {
            Ended::WithoutScript
        }
        Value::ServerError(error) => Ended::Failed(error),
        value => Ended::Done(value),
    })
}

fn first_error(answers: impl IntoIterator<Item = Value>) -> Option<ServerError> {
    answers.into_iter().find_map(|one| match one {
        Value::ServerError(error) => Some(error),
        _ => None,
    })
}

fn cut_off() -> RedisError {
    RedisError::from((ErrorKind::Client, "a transaction answered too little"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: &str) -> Value {
        let error = redis::make_extension_error(code.to_owned(), None);
        Value::ServerError(error.try_into().unwrap())
    }

    fn queued() -> Value {
        Value::SimpleString("QUEUED".to_owned())
    }

    #[test]
    fn a_transaction_is_refused_whole_and_fails_in_parts() {
        let read = |answers| ended(answers).unwrap();
        let done = vec![
            Value::Okay,
            queued(),
            Value::Array(vec![Value::Int(1), Value::Int(2)]),
        ];
        assert!(matches!(read(done), Ended::Done(Value::Int(1))));
        let refused = vec![Value::Okay, queued(), refusal("OOM"), refusal("EXECABORT")];
        assert!(matches!(read(refused), Ended::Refused(error) if error.code() == "OOM"));
        let unknown = vec![
            Value::Okay,
            queued(),
            Value::Array(vec![refusal("NOSCRIPT"), Value::Int(2)]),
        ];
        assert!(matches!(read(unknown), Ended::WithoutScript));
        let broken = vec![
            Value::Okay,
            queued(),
            Value::Array(vec![Value::Int(1), refusal("WRONGTYPE")]),
        ];
        assert!(matches!(read(broken), Ended::Failed(_)));
        let unopened = vec![refusal("NOPERM"), Value::Int(1), refusal("ERR")];
        assert!(matches!(read(unopened), Ended::Failed(error) if error.code() == "NOPERM"));
        assert!(ended(Vec::new()).is_err());
    }
}
