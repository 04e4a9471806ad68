//! Two sides do the same work in turns, and what matters is how long one took for each block of the other.
use std::time::{Duration, Instant};

/// How often the sides meet.
#[derive(Clone, Copy)]
pub(crate) struct Length {
    /// Blocks of each side that count, at most.
    pub(crate) pairs: usize,
    /// Operations of a block.
    pub(crate) block: usize,
    /// After this a busy machine has had pairs enough: the whole run shall end within three minutes.
    pub(crate) most: Duration,
}

/// What came out.
pub(crate) struct Figures {
    /// The median of the product, in microseconds.
    pub(crate) product: f64,
    /// The median of sqlx alone.
    pub(crate) bare: f64,
    /// The median of the ratios of the pairs, and the quartiles around it.
    pub(crate) ratio: f64,
    pub(crate) quartiles: (f64, f64),
}

/// The sides take turns: A B, B A. Each is given a number of operations, and answers how long each of them took.
/// `settle` waits until nothing is left to be done of the block before.
pub(crate) async fn contest_of_blocks(
    length: Length,
    settle: impl AsyncFn(),
    mut product: impl AsyncFnMut(usize) -> Vec<Duration>,
    mut bare: impl AsyncFnMut(usize) -> Vec<Duration>,
) -> Figures {
    let Length { pairs, block, most } = length;
    let warm_up = pairs / 10 + 2;
    let (mut products, mut bares, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let started = Instant::now();
    for pair in 0..warm_up + pairs {
        if pair > warm_up + pairs / 10 && started.elapsed() > most {
            break;
        }
        let (mut its, mut theirs) = (Vec::new(), Vec::new());
        for turn in 0..2 {
            settle().await;
            match (pair + turn) % 2 {
                0 => its = product(block).await,
                _ => theirs = bare(block).await,
            }
        }
        let (its, theirs) = (median(micros(&its)), median(micros(&theirs)));
        if pair >= warm_up {
            products.push(its);
            bares.push(theirs);
            ratios.push(its / theirs);
        }
    }
    let quartiles = (quartile(&mut ratios, 1), quartile(&mut ratios, 3));
    Figures { product: median(products), bare: median(bares), ratio: median(ratios), quartiles }
}

/// The same with sides that do one operation at a time, and answer how long it took.
pub(crate) async fn contest(
    length: Length,
    settle: impl AsyncFn(),
    mut product: impl AsyncFnMut() -> Duration,
    mut bare: impl AsyncFnMut() -> Duration,
) -> Figures {
    let product = async |block| repeat(block, &mut product).await;
    let bare = async |block| repeat(block, &mut bare).await;
    contest_of_blocks(length, settle, product, bare).await
}

async fn repeat(times: usize, side: &mut impl AsyncFnMut() -> Duration) -> Vec<Duration> {
    let mut took = Vec::with_capacity(times);
    for _ in 0..times {
        took.push(side().await);
    }
    took
}

/// How long something takes.
pub(crate) async fn timed<T>(work: impl Future<Output = T>) -> Duration {
    // It takes its place before the clock starts: some are large, and would be moved there.
    let work = std::pin::pin!(work);
    let started = Instant::now();
    std::hint::black_box(work.await);
    started.elapsed()
}

fn micros(times: &[Duration]) -> Vec<f64> {
    times.iter().map(|time| time.as_secs_f64() * 1e6).collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    quartile(&mut values, 2)
}

/// So many quarters of the values are below it.
fn quartile(values: &mut [f64], quarters: u8) -> f64 {
    values.sort_by(f64::total_cmp);
    // Between two values: the lower of them alone would be too low.
    let (quarters, last) = (usize::from(quarters), values.len() - 1);
    let (low, high) = (last * quarters / 4, (last * quarters).div_ceil(4));
    f64::midpoint(values[low], values[high])
}
