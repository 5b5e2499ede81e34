//! Bare commands to one server.

use longshore_redis_server::Server;
use redis::aio::MultiplexedConnection;

/// What only tests of this store ask of a server.
pub(crate) trait Commands {
    /// A bare connection to it.
    async fn raw(&self) -> MultiplexedConnection;

    /// The same where the server wants a password.
    async fn raw_as(&self, password: &str) -> MultiplexedConnection;

    /// One bare command, in words.
    async fn command(&self, words: &[&str]) -> redis::Value;
}

impl Commands for Server {
    async fn raw(&self) -> MultiplexedConnection {
        let client = redis::Client::open(("127.0.0.1", self.port())).expect("a client");
        let connected = client.get_multiplexed_async_connection();
        connected.await.expect("connect")
    }

    async fn raw_as(&self, password: &str) -> MultiplexedConnection {
        let url = format!("redis://:{password}@127.0.0.1:{}", self.port());
        let client = redis::Client::open(url).expect("a client");
        let connected = client.get_multiplexed_async_connection();
        connected.await.expect("connect")
    }

    async fn command(&self, words: &[&str]) -> redis::Value {
        let mut command = redis::cmd(words[0]);
        for word in &words[1..] {
            command.arg(*word);
        }
        let mut connection = self.raw().await;
        command
            .query_async(&mut connection)
            .await
            .expect("a bare command")
    }
}
