//! The weighted means of the values.

use super::super::arch::Vectored;
use super::super::kernel::{Dst, Src};
use super::super::matmul::{Panels, Size, float};
use super::super::scratch;
use super::rows::{Scores, divide};
use super::{Block, Head, Operand, by_keys, exp, heads, wrong};
use crate::error::Result;

pub(super) fn forward<T: Vectored>(causal: bool, inputs: &[Src<'_>; 3], outputs: &mut [Dst<'_>]) -> Result<()> {
    let [q, k, v] = inputs;
    let (head, dtype) = (Head::new(causal, [q, k, v]), q.dtype);
    let [out, logs] = outputs else { return Err(wrong("two results")) };
    let (out, logs) = (out.elements::<T>()?, logs.elements::<T>()?);
    if logs.is_empty() {
        return Ok(());
    }
    let starts = heads([(q, 2), (k, 2), (v, 2)]);
    let [asked, keys, values] = [Operand::<T>::matrices(q)?, Operand::matrices(k)?, Operand::matrices(v)?];
    let room = head.tall() * head.keys;
    scratch::with(2 * room + Panels::<T>::room(head.width, head.keys), |memory| {
        let (scores, memory) = memory.split_at_mut(room);
        let (weights, panels) = memory.split_at_mut(room);
        for (number, [q, k, v]) in starts.positions().enumerate() {
            let logs = &mut logs[number * head.queries..][..head.queries];
            let out = &mut out[number * head.queries * head.values..][..head.queries * head.values];
            let values = values.at(v, 0);
            let keys_across = Panels::of(keys.at(k, 0).transposed(), (head.width, head.keys), panels)?;
            for block in head.blocks() {
                let Block { first, queries, keys } = block;
                let (scores, weights) = (&mut scores[..queries * keys], &mut weights[..queries * keys]);
                keys_across.multiply(block.size(head.width), asked.at(q, first), scores)?;
                let logs = &mut logs[first..][..queries];
                let mut scores = Scores { elements: scores, head, block };
                scores.maxima(logs);
                scores.lower(Operand { elements: logs, row_step: 1, column_step: 0 }, 0);
                exp(scores.elements, weights, dtype)?;
                let out = &mut out[first * head.values..][..queries * head.values];
                let size = Size { rows: queries, columns: head.values, depth: keys };
                float(size, by_keys(weights, keys), values, out)?;
                divide(&Scores { elements: weights, head, block }, out, logs);
            }
        }
        Ok(())
    })
}
