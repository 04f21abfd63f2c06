//! Sorting, by counting: an element stands after all that come before it in the order.

use super::dense::{Dense, Num};
use crate::buffer::Meta;
use std::cmp::Ordering;

pub(super) fn sort(axis: usize, descending: bool, x: &Dense, metas: &[Meta]) -> Vec<Dense> {
    let (mut values, mut positions) = (x.data.clone(), x.data.clone());
    let length = x.meta.shape[axis];
    for index in x.meta.shape.indices() {
        let mut other = index.to_vec();
        let mut rank = 0;
        for i in 0..length {
            other[axis] = i;
            let order = compare(x.at(&other), x.at(&index));
            let before = if descending { Ordering::Greater } else { Ordering::Less };
            rank += usize::from(order == before || (order == Ordering::Equal && i < index[axis]));
        }
        other[axis] = rank;
        let place = x.place(&other);
        values[place] = x.at(&index);
        positions[place] = Num::I(index[axis] as i128);
    }
    vec![Dense { meta: metas[0].clone(), data: values }, Dense { meta: metas[1].clone(), data: positions }]
}

/// A NaN is larger than any number.
fn compare(a: Num, b: Num) -> Ordering {
    match (a, b) {
        (Num::F(a), Num::F(b)) => a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan())),
        (a, b) => a.int().cmp(&b.int()),
    }
}
