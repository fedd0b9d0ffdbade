//! Functions that yield values one after the other, as Python's async generators do.

use gristmill::stream::{Stream, StreamExt, stream, try_stream};
use gristmill::time::{Duration, sleep};
use std::num::ParseIntError;
use std::pin::pin;

/// Counts up, with a pause before each number: `async def ticker(n): … yield i`.
fn ticker(count: u32) -> impl Stream<Item = u32> {
    stream! {
        for n in 0..count {
            sleep(Duration::from_millis(5)).await;
            yield n;
        }
    }
}

/// Reads numbers until one cannot be read; `?` ends the stream with the error.
fn numbers(texts: Vec<&str>) -> impl Stream<Item = Result<u32, ParseIntError>> {
    try_stream! {
        for text in texts {
            let number: u32 = text.parse()?;
            yield number;
        }
    }
}

#[gristmill::main]
async fn main() {
    // async for n in ticker(3): print(n)
    let mut ticks = pin!(ticker(3));
    while let Some(n) = ticks.next().await {
        println!("tick {n}");
    }

    // [n * n async for n in ticker(6) if n % 2]
    let squares: Vec<u32> = ticker(6)
        .filter(|n| n % 2 == 1)
        .map(|n| n * n)
        .collect()
        .await;
    println!("squares of odd numbers: {squares:?}");

    let mut read = pin!(numbers(vec!["1", "2", "three", "4"]));
    while let Some(number) = read.next().await {
        match number {
            Ok(number) => println!("read {number}"),
            Err(error) => println!("ended: {error}"),
        }
    }
}
