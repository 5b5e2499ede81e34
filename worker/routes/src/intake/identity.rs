//! What makes two files, or two lines, the same thing.

use longshore_core::MessageId;
use xxhash_rust::xxh3::xxh3_128;

/// Bytes at the beginning that tell a file of lines from another one at the same path.
pub(super) const HEAD_BYTES: usize = 4096;

/// The scope of paths: this host's, or all hosts'.
pub(crate) fn scope(shared: bool) -> String {
    if shared {
        return "shared".into();
    }
    let host = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    format!("host:{host}")
}

/// A thing at a path. The generation grows when another thing takes the place of the first,
/// even if it looks the same.
#[derive(Clone, Copy, Debug)]
pub(super) struct Identity<'a> {
    pub(super) scope: &'a str,
    pub(super) path: &'a str,
    pub(super) hash: u128,
    pub(super) generation: u32,
}

impl Identity<'_> {
    /// The id of the message that is the whole file.
    pub(super) fn of_file(&self) -> MessageId {
        self.id(b"file", &[])
    }

    /// The id of a line: where it begins and what it says.
    pub(super) fn of_line(&self, offset: u64, line: &[u8]) -> MessageId {
        let (offset, hash) = (offset.to_le_bytes(), xxh3_128(line).to_le_bytes());
        self.id(b"line", &[&offset, &hash])
    }

    fn id(&self, what: &[u8], more: &[&[u8]]) -> MessageId {
        let (hash, generation) = (self.hash.to_le_bytes(), self.generation.to_le_bytes());
        let mut seed: Vec<&[u8]> = vec![
            what,
            self.scope.as_bytes(),
            self.path.as_bytes(),
            &hash,
            &generation,
        ];
        seed.extend_from_slice(more);
        MessageId::from_content(&seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_in_every_part_and_never_change() {
        let identity = Identity {
            scope: "host:a",
            path: "/in/x",
            hash: 7,
            generation: 0,
        };
        let id = identity.of_line(3, b"text");
        let others = [
            identity.of_line(4, b"text"),
            identity.of_line(3, b"texu"),
            identity.of_file(),
            Identity {
                scope: "host:b",
                ..identity
            }
            .of_line(3, b"text"),
            Identity {
                path: "/in/y",
                ..identity
            }
            .of_line(3, b"text"),
            Identity {
                hash: 8,
                ..identity
            }
            .of_line(3, b"text"),
            Identity {
                generation: 1,
                ..identity
            }
            .of_line(3, b"text"),
        ];
        assert!(!others.contains(&id));
        assert_eq!(id, identity.of_line(3, b"text"));
    }
}
