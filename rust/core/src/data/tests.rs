use super::ahead::Ahead;
use super::order::{Order, Permutation};
use super::rows::Rows;
use crate::buffer::{HostStorage, Meta, Value};
use crate::device::Device;
use crate::dtype::DType;
use crate::layout::{Layout, Strides};
use std::sync::Arc;

const KEYS: [u64; 8] = [3, 1, 4, 1, 5, 9, 2, 6];

/// Rows that hold their own number, `width` times.
fn numbered(rows: usize, width: usize) -> Value {
    let bytes: Vec<u8> = (0..rows).flat_map(|row| (row as u64).to_ne_bytes().repeat(width)).collect();
    let buffer = Arc::new(HostStorage::copied(&bytes, Device::Cpu));
    Value { buffer, layout: Layout::contiguous(Meta::new([rows, width], DType::U64).shape), dtype: DType::U64 }
}

fn numbers(value: &Value) -> Vec<u64> {
    let bytes = value.host("test").unwrap();
    bytes.chunks_exact(8).map(|word| u64::from_ne_bytes(word.try_into().unwrap())).collect()
}

#[test]
fn a_permutation_has_every_number_once() {
    for size in [1, 2, 5, 63, 64, 65, 1000, 4097] {
        let order = Permutation::new(size as u64, KEYS);
        let mut found = order.at(0..size);
        assert_eq!(found, (0..size).flat_map(|place| order.at(place..place + 1)).collect::<Vec<_>>());
        assert!(size < 60 || !found.is_sorted(), "{size} numbers are shuffled");
        found.sort_unstable();
        assert_eq!(found, (0..size).collect::<Vec<_>>());
    }
}

#[test]
fn batches_ahead_are_the_batches_of_the_rows() {
    let count = 60_000;
    let listed: Vec<i64> = (0..count as i64).map(|i| (i * 7919) % count as i64).collect();
    let orders = [
        Order::Sequence,
        Order::Permuted(Permutation::new(count as u64, KEYS)),
        Order::listed(&listed, count).unwrap(),
    ];
    let spans = [(0, count, 997), (1234, count - 5, 256), (0, 3, 2), (7, 7, 1), (0, count, count), (0, count, 9999)];
    for (order, workers) in orders.iter().flat_map(|order| [0, 1, 3].map(|workers| (order, workers))) {
        for (start, stop, size) in spans {
            let rows = || Rows::new(vec![numbered(count, 3), numbered(count, 1)], order.clone()).unwrap();
            let (plain, mut ahead) = (rows(), Ahead::new(rows(), size, start, stop, workers).unwrap());
            let mut at = start;
            while let Some(batch) = ahead.next_batch().unwrap() {
                let end = stop.min(at + size);
                let expected = plain.batch(at, end).unwrap();
                assert_eq!(batch.len(), 2);
                for (found, value) in batch.iter().zip(&expected) {
                    assert_eq!(found.meta(), value.meta());
                    assert_eq!(numbers(found), numbers(value));
                }
                let rows: Vec<u64> = order.at(at..end).into_iter().map(|row| row as u64).collect();
                assert_eq!(numbers(&batch[1]), rows);
                at = end;
            }
            assert_eq!(at, stop);
            assert!(ahead.next_batch().unwrap().is_none(), "the end stays the end");
        }
    }
}

#[test]
fn few_or_small_batches_start_no_thread() {
    let batches = |count: usize, size, workers| {
        let rows = Rows::new(vec![numbered(count, 1)], Order::Sequence).unwrap();
        let mut ahead = Ahead::new(rows, size, 0, count, workers).unwrap();
        assert_eq!(ahead.is_short(), workers == 0 && size * 8 <= 65_536);
        ahead.next_batch().unwrap();
        format!("{ahead:?}").matches("JoinHandle").count()
    };
    assert_eq!(batches(100_000, 8192, 0), 0);
    assert_eq!(batches(100_000, 8193, 0), 1);
    assert_eq!(batches(100_000, 100, 1), 1);
    assert_eq!(batches(100_000, 100, 3), 3);
    assert_eq!(batches(30_000, 10_000, 2), 0, "what is left is little");
    let shuffled = Rows::new(vec![numbered(100_000, 1)], Order::Permuted(Permutation::new(100_000, KEYS)));
    let mut ahead = Ahead::new(shuffled.unwrap(), 8, 0, 100_000, 0).unwrap();
    ahead.next_batch().unwrap();
    assert!(format!("{ahead:?}").contains("JoinHandle"), "shuffled rows take longer");
}

#[test]
fn narrow_rows_are_those_of_the_table() {
    for width in [1usize, 2, 4, 8, 3] {
        let bytes: Vec<u8> = (0..100 * width).map(|byte| (byte * 7 % 251) as u8).collect();
        let buffer = Arc::new(HostStorage::copied(&bytes, Device::Cpu));
        let layout = Layout::contiguous(Meta::new([100, width], DType::U8).shape);
        let rows =
            Rows::new(vec![Value { buffer, layout, dtype: DType::U8 }], Order::Permuted(Permutation::new(100, KEYS)));
        let rows = rows.unwrap();
        let expected: Vec<u8> = Permutation::new(100, KEYS)
            .at(5..90)
            .iter()
            .flat_map(|row| bytes[row * width..][..width].to_vec())
            .collect();
        assert_eq!(rows.batch(5, 90).unwrap()[0].host("test").unwrap(), expected);
    }
}

#[test]
fn rows_may_overlap_and_lie_apart() {
    let flat = numbered(12, 1);
    let layout = |shape: [usize; 2], strides: [isize; 2], offset| {
        Layout::new(shape.into(), Strides::from_slice(&strides), offset)
    };
    let windows = flat.with_layout(layout([5, 3], [2, 1], 1));
    let apart = flat.with_layout(layout([5, 1], [2, 1], 0));
    for order in [Order::Sequence, Order::listed(&[0, 1, 2, 3, 4], 5).unwrap()] {
        let batch = Rows::new(vec![windows.clone(), apart.clone()], order).unwrap().batch(1, 3).unwrap();
        assert_eq!(numbers(&batch[0]), [3, 4, 5, 5, 6, 7]);
        assert_eq!(numbers(&batch[1]), [2, 4]);
    }
    let empty = Rows::new(vec![numbered(5, 0)], Order::Sequence).unwrap().batch(1, 4).unwrap();
    assert_eq!(empty[0].shape().iter().copied().collect::<Vec<_>>(), [3, 0]);
    for wrong in [layout([5, 3], [2, 1], 3), layout([5, 3], [1, 2], 0), layout([5, 3], [-1, 1], 6)] {
        assert!(Rows::new(vec![flat.with_layout(wrong)], Order::Sequence).is_err());
    }
}

#[test]
fn a_dropped_iteration_ends_its_thread() {
    let source = numbered(100_000, 4);
    let watched = Arc::downgrade(&source.buffer);
    let mut ahead = Ahead::new(Rows::new(vec![source], Order::Sequence).unwrap(), 10, 0, 100_000, 2).unwrap();
    ahead.next_batch().unwrap();
    ahead.next_batch().unwrap();
    assert!(watched.upgrade().is_some());
    drop(ahead);
    assert!(watched.upgrade().is_none(), "the thread has let go of the arrays");
}

#[test]
fn what_is_no_table_of_rows_is_refused() {
    let ragged = Rows::new(vec![numbered(3, 1), numbered(4, 1)], Order::Sequence);
    assert!(ragged.unwrap_err().to_string().contains("3 rows"));
    assert!(Rows::new(Vec::new(), Order::Sequence).is_err());
    for number in [-1, 3] {
        assert!(Order::listed(&[0, number], 3).unwrap_err().to_string().contains("from 0 to 2"));
    }
    let rows = || Rows::new(vec![numbered(3, 1)], Order::Sequence).unwrap();
    assert!(Ahead::new(rows(), 0, 0, 3, 0).is_err());
    assert!(Ahead::new(rows(), 1, 0, 4, 0).is_err());
    assert_eq!(rows().len(), 3);
    assert!(!rows().is_empty());
}
