//! What routes inherit from the tables of the top level.

use std::collections::BTreeMap;

use longshore_core::{Clause, ErrorPolicy, PolicyChange};

use crate::load::read::Mark;

/// The policy, the named policies and the clauses of all routes.
#[derive(Default)]
pub(super) struct Inherited {
    pub(super) policy: ErrorPolicy,
    pub(super) policies: BTreeMap<String, PolicyChange>,
    pub(super) clauses: Vec<(Clause, Mark)>,
}
