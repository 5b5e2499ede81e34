//! Reading lines in batches, with bounded memory however large the file and its lines are.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};

/// A line without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Where it begins in the file.
    pub(super) offset: u64,
    /// Which line it is, from 1.
    pub(super) number: u64,
    pub(super) bytes: Vec<u8>,
}

/// A line that is too long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TooLong {
    pub(super) offset: u64,
    pub(super) number: u64,
    pub(super) len: u64,
}

/// Some lines, and where the next one begins.
#[derive(Debug, Default)]
pub(super) struct LineBatch {
    pub(super) lines: Vec<Line>,
    pub(super) too_long: Vec<TooLong>,
    /// Whether the file ends here.
    pub(super) at_end: bool,
    /// How many bytes at the end of the file have no line end yet and were not taken.
    pub(super) unfinished: u64,
}

/// What a batch may hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) lines_max: usize,
    /// All lines together: reached with the line that passes it.
    pub(super) bytes_max: usize,
    /// One line.
    pub(super) line_max: usize,
    /// Whether the last line counts although it has no end.
    pub(super) take_unfinished: bool,
}

/// A place in a file.
#[derive(Debug)]
pub(super) struct LineReader {
    reader: BufReader<File>,
    /// Where the next line begins.
    pub(super) offset: u64,
    /// How many lines lie before.
    pub(super) lines: u64,
}

impl LineReader {
    /// Reads a file where `lines` lines end at `offset`.
    pub(super) fn of(mut file: File, offset: u64, lines: u64) -> io::Result<Self> {
        file.seek(SeekFrom::Start(offset))?;
        Ok(Self {
            reader: BufReader::with_capacity(64 * 1024, file),
            offset,
            lines,
        })
    }

    /// Reads the next lines. Empty ones are passed over. Blocks.
    pub(super) fn next_batch(&mut self, bounds: Bounds) -> io::Result<LineBatch> {
        let mut batch = LineBatch::default();
        let mut bytes = 0;
        while batch.lines.len() < bounds.lines_max && bytes < bounds.bytes_max {
            let (mut line, len, ended) = self.read_line(bounds.line_max)?;
            if len == 0 {
                batch.at_end = true;
                break;
            }
            if !ended && !bounds.take_unfinished {
                batch.at_end = true;
                batch.unfinished = len;
                // The next call reads it again, from its beginning.
                self.reader.seek(SeekFrom::Start(self.offset))?;
                break;
            }
            let offset = self.offset;
            self.offset += len;
            self.lines += 1;
            if line.last() == Some(&b'\r') && ended {
                line.pop();
            }
            if line.len() > bounds.line_max {
                batch.too_long.push(TooLong {
                    offset,
                    number: self.lines,
                    len,
                });
            } else if !line.is_empty() {
                bytes += line.len();
                batch.lines.push(Line {
                    offset,
                    number: self.lines,
                    bytes: line,
                });
            }
            if batch.too_long.len() >= bounds.lines_max {
                break;
            }
        }
        Ok(batch)
    }

    /// A line without its `\n` (of a longer one a little more than `max`), its length with it,
    /// and whether it had one.
    fn read_line(&mut self, max: usize) -> io::Result<(Vec<u8>, u64, bool)> {
        let mut line = Vec::new();
        let mut len = 0;
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok((line, len, false));
            }
            let newline = buffer.iter().position(|byte| *byte == b'\n');
            let text = newline.unwrap_or(buffer.len());
            let room = (max + 2).saturating_sub(line.len());
            line.extend_from_slice(&buffer[..text.min(room)]);
            let consumed = newline.map_or(text, |at| at + 1);
            self.reader.consume(consumed);
            len += consumed as u64;
            if newline.is_some() {
                return Ok((line, len, true));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds {
        lines_max: 2,
        bytes_max: 1000,
        line_max: 10,
        take_unfinished: false,
    };

    fn reader(content: &[u8]) -> (tempfile::TempDir, LineReader) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        std::fs::write(&path, content).unwrap();
        let reader = LineReader::of(File::open(&path).unwrap(), 0, 0).unwrap();
        (folder, reader)
    }

    fn texts(batch: &LineBatch) -> Vec<(u64, u64, String)> {
        let text = |line: &Line| String::from_utf8_lossy(&line.bytes).into_owned();
        let lines = batch.lines.iter();
        lines
            .map(|line| (line.offset, line.number, text(line)))
            .collect()
    }

    #[test]
    fn lines_come_in_batches_without_their_ends() {
        let (_folder, mut reader) = reader(b"one\r\n\ntwo\nthree\nfour");
        let first = reader.next_batch(BOUNDS).unwrap();
        assert_eq!(texts(&first), [(0, 1, "one".into()), (6, 3, "two".into())]);
        assert!(!first.at_end);
        let second = reader.next_batch(BOUNDS).unwrap();
        assert_eq!(texts(&second), [(10, 4, "three".into())]);
        assert!(second.at_end);
        assert_eq!((second.unfinished, reader.offset), (4, 16));
        let last = Bounds {
            take_unfinished: true,
            ..BOUNDS
        };
        assert_eq!(
            texts(&reader.next_batch(last).unwrap()),
            [(16, 5, "four".into())]
        );
        assert_eq!(reader.offset, 20);
    }

    #[test]
    fn a_line_over_the_limit_is_told_and_the_next_one_is_read() {
        let long = "x".repeat(300_000);
        let content = format!("0123456789\n01234567890\n{long}\nend\n");
        let (_folder, mut reader) = reader(content.as_bytes());
        let wide = Bounds {
            lines_max: 100,
            ..BOUNDS
        };
        let batch = reader.next_batch(wide).unwrap();
        assert_eq!(
            texts(&batch),
            [(0, 1, "0123456789".into()), (300_024, 4, "end".into())]
        );
        assert_eq!(
            batch.too_long,
            [
                TooLong {
                    offset: 11,
                    number: 2,
                    len: 12
                },
                TooLong {
                    offset: 23,
                    number: 3,
                    len: 300_001
                },
            ]
        );
    }

    #[test]
    fn a_line_of_exactly_the_limit_may_end_in_two_bytes() {
        let (_folder, mut reader) = reader(b"0123456789\r\n");
        let batch = reader.next_batch(BOUNDS).unwrap();
        assert_eq!(texts(&batch), [(0, 1, "0123456789".into())]);
    }
}
