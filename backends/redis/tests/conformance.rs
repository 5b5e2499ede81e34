//! The conformance suite on a real redis-server, which this starts and stops.

#[expect(dead_code, reason = "the suite needs no more than a server that runs")]
#[path = "redis/servers/single.rs"]
mod single;

use std::process::ExitCode;
use std::sync::Arc;

use async_trait::async_trait;
use longshore_conformance::{Harness, Missing, Subject, same_time};
use longshore_core::{Backend, Clock, ManualClock, NewMessage, OpenOptions, QueueName};
use longshore_memory::MemoryStore;
use single::Server;

struct Redis(Server);

#[async_trait]
impl Harness for Redis {
    fn name(&self) -> &'static str {
        "redis"
    }

    async fn open(&self, clock: Arc<ManualClock>) -> Box<dyn Subject> {
        // Stores with different prefixes see nothing of each other.
        let prefix = format!("t{:x}", fastrand::u64(..));
        let url = self.0.url(&format!("prefix={prefix}"));
        let store = opened(&url, clock.clone()).await;
        Box::new(Opened {
            url,
            prefix,
            store,
            clock,
        })
    }

    fn model(&self, clock: Arc<ManualClock>) -> Backend {
        Backend::of(Arc::new(MemoryStore::new(clock)))
    }

    fn property_cases(&self) -> u32 {
        32
    }
}

struct Opened {
    url: String,
    prefix: String,
    store: Backend,
    clock: Arc<ManualClock>,
}

async fn opened(url: &str, clock: Arc<dyn Clock>) -> Backend {
    let mut options = OpenOptions::default();
    options.clock = Some(clock);
    let url = url.parse().expect("a URL");
    Backend::of(longshore_redis::open(&url, options).await.expect("open"))
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
        let address = self.url.split('?').next().unwrap_or_default();
        let client = redis::Client::open(address).expect("a client");
        let mut connection = client
            .get_multiplexed_async_connection()
            .await
            .expect("connect");
        let key = |name: &str| format!("{{{}/{queue}#0}}:{name}", self.prefix);
        let script = redis::Script::new(include_str!("redis/servers/plant.lua"));
        let mut call = script.prepare_invoke();
        for name in ["s0", "s1", "s2", "b"] {
            call.key(key(name));
        }
        call.arg(&new.id.as_uuid().as_bytes()[..])
            .arg(head)
            .arg(body);
        let replaced: u32 = call.invoke_async(&mut connection).await.expect("plant");
        assert_eq!(replaced, 1);
    }
}

fn main() -> ExitCode {
    let harness = Server::start(&[]).map(|server| Arc::new(Redis(server)) as Arc<dyn Harness>);
    longshore_conformance::main(vec![harness.map_err(|why| Missing { name: "redis", why })])
}
