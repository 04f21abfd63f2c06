// 64-bit integers as two words, the low one first; arithmetic wraps.
fn add64(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    let low = a.x + b.x;
    return vec2<u32>(low, a.y + b.y + select(0u, 1u, low < a.x));
}

fn sub64(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    return vec2<u32>(a.x - b.x, a.y - b.y - select(0u, 1u, a.x < b.x));
}

fn neg64(a: vec2<u32>) -> vec2<u32> {
    return sub64(vec2<u32>(0u, 0u), a);
}

// The upper word of a product of two words.
fn mul_high(a: u32, b: u32) -> u32 {
    let al = a & 0xffffu;
    let ah = a >> 16u;
    let bl = b & 0xffffu;
    let bh = b >> 16u;
    let low = al * bl;
    let middle = ah * bl + (low >> 16u);
    let other = al * bh + (middle & 0xffffu);
    return ah * bh + (middle >> 16u) + (other >> 16u);
}

fn mul64(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    return vec2<u32>(a.x * b.x, mul_high(a.x, b.x) + a.x * b.y + a.y * b.x);
}

fn eq64(a: vec2<u32>, b: vec2<u32>) -> bool {
    return a.x == b.x && a.y == b.y;
}

fn less_u64(a: vec2<u32>, b: vec2<u32>) -> bool {
    return a.y < b.y || (a.y == b.y && a.x < b.x);
}

fn less_i64(a: vec2<u32>, b: vec2<u32>) -> bool {
    return less_u64(a ^ vec2<u32>(0u, 0x80000000u), b ^ vec2<u32>(0u, 0x80000000u));
}

fn negative64(a: vec2<u32>) -> bool {
    return (a.y & 0x80000000u) != 0u;
}

fn abs64(a: vec2<u32>) -> vec2<u32> {
    return select(a, neg64(a), negative64(a));
}

fn sign_i64(a: vec2<u32>) -> vec2<u32> {
    return select(vec2<u32>(select(0u, 1u, (a.x | a.y) != 0u), 0u), vec2<u32>(0xffffffffu, 0xffffffffu), negative64(a));
}

fn sign_u64(a: vec2<u32>) -> vec2<u32> {
    return vec2<u32>(select(0u, 1u, (a.x | a.y) != 0u), 0u);
}

// Shifts by less than 64.
fn left64(a: vec2<u32>, n: u32) -> vec2<u32> {
    if n == 0u { return a; }
    if n >= 32u { return vec2<u32>(0u, a.x << (n - 32u)); }
    return vec2<u32>(a.x << n, (a.y << n) | (a.x >> (32u - n)));
}

fn right64(a: vec2<u32>, n: u32) -> vec2<u32> {
    if n == 0u { return a; }
    if n >= 32u { return vec2<u32>(a.y >> (n - 32u), 0u); }
    return vec2<u32>((a.x >> n) | (a.y << (32u - n)), a.y >> n);
}

fn shift_left_i64(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    if b.y != 0u || b.x > 63u { return vec2<u32>(0u, 0u); }
    return left64(a, b.x);
}

fn shift_right_u64(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    if b.y != 0u || b.x > 63u { return vec2<u32>(0u, 0u); }
    return right64(a, b.x);
}

// The sign moves in; a shift by more than there are bits leaves it alone.
fn shift_right_i64(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    let flip = select(0u, 0xffffffffu, negative64(a));
    let mask = vec2<u32>(flip, flip);
    if b.y != 0u || b.x > 63u { return mask; }
    return right64(a ^ mask, b.x) ^ mask;
}

// Quotient and remainder, by shifting and subtracting; a divisor of 0 gives zeros.
fn divide_u64(a: vec2<u32>, b: vec2<u32>) -> vec4<u32> {
    if b.x == 0u && b.y == 0u { return vec4<u32>(0u, 0u, 0u, 0u); }
    if a.y == 0u && b.y == 0u { return vec4<u32>(a.x / b.x, 0u, a.x % b.x, 0u); }
    var rest = vec2<u32>(0u, 0u);
    var quotient = vec2<u32>(0u, 0u);
    for (var k = 0u; k < 64u; k++) {
        let bit = right64(a, 63u - k).x & 1u;
        let over = rest.y >> 31u;
        rest = left64(rest, 1u);
        rest.x = rest.x | bit;
        quotient = left64(quotient, 1u);
        if over != 0u || !less_u64(rest, b) {
            rest = sub64(rest, b);
            quotient.x = quotient.x | 1u;
        }
    }
    return vec4<u32>(quotient.x, quotient.y, rest.x, rest.y);
}

fn floor_divide_u64(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    return divide_u64(a, b).xy;
}

fn remainder_u64(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    return divide_u64(a, b).zw;
}

fn floor_divide_i64(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    if b.x == 0u && b.y == 0u { return b; }
    let parts = divide_u64(abs64(a), abs64(b));
    if negative64(a) == negative64(b) { return parts.xy; }
    let down = neg64(parts.xy);
    return select(down, sub64(down, vec2<u32>(1u, 0u)), (parts.z | parts.w) != 0u);
}

// Has the sign of the divisor.
fn remainder_i64(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    if b.x == 0u && b.y == 0u { return b; }
    return sub64(a, mul64(floor_divide_i64(a, b), b));
}

fn pow_u64(base: vec2<u32>, exponent: vec2<u32>) -> vec2<u32> {
    var result = vec2<u32>(1u, 0u);
    var square = base;
    var left = exponent;
    for (var k = 0u; k < 64u; k++) {
        if left.x == 0u && left.y == 0u { break; }
        if (left.x & 1u) != 0u { result = mul64(result, square); }
        square = mul64(square, square);
        left = right64(left, 1u);
    }
    return result;
}

// Below an exponent of 0 only 1 and -1 have an integer result; the others give 0.
fn pow_i64(base: vec2<u32>, exponent: vec2<u32>) -> vec2<u32> {
    if !negative64(exponent) { return pow_u64(base, exponent); }
    if eq64(base, vec2<u32>(1u, 0u)) { return base; }
    if eq64(base, vec2<u32>(0xffffffffu, 0xffffffffu)) {
        return select(vec2<u32>(1u, 0u), base, (exponent.x & 1u) != 0u);
    }
    return vec2<u32>(0u, 0u);
}

fn max_i64(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    return select(a, b, less_i64(a, b));
}

fn min_i64(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    return select(a, b, less_i64(b, a));
}

fn max_u64(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    return select(a, b, less_u64(a, b));
}

fn min_u64(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    return select(a, b, less_u64(b, a));
}

fn extend_i32(x: i32) -> vec2<u32> {
    return vec2<u32>(bitcast<u32>(x), bitcast<u32>(x >> 31u));
}

fn clamp_i64(x: vec2<u32>, low: vec2<u32>, high: vec2<u32>) -> vec2<u32> {
    return max_i64(low, min_i64(x, high));
}
