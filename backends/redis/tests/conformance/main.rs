//! The conformance suite on a real redis-server, which this starts and stops.

mod excluded;
mod plant;

use std::process::ExitCode;
use std::sync::Arc;

use async_trait::async_trait;
use longshore_conformance::{Harness, Missing, Subject, same_time};
use longshore_core::{Backend, Clock, ManualClock, NewMessage, OpenOptions, QueueName};
use longshore_memory::MemoryStore;
use longshore_redis_server::Server;

/// The store on one server, with so many partitions.
struct Redis {
    server: Arc<Server>,
    name: &'static str,
    partitions: u16,
}

#[async_trait]
impl Harness for Redis {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn open(&self, clock: Arc<ManualClock>) -> Box<dyn Subject> {
        // Stores with different prefixes see nothing of each other.
        let prefix = format!("t{:x}", fastrand::u64(..));
        let query = format!("prefix={prefix}&partitions={}", self.partitions);
        let url = self.server.url(&query);
        let store = opened(&url, clock.clone()).await;
        Box::new(Opened {
            url,
            prefix,
            partitions: self.partitions,
            store,
            clock,
        })
    }

    fn model(&self, clock: Arc<ManualClock>) -> Backend {
        Arc::new(MemoryStore::new(clock)).backend()
    }

    fn property_cases(&self) -> u32 {
        32
    }

    fn excluded(&self) -> &'static [(&'static str, &'static str)] {
        if self.partitions == 1 {
            return &[];
        }
        &excluded::PARTITIONED
    }
}

struct Opened {
    url: String,
    prefix: String,
    partitions: u16,
    store: Backend,
    clock: Arc<ManualClock>,
}

async fn opened(url: &str, clock: Arc<dyn Clock>) -> Backend {
    let mut options = OpenOptions::default();
    options.clock = Some(clock);
    let url = url.parse().expect("a URL");
    longshore_redis::backend_of(longshore_redis::open(&url, options).await.expect("open"))
}

#[async_trait]
impl Subject for Opened {
    fn backend(&self) -> Backend {
        self.store.clone()
    }

    async fn reopen(&self) -> Backend {
        opened(&self.url, same_time(&self.clock)).await
    }

    async fn plant(&self, queue: &QueueName, new: &NewMessage, head: Vec<u8>, body: Vec<u8>) {
        let stored = self.store.queues.enqueue(queue, std::slice::from_ref(new));
        stored.await.expect("enqueue");
        let partitions = (0..self.partitions).map(|partition| {
            let prefix = &self.prefix;
            format!("{{{prefix}/{queue}#{partition}}}")
        });
        let replaced = plant::replace(&self.url, partitions, new.id, &head, &body).await;
        assert_eq!(replaced, 1);
    }
}

fn main() -> ExitCode {
    let server = Server::start(&[]).map(Arc::new);
    let harness = |name, partitions| {
        let server = server.clone().map_err(|why| Missing { name, why })?;
        let harness = Redis {
            server,
            name,
            partitions,
        };
        Ok(Arc::new(harness) as Arc<dyn Harness>)
    };
    longshore_conformance::main(vec![harness("redis", 1), harness("redis_partitioned", 4)])
}
