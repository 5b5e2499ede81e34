//! What a step is given.

use std::collections::BTreeMap;

use bytes::Bytes;
use longshore_core::RouteName;

use super::Clients;
use crate::routes::template::Data;
use crate::{Connection, JobContext};

/// What all steps of a run share.
#[derive(Debug)]
pub(in crate::routes) struct Services {
    /// The named stores.
    pub(in crate::routes) stores: BTreeMap<String, Connection>,
    pub(in crate::routes) clients: Clients,
}

/// What a step works on.
#[derive(Debug)]
pub(in crate::routes) struct Input<'a> {
    pub(in crate::routes) job: &'a JobContext,
    pub(in crate::routes) route: &'a RouteName,
    /// Which step of the route this is, from 0.
    pub(in crate::routes) index: usize,
    /// The current body.
    pub(in crate::routes) body: &'a Bytes,
    pub(in crate::routes) data: Data<'a>,
    pub(in crate::routes) services: &'a Services,
}
