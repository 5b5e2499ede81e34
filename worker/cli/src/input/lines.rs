//! Lines of any bytes, one at a time, none longer than a limit.

use std::io::{self, BufRead};

/// What the next line is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// Its bytes without the line feed.
    Bytes(Vec<u8>),
    /// It is longer than the limit; it was skipped.
    TooLong,
}

impl Line {
    /// How many bytes it holds.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::TooLong => 0,
        }
    }
}

/// Reads the next line. Memory stays bounded whatever the input is: of a line that is longer
/// than `max` the rest is read and dropped.
pub(super) fn next_line(reader: &mut dyn BufRead, max: usize) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    let mut too_long = false;
    let mut any = false;
    loop {
        let chunk = match reader.fill_buf() {
            Ok(chunk) => chunk,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if chunk.is_empty() {
            break;
        }
        any = true;
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let part = &chunk[..end.unwrap_or(chunk.len())];
        too_long |= line.len() + part.len() > max;
        if too_long {
            line.clear();
        } else {
            line.extend_from_slice(part);
        }
        let used = end.map_or(chunk.len(), |end| end + 1);
        reader.consume(used);
        if end.is_some() {
            break;
        }
    }
    Ok(match (any, too_long) {
        (false, _) => None,
        (true, true) => Some(Line::TooLong),
        (true, false) => Some(Line::Bytes(line)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &[u8], max: usize) -> Vec<Line> {
        // A tiny buffer, so that lines span several of them.
        let mut reader = io::BufReader::with_capacity(3, input);
        std::iter::from_fn(|| next_line(&mut reader, max).unwrap()).collect()
    }

    fn bytes(text: &[u8]) -> Line {
        Line::Bytes(text.to_vec())
    }

    #[test]
    fn lines_keep_their_bytes_and_the_last_needs_no_end() {
        assert_eq!(
            lines(b"a\xff\0b\n\nlast", 10),
            [bytes(b"a\xff\0b"), bytes(b""), bytes(b"last")]
        );
        assert!(lines(b"", 10).is_empty());
        assert_eq!(lines(b"\n", 10), [bytes(b"")]);
    }

    #[test]
    fn a_long_line_is_skipped_and_the_next_is_read() {
        assert_eq!(lines(b"12345678\nok\n", 5), [Line::TooLong, bytes(b"ok")]);
        assert_eq!(lines(b"12345\n", 5), [bytes(b"12345")]);
    }
}
