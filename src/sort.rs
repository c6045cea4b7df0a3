//! Putting things in order: the one sort of the core, and a small one.

/// Sorts numbers, which stand for things of any kind: `is_less` says which of two comes first. By heap: the
/// time grows as n log n whatever the order was, and nothing is allocated. Equal things may change places.
#[inline(never)]
pub(crate) fn sort_numbers(numbers: &mut [u32], is_less: &dyn Fn(u32, u32) -> bool) {
    for root in (0..numbers.len() / 2).rev() {
        sift_down(numbers, root, is_less);
    }
    let mut rest = numbers;
    while let [first, .., last] = rest {
        std::mem::swap(first, last);
        let end = rest.len() - 1;
        rest = &mut rest[..end];
        sift_down(rest, 0, is_less);
    }
}

/// Moves the number at `root` down until none of those below it comes after it.
fn sift_down(numbers: &mut [u32], mut root: usize, is_less: &dyn Fn(u32, u32) -> bool) {
    loop {
        let mut child = 2 * root + 1;
        if numbers.len() <= child {
            return;
        }
        if child + 1 < numbers.len() && is_less(numbers[child], numbers[child + 1]) {
            child += 1;
        }
        if !is_less(numbers[root], numbers[child]) {
            return;
        }
        numbers.swap(root, child);
        root = child;
    }
}
