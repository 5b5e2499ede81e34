//! The conformance suite on a real redis-server, which this starts and stops.

#[expect(dead_code, reason = "the suite needs no more than a server that runs")]
#[path = "redis/servers/single.rs"]
mod single;

use std::process::ExitCode;
use std::sync::{Arc, Weak};

use async_trait::async_trait;
use longshore_conformance::{Harness, Missing, Subject};
use longshore_core::{
    Backend, Clock, ManualClock, NewMessage, OpenOptions, QueueName, StepListener, Timestamp,
};
use longshore_memory::MemoryStore;
use single::Server;

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
        Backend::of(Arc::new(MemoryStore::new(clock)))
    }

    fn property_cases(&self) -> u32 {
        32
    }

    fn excluded(&self) -> &'static [(&'static str, &'static str)] {
        if self.partitions == 1 {
            return &[];
        }
        &PARTITIONED
    }
}

/// What a queue of several partitions does not promise: `limits().ordered` is false, and
/// `limits().depth` is per partition.
const PARTITIONED: [(&str, &str); 15] = [
    ("lanes::a_batch_is_filled_from_all_lanes", ORDER),
    ("lanes::a_released_message_keeps_its_lane", ORDER),
    (
        "lanes::higher_lanes_get_more_turns_and_low_always_some",
        ORDER,
    ),
    (
        "lanes::low_moves_within_sixteen_receives_of_a_full_high_lane",
        ORDER,
    ),
    ("lanes::within_a_lane_the_enqueue_order_holds", ORDER),
    ("groups::groups_do_not_hold_each_other_up", ORDER),
    ("dead_letters::every_reason_is_kept", ORDER),
    (
        "export_adopt::a_message_can_be_exported_into_the_queue_it_came_from",
        ORDER,
    ),
    (
        "cancellation::a_dropped_enqueue_stores_each_message_wholly_or_not",
        ORDER,
    ),
    ("limits::a_full_queue_refuses_the_whole_call", DEPTH),
    ("limits::a_queue_may_be_filled_to_its_limit", DEPTH),
    (
        "limits::leased_and_delayed_messages_count_for_the_depth",
        DEPTH,
    ),
    ("ids::the_first_message_stays_as_it_was", ID),
    ("dedup::a_duplicate_id_registers_no_key", ID),
    ("properties::random_histories_agree", ID),
];
const ORDER: &str = "no order between partitions";
const DEPTH: &str = "depth by partition";
const ID: &str = "an id is known with its group and dedup key";

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
    Backend::of(longshore_redis::open(&url, options).await.expect("open"))
}

/// The same time by another clock: handles with different clocks share nothing but the server,
/// as two processes do.
#[derive(Debug)]
struct SameTime(Arc<ManualClock>);

impl Clock for SameTime {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn on_step(&self, listener: Weak<dyn StepListener>) {
        self.0.on_step(listener);
    }
}

#[async_trait]
impl Subject for Opened {
    fn backend(&self) -> Backend {
        self.store.clone()
    }

    async fn reopen(&self) -> Backend {
        opened(&self.url, Arc::new(SameTime(self.clock.clone()))).await
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
        let script = redis::Script::new(include_str!("redis/servers/plant.lua"));
        let mut replaced = 0;
        for partition in 0..self.partitions {
            let mut call = script.prepare_invoke();
            for name in ["s0", "s1", "s2", "b"] {
                call.key(format!("{{{}/{queue}#{partition}}}:{name}", self.prefix));
            }
            call.arg(&new.id.as_uuid().as_bytes()[..])
                .arg(&head)
                .arg(&body);
            let here: u32 = call.invoke_async(&mut connection).await.expect("plant");
            replaced += here;
        }
        assert_eq!(replaced, 1);
    }
}

fn main() -> ExitCode {
    let harness = |name, partitions, server: &Result<Arc<Server>, String>| match server {
        Ok(server) => Ok(Arc::new(Redis {
            server: server.clone(),
            name,
            partitions,
        }) as Arc<dyn Harness>),
        Err(why) => Err(Missing {
            name,
            why: why.clone(),
        }),
    };
    let server = Server::start(&[]).map(Arc::new);
    longshore_conformance::main(vec![
        harness("redis", 1, &server),
        harness("redis_partitioned", 4, &server),
    ])
}
