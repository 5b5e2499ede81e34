//! Every key name, in one place.

use longshore_core::{AggregateName, LeaseName, QueueName};

/// The names under one prefix.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    prefix: String,
}

/// Keys of a partition, in the order that the scripts take them.
const PARTITION: [&str; 19] = [
    "c", "s0", "s1", "s2", "l", "h", "e", "z", "b", "gw", "ga", "d", "di", "k", "kh", "o", "w",
    "nv", "p:",
];

/// Keys of an aggregate, in the order that the scripts take them.
const AGGREGATE: [&str; 12] = ["m", "r", "o", "n", "t", "e", "c", "w", "f", "x", "b", "k"];

impl Keys {
    pub(crate) fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
        }
    }

    /// What all keys begin with.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The pattern that exactly the keys under the prefix match.
    pub(crate) fn pattern(&self) -> String {
        format!("{{{}[/}}]*", self.prefix)
    }

    /// What all keys of a partition begin with. The braces put them into one slot of a cluster.
    fn tag(&self, queue: &QueueName, partition: u16) -> String {
        format!("{{{}/{queue}#{partition}}}", self.prefix)
    }

    /// All keys of a partition; the last is the prefix of the keys of large bodies.
    pub(crate) fn partition(&self, queue: &QueueName, partition: u16) -> Vec<String> {
        let tag = self.tag(queue, partition);
        PARTITION
            .iter()
            .map(|name| format!("{tag}:{name}"))
            .collect()
    }

    /// Some keys of a partition.
    pub(crate) fn some(&self, queue: &QueueName, partition: u16, names: &[&str]) -> Vec<String> {
        let tag = self.tag(queue, partition);
        names.iter().map(|name| format!("{tag}:{name}")).collect()
    }

    /// The stream of a lane.
    pub(crate) fn lane(&self, queue: &QueueName, partition: u16, lane: u8) -> String {
        format!("{}:s{lane}", self.tag(queue, partition))
    }

    /// The key of one large body.
    pub(crate) fn body(&self, queue: &QueueName, partition: u16, name: &str) -> String {
        format!("{}:p:{name}", self.tag(queue, partition))
    }

    /// What a producer stored last in a partition.
    pub(crate) fn producer(&self, queue: &QueueName, partition: u16, producer: &str) -> String {
        format!("{}:pr:{producer}", self.tag(queue, partition))
    }

    /// Settings of a queue: one hash, beside its first partition.
    pub(crate) fn settings(&self, queue: &QueueName) -> String {
        format!("{}:q", self.tag(queue, 0))
    }

    /// Some key of a partition, to find its slot by.
    pub(crate) fn any(&self, queue: &QueueName, partition: u16) -> String {
        format!("{}:c", self.tag(queue, partition))
    }

    /// The names of all queues: a sorted set, all scores 0.
    pub(crate) fn queues(&self) -> String {
        format!("{{{}}}:queues", self.prefix)
    }

    /// All keys of an aggregate. No queue has a name with a tilde.
    pub(crate) fn aggregate(&self, name: &AggregateName) -> Vec<String> {
        let tag = format!("{{{}/~{name}}}", self.prefix);
        let names = AGGREGATE.iter();
        names.map(|name| format!("{tag}:{name}")).collect()
    }

    /// The names of all aggregates: a sorted set, all scores 0.
    pub(crate) fn aggregates(&self) -> String {
        format!("{{{}}}:aggregates", self.prefix)
    }

    /// The announced workers: a hash.
    pub(crate) fn workers(&self) -> String {
        format!("{{{}}}:workers", self.prefix)
    }

    /// A named lease and the progress under it: two hashes.
    pub(crate) fn lease(&self, name: &LeaseName) -> [String; 2] {
        let tag = format!("{{{}/lease/{name}}}", self.prefix);
        [format!("{tag}:l"), format!("{tag}:p")]
    }

    /// The channel on which one process is woken.
    pub(crate) fn channel(&self, process: &str) -> String {
        format!("{}/wake/{process}", self.prefix)
    }
}
