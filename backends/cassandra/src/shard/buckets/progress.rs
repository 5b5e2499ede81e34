//! What is known of the buckets of a shard: how far each was read, and what in it is open.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use longshore_core::Timestamp;
use uuid::Uuid;

use crate::protocol::storage::{BucketRow, Counted, Marks, Position, Watermark};

/// What is known of a stream.
#[derive(Debug, Default)]
pub(crate) struct StreamProgress {
    pub(crate) marks: Marks,
    /// All that are registered and not done.
    pub(crate) buckets: BTreeMap<i64, BucketProgress>,
    /// How many messages of this stream are in memory.
    pub(crate) held: usize,
}

/// What is known of a bucket.
#[derive(Debug)]
pub(crate) struct BucketProgress {
    /// Positions that were read while it was open: what comes late is told by them.
    pub(crate) seen: HashSet<Position>,
    /// Those in memory: read, and not done.
    pub(crate) open: HashSet<Position>,
    /// The greatest position that was read.
    pub(crate) high: i64,
    /// From where it is read on.
    pub(crate) next: Position,
    /// The position from which on messages may have come late, behind what was read.
    pub(crate) unswept: Option<i64>,
    /// When that was looked for last.
    pub(crate) swept_at: Timestamp,
    /// The look for it that is under way.
    pub(crate) sweep: Option<Sweep>,
    /// From where it was read; what lies before was told to be done.
    pub(crate) begun: Position,
    /// How far it is known to be settled by the process that reads it next.
    pub(crate) noted: Option<Watermark>,
    /// How far the scan after the close has come, and then the look before it is deleted.
    pub(crate) checked: Position,
    /// Whether it was read to its end at least once.
    pub(crate) at_end: bool,
    /// First deliveries of messages that were not read yet, told by a row before them.
    pub(crate) first_deliveries: FirstDeliveries,
    /// Until when ids that ended here are recognised.
    pub(crate) known_until: Timestamp,
    /// Whether it is closed, and all before `next` was read after that was confirmed.
    pub(crate) is_final: bool,
    /// How many messages lie behind what was read, as far as they were counted.
    pub(crate) counted: Option<Counted>,
    /// Whether it is read on under the lock of the shard only: what is read beside it may miss what
    /// happens meanwhile.
    pub(crate) under_lock: bool,
}

/// A look for what came late, page by page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sweep {
    /// Where the next page begins.
    pub(crate) next: Position,
    /// When it began.
    pub(crate) since: Timestamp,
}

/// First deliveries of messages.
pub(crate) type FirstDeliveries = HashMap<Position, FirstDelivery>;

/// What a batch delivery tells of one of its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FirstDelivery {
    pub(crate) attempt: u32,
    pub(crate) until: Timestamp,
    /// Where the roll lies.
    pub(crate) event_position: Position,
}

impl Default for BucketProgress {
    fn default() -> Self {
        Self {
            seen: HashSet::new(),
            open: HashSet::new(),
            high: i64::MIN,
            next: Position::FIRST,
            unswept: None,
            swept_at: Timestamp::EPOCH,
            sweep: None,
            begun: Position::FIRST,
            noted: None,
            checked: Position::FIRST,
            at_end: false,
            first_deliveries: HashMap::new(),
            known_until: Timestamp::EPOCH,
            is_final: false,
            counted: None,
            under_lock: false,
        }
    }
}

/// For so long after its time a message may come late: slow writes, and producers whose clocks are
/// behind. Later ones are found by the scan after the close.
pub(crate) const SWEEP: Duration = Duration::from_secs(5);

/// A position so long before now.
pub(crate) fn micros_before(now: Timestamp, span: Duration) -> i64 {
    let span = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
    now.as_millis().saturating_mul(1000).saturating_sub(span)
}

impl StreamProgress {
    /// Notes what the index says: buckets that are registered and not done.
    pub(crate) fn index(&mut self, marks: Marks, rows: &[BucketRow]) {
        self.marks = marks;
        for row in rows {
            self.buckets
                .entry(row.number)
                .or_insert_with(|| BucketProgress::unread(row, row.number < marks.closed_to));
        }
    }

    /// The first bucket that was not read to its end.
    pub(crate) fn first_unread(&self) -> Option<i64> {
        let mut unread = self.buckets.iter().filter(|(_, bucket)| !bucket.at_end);
        unread.next().map(|(number, _)| *number)
    }
}

impl BucketProgress {
    /// One that was not read yet. If it is closed it is read after its close: that is all a final
    /// scan does, where all of it is read.
    fn unread(row: &BucketRow, is_closed: bool) -> Self {
        let begun = row
            .watermark
            .map_or(Position::FIRST, |watermark| watermark.to);
        Self {
            begun,
            next: begun,
            high: begun.pos,
            noted: row.watermark,
            counted: row.watermark.and_then(|watermark| watermark.counted),
            is_final: is_closed && row.watermark.is_none_or(|watermark| watermark.scanned),
            ..Self::default()
        }
    }

    /// Starts again from its first row; what is in memory already is told by its entries.
    pub(crate) fn read_again(&mut self) {
        self.seen = HashSet::new();
        self.next = Position::FIRST;
        self.begun = Position::FIRST;
        self.checked = Position::FIRST;
        self.at_end = false;
        self.counted = None;
        self.sweep = None;
        self.under_lock = true;
    }

    /// Notes that something fresh was read: until it is old, others may come to lie before it.
    pub(crate) fn is_fresh_at(&mut self, now: Timestamp) {
        let from = micros_before(now, SWEEP);
        self.unswept = Some(self.unswept.map_or(from, |before| before.min(from)));
    }

    /// Notes that a sweep has come to its end. What was fresh when it began is looked at again.
    pub(crate) fn note_swept(&mut self) {
        if let Some(sweep) = self.sweep.take() {
            self.swept_at = sweep.since;
            let from = micros_before(sweep.since, SWEEP);
            self.unswept = (self.high >= from).then_some(from);
        }
    }

    /// A number of µs before the greatest position that was read. What lay before the beginning is
    /// not looked at again until the scan after the close.
    pub(crate) fn before_high(&self, span_us: i64) -> Position {
        let pos = self.high.saturating_sub(span_us);
        let id = Uuid::nil();
        self.begun.max(Position { pos, id })
    }

    /// Notes that all before `next` was read after the close.
    pub(crate) fn finish(&mut self) {
        self.is_final = true;
        self.unswept = None;
        self.sweep = None;
        self.checked = Position::FIRST;
        self.begun = Position::FIRST;
        self.seen = HashSet::new();
        // What came behind the last row that was read is read on.
        self.at_end = false;
    }
}
