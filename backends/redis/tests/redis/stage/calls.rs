//! The calls.

use std::num::NonZeroU32;
use std::time::Duration;

use longshore_core::{
    Backend, Delivery, Disposition, Due, GroupName, IdOrigin, JobKind, MessageId, NewMessage,
    OpenOptions, QueueName, QueueStats, Receive, Result, Settled, Settlement,
};

use crate::servers::Server;

pub(crate) async fn try_open(url: &str) -> Result<Backend> {
    let url = url.parse().expect("a URL");
    longshore_redis::open(&url, OpenOptions::default())
        .await
        .map(longshore_redis::backend_of)
}

pub(crate) async fn open(url: &str) -> Backend {
    try_open(url).await.expect("open")
}

pub(crate) async fn opened(server: &Server) -> Backend {
    open(&server.url("")).await
}

pub(crate) fn queue() -> QueueName {
    QueueName::new("work").expect("a name")
}

fn new(body: &str, origin: IdOrigin) -> NewMessage {
    let id = MessageId::from_uuid(uuid::Uuid::now_v7());
    NewMessage::new(id, origin, JobKind::default(), body.to_owned())
}

pub(crate) fn fresh(bodies: &[&str]) -> Vec<NewMessage> {
    bodies
        .iter()
        .map(|body| new(body, IdOrigin::Fresh))
        .collect()
}

pub(crate) fn given(body: &str) -> NewMessage {
    new(body, IdOrigin::Given)
}

pub(crate) fn grouped(group: &str, body: &str) -> NewMessage {
    let mut message = new(body, IdOrigin::Fresh);
    message.group = Some(GroupName::new(group).expect("a group"));
    message
}

pub(crate) fn delayed(body: &str, delay: Duration) -> NewMessage {
    let mut message = new(body, IdOrigin::Fresh);
    message.due = Some(Due::In(delay));
    message
}

pub(crate) async fn try_take(store: &Backend, max: u32) -> Result<Vec<Delivery>> {
    take_for(store, max, Duration::from_secs(30), Duration::ZERO).await
}

pub(crate) async fn take_for(
    store: &Backend,
    max: u32,
    lease: Duration,
    wait_max: Duration,
) -> Result<Vec<Delivery>> {
    let request = Receive {
        batch_max: NonZeroU32::new(max).expect("a number"),
        lease,
        wait_max,
    };
    let received = store.queues.receive(&queue(), request).await?;
    Ok(received.deliveries)
}

pub(crate) async fn take(store: &Backend, max: u32) -> Vec<Delivery> {
    try_take(store, max).await.expect("receive")
}

pub(crate) async fn try_ack(store: &Backend, taken: &[Delivery]) -> Result<Vec<Settled>> {
    let batch: Vec<Settlement> = taken
        .iter()
        .map(|delivery| Settlement {
            receipt: delivery.receipt.clone(),
            disposition: Disposition::Ack,
        })
        .collect();
    store.queues.settle(&queue(), &batch).await
}

pub(crate) async fn ack(store: &Backend, taken: &[Delivery]) -> Vec<Settled> {
    try_ack(store, taken).await.expect("settle")
}

pub(crate) async fn stats(store: &Backend) -> QueueStats {
    store
        .admin
        .stats(&queue())
        .await
        .expect("stats")
        .expect("the queue exists")
}

pub(crate) fn bodies(taken: &[Delivery]) -> Vec<String> {
    let body = |one: &Delivery| String::from_utf8_lossy(&one.message.body).into_owned();
    taken.iter().map(body).collect()
}
