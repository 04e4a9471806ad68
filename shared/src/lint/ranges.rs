//! Sorted ranges of bytes that do not overlap, and what lies in them.
use std::ops::Range;

/// Sorts ranges and joins those that overlap or touch.
pub(super) fn merge(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// The range that a byte lies in.
pub(super) fn around(ranges: &[Range<usize>], at: usize) -> Option<&Range<usize>> {
    ranges.get(ranges.partition_point(|range| range.end <= at)).filter(|range| range.start <= at)
}

/// Does a byte lie in one of them?
pub(super) fn cover(ranges: &[Range<usize>], at: usize) -> bool {
    around(ranges, at).is_some()
}
