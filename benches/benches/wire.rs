//! The stored form: written once and read at least once for each message.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use longshore_benches::{copy_and_hash, full_message, hash, plain_message};
use longshore_core::wire;

fn encode(c: &mut Criterion) {
    let mut group = c.benchmark_group("wire/encode");
    for bytes in [256, 64 * 1024] {
        group.throughput(Throughput::Bytes(bytes as u64));
        for (name, message) in [
            ("plain", plain_message(bytes)),
            ("full", full_message(bytes)),
        ] {
            let head = wire::encode(&message);
            group.bench_function(BenchmarkId::new(name, bytes), |b| {
                b.iter(|| wire::encode(black_box(&message)));
            });
            group.bench_function(BenchmarkId::new(format!("{name}-floor"), bytes), |b| {
                b.iter(|| copy_and_hash(black_box(&head), black_box(&message.body)));
            });
        }
    }
    group.finish();
}

fn decode(c: &mut Criterion) {
    let mut group = c.benchmark_group("wire/decode");
    for bytes in [256, 64 * 1024] {
        group.throughput(Throughput::Bytes(bytes as u64));
        for (name, message) in [
            ("plain", plain_message(bytes)),
            ("full", full_message(bytes)),
        ] {
            let head = wire::encode(&message);
            let decoded = wire::decode(&head, message.body.clone());
            assert_eq!(
                decoded.as_ref(),
                Ok(&message),
                "what is measured must be right"
            );
            group.bench_function(BenchmarkId::new(name, bytes), |b| {
                b.iter(|| wire::decode(black_box(&head), black_box(message.body.clone())));
            });
            group.bench_function(BenchmarkId::new(format!("{name}-floor"), bytes), |b| {
                b.iter(|| hash(black_box(&head), black_box(&message.body)));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, encode, decode);
criterion_main!(benches);
