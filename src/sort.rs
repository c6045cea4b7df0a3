//! Putting things in order: by comparing them, at once or step by step, and by numbers.

use std::ops::ControlFlow;

/// Numbers on their way into an order: a merge sort that begins with what is in order already. The time grows as
/// n log r, where r is how many ascending runs there are. Equal things keep their places.
#[derive(Debug)]
pub(crate) struct Sorting {
    /// Ascending runs, side by side.
    numbers: Vec<u32>,
    /// Where each run ends. Behind those of this pass may stand some of the pass before.
    ends: Vec<u32>,
    /// How many numbers are known to belong to runs.
    scanned: usize,
    /// What this pass has made so far: each two runs are one.
    merged: Vec<u32>,
    merged_runs: usize,
    /// The next number of each of the two runs that are being merged.
    left: usize,
    right: usize,
}

impl Sorting {
    /// Numbers that are in no order yet.
    pub fn new(numbers: Vec<u32>) -> Self {
        let merged = Vec::with_capacity(numbers.len());
        Self { numbers, ends: Vec::new(), scanned: 0, merged, merged_runs: 0, left: 0, right: 0 }
    }

    /// Goes on, and looks at about so many pairs of numbers. `Break` where all are in order.
    pub fn step(&mut self, pair_count: usize, is_less: &dyn Fn(u32, u32) -> bool) -> ControlFlow<()> {
        for _ in 0..pair_count {
            if self.scanned < self.numbers.len() {
                self.scan(is_less);
            } else if self.ends.len() <= 1 {
                return ControlFlow::Break(());
            } else {
                self.merge(is_less);
            }
        }
        ControlFlow::Continue(())
    }

    /// The numbers, which are in order once a step has said so.
    pub fn numbers(&self) -> &[u32] {
        &self.numbers
    }

    /// The numbers, which are in order once a step has said so.
    pub fn into_numbers(self) -> Vec<u32> {
        self.numbers
    }

    /// Whether the next number goes on with the run, or begins another.
    fn scan(&mut self, is_less: &dyn Fn(u32, u32) -> bool) {
        let next = self.scanned;
        if 0 < next && is_less(self.numbers[next], self.numbers[next - 1]) {
            self.ends.push(next as u32);
        }
        self.scanned += 1;
        if self.scanned == self.numbers.len() {
            self.ends.push(self.scanned as u32);
            self.begin_pass();
        }
    }

    fn begin_pass(&mut self) {
        (self.merged_runs, self.left, self.right) = (0, 0, self.ends[0] as usize);
    }

    /// Takes the next number of two runs, or begins with the next two.
    fn merge(&mut self, is_less: &dyn Fn(u32, u32) -> bool) {
        let first = 2 * self.merged_runs;
        let left_end = self.ends[first] as usize;
        let right_end = self.ends.get(first + 1).map_or(left_end, |end| *end as usize);
        let (has_left, has_right) = (self.left < left_end, self.right < right_end);
        if has_right && (!has_left || is_less(self.numbers[self.right], self.numbers[self.left])) {
            self.merged.push(self.numbers[self.right]);
            self.right += 1;
        } else if has_left {
            self.merged.push(self.numbers[self.left]);
            self.left += 1;
        }
        if self.left < left_end || self.right < right_end {
            return;
        }
        self.ends[self.merged_runs] = right_end as u32;
        self.merged_runs += 1;
        match self.ends.get(2 * self.merged_runs) {
            Some(next_left_end) => (self.left, self.right) = (right_end, *next_left_end as usize),
            None => {
                self.ends.truncate(self.merged_runs);
                std::mem::swap(&mut self.numbers, &mut self.merged);
                self.merged.clear();
                self.begin_pass();
            }
        }
    }
}

/// Sorts numbers, which stand for things of any kind: `is_less` says which of two comes first. Equal things keep
/// their places.
#[inline(never)]
pub(crate) fn sort_numbers(numbers: &mut [u32], is_less: &dyn Fn(u32, u32) -> bool) {
    let mut sorting = Sorting::new(numbers.to_vec());
    while sorting.step(usize::MAX, is_less).is_continue() {}
    numbers.copy_from_slice(sorting.numbers());
}

/// Keys that lie so close together, in keys for each thing, are counted all at once.
const SPAN_FACTOR: u64 = 4;

/// Things in ascending order of their keys, sorted digit by digit from the lowest: the time grows with their number, and with
/// the digits that the keys differ in. A digit is a byte, or, of keys that lie close together, the whole key. Equal things
/// keep their places.
#[inline(never)]
pub(crate) fn sort_by_key(mut keyed: Vec<(u64, usize)>) -> Vec<(u64, usize)> {
    let (lowest, highest) =
        keyed.iter().fold((u64::MAX, 0), |(low, high), (key, _)| (low.min(*key), high.max(*key)));
    let span = highest.saturating_sub(lowest);
    let is_dense = span <= SPAN_FACTOR * keyed.len() as u64;
    let digit_bits = if is_dense { u64::BITS - span.leading_zeros() } else { u8::BITS };
    let mut sorted = keyed.clone();
    let mut next_places = vec![0_usize; (1 << digit_bits) + 1];
    let mut shift = 0;
    while shift < u64::BITS && 0 < span >> shift {
        let digit = |key: u64| ((key - lowest) >> shift & ((1 << digit_bits) - 1)) as usize;
        next_places.fill(0);
        keyed.iter().for_each(|(key, _)| next_places[digit(*key) + 1] += 1);
        for value in 1..next_places.len() {
            next_places[value] += next_places[value - 1];
        }
        for (key, thing) in &keyed {
            let next = &mut next_places[digit(*key)];
            sorted[*next] = (*key, *thing);
            *next += 1;
        }
        std::mem::swap(&mut keyed, &mut sorted);
        shift += digit_bits;
    }
    keyed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::prng::Prng;

    #[test]
    fn numbers_come_in_order_whatever_the_steps_are_and_equal_ones_keep_their_places() {
        for seed in 0..300 {
            println!("seed {seed}");
            let mut prng = Prng::new(seed);
            let count = prng.below(200) as u32;
            let value_count = *prng.pick(&[1, 3, 1_000]);
            let mut values: Vec<u64> = (0..count).map(|_| prng.below(value_count)).collect();
            let run_length = *prng.pick(&[1, 20, 200]);
            values.chunks_mut(run_length).for_each(<[u64]>::sort);
            let mut expected: Vec<u32> = (0..count).collect();
            expected.sort_by_key(|number| values[*number as usize]);

            let is_less = |one: u32, other: u32| values[one as usize] < values[other as usize];
            let mut sorting = Sorting::new((0..count).collect());
            while sorting.step(prng.between(1..=50) as usize, &is_less).is_continue() {}
            assert_eq!(sorting.into_numbers(), expected);
        }
    }

    #[test]
    fn keys_come_in_order_however_far_apart_they_are_and_equal_ones_keep_their_places() {
        for seed in 0..300 {
            println!("seed {seed}");
            let mut prng = Prng::new(seed);
            let count = prng.below(200) as usize;
            let lowest = *prng.pick(&[0, 1, 1 << 52]);
            let range = *prng.pick(&[1, 3, 256, 257, 70_000, u64::MAX - (1 << 52)]);
            let keyed: Vec<(u64, usize)> =
                (0..count).map(|place| (lowest + prng.below(range), place)).collect();
            let mut expected = keyed.clone();
            expected.sort_by_key(|(key, _)| *key);
            assert_eq!(sort_by_key(keyed), expected);
        }
    }
}
