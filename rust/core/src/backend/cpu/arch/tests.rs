//! Every lane operation of every instruction set against the same operation on one number.

use super::*;
use std::fmt::Debug;

const NUMBERS: [f64; 16] = [
    0.0,
    -0.0,
    1.0,
    -1.5,
    2.5,
    -2.5,
    0.5,
    3.25,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    1e-40,
    -7.75,
    1e9,
    -0.25,
    6.0,
];

/// One operation of lanes, and the same of numbers.
type Pair<T> = (&'static str, fn(T, T) -> T);

struct Check<T>(Vec<Pair<T>>);

impl<T: Vectored + Debug> Kernel<T> for Check<T> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, l: L) {
        for turn in 0..16 {
            let a: Vec<T> = (0..16).map(|i| T::round_from(NUMBERS[i])).collect();
            let b: Vec<T> = (0..16).map(|i| T::round_from(NUMBERS[(i + turn) % 16])).collect();
            for (name, one) in &self.0 {
                let (x, y) = (l.load(&a), l.load(&b));
                let zero = l.constant(0.0);
                let truth = |m| l.select(m, l.constant(1.0), zero);
                let many = match *name {
                    "add" => l.add(x, y),
                    "sub" => l.sub(x, y),
                    "mul" => l.mul(x, y),
                    "div" => l.div(x, y),
                    "min" => l.min(x, y),
                    "max" => l.max(x, y),
                    "larger" => l.larger(x, y),
                    "smaller" => l.smaller(x, y),
                    "sqrt" => l.sqrt(x),
                    "floor" => l.floor(x),
                    "ceil" => l.ceil(x),
                    "trunc" => l.trunc(x),
                    "round" => l.round(x),
                    "abs" => l.abs(x),
                    "neg" => l.neg(x),
                    "copy_sign" => l.copy_sign(x, y),
                    "eq" => truth(l.eq(x, y)),
                    "lt" => truth(l.lt(x, y)),
                    "le" => truth(l.le(x, y)),
                    "not" => truth(l.mask_not(l.lt(x, y))),
                    "either" => truth(l.mask_or(l.lt(x, y), l.eq(x, y))),
                    "both" => truth(l.mask_and(l.le(x, y), l.le(y, x))),
                    "nan" => truth(l.is_nan(x)),
                    _ => panic!("no operation {name}"),
                };
                let mut got = vec![T::round_from(0.0); 16];
                l.store(many, &mut got);
                for i in 0..L::WIDTH {
                    let (got, wanted) = (got[i].wide(), one(a[i], b[i]).wide());
                    let same = got.to_bits() == wanted.to_bits() || (got.is_nan() && wanted.is_nan());
                    assert!(same, "{name}({:?}, {:?}) is {wanted}, got {got}", a[i], b[i]);
                }
            }
        }
    }
}

/// Stamp the table of operations of one float type.
macro_rules! pairs {
    ($type:ty) => {{
        type T = $type;
        let truth: fn(bool) -> T = |x| if x { 1.0 } else { 0.0 };
        let _ = truth;
        let table: Vec<Pair<T>> = vec![
            ("add", |a, b| a + b),
            ("sub", |a, b| a - b),
            ("mul", |a, b| a * b),
            ("div", |a, b| a / b),
            ("min", |a, b| if a < b { a } else { b }),
            ("max", |a, b| if a > b { a } else { b }),
            ("larger", |a, b| if a.is_nan() || a > b { a } else { b }),
            ("smaller", |a, b| if a.is_nan() || a < b { a } else { b }),
            ("sqrt", |a, _| a.sqrt()),
            ("floor", |a, _| a.floor()),
            ("ceil", |a, _| a.ceil()),
            ("trunc", |a, _| a.trunc()),
            ("round", |a, _| a.round_ties_even()),
            ("abs", |a, _| a.abs()),
            ("neg", |a, _| -a),
            ("copy_sign", |a, b| a.copysign(b)),
            ("eq", |a, b| T::from(u8::from(a == b))),
            ("lt", |a, b| T::from(u8::from(a < b))),
            ("le", |a, b| T::from(u8::from(a <= b))),
            ("not", |a, b| T::from(u8::from(a >= b || a.is_nan() || b.is_nan()))),
            ("either", |a, b| T::from(u8::from(a <= b))),
            ("both", |a, b| T::from(u8::from(a == b))),
            ("nan", |a, _| T::from(u8::from(a.is_nan()))),
        ];
        table
    }};
}

#[test]
fn lanes_do_what_numbers_do() {
    for isa in Isa::all() {
        f32::run(isa, Check(pairs!(f32)));
        f64::run(isa, Check(pairs!(f64)));
    }
}

struct Rest<T>(std::marker::PhantomData<T>);

impl<T: Vectored + Debug> Kernel<T> for Rest<T> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, l: L) {
        let numbers: Vec<T> = (1..=16).map(|i| T::round_from(f64::from(i))).collect();
        let number = |i: usize| T::round_from(i as f64);
        for count in 0..=L::WIDTH {
            let mut out = vec![number(99); 16];
            l.store(l.load_part(&numbers[..count]), &mut out);
            let wanted: Vec<T> = (1..=L::WIDTH).map(|i| number(if i <= count { i } else { 0 })).collect();
            assert_eq!(out[..L::WIDTH], wanted);
            out.fill(number(99));
            l.store_part(l.load(&numbers), &mut out[..count]);
            assert!(out[..count] == numbers[..count] && out[count..].iter().all(|&x| x == number(99)));
        }
        let bytes: Vec<u8> = (0..16).map(|i| i % 3).collect();
        let mut back = [7u8; 16];
        l.store_mask(l.load_mask(&bytes), &mut back);
        assert!((0..L::WIDTH).all(|i| back[i] == u8::from(bytes[i] != 0)));
        assert_eq!(
            l.fold(l.load(&numbers), |a, b| T::round_from(a.wide() + b.wide())),
            number(L::WIDTH * (L::WIDTH + 1) / 2)
        );
        assert!(!l.any(l.lt(l.load(&numbers), l.constant(1.0))) && l.any(l.le(l.load(&numbers), l.constant(1.0))));
    }
}

#[test]
fn parts_masks_and_folds_touch_their_lanes_alone() {
    for isa in Isa::all() {
        f32::run(isa, Rest(std::marker::PhantomData));
        f64::run(isa, Rest(std::marker::PhantomData));
    }
}

struct Bits;

impl Kernel<f32> for Bits {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes<Elem = f32>>(self, l: L) {
        let (a, b) = (0x3f35_04f3u32, 0x1234_5678u32);
        let (x, y) = (l.splat(f32::from_bits(a)), l.splat(f32::from_bits(b)));
        let table = [
            (l.and(x, y), a & b),
            (l.or(x, y), a | b),
            (l.xor(x, y), a ^ b),
            (l.and_not(x, y), !a & b),
            (l.add_bits(x, y), a.wrapping_add(b)),
            (l.sub_bits(y, x), b.wrapping_sub(a)),
            (l.shift_left(x, 23), a << 23),
            (l.shift_right(x, 23), a >> 23),
        ];
        for (got, wanted) in table {
            let mut out = [0.0; 16];
            l.store(got, &mut out);
            assert!(out[..L::WIDTH].iter().all(|x| x.to_bits() == wanted));
        }
    }
}

#[test]
fn bits_move_as_integers() {
    Isa::all().for_each(|isa| f32::run(isa, Bits));
}

#[test]
fn only_what_the_machine_has_can_be_named() {
    assert!(Isa::named("sse9").is_none());
    let names: Vec<&str> = Isa::all().map(Isa::name).collect();
    assert!(
        names.contains(&"portable") && names.iter().all(|name| Isa::named(name).is_some_and(|isa| isa.name() == *name))
    );
    for missing in Isa::NAMES.iter().filter(|name| !names.contains(name)) {
        println!("skipped: this machine has no {missing}");
    }
}
