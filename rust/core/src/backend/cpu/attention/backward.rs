//! Gradients of queries, keys and values: the weights of a block are made anew from the logarithms.

use super::super::arch::Vectored;
use super::super::kernel::{Dst, Src};
use super::super::matmul::{Panels, Size, add, float};
use super::super::rows::along;
use super::super::scratch;
use super::rows::Scores;
use super::{Block, Head, Operand, by_keys, exp, heads, wrong};
use crate::error::Result;

pub(super) fn backward<T: Vectored>(causal: bool, inputs: &[Src<'_>; 6], outputs: &mut [Dst<'_>]) -> Result<()> {
    let [q, k, v, logs, g, shared] = inputs;
    let (head, dtype) = (Head::new(causal, [q, k, v]), q.dtype);
    let [of_q, of_k, of_v] = outputs else { return Err(wrong("three results")) };
    let (of_q, of_k, of_v) = (of_q.elements::<T>()?, of_k.elements::<T>()?, of_v.elements::<T>()?);
    // Keys and values collect what the blocks give them.
    of_k.fill(T::round_from(0.0));
    of_v.fill(T::round_from(0.0));
    if head.queries == 0 || of_k.is_empty() && of_v.is_empty() {
        return Ok(());
    }
    let starts = heads([(q, 2), (k, 2), (v, 2), (logs, 1), (g, 2), (shared, 1)]);
    let [asked, keys, values] = [Operand::<T>::matrices(q)?, Operand::matrices(k)?, Operand::matrices(v)?];
    let (logs, given, shared) = (Operand::<T>::numbers(logs)?, Operand::matrices(g)?, Operand::<T>::numbers(shared)?);
    let whole = head.tall() * head.keys;
    let rooms = [head.width, head.values].map(|rows| Panels::<T>::room(rows, head.keys));
    scratch::with(2 * whole + rooms[0] + rooms[1], |memory| {
        let (scores, memory) = memory.split_at_mut(whole);
        let (weights, memory) = memory.split_at_mut(whole);
        let (key_room, value_room) = memory.split_at_mut(rooms[0]);
        for (number, [q, k, v, log, g, share]) in starts.positions().enumerate() {
            let of_q = &mut of_q[number * head.queries * head.width..][..head.queries * head.width];
            let of_k = &mut of_k[number * head.keys * head.width..][..head.keys * head.width];
            let of_v = &mut of_v[number * head.keys * head.values..][..head.keys * head.values];
            let (down, values) = (keys.at(k, 0), values.at(v, 0));
            let keys_across = Panels::of(down.transposed(), (head.width, head.keys), key_room)?;
            let values_across = Panels::of(values.transposed(), (head.values, head.keys), value_room)?;
            for block in head.blocks() {
                let Block { first, queries, keys } = block;
                let (scores, weights) = (&mut scores[..queries * keys], &mut weights[..queries * keys]);
                let (asked, given) = (asked.at(q, first), given.at(g, first));
                keys_across.multiply(block.size(head.width), asked, scores)?;
                let mut rows = Scores { elements: scores, head, block };
                rows.lower(logs, along(log, logs.row_step, first));
                exp(rows.elements, weights, dtype)?;
                values_across.multiply(block.size(head.values), given, rows.elements)?;
                rows.pull(weights, shared, along(share, shared.row_step, first));
                let (pulled, weights) = (by_keys(scores, keys), by_keys(weights, keys));
                let of_q = &mut of_q[first * head.width..][..queries * head.width];
                float(Size { rows: queries, columns: head.width, depth: keys }, pulled, down, of_q)?;
                let size = |columns| Size { rows: keys, columns, depth: queries };
                add(size(head.width), pulled.transposed(), asked, &mut of_k[..keys * head.width])?;
                add(size(head.values), weights.transposed(), given, &mut of_v[..keys * head.values])?;
            }
        }
        Ok(())
    })
}
