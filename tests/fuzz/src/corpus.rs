//! The inputs that a parser took in different ways.

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, percent_encode};

/// Inputs are lines of text in the file, with everything else escaped.
const ESCAPED: &AsciiSet = &CONTROLS.add(b'%');
/// More, and larger ones, are not kept: the file is read by people, too.
const KEPT: usize = 100;
const KEPT_BYTES: usize = 2_000;
/// So much of the words tells one way from another.
const WORDS: usize = 160;

pub(crate) struct Corpus {
    file: PathBuf,
    inputs: Vec<Vec<u8>>,
    ways: HashSet<String>,
}

impl Corpus {
    /// The corpus of a parser; empty if there is none yet.
    pub(crate) fn open(name: &str) -> Self {
        let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let file = here.join("corpus").join(format!("{name}.txt"));
        let text = fs::read_to_string(&file).unwrap_or_default();
        let inputs = text.lines().map(|line| percent_decode_str(line).collect());
        Self {
            file,
            inputs: inputs.collect(),
            ways: HashSet::new(),
        }
    }

    /// What is there to begin with.
    pub(crate) fn inputs(&self) -> &[Vec<u8>] {
        &self.inputs
    }

    /// In how many ways inputs were taken.
    pub(crate) fn ways(&self) -> usize {
        self.ways.len()
    }

    /// Notes how an input was taken, and keeps it if that is new.
    pub(crate) fn took(&mut self, input: &[u8], way: &str) {
        // Numbers are what was in the input, and no way to take it.
        let way: String = way
            .chars()
            .map(|c| if c.is_ascii_digit() { '0' } else { c })
            .take(WORDS)
            .collect();
        if self.ways.insert(way) && input.len() <= KEPT_BYTES && self.inputs.len() < KEPT {
            self.keep(input);
        }
    }

    /// Keeps an input, once.
    pub(crate) fn keep(&mut self, input: &[u8]) {
        if !self.inputs.iter().any(|known| known == input) {
            self.inputs.push(input.to_vec());
        }
    }

    /// Writes the file.
    pub(crate) fn save(&self) {
        let lines: Vec<_> = self
            .inputs
            .iter()
            .map(|input| percent_encode(input, ESCAPED).to_string() + "\n")
            .collect();
        fs::write(&self.file, lines.concat()).expect("the corpus can be written");
    }
}
