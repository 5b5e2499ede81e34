//! What a step is given.

use std::collections::BTreeMap;

use bytes::Bytes;
use longshore_core::RouteName;

use crate::steps::Clients;
use crate::template::Data;
use longshore::{Aggregate, Connection, JobContext};

/// What all steps of a run share.
#[derive(Debug)]
pub(crate) struct Services {
    /// The named stores.
    pub(crate) stores: BTreeMap<String, Connection>,
    pub(crate) clients: Clients,
    /// The aggregates of the routes.
    pub(crate) aggregates: BTreeMap<String, Aggregate>,
}

/// What a step works on.
#[derive(Debug)]
pub(crate) struct Input<'a> {
    pub(crate) job: &'a JobContext,
    pub(crate) route: &'a RouteName,
    /// Which step of the route this is, from 0.
    pub(crate) index: usize,
    /// The current body.
    pub(crate) body: &'a Bytes,
    pub(crate) data: Data<'a>,
    pub(crate) services: &'a Services,
}
