// Conversions between kinds, each rounded once, to nearest and ties to even.
fn u64_to_f32(v: vec2<u32>) -> f32 {
    if v.y == 0u && v.x < 0x1000000u { return f32(v.x); }
    var top = firstLeadingBit(v.x);
    if v.y != 0u { top = 32u + firstLeadingBit(v.y); }
    // The 24 highest bits, and what the bits below say about rounding.
    let shift = top - 23u;
    var mantissa = right64(v, shift).x;
    let rest = sub64(v, left64(vec2<u32>(mantissa, 0u), shift));
    let tie = left64(vec2<u32>(1u, 0u), shift - 1u);
    if less_u64(tie, rest) || (eq64(tie, rest) && (mantissa & 1u) != 0u) { mantissa += 1u; }
    return f32(mantissa) * bitcast<f32>((shift + 127u) << 23u);
}

fn i64_to_f32(v: vec2<u32>) -> f32 {
    let size = u64_to_f32(abs64(v));
    return select(size, -size, negative64(v));
}

// The integer part, held inside the range; NaN gives 0.
fn f32_to_u64(x: f32) -> vec2<u32> {
    if is_nan(x) || x < 1.0 { return vec2<u32>(0u, 0u); }
    let bits = bitcast<u32>(x);
    let exponent = (bits >> 23u) - 127u;
    if exponent >= 64u { return vec2<u32>(0xffffffffu, 0xffffffffu); }
    let mantissa = vec2<u32>((bits & 0x7fffffu) | 0x800000u, 0u);
    if exponent >= 23u { return left64(mantissa, exponent - 23u); }
    return right64(mantissa, 23u - exponent);
}

fn f32_to_i64(x: f32) -> vec2<u32> {
    let size = f32_to_u64(abs(x));
    let below = x < 0.0;
    if negative64(size) {
        return select(vec2<u32>(0xffffffffu, 0x7fffffffu), vec2<u32>(0u, 0x80000000u), below);
    }
    return select(size, neg64(size), below);
}

fn round_f16(x: f32) -> f32 {
    let bits = bitcast<u32>(x);
    let size = bits & 0x7fffffffu;
    let sign = bits & 0x80000000u;
    if size > 0x7f800000u { return x; }
    if size >= 0x477ff000u { return bitcast<f32>(sign | 0x7f800000u); }
    if size < 0x38800000u {
        let steps = round(bitcast<f32>(size) * 16777216.0) * 5.9604644775390625e-8;
        return bitcast<f32>(sign | bitcast<u32>(steps));
    }
    return bitcast<f32>(sign | ((size + 0xfffu + ((size >> 13u) & 1u)) & 0xffffe000u));
}

fn round_bf16(x: f32) -> f32 {
    let bits = bitcast<u32>(x);
    if (bits & 0x7fffffffu) > 0x7f800000u { return x; }
    return bitcast<f32>((bits + 0x7fffu + ((bits >> 16u) & 1u)) & 0xffff0000u);
}
