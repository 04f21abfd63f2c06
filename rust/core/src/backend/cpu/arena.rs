//! Regions of one working memory, some to write and some to read at the same time, after a check that this is sound.

#![allow(unsafe_code, reason = "several disjoint regions of one memory are borrowed at once")]

use crate::error::{Error, Result};
use smallvec::SmallVec;
use std::ops::Range;
use std::slice;

/// Regions to write.
pub(super) type Writes<'a> = SmallVec<[&'a mut [u8]; 1]>;
/// Regions to read.
pub(super) type Reads<'a> = SmallVec<[&'a [u8]; 2]>;

/// Borrow regions of `bytes`: each of `writes` alone, those of `reads` shared.
///
/// A region outside the bytes, or one to write that meets another region, is an error.
pub(super) fn regions<'a>(
    bytes: &'a mut [u8],
    writes: &[Range<usize>],
    reads: &[Range<usize>],
) -> Result<(Writes<'a>, Reads<'a>)> {
    for (i, write) in writes.iter().enumerate() {
        if let Some(other) = writes[i + 1..].iter().chain(reads).find(|other| meet(write, other)) {
            return Err(Error::bug("arena", format!("bytes {write:?} are written while {other:?} are in use")));
        }
    }
    if let Some(outside) = writes.iter().chain(reads).find(|r| r.start > r.end || r.end > bytes.len()) {
        return Err(Error::bug("arena", format!("bytes {outside:?} of {}", bytes.len())));
    }
    let first = bytes.as_mut_ptr();
    // SAFETY: every range lies in `bytes`, borrowed for 'a, and no other range meets one that is written.
    let write = |range: &Range<usize>| unsafe { slice::from_raw_parts_mut(first.add(range.start), range.len()) };
    // SAFETY: every range lies in `bytes`, borrowed for 'a, and no range that is written meets it.
    let read = |range: &Range<usize>| unsafe { slice::from_raw_parts(first.add(range.start), range.len()) };
    Ok((writes.iter().map(write).collect(), reads.iter().map(read).collect()))
}

/// Whether two ranges have a byte in common.
fn meet(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start.max(b.start) < a.end.min(b.end)
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "lists of regions, some with one member")]
mod tests {
    use super::*;

    #[test]
    fn disjoint_regions_are_handed_out_together() {
        let mut bytes = [0u8, 1, 2, 3, 4, 5, 6, 7];
        let (mut writes, reads) = regions(&mut bytes, &[2..4, 6..8], &[0..2, 4..6, 1..2]).unwrap();
        writes[0].copy_from_slice(reads[0]);
        writes[1].copy_from_slice(reads[1]);
        assert_eq!(reads[2], [1]);
        drop((writes, reads));
        assert_eq!(bytes, [0, 1, 0, 1, 4, 5, 4, 5]);
    }

    #[test]
    fn overlaps_with_a_written_region_are_refused() {
        let mut bytes = [0u8; 8];
        for (writes, reads) in [
            (vec![0..4, 3..5], vec![]),
            (vec![0..4, 0..4], vec![]),
            (vec![2..6], vec![0..3]),
            (vec![2..6], vec![5..8]),
            (vec![2..6], vec![3..4]),
            (vec![3..4], vec![0..2, 2..6]),
        ] {
            assert!(regions(&mut bytes, &writes, &reads).is_err(), "{writes:?} {reads:?}");
        }
        assert!(regions(&mut bytes, &[0..4], &[4..8, 4..8, 5..6]).is_ok());
    }

    #[test]
    fn empty_regions_meet_nothing() {
        let mut bytes = [0u8; 8];
        assert!(regions(&mut bytes, &[0..8, 4..4], &[2..2, 8..8]).is_ok());
    }

    #[test]
    fn regions_outside_are_refused() {
        let mut bytes = [0u8; 8];
        assert!(regions(&mut bytes, &[4..9], &[]).is_err());
        assert!(regions(&mut bytes, &[], &[9..9]).is_err());
        assert!(regions(&mut bytes, &[], &[Range { start: 5, end: 4 }]).is_err());
    }
}
