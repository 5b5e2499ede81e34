//! Leasing a segment without passing its bodies through a script.

use longshore_core::{QueueName, Receive, Result, StoreErrorKind, Timestamp};
use redis::{Cmd, Pipeline, Value, cmd};

use crate::connection::call::Call;
use crate::connection::reply::Reply;
use crate::layout::receipt::segment_name;
use crate::receive::path_choice;
use crate::receive::segment::{Batch, Run, lease_ms};
use crate::scripts;
use crate::store::{RedisStore, observe_time};

/// The group that stands, for the time of one transaction, where the cursor of the lane is.
const GROUP: &str = "cursor";
/// Its only consumer.
const CONSUMER: &str = "all";
/// The only lane that is read this way: the one of messages that nobody gave a priority.
const LANE: u8 = 1;

/// How a transaction ended.
enum Ended {
    Leased(Batch),
    /// Not here: the case is not plain.
    Refused,
    /// The server does not know the script yet. Nothing was leased.
    Unknown,
    /// Something was denied or is odd. What was leased, if anything, the script tells.
    Odd,
}

impl RedisStore {
    /// Leases as many as are wanted, or nothing, in one transaction: a script that checks and sets
    /// the place, a bare read, a script that books. `None` where nothing was leased, and where
    /// nobody knows: then the script of a receive answers the same segment, if there is one.
    pub(crate) async fn lease_direct(
        &self,
        queue: &QueueName,
        partition: u16,
        request: &Receive,
        segment: u64,
    ) -> Result<Option<Batch>> {
        let place = path_choice::place(queue, partition);
        let key = self.keys.any(queue, partition);
        if !self.may_read_direct(&key).await {
            self.path_choice.failed(place);
            return Ok(None);
        }
        let [begin, end] = ["begin", "end"].map(|phase| {
            let keys = ["c", "s0", "s1", "s2", "l", "h", "e", "z"];
            let keys = self.keys.some(queue, partition, &keys);
            let mut call = Call::new("receive", &scripts::RECEIVE_DIRECT, keys);
            call.arg(phase)
                .arg(self.time.argument())
                .arg(segment_name(segment))
                .arg(request.batch_max.get())
                .arg(lease_ms(request));
            call
        });
        let mut turn = Pipeline::new();
        turn.atomic()
            .add_command(begin.command(false))
            .add_command(self.read(queue, partition, request))
            .add_command(end.command(false));
        let answers = match self.session.transaction("receive", &turn, &key).await {
            Ok(answers) => answers,
            // There is no time left to ask again.
            Err(error) if error.kind() == StoreErrorKind::Timeout => return Err(error),
            Err(error) => {
                if error.kind() != StoreErrorKind::Unavailable {
                    self.path_choice.failed(place);
                }
                return Ok(None);
            }
        };
        match self.read_turn(answers, partition, segment) {
            Ended::Leased(batch) => return Ok(Some(batch)),
            Ended::Refused => self.path_choice.refused(place),
            Ended::Unknown => self.session.load(&[&scripts::RECEIVE_DIRECT]).await?,
            Ended::Odd => self.path_choice.failed(place),
        }
        Ok(None)
    }

    /// Whether the user may open transactions: refused that, the server runs each command by
    /// itself, with others in between.
    async fn may_read_direct(&self, key: &str) -> bool {
        let known = self.path_choice.transactions();
        if let Some(allowed) = known {
            return allowed;
        }
        let allowed = self.session.allows_transactions("receive", key).await;
        let allowed = allowed.unwrap_or(false);
        self.path_choice.set_transactions(allowed);
        allowed
    }

    fn read(&self, queue: &QueueName, partition: u16, request: &Receive) -> Cmd {
        let mut read = cmd("XREADGROUP");
        read.arg("GROUP").arg(GROUP).arg(CONSUMER);
        read.arg("COUNT").arg(request.batch_max.get()).arg("NOACK");
        let lane = self.keys.lane(queue, partition, LANE);
        read.arg("STREAMS").arg(lane).arg(">");
        read
    }

    fn read_turn(&self, answers: Vec<Value>, partition: u16, segment: u64) -> Ended {
        let Ok([begun, read, ended]) = <[Value; 3]>::try_from(answers) else {
            return Ended::Odd;
        };
        let is_unknown = |answer: &Value| matches!(answer, Value::ServerError(error) if error.code() == "NOSCRIPT");
        match (begun, ended) {
            (begun, ended) if is_unknown(&begun) || is_unknown(&ended) => Ended::Unknown,
            (Value::Int(0), Value::Int(0)) => Ended::Refused,
            (Value::Int(1), Value::Array(times)) => self
                .leased(times, read, partition, segment)
                .map_or(Ended::Odd, Ended::Leased),
            _ => Ended::Odd,
        }
    }

    fn leased(
        &self,
        times: Vec<Value>,
        read: Value,
        partition: u16,
        segment: u64,
    ) -> Result<Batch> {
        let [now, until] = Reply::new("receive", Value::Array(times)).fixed()?;
        let now = observe_time(self, now)?;
        let run = Run {
            partition,
            segment,
            lane: LANE,
            base: 0,
            checkpoint: None,
        };
        let mut leased = Vec::new();
        run.read(Reply::new("receive", read).of_one_stream()?, &mut leased)?;
        Ok(Batch {
            now: Timestamp::from_millis(now),
            until: Timestamp::from_millis(until.number()?),
            next_due: None,
            leased,
        })
    }
}
