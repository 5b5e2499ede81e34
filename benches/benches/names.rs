//! Names and ids: checked and derived for each message of a route.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use longshore_benches::{hash, plain_message};
use longshore_core::{JobKind, MessageId, QueueName};

fn check(c: &mut Criterion) {
    let mut group = c.benchmark_group("name/new");
    for name in [
        "mail",
        "a-queue-with-a-rather-long-name.and.several.segments",
    ] {
        group.bench_function(BenchmarkId::new("queue", name.len()), |b| {
            b.iter(|| QueueName::new(black_box(name)));
        });
        group.bench_function(BenchmarkId::new("kind", name.len()), |b| {
            b.iter(|| JobKind::new(black_box(name)));
        });
        group.bench_function(BenchmarkId::new("floor", name.len()), |b| {
            b.iter(|| black_box(name).to_owned());
        });
    }
    group.finish();
}

fn derive(c: &mut Criterion) {
    let mut group = c.benchmark_group("id/derive");
    let parent = plain_message(0).id;
    let seed: [&[u8]; 2] = [b"thumbs", &[0, 0, 0, 2]];
    group.bench_function("child", |b| b.iter(|| parent.derive(black_box(&seed))));
    let line = [b'x'; 200];
    let content: [&[u8]; 2] = [b"access.log", &line];
    group.bench_function("content-200", |b| {
        b.iter(|| MessageId::from_content(black_box(&content)));
    });
    group.bench_function("content-200-floor", |b| {
        b.iter(|| hash(b"access.log", black_box(&line)));
    });
    group.finish();
}

criterion_group!(benches, check, derive);
criterion_main!(benches);
