//! Functions of one element, as WGSL expressions.

use crate::backend::gpu::shader::{Expr, Kind};
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::op::{BinaryOp, CompareOp, Op, UnaryOp};

/// An elementwise op, not yet rounded or cut to the dtype of its result.
pub(in crate::backend::gpu) fn pointwise(op: &Op, x: &[Expr]) -> Result<Expr> {
    match (op, x) {
        (Op::Unary(op), [x]) => unary(*op, x),
        (Op::Binary(op), [a, b]) => binary(*op, a, b),
        (Op::Compare(op), [a, b]) => Ok(compare(*op, a, b)),
        (Op::Select, [condition, a, b]) => Ok(choose(condition, a, b)),
        (Op::Cast(dtype), [x]) => Ok(cast(x, *dtype)),
        _ => Err(Error::bug(op.name(), "no function of elements")),
    }
}

/// A function of one number.
pub(in crate::backend::gpu) fn unary(op: UnaryOp, x: &Expr) -> Result<Expr> {
    let call = |name: &str| format!("{name}({})", x.text);
    let text = match (op, x.kind) {
        (UnaryOp::Not, Kind::Truth) => format!("(!{})", x.text),
        (UnaryOp::Not, Kind::Signed | Kind::Unsigned) => format!("(~{})", x.text),
        (UnaryOp::Neg, Kind::Signed | Kind::Unsigned) => call("neg64"),
        (UnaryOp::Abs, Kind::Signed) => call("abs64"),
        (UnaryOp::Sign, Kind::Signed) => call("sign_i64"),
        (UnaryOp::Sign, Kind::Unsigned) => call("sign_u64"),
        (UnaryOp::Abs, Kind::Unsigned)
        | (UnaryOp::Floor | UnaryOp::Ceil | UnaryOp::Round | UnaryOp::Trunc, Kind::Signed | Kind::Unsigned) => {
            x.text.clone()
        }
        (_, Kind::Float) => call(float(op)?),
        (_, Kind::Signed | Kind::Unsigned | Kind::Truth) => return Err(undefined(op.name())),
    };
    Ok(Expr::new(x.kind, text))
}

fn float(op: UnaryOp) -> Result<&'static str> {
    Ok(match op {
        UnaryOp::Neg => "negate",
        UnaryOp::Abs => "absolute",
        UnaryOp::Sign => "sign_of",
        UnaryOp::Reciprocal => "1.0 / ",
        UnaryOp::Exp => "exponential",
        UnaryOp::Expm1 => "exp_minus_one",
        UnaryOp::Log => "logarithm",
        UnaryOp::Log1p => "log_one_plus",
        UnaryOp::Sqrt => "sqrt",
        UnaryOp::Sin => "sine",
        UnaryOp::Cos => "cosine",
        UnaryOp::Tan => "tangent",
        UnaryOp::Asin => "arc_sine",
        UnaryOp::Acos => "arc_cosine",
        UnaryOp::Atan => "arc_tangent",
        UnaryOp::Sinh => "sinh_of",
        UnaryOp::Cosh => "cosh_of",
        UnaryOp::Tanh => "tanh_of",
        UnaryOp::Asinh => "area_sinh",
        UnaryOp::Acosh => "area_cosh",
        UnaryOp::Atanh => "area_tanh",
        UnaryOp::Sigmoid => "sigmoid",
        UnaryOp::Erf => "error_function",
        UnaryOp::Gelu => "gaussian_unit",
        UnaryOp::Floor => "floor",
        UnaryOp::Ceil => "ceil",
        UnaryOp::Round => "round",
        UnaryOp::Trunc => "trunc",
        UnaryOp::Not => return Err(undefined(op.name())),
    })
}

/// A function of two numbers of one kind.
pub(in crate::backend::gpu) fn binary(op: BinaryOp, a: &Expr, b: &Expr) -> Result<Expr> {
    let call = |name: &str| format!("{name}({}, {})", a.text, b.text);
    let infix = |sign: &str| format!("({} {sign} {})", a.text, b.text);
    let text = match a.kind {
        Kind::Float => match op {
            BinaryOp::Add => infix("+"),
            BinaryOp::Sub => infix("-"),
            BinaryOp::Mul => infix("*"),
            BinaryOp::Div => infix("/"),
            BinaryOp::Pow => call("power"),
            BinaryOp::Maximum => call("larger"),
            BinaryOp::Minimum => call("smaller"),
            BinaryOp::Remainder => call("float_remainder"),
            BinaryOp::FloorDivide => call("float_floor_divide"),
            BinaryOp::Atan2 => call("arc_tangent_2"),
            BinaryOp::CopySign => call("copy_sign"),
            BinaryOp::NextAfter => call("next_after"),
            BinaryOp::And | BinaryOp::Or | BinaryOp::Xor | BinaryOp::ShiftLeft | BinaryOp::ShiftRight => {
                return Err(undefined(op.name()));
            }
        },
        Kind::Signed | Kind::Unsigned => {
            let signed = |name: &str| call(&format!("{name}_{}", if a.kind == Kind::Signed { "i64" } else { "u64" }));
            match op {
                BinaryOp::Add => call("add64"),
                BinaryOp::Sub => call("sub64"),
                BinaryOp::Mul => call("mul64"),
                BinaryOp::Pow => signed("pow"),
                BinaryOp::Maximum => signed("max"),
                BinaryOp::Minimum => signed("min"),
                BinaryOp::Remainder => signed("remainder"),
                BinaryOp::FloorDivide => signed("floor_divide"),
                BinaryOp::And => infix("&"),
                BinaryOp::Or => infix("|"),
                BinaryOp::Xor => infix("^"),
                BinaryOp::ShiftLeft => call("shift_left_i64"),
                BinaryOp::ShiftRight => signed("shift_right"),
                BinaryOp::Div | BinaryOp::Atan2 | BinaryOp::CopySign | BinaryOp::NextAfter => {
                    return Err(undefined(op.name()));
                }
            }
        }
        Kind::Truth => match op {
            BinaryOp::Maximum | BinaryOp::Or => infix("||"),
            BinaryOp::Minimum | BinaryOp::And => infix("&&"),
            BinaryOp::Xor => infix("!="),
            _ => return Err(undefined(op.name())),
        },
    };
    Ok(Expr::new(a.kind, text))
}

/// A comparison of two numbers of one kind; a NaN is unequal to everything.
pub(in crate::backend::gpu) fn compare(op: CompareOp, a: &Expr, b: &Expr) -> Expr {
    let (x, y) = (&a.text, &b.text);
    let text = match a.kind {
        Kind::Float => match op {
            CompareOp::Equal => format!("({x} == {y})"),
            // The plain form is false where one is a NaN.
            CompareOp::NotEqual => format!("(!({x} == {y}))"),
            CompareOp::Less => format!("({x} < {y})"),
            CompareOp::LessEqual => format!("({x} <= {y})"),
            CompareOp::Greater => format!("({x} > {y})"),
            CompareOp::GreaterEqual => format!("({x} >= {y})"),
        },
        Kind::Signed | Kind::Unsigned => {
            let less = if a.kind == Kind::Signed { "less_i64" } else { "less_u64" };
            match op {
                CompareOp::Equal => format!("eq64({x}, {y})"),
                CompareOp::NotEqual => format!("(!eq64({x}, {y}))"),
                CompareOp::Less => format!("{less}({x}, {y})"),
                CompareOp::LessEqual => format!("(!{less}({y}, {x}))"),
                CompareOp::Greater => format!("{less}({y}, {x})"),
                CompareOp::GreaterEqual => format!("(!{less}({x}, {y}))"),
            }
        }
        Kind::Truth => match op {
            CompareOp::Equal => format!("({x} == {y})"),
            CompareOp::NotEqual => format!("({x} != {y})"),
            CompareOp::Less => format!("(!{x} && {y})"),
            CompareOp::LessEqual => format!("(!{x} || {y})"),
            CompareOp::Greater => format!("({x} && !{y})"),
            CompareOp::GreaterEqual => format!("({x} || !{y})"),
        },
    };
    Expr::new(Kind::Truth, text)
}

/// `condition ? a : b`.
pub(in crate::backend::gpu) fn choose(condition: &Expr, a: &Expr, b: &Expr) -> Expr {
    Expr::new(a.kind, format!("select({}, {}, {})", b.text, a.text, condition.text))
}

/// The number in another dtype, not yet rounded or cut to it.
pub(in crate::backend::gpu) fn cast(x: &Expr, to: DType) -> Expr {
    let (text, kind) = (&x.text, Kind::of(to));
    let converted = match (x.kind, kind) {
        (Kind::Truth, Kind::Truth) | (Kind::Float, Kind::Float) => text.clone(),
        // NaN is no zero, and a subnormal number is none either.
        (Kind::Float, Kind::Truth) => format!("((bitcast<u32>({text}) & 0x7fffffffu) != 0u)"),
        (Kind::Signed | Kind::Unsigned, Kind::Truth) => format!("(({text}.x | {text}.y) != 0u)"),
        (Kind::Truth, Kind::Float) => format!("select(0.0, 1.0, {text})"),
        (Kind::Signed, Kind::Float) => format!("i64_to_f32({text})"),
        (Kind::Unsigned, Kind::Float) => format!("u64_to_f32({text})"),
        (Kind::Truth, Kind::Signed | Kind::Unsigned) => format!("vec2<u32>(select(0u, 1u, {text}), 0u)"),
        (Kind::Signed | Kind::Unsigned, Kind::Signed | Kind::Unsigned) => text.clone(),
        (Kind::Float, Kind::Signed | Kind::Unsigned) => held(text, to),
    };
    Expr::new(kind, converted)
}

/// A float as the nearest integer towards zero that the dtype has.
fn held(text: &str, to: DType) -> String {
    let bits = 8 * to.size() as u32;
    if to.is_unsigned() {
        let whole = format!("f32_to_u64({text})");
        let high = ((1u64 << (bits - 1)) - 1) * 2 + 1;
        return if bits == 64 { whole } else { format!("min_u64({whole}, {})", pair(high)) };
    }
    let whole = format!("f32_to_i64({text})");
    let high = (1u64 << (bits - 1)) - 1;
    if bits == 64 { whole } else { format!("clamp_i64({whole}, {}, {})", pair(!high), pair(high)) }
}

fn pair(bits: u64) -> String {
    format!("vec2<u32>({}u, {}u)", bits as u32, (bits >> 32) as u32)
}

/// A number rounded or cut to a dtype, in the kind it is computed in.
pub(in crate::backend::gpu) fn narrow(x: &Expr, dtype: DType) -> Expr {
    let text = &x.text;
    let cut = match dtype {
        DType::F16 => format!("round_f16({text})"),
        DType::BF16 => format!("round_bf16({text})"),
        DType::I8 => format!("extend_i32((bitcast<i32>({text}.x) << 24u) >> 24u)"),
        DType::I16 => format!("extend_i32((bitcast<i32>({text}.x) << 16u) >> 16u)"),
        DType::I32 => format!("extend_i32(bitcast<i32>({text}.x))"),
        DType::U8 => format!("vec2<u32>({text}.x & 0xffu, 0u)"),
        DType::U16 => format!("vec2<u32>({text}.x & 0xffffu, 0u)"),
        DType::U32 => format!("vec2<u32>({text}.x, 0u)"),
        DType::Bool | DType::I64 | DType::U64 | DType::F32 | DType::F64 => return x.clone(),
    };
    Expr::new(x.kind, cut)
}

fn undefined(op: &str) -> Error {
    Error::bug(op, "not defined on its dtype, which the dtype rule should have said")
}
