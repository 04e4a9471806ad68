//! The test of Page and Hinkley: has a stream's mean moved, up or down? Constant memory, nothing forgotten.

/// Where the mean went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// It rose.
    Up,
    /// It fell.
    Down,
}

/// What is remembered of a stream.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PageHinkley {
    delta: f64,
    lambda: f64,
    instances_min: u64,
    /// How many values have come.
    pub n: u64,
    /// Their mean.
    pub mean: f64,
    /// The excess above the mean, less `delta` a value, since it last was 0.
    pub up: f64,
    /// The same below the mean.
    pub down: f64,
}

impl PageHinkley {
    /// A new stream. Moves of up to `delta` are tolerated; the alarm is at `lambda`, both in the unit of the values;
    /// not before `instances_min` values.
    #[must_use]
    pub fn new(delta: f64, lambda: f64, instances_min: u64) -> Self {
        Self { delta, lambda, instances_min, n: 0, mean: 0.0, up: 0.0, down: 0.0 }
    }

    /// Takes the next value; answers which way the mean has moved, if it has. What is not finite is passed over.
    pub fn push(&mut self, value: f64) -> Option<Direction> {
        if !value.is_finite() {
            return None;
        }
        self.n += 1;
        self.mean += (value - self.mean) / super::special::count(self.n);
        self.up = (self.up + value - self.mean - self.delta).max(0.0);
        self.down = (self.down + self.mean - value - self.delta).max(0.0);
        if self.n < self.instances_min {
            return None;
        }
        if self.up > self.lambda {
            return Some(Direction::Up);
        }
        (self.down > self.lambda).then_some(Direction::Down)
    }
}
