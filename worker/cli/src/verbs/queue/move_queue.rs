//! `move`: all messages of a queue to another queue or store.

use longshore::Connection;
use longshore::core::QueueStats;
use longshore::transfer::{self, Broken, Ended, Moved, Place, Progress as Step};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::args::MoveArgs;
use crate::confirm::confirm;
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::output::{Stdout, counted, note};
use crate::progress::Progress;
use crate::session::{Session, existing, open};
use crate::settings::StoreSetting;
use crate::signals::Signals;

/// What is printed of it.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    from: &'a str,
    to: &'a str,
    moved: u64,
    dead: u64,
    leased: u64,
    dry_run: bool,
}

pub(in crate::verbs) async fn perform(args: MoveArgs, session: &Session) -> Result<Exit> {
    let connection = session.open().await?;
    let from = place(&connection, &args.from);
    let stats = existing(&from.backend, &args.from).await?;
    if args.dry_run {
        return print(&args, Moved::of(&stats), session);
    }
    let other = match &args.to_store {
        Some(url) => Some(open(&StoreSetting::parse("--to-store", url)?, true).await?),
        None => None,
    };
    let target = other.as_ref().unwrap_or(&connection);
    if args.from == args.to && target.url() == connection.url() {
        return Err(CliError::usage(
            "FROM and TO are the same queue of the same store; name another one",
        ));
    }
    let destination = match &other {
        Some(other) => format!("{} of {}", args.to, other.url()),
        None => args.to.to_string(),
    };
    let question = format!(
        "move {} from queue \"{}\" to {destination}",
        counted(stats.live() + stats.dead, "message"),
        args.from
    );
    confirm(args.yes, &question)?;
    let to = place(target, &args.to);
    transfer::begin(&from, destination, connection.clock().now()).await?;
    let moved = follow(&from, &to, &stats, session).await?;
    print(&args, moved, session)
}

fn place(connection: &Connection, queue: &longshore::core::QueueName) -> Place {
    Place::new(connection.backend().clone(), queue.clone())
}

/// Runs the move to its end. A signal stops it between two rounds and lifts the mark, so that
/// what is still here is handed out here again.
async fn follow(from: &Place, to: &Place, stats: &QueueStats, session: &Session) -> Result<Moved> {
    let mut signals = Signals::listen()?;
    let stop = CancellationToken::new();
    let progress = Progress::new(session.quiet(), "moved", Some(stats.live() + stats.dead));
    let mut moved = Moved::default();
    let mut exit = Exit::Done;
    let ended = {
        let mut told = false;
        let run = transfer::run(from, to, &stop, &mut moved, |step| match step {
            Step::Went(went) => progress.advance(went),
            Step::Waits(leased) if !told => {
                told = true;
                let left = counted(leased, "message");
                note(
                    session.quiet(),
                    format_args!(
                        "still in the hands of workers: {left} of \"{}\"; each follows when it is settled or its lease ends",
                        from.queue
                    ),
                );
            }
            _ => {}
        });
        tokio::pin!(run);
        loop {
            tokio::select! {
                ended = &mut run => break ended.map_err(Some),
                signal = signals.next() => {
                    if stop.is_cancelled() || signal == Exit::Quit {
                        exit = signal;
                        break Err(None);
                    }
                    exit = signal;
                    stop.cancel();
                }
            }
        }
    };
    drop(progress);
    conclude((from, to), moved, ended, exit, session.quiet()).await
}

/// How a move ended: `None` is that a second signal broke it off.
type Followed = std::result::Result<Ended, Option<Broken>>;

/// Lifts the mark, unless something may be in both places, and says what came of it.
async fn conclude(
    (from, to): (&Place, &Place),
    moved: Moved,
    ended: Followed,
    exit: Exit,
    quiet: bool,
) -> Result<Moved> {
    let so_far = counted(moved.messages, "message");
    match ended {
        Ok(Ended::Emptied) => {
            carry(from, to, quiet).await.map_err(|error| {
                error.and_so_far(format!(
                    "{so_far} moved before it; the progress of the files that feed the queue did \
                     not, so that the same command must end well before they are fed there"
                ))
            })?;
            transfer::end(from).await?;
            Ok(moved)
        }
        Ok(Ended::Stopped) => {
            transfer::end(from).await?;
            Err(CliError::new(
                exit,
                format!("the move was stopped after {so_far}; the same command goes on"),
            ))
        }
        Err(None) => Err(CliError::new(
            exit,
            format!(
                "the move was broken off after {so_far}; a group or a message may be in both \
                 places, so nothing of \"{}\" is handed out until the same command has ended well",
                from.queue
            ),
        )),
        Err(Some(Broken {
            error, both: false, ..
        })) => {
            // The first error says more than one of lifting the mark would.
            let lifted = transfer::end(from).await.is_ok();
            let hint = if lifted {
                ""
            } else {
                ", and lifts the mark that stops hand-outs"
            };
            Err(CliError::from(error).and_so_far(format!(
                "{so_far} moved before it; the same command goes on{hint}"
            )))
        }
        Err(Some(Broken {
            error, both: true, ..
        })) => Err(CliError::from(error).and_so_far(format!(
            "{so_far} moved before it, some may be in both places; nothing of \"{}\" is handed \
             out until the same command has ended well",
            from.queue
        ))),
    }
}

/// Takes along how far the files that feed the queue were read, so that they are not fed again.
async fn carry(from: &Place, to: &Place, quiet: bool) -> Result<()> {
    let carried =
        longshore_routes::carry_progress((&from.backend, &from.queue), (&to.backend, &to.queue));
    let carried = carried.await?;
    if carried.files > 0 {
        let files = counted(carried.files, "file");
        note(quiet, format_args!("the progress of {files} went along"));
    }
    if carried.fed > 0 {
        return Err(CliError::new(
            Exit::TryAgain,
            format!("a worker feeds \"{}\" there already; stop it", to.queue),
        ));
    }
    Ok(())
}

fn print(args: &MoveArgs, moved: Moved, session: &Session) -> Result<Exit> {
    if session.json() {
        Stdout::json(&Answer {
            from: args.from.as_str(),
            to: args.to.as_str(),
            moved: moved.messages,
            dead: moved.dead,
            leased: moved.leased,
            dry_run: args.dry_run,
        })?;
    } else {
        let verb = if args.dry_run {
            "would be moved"
        } else {
            "moved"
        };
        Stdout::text(&format!(
            "{} {verb}, {} of them dead",
            counted(moved.messages, "message"),
            moved.dead
        ))?;
    }
    Ok(Exit::Done)
}
