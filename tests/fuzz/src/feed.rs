//! Feeding a parser, and judging how it takes it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::corpus::Corpus;
use crate::mutate::mutated;

/// How many inputs a parser gets in the test run.
const INPUTS: u64 = 1_500;
/// No input of these sizes may keep a parser busy for longer.
const SLOW: Duration = Duration::from_secs(2);
/// How long the search lasts, in seconds; without it there is none, and nothing is kept.
const SECONDS: &str = "LONGSHORE_FUZZ_SECONDS";

/// Feeds the parser `name`: with its corpus, with `samples` of what it is made for, and with what
/// is made of both. `read` parses an input, checks what it read, and says in words how it took it.
///
/// # Panics
///
/// When `read` panics or takes too long, naming the input. In a search it is kept in the corpus.
pub fn fuzz(name: &str, samples: &[Vec<u8>], read: impl Fn(&[u8]) -> String) {
    let search = std::env::var(SECONDS).ok().map(|text| {
        let seconds = text.parse().expect("LONGSHORE_FUZZ_SECONDS is a number");
        Duration::from_secs(seconds)
    });
    let mut corpus = Corpus::open(name);
    let known = corpus.inputs().to_vec();
    for input in known.iter().chain(samples) {
        feed(&mut corpus, input, &read);
    }
    // The same inputs in every test run; other ones in every search.
    let mut random = match search {
        None => Rng::with_seed(20_261_130),
        Some(_) => Rng::new(),
    };
    let began = Instant::now();
    let mut told = began;
    let mut count = 0;
    while search.map_or(count < INPUTS, |span| began.elapsed() < span) {
        let input = mutated(corpus.inputs(), &mut random);
        feed(&mut corpus, &input, &read);
        count += 1;
        if search.is_some() && told.elapsed() > Duration::from_secs(60) {
            told = Instant::now();
            println!(
                "{name}: {count} inputs, {} ways to take them",
                corpus.ways()
            );
        }
    }
    println!(
        "{name}: {count} inputs, {} ways to take them",
        corpus.ways()
    );
    if search.is_some() {
        corpus.save();
    }
}

fn feed(corpus: &mut Corpus, input: &[u8], read: &impl Fn(&[u8]) -> String) {
    let began = Instant::now();
    let taken = catch_unwind(AssertUnwindSafe(|| read(input)));
    let problem = match &taken {
        Err(_) => Some("a panic"),
        Ok(_) if began.elapsed() > SLOW => Some("too long a time"),
        Ok(_) => None,
    };
    if let Some(problem) = problem {
        if std::env::var_os(SECONDS).is_some() {
            corpus.keep(input);
            corpus.save();
        }
        panic!("{problem} over the input \"{}\"", input.escape_ascii());
    }
    if let Ok(way) = taken {
        corpus.took(input, &way);
    }
}
