//! A call on its way through the writer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use longshore_core::{Result, StoreError};
use tokio::sync::oneshot;

use crate::database::transaction::Tx;
use crate::error::{Fault, Outcome};

const QUEUED: u8 = 0;
const STARTED: u8 = 1;
const ABANDONED: u8 = 2;

/// Decides who is first: the writer that starts a call, or the caller that gives it up. Whatever
/// the caller gave up first is certainly never run.
#[derive(Debug, Default)]
pub(crate) struct Claim(AtomicU8);

impl Claim {
    fn start(&self) -> bool {
        let started = self
            .0
            .compare_exchange(QUEUED, STARTED, Ordering::AcqRel, Ordering::Acquire);
        started.is_ok()
    }

    /// Gives the call up. False if it was started: then its effect is unknown.
    pub(crate) fn abandon(&self) -> bool {
        let given_up =
            self.0
                .compare_exchange(QUEUED, ABANDONED, Ordering::AcqRel, Ordering::Acquire);
        given_up != Err(STARTED)
    }
}

/// A call that waits for the writer or for its commit.
pub(crate) struct Call {
    claim: Arc<Claim>,
    operation: &'static str,
    work: Box<dyn Work>,
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Call({})", self.operation)
    }
}

impl Call {
    /// A call, its claim, and where its answer arrives. `work` may run more than once: if its
    /// transaction was rolled back because of a neighbour it runs again alone.
    pub(crate) fn new<T, F>(
        operation: &'static str,
        work: F,
    ) -> (Self, Arc<Claim>, oneshot::Receiver<Result<T>>)
    where
        T: Send + 'static,
        F: FnMut(&Tx<'_>) -> Outcome<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let claim = Arc::new(Claim::default());
        let call = Self {
            claim: claim.clone(),
            operation,
            work: Box::new(Typed {
                work,
                value: None,
                reply,
            }),
        };
        (call, claim, answer)
    }

    /// Marks it as started; false if its caller gave it up.
    pub(crate) fn start(&self) -> bool {
        self.claim.start()
    }

    /// Which call it is.
    pub(crate) fn operation(&self) -> &'static str {
        self.operation
    }

    /// Does its work in a transaction.
    pub(crate) fn run(&mut self, tx: &Tx<'_>) -> Outcome<()> {
        self.work.run(tx)
    }

    /// Answers what the work gave: it is committed.
    pub(crate) fn done(self) {
        self.work.done();
    }

    /// Answers an error.
    pub(crate) fn failed(self, fault: Fault) {
        let error = fault.of(self.operation);
        self.work.failed(error);
    }
}

trait Work: Send {
    fn run(&mut self, tx: &Tx<'_>) -> Outcome<()>;
    fn done(self: Box<Self>);
    fn failed(self: Box<Self>, error: StoreError);
}

struct Typed<T, F> {
    work: F,
    value: Option<T>,
    reply: oneshot::Sender<Result<T>>,
}

impl<T, F> Work for Typed<T, F>
where
    T: Send,
    F: FnMut(&Tx<'_>) -> Outcome<T> + Send,
{
    fn run(&mut self, tx: &Tx<'_>) -> Outcome<()> {
        self.value = Some((self.work)(tx)?);
        Ok(())
    }

    fn done(self: Box<Self>) {
        if let Some(value) = self.value {
            // A caller that went away does not hear the answer; the effect stands.
            let _ = self.reply.send(Ok(value));
        }
    }

    fn failed(self: Box<Self>, error: StoreError) {
        let _ = self.reply.send(Err(error));
    }
}
