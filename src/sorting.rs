//! Sorting with one copy of the standard library's algorithm for all types. A copy for each would be a thirtieth of the
//! module that every visitor of the page loads.

use std::cmp::Ordering;

/// Sorts by a key; what is equal keeps its order.
pub fn by_key<T, K: Ord>(items: &mut [T], key: impl Fn(&T) -> K) {
    by(items, |one, other| key(one).cmp(&key(other)));
}

/// Sorts; what is equal keeps its order.
pub fn by<T>(items: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    let mut ranks = ranks(items.len(), &|one, other| {
        items.get(one).zip(items.get(other)).map_or(Ordering::Equal, |(one, other)| compare(one, other))
    });
    for place in 0..items.len() {
        // Each swap puts one item where it belongs.
        while let Some(rank) = ranks.get(place).copied().filter(|rank| *rank != place) {
            items.swap(place, rank);
            ranks.swap(place, rank);
        }
    }
}

/// The rank of each of `len` items among them.
fn ranks(len: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    order.sort_by(|one, other| compare(*one, *other));
    let mut ranks = vec![0; len];
    for (rank, item) in order.into_iter().enumerate() {
        if let Some(place) = ranks.get_mut(item) {
            *place = rank;
        }
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_as_the_standard_library_does() {
        let mut state = 1u32;
        for len in [0, 1, 2, 3, 10, 100, 1000] {
            let items: Vec<(u32, usize)> = (0..len)
                .map(|place| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 28, place)
                })
                .collect();
            let (mut ours, mut theirs) = (items.clone(), items);
            by_key(&mut ours, |item| item.0);
            theirs.sort_by_key(|item| item.0);
            assert_eq!(ours, theirs);
        }
    }
}
