//! What is planned for which call.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use longshore_core::{Result, StoreError, StoreErrorKind};
use tokio::sync::Notify;

use super::{Call, Gate};

/// What happens to a call.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It is not made, and fails with this kind: the effect is `NotApplied`.
    Refuse(StoreErrorKind),
    /// It is made, its answer is lost, and it fails with this kind: the effect is `Unknown`.
    LoseAnswer(StoreErrorKind),
    /// It waits at the gate before it is made.
    HoldBefore(Gate),
    /// It is made and waits at the gate before it answers.
    HoldAfter(Gate),
    /// It is not made: the store's code panics.
    Panic,
}

/// Plans faults and counts calls. Cloning shares the plan.
#[derive(Clone, Debug, Default)]
pub struct FaultControl(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    plans: Mutex<HashMap<Call, Plan>>,
    called: Notify,
}

#[derive(Debug, Default)]
struct Plan {
    calls: u64,
    at: BTreeMap<u64, Fault>,
    always: Option<Fault>,
}

impl FaultControl {
    /// Plans a fault for the n-th call from now; 1 is the next one.
    pub fn at(&self, call: Call, nth: u64, fault: Fault) {
        let mut plans = self.plans();
        let plan = plans.entry(call).or_default();
        plan.at.insert(plan.calls + nth, fault);
    }

    /// Plans a fault for every call from now on that has none of its own.
    pub fn always(&self, call: Call, fault: Fault) {
        self.plans().entry(call).or_default().always = Some(fault);
    }

    /// Plans a fault for every call of every method: the store is away.
    pub fn everything(&self, fault: &Fault) {
        for call in Call::ALL {
            self.always(*call, fault.clone());
        }
    }

    /// Plans nothing any more: the store is back. Calls are still counted, and calls that are
    /// held stay held until their gate opens.
    pub fn clear(&self) {
        for plan in self.plans().values_mut() {
            plan.at.clear();
            plan.always = None;
        }
    }

    /// Holds the n-th call from now before it is made; it goes on when the gate is opened.
    pub fn hold_before(&self, call: Call, nth: u64) -> Gate {
        let gate = Gate::closed();
        self.at(call, nth, Fault::HoldBefore(gate.clone()));
        gate
    }

    /// Holds the answer of the n-th call from now until the gate is opened.
    pub fn hold_after(&self, call: Call, nth: u64) -> Gate {
        let gate = Gate::closed();
        self.at(call, nth, Fault::HoldAfter(gate.clone()));
        gate
    }

    /// How many calls of a method have begun.
    pub fn calls(&self, call: Call) -> u64 {
        self.plans().get(&call).map_or(0, |plan| plan.calls)
    }

    /// Waits until so many calls of a method have begun since the wrapping.
    pub async fn reached(&self, call: Call, calls: u64) {
        loop {
            let mut called = std::pin::pin!(self.0.called.notified());
            called.as_mut().enable();
            if self.calls(call) >= calls {
                return;
            }
            called.await;
        }
    }

    /// Makes a call, or lets it meet what was planned for it.
    pub(super) async fn run<T>(
        &self,
        call: Call,
        made: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        match self.begin(call) {
            None => made.await,
            Some(Fault::Refuse(kind)) => Err(StoreError::new(
                kind,
                call.name(),
                "a test refused the call before it was made",
            )),
            Some(Fault::Panic) => panic!("a test made the store panic in {}", call.name()),
            Some(Fault::LoseAnswer(kind)) => {
                made.await?;
                let lost = "a test lost the answer of the call";
                Err(StoreError::new(kind, call.name(), lost).effect_unknown())
            }
            Some(Fault::HoldBefore(gate)) => {
                gate.pass().await;
                made.await
            }
            Some(Fault::HoldAfter(gate)) => {
                let answer = made.await;
                gate.pass().await;
                answer
            }
        }
    }

    /// Counts a call and finds its fault.
    fn begin(&self, call: Call) -> Option<Fault> {
        let fault = {
            let mut plans = self.plans();
            let plan = plans.entry(call).or_default();
            plan.calls += 1;
            let own = plan.at.remove(&plan.calls);
            own.or_else(|| plan.always.clone())
        };
        self.0.called.notify_waiters();
        fault
    }

    fn plans(&self) -> MutexGuard<'_, HashMap<Call, Plan>> {
        self.0.plans.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
