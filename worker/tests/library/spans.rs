//! The spans of a message's life.

use std::io;
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::format::FmtSpan;

use crate::stage::{Count, Stage, count, start};

/// What was logged, as JSON lines.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    /// Writes down what is logged from now on, on this thread.
    pub(crate) fn record() -> (Self, tracing::subscriber::DefaultGuard) {
        let lines = Self::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .with_span_events(FmtSpan::CLOSE)
            .with_writer(move || writer.clone())
            .finish();
        (lines, tracing::subscriber::set_default(subscriber))
    }

    /// The fields of each event with these words.
    pub(crate) fn events(&self, words: &str) -> Vec<serde_json::Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        lines
            .map(|line: serde_json::Value| line["fields"].clone())
            .filter(|fields| {
                fields["message"]
                    .as_str()
                    .is_some_and(|said| said.contains(words))
            })
            .collect()
    }

    /// The fields of each span of this name that has ended.
    fn spans(&self, name: &str) -> Vec<serde_json::Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        lines
            .map(|line: serde_json::Value| line["span"].clone())
            .filter(|span| span["name"] == name)
            .collect()
    }
}

#[tokio::test]
async fn a_message_is_sent_received_processed_and_settled_in_spans() {
    let (lines, _recorded) = Lines::record();
    let stage = Stage::memory().await;
    let id = stage.queue().enqueue(count(1)).await.unwrap().id;
    let worker = stage
        .worker()
        .queue("work", |q| q.handle(async |_: Count| ()));
    let running = start(worker.build().unwrap());
    stage.until_empty().await;
    running.stop().await;
    for (name, count) in [("send", 1), ("receive", 1), ("settle", 1)] {
        let spans = lines.spans(name);
        let found = spans
            .iter()
            .find(|span| span["messaging.batch.message_count"] == count);
        let found = found.unwrap_or_else(|| panic!("no span {name} among {spans:?}"));
        assert_eq!(found["messaging.system"], "longshore");
        assert_eq!(found["messaging.operation.type"], name);
        assert_eq!(found["messaging.destination.name"], "work");
    }
    let processed = lines.spans("process");
    assert_eq!(processed.len(), 1, "{processed:?}");
    assert_eq!(processed[0]["messaging.message.id"], id.to_string());
    assert_eq!(processed[0]["longshore.attempt"], 1);
}
