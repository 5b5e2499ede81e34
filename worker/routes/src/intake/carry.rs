//! Carrying the progress of intakes to another store.

use std::num::NonZeroU32;

use bytes::Bytes;
use longshore_core::{
    Backend, Cursor, Label, LeaseName, NamedLease, Page, QueueName, Result, RouteName,
};

use crate::intake::held::{KEPT, LEASE};
use crate::intake::record::Record;
use crate::intake::{identity, names};

/// How many values are read at a time.
const PAGE: NonZeroU32 = NonZeroU32::new(200).expect("200 is not zero");

/// What was carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Carried {
    /// Files whose progress the other store has now.
    pub files: u64,
    /// Intakes that a running worker feeds from the other store: their progress was left alone.
    pub fed: u64,
}

/// Copies what a store remembers of the files that feed a route's queue to the queue of a route in
/// another store, or of another route, so that what was fed here is not fed there again. What the
/// other one remembers of a file stays where it tells of more. The route must not run here
/// meanwhile, or what it feeds after the copy is fed twice. Nothing is carried between queues that
/// no files feed.
///
/// # Errors
///
/// Those of the stores. To repeat the call changes nothing more.
pub async fn carry_progress(
    from: (&Backend, &QueueName),
    to: (&Backend, &QueueName),
) -> Result<Carried> {
    let mut carried = Carried::default();
    let routes = names::route_of(from.1).zip(names::route_of(to.1));
    let Some((from_route, to_route)) = routes else {
        return Ok(carried);
    };
    let shared = names::shared(&from_route).zip(names::shared(&to_route));
    let Some((here, there)) = shared else {
        return Ok(carried);
    };
    let hosts = hosts(from.0, &here).await?;
    carry_one((from.0, &here), (to.0, &there), &mut carried).await?;
    for host in hosts {
        let lists = names::of_host(&from_route, &host).zip(names::of_host(&to_route, &host));
        if let Some((here, there)) = lists {
            carry_one((from.0, &here), (to.0, &there), &mut carried).await?;
        }
    }
    Ok(carried)
}

/// How many files of the intake that this process would feed a store remembers, as far as `enough`:
/// those that all hosts share, or those of this host. What another host fed is none of its
/// business.
pub(crate) async fn remembers(
    backend: &Backend,
    route: &RouteName,
    shared: bool,
    enough: u64,
) -> Result<u64> {
    let host = names::host_of(&identity::scope(shared));
    let name = match &host {
        Some(host) => names::of_host(route, host),
        None => names::shared(route),
    };
    let Some(name) = name else {
        return Ok(0);
    };
    let mut files = 0;
    let mut pages = Pages::new(backend, &name);
    while files < enough
        && let Some(page) = pages.next().await?
    {
        let keys = page.iter().map(|(key, _)| key);
        files += keys.filter(|key| names::host_of_key(key).is_none()).count() as u64;
    }
    Ok(files)
}

/// Lists a host among those that feed a route. Answers whether it is listed now: not while another
/// host is being listed.
pub(super) async fn list_host(
    backend: &Backend,
    route: &RouteName,
    host: &Label,
    holder: &str,
) -> Result<bool> {
    let Some(name) = names::shared(route) else {
        return Ok(true);
    };
    let Some(lease) = backend.leases.acquire(&name, holder, LEASE).await? else {
        return Ok(false);
    };
    let entry = (names::key_of_host(host), Bytes::new());
    // For as long as what is saved later is kept, and some more.
    let saved = backend.progress.save(&lease, &[entry], KEPT * 12).await?;
    backend.leases.release(&lease).await?;
    Ok(saved)
}

async fn hosts(backend: &Backend, shared: &LeaseName) -> Result<Vec<Label>> {
    let mut hosts = Vec::new();
    let mut pages = Pages::new(backend, shared);
    while let Some(page) = pages.next().await? {
        hosts.extend(page.iter().filter_map(|(key, _)| names::host_of_key(key)));
    }
    hosts.sort_unstable();
    hosts.dedup();
    Ok(hosts)
}

/// Copies what is kept under one lease.
async fn carry_one(
    from: (&Backend, &LeaseName),
    to: (&Backend, &LeaseName),
    carried: &mut Carried,
) -> Result<()> {
    let mut pages = Pages::new(from.0, from.1);
    let mut lease: Option<NamedLease> = None;
    let holder = format!("move-{:016x}", fastrand::u64(..));
    while let Some(page) = pages.next().await? {
        if page.is_empty() {
            continue;
        }
        lease = match lease {
            None => to.0.leases.acquire(to.1, &holder, LEASE).await?,
            Some(held) => to.0.leases.renew(&held, LEASE).await?,
        };
        let Some(held) = &lease else {
            carried.fed += 1;
            return Ok(());
        };
        let mut entries = Vec::new();
        for (key, value) in page {
            let there = to.0.progress.load(to.1, &key).await?;
            if there.is_none_or(|there| tells_more(&value, &there)) {
                carried.files += u64::from(names::host_of_key(&key).is_none());
                entries.push((key, value));
            }
        }
        let batch_max = to.0.queues.limits().batch_max.get() as usize;
        for part in entries.chunks(batch_max) {
            if !to.0.progress.save(held, part, KEPT).await? {
                carried.fed += 1;
                return Ok(());
            }
        }
    }
    match lease {
        Some(held) => to.0.leases.release(&held).await,
        None => Ok(()),
    }
}

/// Whether a value is a record that tells of more than another one.
fn tells_more(value: &Bytes, there: &Bytes) -> bool {
    match (Record::from_stored(value), Record::from_stored(there)) {
        (Ok(here), Ok(there)) => here.is_ahead_of(&there),
        _ => false,
    }
}

/// The values under a lease, page by page.
struct Pages<'a> {
    backend: &'a Backend,
    name: &'a LeaseName,
    after: Option<Cursor>,
    ended: bool,
}

impl<'a> Pages<'a> {
    fn new(backend: &'a Backend, name: &'a LeaseName) -> Self {
        Self {
            backend,
            name,
            after: None,
            ended: false,
        }
    }

    /// The next page, perhaps an empty one; `None` behind the last.
    async fn next(&mut self) -> Result<Option<Vec<(String, Bytes)>>> {
        if self.ended {
            return Ok(None);
        }
        let progress = &self.backend.progress;
        let page = progress.list(self.name, self.after.as_ref(), PAGE).await?;
        let Page { items, next } = page;
        self.ended = next.is_none();
        self.after = next;
        Ok(Some(items))
    }
}
