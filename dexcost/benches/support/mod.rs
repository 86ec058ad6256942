//! What the benchmarks share: timing one operation at a time, and printing tables.

#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::float_arithmetic,
    reason = "each benchmark uses a part of this, and a benchmark prints"
)]

use std::hint::black_box;
use std::time::Instant;

/// The spread of single operations, in nanoseconds, the timer's own cost taken off.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    pub p50: f64,
    pub p99: f64,
}

/// Times `count` single operations after a tenth as many to warm up.
pub fn each<T>(count: usize, mut operation: impl FnMut() -> T) -> Spread {
    for _ in 0..count / 10 {
        black_box(operation());
    }
    let timer = timer_ns();
    let mut nanos: Vec<u64> = Vec::with_capacity(count);
    for _ in 0..count {
        let start = Instant::now();
        let result = black_box(operation());
        nanos.push(start.elapsed().as_nanos() as u64);
        drop(result);
    }
    nanos.sort_unstable();
    let at = |share: f64| (nanos[((nanos.len() - 1) as f64 * share) as usize] as f64 - timer).max(0.0);
    Spread {
        p50: at(0.50),
        p99: at(0.99),
    }
}

/// Times batches of an operation that is too short to be timed alone: nanoseconds per operation.
pub fn batched<T>(batches: usize, size: usize, mut operation: impl FnMut() -> T) -> f64 {
    let mut per_batch: Vec<f64> = (0..batches)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..size {
                black_box(operation());
            }
            start.elapsed().as_nanos() as f64 / size as f64
        })
        .collect();
    per_batch.sort_by(f64::total_cmp);
    per_batch[per_batch.len() / 2]
}

fn timer_ns() -> f64 {
    let mut nanos: Vec<u64> = (0..100_000)
        .map(|_| {
            let start = Instant::now();
            black_box(());
            start.elapsed().as_nanos() as u64
        })
        .collect();
    nanos.sort_unstable();
    nanos[nanos.len() / 2] as f64
}

/// A table that is printed row by row.
pub struct Table;

impl Table {
    pub fn new(title: &str) -> Self {
        println!("\n{title}");
        println!(
            "{:<58} {:>14} {:>14} {:>16}",
            "operation", "measured", "baseline", "budget"
        );
        Self
    }

    pub fn row(&self, operation: &str, measured: &str, baseline: &str, budget: &str) {
        println!("{operation:<58} {measured:>14} {baseline:>14} {budget:>16}");
    }
}

pub fn ns(nanos: f64) -> String {
    match nanos {
        n if n < 1_000.0 => format!("{n:.0} ns"),
        n if n < 1_000_000.0 => format!("{:.2} us", n / 1e3),
        n => format!("{:.2} ms", n / 1e6),
    }
}
