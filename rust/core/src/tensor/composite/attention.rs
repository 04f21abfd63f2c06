//! Attention by scaled products.

use crate::device::Device;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::decompose_attention::seen_by;
use crate::ir::node::Edge;
use crate::ir::op::{CompareOp, Composite, Op, ReduceOp};
use crate::shape::Shape;
use crate::tensor::composite::activation::softmax;
use crate::tensor::composite::dropout::dropout;
use crate::tensor::face::face;
use crate::tensor::functions::linear::matmul;

const OP: &str = "scaled_dot_product_attention";

/// Options of [`attention`].
#[derive(Clone, Debug, Default)]
pub struct Attention {
    /// True where a key may be seen, or numbers that are added to the scores; it broadcasts to `[..., L, S]`.
    pub mask: Option<Edge>,
    /// Share of the weights that are dropped.
    pub dropout: f64,
    /// Whether row i sees no key after key i.
    pub causal: bool,
    /// Factor of the scores; `1 / sqrt(E)` where none is given.
    pub scale: Option<f64>,
    /// Whether the weights are asked for as well.
    pub weights: bool,
    /// Whether several heads of the queries share one of the keys and values (axis -3).
    pub grouped: bool,
}

/// `softmax(q k^T scale + mask) v`, and the weights where they are asked for; for `q` `[..., L, E]`, `k` `[..., S, E]`, `v` `[..., S, F]`.
///
/// A row that sees no key gives 0, with gradient 0. Source: Vaswani et al. 2017, equation 1.
pub fn attention(q: &Edge, k: &Edge, v: &Edge, options: &Attention) -> Result<Vec<Edge>> {
    let b = face();
    let (k, v) = if options.grouped { (repeated(q, k)?, repeated(q, v)?) } else { (k.clone(), v.clone()) };
    check(q, &k, &v)?;
    let scale = options.scale.unwrap_or_else(|| 1.0 / (q.shape()[q.shape().len() - 1] as f64).sqrt());
    if options.goes_whole([q, &k, &v]) {
        let op = Op::Composite(Composite::Attention { causal: options.causal });
        return Ok(vec![b.emit(op, &[b.scale(q, scale)?, k, v])?.remove(0)]);
    }
    let mut scores = matmul(&b.scale(q, scale)?, &b.transpose(&k)?)?;
    let mut seen = None;
    if options.causal {
        if options.mask.is_some() {
            return Err(Error::value(OP, "attn_mask or is_causal; join them in one mask", "both"));
        }
        scores = masked(&scores, &seen_by(b, &scores)?)?;
    } else if let Some(mask) = &options.mask {
        scores = hidden(&scores, mask)?;
        // Rows without a key would divide 0 by 0.
        let least = b.full_like(&scores, f64::NEG_INFINITY)?;
        let open = b.compare(CompareOp::NotEqual, &scores, &least)?;
        let any = b.reduce_spread(ReduceOp::Any, &open, &[scores.shape().len() - 1])?;
        scores = b.select(&any, &scores, &b.full_like(&scores, 0.0)?)?;
        seen = Some(any);
    }
    let mut weights = softmax(&scores, scores.shape().len() - 1)?;
    if let Some(seen) = seen {
        weights = b.select(&seen, &weights, &b.full_like(&weights, 0.0)?)?;
    }
    weights = dropout(&weights, options.dropout, true)?;
    let mean = matmul(&weights, &v)?;
    Ok(if options.weights { vec![mean, weights] } else { vec![mean] })
}

impl Attention {
    /// Whether one op does it all, without the weights of all queries in memory: there is a kernel on the CPU for it.
    fn goes_whole(&self, [q, k, v]: [&Edge; 3]) -> bool {
        fn outer(x: &Edge) -> &[usize] {
            &x.shape()[..x.shape().len() - 2]
        }
        self.mask.is_none()
            && !self.weights
            && self.dropout == 0.0
            && !matches!(q.node.device, Device::Gpu(_))
            && matches!(q.dtype(), DType::F32 | DType::F64)
            && outer(q) == outer(k)
            && outer(q) == outer(v)
            && k.shape()[k.shape().len() - 2] > 0
    }
}

/// Each head of keys or values as often as it is shared.
fn repeated(q: &Edge, x: &Edge) -> Result<Edge> {
    let b = face();
    let rank = x.shape().len();
    let fits = rank >= 3 && q.shape().len() == rank && x.shape()[rank - 3] > 0;
    let times = if fits { q.shape()[rank - 3] / x.shape()[rank - 3] } else { 0 };
    if times == 0 || times * x.shape()[rank - 3] != q.shape()[rank - 3] {
        let rule = "with enable_gqa, query heads (axis -3) that are a multiple of the heads of key and value";
        return Err(Error::shape(OP, rule, format!("{} and {}", q.shape(), x.shape())));
    }
    let mut open = x.shape().to_vec();
    open.insert(rank - 2, 1);
    let mut many = open.clone();
    many[rank - 2] = times;
    let spread = b.expand(&b.reshape(x, &open.into())?, &many.into())?;
    b.reshape(&spread, &x.shape().with(rank - 3, q.shape()[rank - 3]))
}

fn check(q: &Edge, k: &Edge, v: &Edge) -> Result<()> {
    let ends = |e: &Edge| e.shape().len().checked_sub(2).map(|at| (e.shape()[at], e.shape()[at + 1]));
    let fits = match (ends(q), ends(k), ends(v)) {
        (Some((_, width)), Some((keys, other)), Some((values, _))) => width == other && keys == values,
        _ => false,
    };
    if fits && q.dtype().is_float() && q.dtype() == k.dtype() && q.dtype() == v.dtype() {
        return Ok(());
    }
    let text = |e: &Edge| format!("{} {}", e.dtype(), e.shape());
    let rule = "floating query [..., L, E], key [..., S, E] and value [..., S, F] of one dtype";
    Err(Error::shape(OP, rule, format!("{}, {} and {}", text(q), text(k), text(v))))
}

/// Scores where the mask is true, and no chance elsewhere.
fn masked(scores: &Edge, open: &Edge) -> Result<Edge> {
    let b = face();
    b.select(&b.expand(open, scores.shape())?, scores, &b.full_like(scores, f64::NEG_INFINITY)?)
}

/// Scores under a mask of truth values, or with numbers added.
fn hidden(scores: &Edge, mask: &Edge) -> Result<Edge> {
    match Shape::broadcast(OP, mask.shape(), scores.shape()) {
        Ok(shape) if shape == *scores.shape() => {}
        _ => {
            let rule = format!("a mask that broadcasts to the scores' shape {}", scores.shape());
            return Err(Error::shape(OP, rule, mask.shape().to_string()));
        }
    }
    if mask.dtype() == DType::Bool {
        return masked(scores, mask);
    }
    if !mask.dtype().is_float() {
        return Err(Error::dtype(OP, "a bool or floating mask", mask.dtype().to_string()));
    }
    face().add(scores, &face().expand(&face().cast(mask, scores.dtype())?, scores.shape())?)
}
