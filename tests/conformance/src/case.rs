//! A named case.

use std::future::Future;
use std::pin::Pin;

use crate::Stage;

/// The future of a running case.
pub(crate) type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One rule, tried on one fresh store.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Topic and sentence, such as `settle::a_stale_ack_changes_nothing`.
    pub name: &'static str,
    /// The number of the rule in the contract; 0 for what the traits say beyond the rules.
    pub rule: u8,
    /// Tries it, and panics where the store breaks the rule.
    pub(crate) run: fn(Stage) -> Running,
}

/// The table of a topic: rule number, then the function that tries it.
macro_rules! cases {
    ($topic:literal; $($rule:literal $case:ident,)+) => {
        /// The cases of this topic.
        pub(crate) const CASES: &[crate::Case] = &[$(crate::Case {
            name: concat!($topic, "::", stringify!($case)),
            rule: $rule,
            run: |stage| Box::pin($case(stage)),
        }),+];
    };
}

pub(crate) use cases;
