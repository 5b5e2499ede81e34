//! The decision about a failed attempt, and the matching of labels in it.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use longshore_benches::policy;
use longshore_core::{Failure, Label};

fn decide(c: &mut Criterion) {
    let mut group = c.benchmark_group("policy/decide");
    let failure = Failure::retryable("upstream is away").label("http.503");
    for clauses in [0, 8, 64] {
        let policy = policy(clauses);
        group.bench_function(BenchmarkId::new("clauses", clauses), |b| {
            b.iter(|| black_box(&policy).decide(black_box(&failure), 2, 0, 0.5));
        });
    }
    group.finish();
}

fn takes(c: &mut Criterion) {
    let mut group = c.benchmark_group("label/takes");
    let label = Label::new("exec.exit.75").expect("a label");
    for pattern in ["exec", "exec.exit.75", "http"] {
        let pattern = Label::new(pattern).expect("a label");
        group.bench_function(BenchmarkId::from_parameter(&pattern), |b| {
            b.iter(|| black_box(&pattern).takes(black_box(&label)));
        });
    }
    // The least: one comparison of the same bytes.
    group.bench_function("floor", |b| {
        b.iter(|| black_box("exec.exit.75") == black_box(label.as_str()));
    });
    group.finish();
}

criterion_group!(benches, decide, takes);
criterion_main!(benches);
