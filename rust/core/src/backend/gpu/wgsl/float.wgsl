// Elementary functions of f32. The built-in ones may be off by hundreds of units, so all but the simplest are our own;
// polynomials are those of the CPU backend.
fn is_nan(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

fn is_inf(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7fffffffu) == 0x7f800000u;
}

// No shader may hold an infinity or a NaN as a constant: they come out of a variable.
var<private> bits_of_nan: u32 = 0x7fc00000u;
var<private> bits_of_inf: u32 = 0x7f800000u;

fn nan() -> f32 {
    return bitcast<f32>(bits_of_nan);
}

fn inf() -> f32 {
    return bitcast<f32>(bits_of_inf);
}

fn copy_sign(size: f32, sign: f32) -> f32 {
    return bitcast<f32>((bitcast<u32>(size) & 0x7fffffffu) | (bitcast<u32>(sign) & 0x80000000u));
}

fn negate(x: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(x) ^ 0x80000000u);
}

fn absolute(x: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(x) & 0x7fffffffu);
}

fn sign_of(x: f32) -> f32 {
    if is_nan(x) || x == 0.0 { return x; }
    return copy_sign(1.0, x);
}

fn larger(a: f32, b: f32) -> f32 {
    if is_nan(a) { return a; }
    if is_nan(b) { return b; }
    return select(b, a, a > b || (a == b && bitcast<u32>(a) == 0u));
}

fn smaller(a: f32, b: f32) -> f32 {
    if is_nan(a) { return a; }
    if is_nan(b) { return b; }
    return select(b, a, a < b || (a == b && bitcast<u32>(a) != 0u));
}

// 2^n for a whole n from -126 to 127.
fn power_of_two(n: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(i32(n) + 127) << 23u);
}

// (exp(r) - 1) for |r| <= ln(2) / 2.
fn exp_near(r: f32) -> f32 {
    var tail = fma(0.001395171256971058, r, 0.008369597949323621);
    tail = fma(tail, r, 0.04166618736293854);
    tail = fma(tail, r, 0.16666512894004893);
    tail = fma(tail, r, 0.5000000100955572);
    return fma(r * r, tail, r);
}

fn exp_rest(x: f32, n: f32) -> f32 {
    return fma(-n, -0.00021219444005469057, fma(-n, 0.693359375, x));
}

fn exponential(x: f32) -> f32 {
    if is_nan(x) { return x; }
    let inside = clamp(x, -104.0, 89.0);
    let n = round(inside * 1.4426950408889634);
    let sum = exp_near(exp_rest(inside, n)) + 1.0;
    let half = round(n * 0.5);
    return (sum * power_of_two(half)) * power_of_two(n - half);
}

fn exp_minus_one(x: f32) -> f32 {
    if is_nan(x) || x == 0.0 { return x; }
    let inside = clamp(x, -20.0, 89.0);
    let n = round(inside * 1.4426950408889634);
    let sum = exp_near(exp_rest(inside, n));
    // At half its size, since 2^128 is no number.
    let half = power_of_two(n - 1.0);
    let result = fma(half, sum, half - 0.5);
    return copy_sign(result + result, x);
}

fn sigmoid(x: f32) -> f32 {
    if is_nan(x) { return x; }
    let small = exponential(-abs(x));
    return select(1.0, small, x < 0.0) / (1.0 + small);
}

// (log(1 + f) - f + f^2 / 2) for 1 + f from sqrt(1/2) to sqrt(2).
fn log_cubic(f: f32) -> f32 {
    var tail = fma(0.06915545301107315, f, -0.11789838866992818);
    tail = fma(tail, f, 0.11872908469554087);
    tail = fma(tail, f, -0.12384338460614434);
    tail = fma(tail, f, 0.14218666903653733);
    tail = fma(tail, f, -0.1666925173799463);
    tail = fma(tail, f, 0.20002226146038857);
    tail = fma(tail, f, -0.24999986575236543);
    tail = fma(tail, f, 0.3333331044826511);
    return f * f * f * tail;
}

fn logarithm(x: f32) -> f32 {
    if is_nan(x) { return x; }
    if x < 0.0 { return nan(); }
    let bits = bitcast<u32>(x);
    if (bits & 0x7fffffffu) == 0u { return -inf(); }
    if is_inf(x) { return x; }
    let subnormal = bits < 0x00800000u;
    var scaled = bits;
    // A subnormal number is an integer times 2^-149.
    if subnormal { scaled = bitcast<u32>(f32(bits)); }
    let shifted = scaled - 0x3f3504f3u + 0x3f800000u;
    let e = f32(i32(shifted >> 23u) - 127) - select(0.0, 149.0, subnormal);
    let f = bitcast<f32>((shifted & 0x007fffffu) + 0x3f3504f3u) - 1.0;
    let low = fma(e, -0.00021219444005469057, log_cubic(f));
    return fma(e, 0.693359375, fma(-0.5, f * f, low) + f);
}

fn log_one_plus(x: f32) -> f32 {
    if is_nan(x) || x == 0.0 { return x; }
    if abs(x) > 0.375 { return logarithm(1.0 + x); }
    // 2 atanh(x / (2 + x)), where nothing cancels.
    let s = x / (2.0 + x);
    return 2.0 * fma(s, atanh_tail(s), s);
}

// atanh(s) / s - 1 for |s| < 0.25.
fn atanh_tail(s: f32) -> f32 {
    let square = s * s;
    var tail = fma(0.06666666666666667, square, 0.07692307692307693);
    tail = fma(tail, square, 0.09090909090909091);
    tail = fma(tail, square, 0.1111111111111111);
    tail = fma(tail, square, 0.14285714285714285);
    tail = fma(tail, square, 0.2);
    tail = fma(tail, square, 0.3333333333333333);
    return square * tail;
}

fn sine_turned(x: f32, turn: i32) -> f32 {
    if is_nan(x) || is_inf(x) { return nan(); }
    let n = round(x * 0.6366197723675814);
    var r = fma(-n, 1.5703125, x);
    r = fma(-n, 0.0004837512969970703, r);
    r = fma(-n, 7.549533620476723e-8, r);
    r = fma(-n, 2.563344151594519e-12, r);
    return quadrant_sine(r, i32(n) + turn);
}

// The sine of r + quadrant * pi / 2 for |r| <= pi / 4.
fn quadrant_sine(r: f32, quadrant: i32) -> f32 {
    let square = r * r;
    var sine = fma(0.000002717564578198218, square, -0.0001983925665074146);
    sine = fma(sine, square, 0.008333329143985601);
    sine = fma(sine, square, -0.16666666639558703);
    sine = fma(r * square, sine, r);
    var cosine = fma(-2.7203363012014266e-7, square, 0.000024799436447294234);
    cosine = fma(cosine, square, -0.001388888343861719);
    cosine = fma(cosine, square, 0.04166666661920725);
    cosine = fma(square * square, cosine, fma(-0.5, square, 1.0));
    let result = select(sine, cosine, (quadrant & 1) != 0);
    return select(result, -result, (quadrant & 2) != 0);
}

fn sine(x: f32) -> f32 {
    if x == 0.0 { return x; }
    return sine_turned(x, 0);
}

fn cosine(x: f32) -> f32 {
    return sine_turned(x, 1);
}

fn tangent(x: f32) -> f32 {
    if x == 0.0 { return x; }
    return sine_turned(x, 0) / sine_turned(x, 1);
}

fn arc_tangent(x: f32) -> f32 {
    if is_nan(x) { return x; }
    let size = abs(x);
    var base = 0.0;
    var low = 0.0;
    var t = size;
    if size > 2.414213562373095 {
        base = 1.5707963705062866;
        low = -4.371139000186241e-8;
        t = select(-1.0 / size, 0.0, is_inf(x));
    } else if size > 0.4142135623730951 {
        base = 0.7853981852531433;
        low = -2.1855695000931205e-8;
        t = (size - 1.0) / (size + 1.0);
    }
    let square = t * t;
    var tail = fma(-0.06071304111621837, square, 0.10590773287666003);
    tail = fma(tail, square, -0.14243064163725783);
    tail = fma(tail, square, 0.19998442085466062);
    tail = fma(tail, square, -0.33333314579631457);
    return copy_sign(base + (fma(t * square, tail, t) + low), x);
}

fn arc_tangent_2(y: f32, x: f32) -> f32 {
    if is_nan(x) { return x; }
    if is_nan(y) { return y; }
    let behind = (bitcast<u32>(x) & 0x80000000u) != 0u;
    let a = abs(x);
    let b = abs(y);
    var angle = 0.0;
    if is_inf(x) && is_inf(y) {
        angle = 0.7853981633974483;
    } else if b == 0.0 {
        angle = 0.0;
    } else if b <= a {
        angle = arc_tangent(b / a);
    } else {
        angle = 1.5707963705062866 - (arc_tangent(a / b) + 4.371139000186241e-8);
    }
    if behind { angle = 3.1415927410125732 - (angle + 8.742278000372485e-8); }
    return copy_sign(angle, y);
}

fn arc_sine(x: f32) -> f32 {
    if is_nan(x) { return x; }
    if abs(x) > 1.0 { return nan(); }
    return arc_tangent_2(x, sqrt((1.0 - x) * (1.0 + x)));
}

fn arc_cosine(x: f32) -> f32 {
    if is_nan(x) { return x; }
    if abs(x) > 1.0 { return nan(); }
    return 2.0 * arc_tangent_2(sqrt(1.0 - x), sqrt(1.0 + x));
}

fn sinh_of(x: f32) -> f32 {
    if is_nan(x) || x == 0.0 || is_inf(x) { return x; }
    let size = abs(x);
    if size > 20.0 {
        let half = exponential(0.5 * size);
        return copy_sign((0.5 * half) * half, x);
    }
    let e = exp_minus_one(size);
    return copy_sign(0.5 * (e + e / (e + 1.0)), x);
}

fn cosh_of(x: f32) -> f32 {
    if is_nan(x) { return x; }
    let size = abs(x);
    if size > 20.0 {
        let half = exponential(0.5 * size);
        return (0.5 * half) * half;
    }
    let e = exponential(size);
    return 0.5 * (e + 1.0 / e);
}

fn tanh_of(x: f32) -> f32 {
    if is_nan(x) { return x; }
    let size = abs(x);
    let square = x * x;
    if size < 0.625 {
        var tail = fma(-0.005717047942209075, square, 0.020650590712769843);
        tail = fma(tail, square, -0.05374349950880169);
        tail = fma(tail, square, 0.13331491311140672);
        tail = fma(tail, square, -0.3333328392656976);
        return copy_sign(fma(size * square, tail, size), x);
    }
    return copy_sign(1.0 - 2.0 / (exponential(size + size) + 1.0), x);
}

fn area_sinh(x: f32) -> f32 {
    if is_nan(x) || x == 0.0 || is_inf(x) { return x; }
    let a = abs(x);
    if a > 1e9 { return copy_sign(logarithm(a) + 0.6931471805599453, x); }
    return copy_sign(log_one_plus(a + a * a / (1.0 + sqrt(a * a + 1.0))), x);
}

fn area_cosh(x: f32) -> f32 {
    if is_nan(x) || is_inf(x) && x > 0.0 { return x; }
    if x < 1.0 { return nan(); }
    if x > 1e9 { return logarithm(x) + 0.6931471805599453; }
    let t = x - 1.0;
    return log_one_plus(t + sqrt(t * (t + 2.0)));
}

fn area_tanh(x: f32) -> f32 {
    if is_nan(x) || x == 0.0 { return x; }
    let a = abs(x);
    if a > 1.0 { return nan(); }
    if a == 1.0 { return copy_sign(inf(), x); }
    return copy_sign(0.5 * log_one_plus(2.0 * a / (1.0 - a)), x);
}

fn error_function(x: f32) -> f32 {
    if is_nan(x) { return x; }
    let size = min(4.0, abs(x));
    let square = size * size;
    if size < 0.9375 {
        var near = fma(0.00008296617899084091, square, -0.0008125808742937257);
        near = fma(near, square, 0.005199600083394221);
        near = fma(near, square, -0.02685885132776697);
        near = fma(near, square, 0.11283686353624259);
        near = fma(near, square, -0.376126332034785);
        near = fma(near, square, 0.12837916659145093);
        return copy_sign(fma(size, near, size), x);
    }
    var far = fma(-3.449119247416176e-7, size, -0.00001679601007307803);
    far = fma(far, size, 0.0004116367276657465);
    far = fma(far, size, -0.004103657104308827);
    far = fma(far, size, 0.02499839325430682);
    far = fma(far, size, -0.10814484985115448);
    far = fma(far, size, -0.6334386605775503);
    far = fma(far, size, -1.1294804144645485);
    far = fma(far, size, 0.00016918297993838988);
    return copy_sign(1.0 - exponential(far), x);
}

fn gaussian_unit(x: f32) -> f32 {
    return (x * 0.5) * (error_function(x * 0.7071067811865476) + 1.0);
}

// A product and what rounding took from it, by splitting both factors into halves.
fn exact_product(a: f32, b: f32) -> vec2<f32> {
    let ah = bitcast<f32>(bitcast<u32>(a) & 0xfffff000u);
    let al = opaque(a - ah);
    let bh = bitcast<f32>(bitcast<u32>(b) & 0xfffff000u);
    let bl = opaque(b - bh);
    let p = opaque(a * b);
    let rest = opaque(opaque(ah * bh) - p);
    let rest_2 = opaque(rest + opaque(ah * bl));
    return vec2<f32>(p, opaque(rest_2 + opaque(al * bh)) + al * bl);
}

// log(x) of a positive normal x as a sum of two numbers.
fn log_pair(x: f32) -> vec2<f32> {
    let shifted = bitcast<u32>(x) - 0x3f3504f3u + 0x3f800000u;
    let e = f32(i32(shifted >> 23u) - 127);
    let m = bitcast<f32>((shifted & 0x007fffffu) + 0x3f3504f3u);
    let n = opaque(m - 1.0);
    let d = opaque(m + 1.0);
    let d_low = m - opaque(d - 1.0);
    let s = opaque(n / d);
    let product = exact_product(s, d);
    let s_low = (opaque(opaque(n - product.x) - product.y) - s * d_low) / d;
    let twice = 2.0 * s;
    let cubic = fma(twice, atanh_tail(s), 2.0 * s_low);
    // e ln(2) in a part whose product is exact and the rest.
    let high = opaque(e * 0.693359375);
    let sum = opaque(high + twice);
    var lost = opaque(twice - opaque(sum - high));
    if e == 0.0 { lost = 0.0; }
    return renormal(sum, lost + fma(e, -0.00021219444005469057, cubic));
}

// The same sum with the first part as close as it can be.
fn renormal(high: f32, low: f32) -> vec2<f32> {
    let sum = opaque(high + low);
    return vec2<f32>(sum, low - opaque(sum - high));
}

fn is_whole(x: f32) -> bool {
    return trunc(x) == x;
}

fn is_odd(x: f32) -> bool {
    return abs(x) < 16777216.0 && is_whole(x) && (i32(x) & 1) != 0;
}

fn power(x: f32, y: f32) -> f32 {
    if y == 0.0 || x == 1.0 { return 1.0; }
    if is_nan(x) { return x; }
    if is_nan(y) { return y; }
    let size = absolute(x);
    let below = (bitcast<u32>(x) & 0x80000000u) != 0u;
    let flip = below && is_odd(y);
    if is_inf(y) {
        if size == 1.0 { return 1.0; }
        return select(0.0, inf(), (size > 1.0) == (y > 0.0));
    }
    var result = 0.0;
    let bits = bitcast<u32>(size);
    if bits == 0u || is_inf(size) {
        result = select(0.0, inf(), is_inf(size) == (y > 0.0));
    } else {
        if below && !is_whole(y) { return nan(); }
        if y == 1.0 { return x; }
        if y == 2.0 { return x * x; }
        if y == -1.0 { return 1.0 / x; }
        var log = vec2<f32>(0.0, 0.0);
        if bits < 0x00800000u {
            log = log_pair(f32(bits));
            // 149 ln(2), which is larger than the logarithm.
            let sum = opaque(log.x - 103.27893);
            log = renormal(sum, (log.x - opaque(sum + 103.27893)) + log.y + 0.00000076063);
        } else {
            log = log_pair(size);
        }
        let product = exact_product(clamp(y, -1e20, 1e20), log.x);
        let low = product.y + y * log.y;
        let head = clamp(product.x, -200.0, 200.0);
        result = exponential(head);
        if abs(product.x) < 200.0 && !is_inf(result) { result = fma(result, low, result); }
    }
    return select(result, negate(result), flip);
}

// Mantissa and exponent of a positive finite number: m * 2^e with 2^23 <= m < 2^24.
fn parts_of(x: f32) -> vec2<i32> {
    let bits = bitcast<u32>(x);
    let exponent = i32(bits >> 23u);
    if exponent == 0 {
        let shift = 23 - i32(firstLeadingBit(bits));
        return vec2<i32>(i32(bits << u32(shift)), -149 - shift);
    }
    return vec2<i32>(i32((bits & 0x7fffffu) | 0x800000u), exponent - 150);
}

// The remainder of a division that rounds to zero, exact at any ratio.
fn exact_remainder(a: f32, b: f32) -> f32 {
    if is_nan(a) { return a; }
    if is_nan(b) { return b; }
    let size = absolute(a);
    let by = absolute(b);
    if is_inf(size) || by == 0.0 { return nan(); }
    if is_inf(by) || size < by { return a; }
    let top = parts_of(size);
    let bottom = parts_of(by);
    var rest = u32(top.x) % u32(bottom.x);
    for (var k = top.y - bottom.y; k > 0; k--) {
        rest = (rest << 1u) % u32(bottom.x);
    }
    // rest * 2^exponent, which may be subnormal, by bits.
    if rest == 0u { return copy_sign(0.0, a); }
    let up = 23 - i32(firstLeadingBit(rest));
    let exponent = bottom.y + 150 - up;
    var bits = 0u;
    if exponent >= 1 {
        bits = ((rest << u32(up)) & 0x7fffffu) | (u32(exponent) << 23u);
    } else {
        bits = rest << u32(bottom.y + 149);
    }
    return bitcast<f32>(bits | (bitcast<u32>(a) & 0x80000000u));
}

fn float_remainder(a: f32, b: f32) -> f32 {
    let rest = exact_remainder(a, b);
    if is_nan(rest) || b == 0.0 { return rest; }
    if rest == 0.0 { return copy_sign(0.0, b); }
    return select(rest, rest + b, (b < 0.0) != (rest < 0.0));
}

fn float_floor_divide(a: f32, b: f32) -> f32 {
    if b == 0.0 || is_inf(a) || is_inf(b) { return floor(a / b); }
    let rest = exact_remainder(a, b);
    if is_nan(rest) { return rest; }
    let quotient = round((a - rest) / b);
    if rest != 0.0 && (b < 0.0) != (rest < 0.0) { return quotient - 1.0; }
    return select(quotient, copy_sign(0.0, a / b), quotient == 0.0);
}

fn next_after(a: f32, b: f32) -> f32 {
    if is_nan(a) { return a; }
    if is_nan(b) { return b; }
    if a == b { return b; }
    if a == 0.0 { return bitcast<f32>(1u | (bitcast<u32>(b) & 0x80000000u)); }
    let bits = bitcast<u32>(a);
    return bitcast<f32>(select(bits - 1u, bits + 1u, (a < b) == (a > 0.0)));
}
