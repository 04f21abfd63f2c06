//! Fewer, longer axes: neighbours that every value of a group has, or has not, run as one loop.

use super::graph::{Axes, Graph, Pattern, Seen};
use super::group::Group;
use crate::shape::Shape;
use smallvec::SmallVec;
use std::ops::Range;

/// The axes of the space that each axis of a body stands for.
pub(super) type Ranges = SmallVec<[Range<usize>; 4]>;

/// The longest loops that the layouts of all outside values allow; the columns of a fold always become one axis.
pub(super) fn collapse(graph: &Graph<'_>, group: &Group, outside: &[Seen]) -> Ranges {
    let space = &group.space;
    let wide: Vec<usize> = (0..space.len()).filter(|&axis| space[axis] != 1).collect();
    let mut ranges = Ranges::new();
    let mut start = 0;
    for pair in wide.windows(2) {
        let (left, right) = (pair[0], pair[1]);
        let cut = group.split.is_some_and(|split| left < split && split <= right);
        let columns = group.split.is_some_and(|split| split <= left);
        let one = columns || outside.iter().all(|seen| run_on(graph, seen, space, left, right));
        if cut || !one {
            // An axis of size 1 goes with the loop on its left, except at the cut.
            let end = if cut { group.split.unwrap_or(right) } else { right };
            ranges.push(start..end);
            start = end;
        }
    }
    ranges.push(start..space.len());
    ranges
}

/// Whether a value has both axes or neither, and one step leads along both.
fn run_on(graph: &Graph<'_>, seen: &Seen, space: &Shape, left: usize, right: usize) -> bool {
    let whole = |axis: usize| seen.pattern[axis] == space[axis];
    match (whole(left), whole(right)) {
        (false, false) => true,
        (true, true) => {
            let stride = |axis| stride_along(graph, seen, axis);
            stride(left) == stride(right) * space[right] as isize
        }
        (true, false) | (false, true) => false,
    }
}

fn stride_along(graph: &Graph<'_>, seen: &Seen, axis: usize) -> isize {
    let place = place_of(&seen.axes, axis);
    place.map_or(0, |place| graph.layouts[seen.base].strides()[place])
}

fn place_of(axes: &Axes, axis: usize) -> Option<usize> {
    axes.iter().position(|&place| place == Some(axis))
}

/// The ranges of a space that have the sizes of `target`, if there are such.
pub(super) fn segments(space: &Shape, target: &Shape) -> Option<Ranges> {
    let mut ranges = Ranges::new();
    let mut start = 0;
    for (place, &size) in target.iter().enumerate() {
        let last = place + 1 == target.len();
        let (mut end, mut product) = (start, 1);
        while end < space.len() && (product < size || (last && space[end] == 1) || (end == start && space[end] == 1)) {
            product *= space[end];
            end += 1;
        }
        if product != size {
            return None;
        }
        ranges.push(start..end);
        start = end;
    }
    (start == space.len()).then_some(ranges)
}

/// Sizes of a pattern over the ranges. A range that the value has in part only counts as whole; it is then spread outside.
pub(super) fn sizes(space: &Shape, pattern: &[usize], ranges: &Ranges) -> Shape {
    ranges
        .iter()
        .map(|range| {
            let whole: usize = range.clone().map(|axis| space[axis]).product();
            if range.clone().all(|axis| pattern[axis] == 1) { 1 } else { whole }
        })
        .collect()
}

/// The pattern, made whole on every range that it has a part of.
pub(super) fn spread(space: &Shape, pattern: &[usize], ranges: &Ranges) -> Pattern {
    let mut wide: Pattern = pattern.into();
    for range in ranges {
        if range.clone().any(|axis| pattern[axis] != 1) {
            for axis in range.clone() {
                wide[axis] = space[axis];
            }
        }
    }
    wide
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_follow_the_sizes() {
        let ranges = |space: &[usize], target: &[usize]| segments(&space.into(), &target.into()).map(|r| r.to_vec());
        assert_eq!(ranges(&[2, 3, 4], &[6, 4]), Some(vec![0..2, 2..3]));
        assert_eq!(ranges(&[2, 3, 4], &[2, 3, 4]), Some(vec![0..1, 1..2, 2..3]));
        assert_eq!(ranges(&[6, 1], &[6, 1]), Some(vec![0..1, 1..2]));
        assert_eq!(ranges(&[1, 6], &[1, 6]), Some(vec![0..1, 1..2]));
        assert_eq!(ranges(&[24], &[6, 4]), None);
        assert_eq!(ranges(&[2, 3, 4], &[8, 3]), None);
    }
}
