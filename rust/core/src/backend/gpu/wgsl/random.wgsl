// Philox-4x32-10, with the integers of the CPU.
fn philox(key: vec2<u32>, counter: vec2<u32>, stream: u32) -> vec4<u32> {
    var c = vec4<u32>(counter.x, counter.y, stream, 0u);
    var k = key;
    for (var turn = 0u; turn < 10u; turn++) {
        c = vec4<u32>(
            mul_high(0xCD9E8D57u, c.z) ^ c.y ^ k.x,
            0xCD9E8D57u * c.z,
            mul_high(0xD2511F53u, c.x) ^ c.w ^ k.y,
            0xD2511F53u * c.x,
        );
        k = k + vec2<u32>(0x9E3779B9u, 0xBB67AE85u);
    }
    return c;
}

// Word of element i of a draw.
fn random_word(key: vec2<u32>, offset: vec2<u32>, i: u32, stream: u32) -> u32 {
    let words = philox(key, add64(offset, vec2<u32>(i >> 2u, 0u)), stream);
    return words[i & 3u];
}

fn unit_of(bits: u32) -> f32 {
    return f32(bits >> 8u) * 5.9604644775390625e-8;
}

// A standard normal number from two words.
fn normal_of(radius: u32, angle: u32) -> f32 {
    var log = 0.0;
    if radius >= 0x80000000u {
        log = log_one_plus(-f32(0xffffffffu - radius) * 2.3283064365386963e-10);
    } else {
        log = logarithm(f32(radius + 1u) * 2.3283064365386963e-10);
    }
    // The angle is a fraction of a turn: its quadrant and the rest are exact.
    let moved = angle + 0x20000000u;
    let rest = f32(bitcast<i32>((moved & 0x3fffffffu) - 0x20000000u)) * 1.4629180792671596e-9;
    return sqrt(-2.0 * log) * quadrant_sine(rest, i32(moved >> 30u) + 1);
}
