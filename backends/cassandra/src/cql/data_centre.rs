//! The data centre whose nodes are asked: its name, its nodes, and how many copies of everything
//! they keep.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use longshore_core::{Result, StoreError, StoreErrorKind};
use scylla::cluster::Node;
use scylla::cluster::metadata::Strategy;
use tokio::time::sleep;

use crate::config::{Config, misconfigured};
use crate::cql::driver::Driver;

/// With so many copies one node may be away.
pub(crate) const COPIES: usize = 3;

/// How often it is looked for nodes before a keyspace gets fewer copies than it should.
const LOOKS: usize = 12;

/// How long between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// A data centre as the driver sees it.
#[derive(Clone, Debug)]
pub(crate) struct DataCentre {
    pub(crate) name: String,
    /// How many nodes it has.
    pub(crate) nodes: usize,
    /// The one that everybody asks who changes tables: it sees to it that no two do the same.
    pub(crate) first: Option<Arc<Node>>,
}

impl DataCentre {
    /// The one that the URL names, or the only one.
    pub(crate) fn of(driver: &Driver, config: &Config) -> Result<Self> {
        let state = driver.cluster();
        let nodes = state.get_nodes_info();
        let centres = nodes.iter().filter_map(|node| node.datacenter.as_deref());
        let known: BTreeSet<_> = centres.collect();
        if known.is_empty() {
            return Err(StoreError::new(
                StoreErrorKind::Unavailable,
                "open",
                "the server that was asked first did not say in time which nodes there are; it \
                 may be overloaded, try again",
            ));
        }
        let name = name_of(config, &known)?;
        let here = nodes.iter();
        let here = here.filter(|node| node.datacenter.as_deref() == Some(&name));
        let first = here.filter(|node| node.is_connected());
        Ok(Self {
            nodes: nodes_of(driver, &name),
            first: first.min_by_key(|node| node.host_id).cloned(),
            name: name.clone(),
        })
    }

    /// How many copies it keeps of a keyspace; `None` if the driver does not know.
    pub(crate) fn copies(&self, driver: &Driver, keyspace: &str) -> Option<usize> {
        copies_in(driver, keyspace, &self.name)
    }

    /// Refuses a keyspace that one broken disk would take messages from, unless the URL says so.
    pub(crate) fn check_copies(&self, driver: &Driver, config: &Config) -> Result<()> {
        let (keyspace, dc) = (&config.keyspace, &self.name);
        match self.copies(driver, keyspace) {
            Some(0) => Err(misconfigured(format!(
                "keyspace {keyspace} has no copies in data centre {dc}; add the data centre to \
                 its replication, or say with dc which one to ask"
            ))),
            Some(1) if config.copies.here(dc) != Some(1) => Err(self.single(keyspace)),
            _ => Ok(()),
        }
    }

    /// How many copies a keyspace gets that is created here. Nodes that have just started are
    /// waited for: they know of each other some seconds later.
    pub(crate) async fn copies_of_new(&self, driver: &Driver, config: &Config) -> Result<usize> {
        let name = &self.name;
        let told = config.copies.here(name);
        let wanted = told.unwrap_or(COPIES);
        let mut nodes = self.nodes;
        for _ in 0..LOOKS {
            if nodes >= wanted {
                break;
            }
            sleep(LOOK_EVERY).await;
            // One that fails is made good by the next.
            let _ = driver.refresh().await;
            nodes = nodes_of(driver, name);
        }
        let copies = told.unwrap_or_else(|| nodes.clamp(1, COPIES));
        if copies > nodes {
            return Err(misconfigured(format!(
                "rf={copies} asks for more copies than data centre {name} has nodes: {nodes}"
            )));
        }
        if copies == 1 && told != Some(1) {
            return Err(self.single(&config.keyspace));
        }
        if copies < COPIES && told.is_none() {
            tracing::warn!(copies, "with fewer than three copies no node may be away");
        }
        Ok(copies)
    }

    /// The same for the other data centres that the URL names.
    pub(crate) fn copies_of_others(
        &self,
        driver: &Driver,
        config: &Config,
    ) -> Result<Vec<(String, usize)>> {
        let others = config.copies.others(&self.name);
        let checked = others.map(|(dc, copies)| {
            let nodes = nodes_of(driver, dc);
            if copies > nodes {
                return Err(misconfigured(format!(
                    "rf={dc}:{copies} asks for more copies than data centre {dc} has nodes: {nodes}"
                )));
            }
            Ok((dc.to_owned(), copies))
        });
        checked.collect()
    }

    fn single(&self, keyspace: &str) -> StoreError {
        let dc = &self.name;
        misconfigured(format!(
            "data centre {dc} keeps a single copy of keyspace {keyspace}: one broken disk takes \
             messages with it; use three nodes and three copies, or add rf=1 to the URL where \
             that may be"
        ))
    }
}

/// Refuses a keyspace that has other copies than the URL names for each data centre: nothing
/// changes them here.
pub(crate) fn check_named(driver: &Driver, config: &Config) -> Result<()> {
    let keyspace = &config.keyspace;
    for (dc, wanted) in config.copies.named() {
        let has = copies_in(driver, keyspace, dc);
        if has.is_some_and(|has| has != wanted) {
            let has = has.unwrap_or_default();
            return Err(misconfigured(format!(
                "keyspace {keyspace} keeps {has} copies in data centre {dc}, and rf names \
                 {wanted}; change it with ALTER KEYSPACE and repair it, or leave {dc} out"
            )));
        }
    }
    Ok(())
}

/// How many copies a data centre keeps of a keyspace; `None` if the driver does not know.
fn copies_in(driver: &Driver, keyspace: &str, dc: &str) -> Option<usize> {
    let state = driver.cluster();
    match &state.get_keyspace(keyspace)?.strategy {
        Strategy::NetworkTopologyStrategy {
            datacenter_repfactors,
        } => Some(datacenter_repfactors.get(dc).copied().unwrap_or(0)),
        Strategy::SimpleStrategy { replication_factor } => Some(*replication_factor),
        _ => None,
    }
}

/// How many nodes of a data centre the driver knows.
fn nodes_of(driver: &Driver, dc: &str) -> usize {
    let state = driver.cluster();
    let here = state.get_nodes_info().iter();
    here.filter(|node| node.datacenter.as_deref() == Some(dc))
        .count()
}

fn name_of(config: &Config, known: &BTreeSet<&str>) -> Result<String> {
    let listed = || known.iter().copied().collect::<Vec<_>>().join(", ");
    match (&config.dc, known.len()) {
        (Some(dc), _) if !known.contains(dc.as_str()) => Err(misconfigured(format!(
            "the cluster has no data centre of the name that dc gives; known: {}",
            listed()
        ))),
        (Some(dc), _) => Ok(dc.clone()),
        (None, 1) => Ok(listed()),
        (None, _) => Err(misconfigured(format!(
            "the cluster has several data centres; say with dc which one is here: {}",
            listed()
        ))),
    }
}
