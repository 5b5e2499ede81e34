//! `run`: the routes of route files.

mod former;
mod hints;
mod minutes;
mod open_files;
mod stop;
mod summary;

use std::collections::BTreeMap;
use std::sync::Arc;

use longshore::Connection;
use longshore::core::QueueName;
use longshore_routes::{RouteSet, RunFailure, Runner};
use tokio::task::JoinSet;

use self::minutes::Minutes;
use crate::admin::{self, Health, Metrics};
use crate::args::RunArgs;
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::progress::Progress;
use crate::session::{Session, open};
use crate::settings::StoreSetting;
use crate::{identity, route_files};

pub(super) async fn perform(args: RunArgs, session: &Session) -> Result<Exit> {
    open_files::check()?;
    let set = route_files::load(&args.file)?;
    let store = store(session, &set, &args)?;
    let listener = match args.admin {
        Some(address) => Some((admin::bind(address).await?, Metrics::install()?)),
        None => None,
    };
    let connection = session.open_for_work(&store).await?;
    former::check(&set, &args, &connection).await?;
    let mut runner = Runner::new(set.clone(), connection.clone())
        .stores(named_stores(&set, &args).await?)
        .only(args.route.clone())
        .until_idle(args.until_idle);
    if args.until_idle {
        let progress = Arc::new(Progress::new(session.quiet(), "acked", None));
        runner = runner.observe(move |now| progress.set(now.acked));
    }
    let ready = runner.prepare().await.map_err(failure)?;
    let stop = stop::Stop::listen()?;
    let mut tasks = JoinSet::new();
    if let Some((listener, metrics)) = listener {
        let health = Health::new(ready.handle(), connection.clone());
        tasks.spawn(metrics.clone().upkeep());
        tasks.spawn(report_queues(&set, connection.clone()));
        tasks.spawn(admin::serve(listener, metrics, health));
    }
    tell_supervisor(&[sd_notify::NotifyState::Ready]);
    tracing::info!(store = %store.url, files = ?args.file, "routes are running");
    let mut minutes = Minutes::new(ready.handle(), args.summary.0);
    let running = ready.run(stop.drain(), stop.now());
    tokio::pin!(running);
    let summary = loop {
        tokio::select! {
            ended = &mut running => break ended.map_err(failure)?,
            () = minutes.tell(), if !args.until_idle => {}
            Some(ended) = tasks.join_next() => {
                let why = ended.err().map(tracing::field::display);
                tracing::error!(why, "a part of the admin side ended; the routes go on");
            }
        }
    };
    summary::print(&summary, args.until_idle, session)?;
    if args.until_idle {
        hints::print(&set, &connection, &store, session).await;
    }
    summary::exit(&summary, stop.signal())
}

/// Keeps the gauges of the queues of these routes.
fn report_queues(set: &RouteSet, connection: Connection) -> impl Future<Output = ()> + use<> {
    let own = set.graph().routes.into_iter().map(|route| route.queue);
    let own = own.filter_map(|name| QueueName::new(name).ok()).collect();
    admin::report_queues(connection, identity::worker(), own)
}

/// The store of the routes: what is told wins over the `[store]` of the files, that over the
/// file of `--config`.
fn store(session: &Session, set: &RouteSet, args: &RunArgs) -> Result<StoreSetting> {
    match (StoreSetting::told(session.global())?, set.store_url()) {
        (Some(told), _) => Ok(told),
        (None, Some(url)) => Ok(StoreSetting::of_route_files(url, &args.file)),
        (None, None) => session.store(),
    }
}

/// The other stores that these routes forward to.
async fn named_stores(set: &RouteSet, args: &RunArgs) -> Result<BTreeMap<String, Connection>> {
    let mut stores = BTreeMap::new();
    for (name, url) in set.needed_stores(&args.route) {
        let setting = StoreSetting::new(url.clone(), format!("[stores.{name}]"));
        stores.insert(name.to_owned(), open(&setting, true).await?);
    }
    Ok(stores)
}

fn failure(failure: RunFailure) -> CliError {
    match failure {
        RunFailure::Store(error) => error.into(),
        RunFailure::Usage(sentence) => CliError::usage(sentence),
        RunFailure::Config(mistakes) => route_files::mistakes(mistakes),
        RunFailure::Build(error) => CliError::new(Exit::Misconfigured, error.to_string()),
        other => CliError::new(Exit::Failed, other.to_string()),
    }
}

/// Tells systemd, where it is the one that waits to be told.
fn tell_supervisor(states: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "the supervisor could not be told");
    }
}
