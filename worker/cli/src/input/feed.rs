//! The lines of a stream, read beside the storing of them.

use std::io;
use std::thread;

use tokio::sync::mpsc;

use super::lines::{Line, next_line};
use super::source::Reader;
use crate::error::{CliError, Result};
use crate::exit::Exit;

/// Pieces that are read ahead.
const PIECES: usize = 4;
/// A piece ends with this many bytes of lines.
const PIECE_BYTES: usize = 64 * 1024;

/// Lines that were there at once.
pub(crate) type Piece = io::Result<Vec<Line>>;

/// Reads the lines of `reader` in a thread of its own: a stream that is slow must hold up neither
/// the storing of what came nor a signal. The channel closes behind the last line.
pub(crate) fn read(mut reader: Reader, line_max: usize) -> Result<mpsc::Receiver<Piece>> {
    let (pieces, read) = mpsc::channel(PIECES);
    thread::Builder::new()
        .name("read lines".into())
        .spawn(move || {
            while let Some(piece) = next_piece(&mut reader, line_max).transpose() {
                let is_last = piece.is_err();
                if pieces.blocking_send(piece).is_err() || is_last {
                    return;
                }
            }
        })
        .map_err(|error| {
            CliError::new(Exit::Failed, format!("no thread can be started: {error}"))
        })?;
    Ok(read)
}

/// Waits for one line and takes those that came with it.
fn next_piece(reader: &mut Reader, line_max: usize) -> io::Result<Option<Vec<Line>>> {
    let mut lines = Vec::new();
    let mut bytes = 0;
    while let Some(line) = next_line(reader, line_max)? {
        bytes += line.len();
        lines.push(line);
        let is_next_there = reader.buffer().contains(&b'\n');
        if bytes >= PIECE_BYTES || !is_next_there {
            break;
        }
    }
    Ok((!lines.is_empty()).then_some(lines))
}
