//! A file that processes which may be killed at any time add lines to.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// How many bytes a line takes, its end included: a divisor of every page size.
///
/// A write goes to the file a page at a time. What lies across two pages is seen half by who reads
/// meanwhile, and stays half when the writer is killed between them; a line of this length never
/// does.
const WIDTH: usize = 64;
const _: () = assert!(4096 % WIDTH == 0, "no line lies across two pages");

/// Opened to append, one `write` a line and no buffer: a killed process leaves whole lines, and
/// the order in the file is the order in which they were written.
#[derive(Debug)]
pub(crate) struct Journal(File);

impl Journal {
    /// Opens it, made again if it is not there.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self(file))
    }

    /// Adds a line.
    ///
    /// # Panics
    ///
    /// When the line is longer than one may be.
    pub(crate) fn add(&self, line: &str) -> io::Result<()> {
        let padded = format!("{line:<0$}\n", WIDTH - 1);
        assert_eq!(padded.len(), WIDTH, "too long for a line: {line}");
        (&self.0).write_all(padded.as_bytes())
    }

    /// Reads all lines so far; a file that is not there yet has none.
    pub(crate) fn read(path: &Path) -> Vec<String> {
        let text = fs::read_to_string(path).unwrap_or_default();
        text.lines().map(|line| line.trim_end().into()).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn who_reads_meanwhile_sees_whole_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        assert_eq!(Journal::read(&path), [""; 0]);
        let journal = Journal::open(&path).unwrap();
        thread::scope(|scope| {
            let writer = scope.spawn(|| {
                for number in 0..5_000 {
                    journal.add(&format!("{number} is whole")).unwrap();
                }
            });
            while !writer.is_finished() {
                let lines = Journal::read(&path);
                assert!(lines.iter().all(|line| line.ends_with(" is whole")));
            }
        });
        assert_eq!(Journal::read(&path).len(), 5_000);
        let size = fs::metadata(&path).unwrap().len();
        assert_eq!(size, 5_000 * WIDTH as u64, "each line has its place");
    }

    #[test]
    #[should_panic(expected = "too long for a line")]
    fn a_line_that_could_be_torn_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(&folder.path().join("journal")).unwrap();
        let _ = journal.add(&"x".repeat(WIDTH));
    }
}
