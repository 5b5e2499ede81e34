//! `receive`: leases a batch by hand, or works it with a program.

mod give_back;
mod keeper;
mod one;
mod program;
mod tally;
mod verdict;
mod work;

use longshore::Connection;
use longshore::core::{Delivery, QueueName, Receive};

use crate::args::ReceiveArgs;
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::output::{Stdout, escape};
use crate::session::{Session, existing};
use crate::shape::Delivered;

pub(super) async fn perform(args: ReceiveArgs, session: &Session) -> Result<Exit> {
    let connection = session.open().await?;
    let batch_max = connection.backend().queues.limits().batch_max;
    if args.max > batch_max {
        return Err(CliError::usage(format!(
            "--max {} is over the limit of the store, which is {batch_max}",
            args.max
        )));
    }
    existing(connection.backend(), &args.queue).await?;
    if args.command.is_empty() {
        let deliveries = lease(&connection, &args).await?;
        if deliveries.is_empty() {
            print(&args.queue, &deliveries, session)?;
            return none(&connection, &args, session).await;
        }
        let Err(error) = print(&args.queue, &deliveries, session) else {
            return Ok(Exit::Done);
        };
        // Nobody has the receipts: the messages must not wait for the end of their leases.
        let back = give_back::unread(&connection, &args.queue, deliveries).await;
        return Err(error.and_so_far(back));
    }
    work::perform(&connection, &args, session).await
}

/// Leases a batch.
async fn lease(connection: &Connection, args: &ReceiveArgs) -> Result<Vec<Delivery>> {
    let request = Receive {
        batch_max: args.max,
        lease: args.lease.0,
        wait_max: args.wait.0,
    };
    let received = connection
        .backend()
        .queues
        .receive(&args.queue, request)
        .await?;
    Ok(received.deliveries)
}

/// Says why there may have been nothing to receive.
async fn none(connection: &Connection, args: &ReceiveArgs, session: &Session) -> Result<Exit> {
    let queue = &args.queue;
    // Only a hint: the answer is that there was nothing, whether or not the numbers can be had.
    let stats = connection.backend().admin.stats(queue).await;
    let stats = stats.ok().flatten().unwrap_or_default();
    let why = if let Some(pause) = &stats.paused {
        let reason = match pause.reason.as_str() {
            "" => String::new(),
            reason => format!(" ({reason})"),
        };
        let author = &pause.author;
        format!(": it is paused by {author}{reason}, `longshore resume {queue}` ends that")
    } else if let Some(mark) = &stats.moving {
        format!(": it is being moved to {}", mark.to)
    } else {
        String::new()
    };
    session.note(format_args!("nothing to receive from {queue}{why}"));
    Ok(Exit::NothingMatched)
}

fn print(queue: &QueueName, deliveries: &[Delivery], session: &Session) -> Result<()> {
    if session.json() {
        let rows: Vec<Delivered<'_>> = deliveries
            .iter()
            .map(|delivery| Delivered::of(queue, delivery))
            .collect();
        return Stdout::json(&rows);
    }
    let mut stdout = Stdout::lock();
    for delivery in deliveries {
        stdout.line(&text(queue, delivery))?;
    }
    stdout.finish()
}

fn text(queue: &QueueName, delivery: &Delivery) -> String {
    let row = Delivered::of(queue, delivery);
    let mut lines = vec![
        format!(
            "{} {} attempt {}, leased until {}",
            row.id, row.kind, row.attempt, row.leased_until
        ),
        format!("  receipt {}", row.receipt),
    ];
    if let Some(group) = row.group {
        lines.push(format!("  group   {}", escape::line(group)));
    }
    for (name, value) in row.headers.iter() {
        lines.push(format!(
            "  header  {}: {}",
            escape::line(name),
            escape::line(value)
        ));
    }
    let body = match std::str::from_utf8(&delivery.message.body) {
        Ok(text) => escape::lines(text).replace('\n', "\n          "),
        Err(_) => format!(
            "({} bytes that are no text; --json prints them)",
            delivery.message.body.len()
        ),
    };
    lines.push(format!("  body    {body}"));
    lines.join("\n")
}
