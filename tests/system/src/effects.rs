//! The lines that handlers leave.

use std::io;
use std::path::Path;

use crate::journal::Journal;

/// Whether a handler began or came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Moment {
    /// It begins; written before anything else.
    Start,
    /// It is done and will answer; the ack comes after this.
    End,
}

/// One line of a handler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// Which moment.
    pub moment: Moment,
    /// The job's number in the test.
    pub key: u64,
    /// Which delivery it is.
    pub attempt: u32,
    /// Which life of which worker it ran in, such as `w2.7`.
    pub life: String,
}

/// Where handlers write, one file for all processes of a test, in the order of what they do.
#[derive(Debug)]
pub struct EffectLog(Journal);

impl EffectLog {
    /// Opens it, made again if it is not there.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(Journal::open(path)?))
    }

    /// Writes a line.
    pub fn write(&self, effect: &Effect) -> io::Result<()> {
        let moment = match effect.moment {
            Moment::Start => "start",
            Moment::End => "end",
        };
        let Effect {
            key, attempt, life, ..
        } = effect;
        self.0.add(&format!("{moment} {key} {attempt} {life}"))
    }
}

/// All lines of a test so far.
#[derive(Clone, Debug, Default)]
pub struct Effects(Vec<Effect>);

impl Effects {
    /// Reads them; a file that is not there yet has none.
    ///
    /// # Panics
    ///
    /// When a line is not one of a handler.
    pub fn read(path: &Path) -> Self {
        Self::parse(&Journal::read(path))
    }

    /// Reads lines.
    ///
    /// # Panics
    ///
    /// When one is not the line of a handler.
    pub fn parse(lines: &[impl AsRef<str>]) -> Self {
        let parse =
            |line: &str| parse_line(line).unwrap_or_else(|| panic!("no line of a handler: {line}"));
        Self(lines.iter().map(|line| parse(line.as_ref())).collect())
    }

    /// The lines in their order.
    pub fn all(&self) -> &[Effect] {
        &self.0
    }

    /// The numbers of the jobs that have such a line, each as often as it has one.
    pub fn keys(&self, moment: Moment) -> impl Iterator<Item = u64> + '_ {
        let lines = self.0.iter().filter(move |effect| effect.moment == moment);
        lines.map(|effect| effect.key)
    }

    /// How many such lines there are.
    pub fn count(&self, moment: Moment) -> usize {
        self.keys(moment).count()
    }

    /// The attempts of the starts of one job, in order.
    pub fn attempts(&self, key: u64) -> Vec<u32> {
        let starts = self
            .0
            .iter()
            .filter(|effect| effect.moment == Moment::Start);
        starts
            .filter(|effect| effect.key == key)
            .map(|effect| effect.attempt)
            .collect()
    }
}

impl From<Vec<Effect>> for Effects {
    fn from(lines: Vec<Effect>) -> Self {
        Self(lines)
    }
}

fn parse_line(text: &str) -> Option<Effect> {
    let mut words = text.split(' ');
    let moment = match words.next()? {
        "start" => Moment::Start,
        "end" => Moment::End,
        _ => return None,
    };
    let key = words.next()?.parse().ok()?;
    let attempt = words.next()?.parse().ok()?;
    let life = words.next()?.to_owned();
    words.next().is_none().then_some(Effect {
        moment,
        key,
        attempt,
        life,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("effects");
        assert_eq!(Effects::read(&path).all(), []);
        let effect = |moment, key| Effect {
            moment,
            key,
            attempt: 2,
            life: "w1.3".into(),
        };
        let lines = [effect(Moment::Start, 7), effect(Moment::End, 7)];
        for line in &lines {
            EffectLog::open(&path).unwrap().write(line).unwrap();
        }
        let read = Effects::read(&path);
        assert_eq!(read.all(), lines);
        assert_eq!(read.attempts(7), [2]);
        assert_eq!(read.count(Moment::End), 1);
    }

    #[test]
    #[should_panic(expected = "no line of a handler")]
    fn half_a_line_is_not_taken_for_a_whole_one() {
        Effects::parse(&["start 7 2"]);
    }
}
