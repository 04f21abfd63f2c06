//! Machine code against the lanes it was written down from, under every instruction set it can be made for.

use super::*;
use crate::backend::cpu::arch::{Kernel, Lanes, Vectored};
use crate::backend::cpu::element::Float;
use crate::backend::cpu::math::{Combine, Erf, Exp, Expm1, Function, Log, Log1p, Sigmoid, Tanh, simple};
use std::marker::PhantomData;

/// What lanes compute of three registers.
trait Formula<T: Float> {
    fn of<L: Lanes<Elem = T>>(l: L, x: [L::V; 3]) -> L::V;
}

/// The formula on lanes that the machine has.
struct Plain<'a, F, T>(&'a [Vec<T>; 3], &'a mut [T], PhantomData<F>);

impl<F: Formula<T>, T: Float> Kernel<T> for Plain<'_, F, T> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, l: L) {
        let [a, b, c] = self.0;
        for i in (0..self.1.len()).step_by(L::WIDTH) {
            let end = self.1.len().min(i + L::WIDTH);
            let x = [l.load_part(&a[i..end]), l.load_part(&b[i..end]), l.load_part(&c[i..end])];
            l.store_part(F::of(l, x), &mut self.1[i..end]);
        }
    }
}

/// Values of every kind, in another order for each operand.
fn operand<T: Float>(count: usize, turn: usize) -> Vec<T> {
    let special = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        1e-40,
        -1e-40,
        1e30,
        -1e30,
        88.9,
        -104.5,
        0.5,
    ];
    (0..count)
        .map(|i| {
            let place = i * (2 * turn + 1) + turn;
            let number = match place % 3 {
                0 => special[(place / 3) % special.len()],
                1 => (place as f64 * 0.37).sin() * 4.0,
                _ => (place as f64 * 1.7).cos() * (place as f64 * 0.11).sin().exp() * 30.0,
            };
            T::round_from(number)
        })
        .collect()
}

/// The code of a graph of three operands and a result after them.
fn native<T: Vectored>(isa: Isa, f: impl FnOnce(&mut Graph, [Value; 3]) -> Value) -> Option<Arc<Native>> {
    let mut graph = Graph::default();
    let from = [0, 1, 2].map(|operand| graph.operand(operand, false));
    let result = f(&mut graph, from);
    graph.store(3, result);
    Native::new(isa, size_of::<T>() == 8, &graph)
}

fn call<T: Float>(native: &Native, x: &[Vec<T>], out: &mut [T]) {
    let mut operands = [std::ptr::null_mut(); OPERANDS];
    for (operand, x) in operands.iter_mut().zip(x) {
        *operand = x.as_ptr().cast_mut();
    }
    operands[x.len()] = out.as_mut_ptr();
    // SAFETY: operands and result have as many elements; the graph writes the result alone.
    unsafe { native.run(&operands, out.len()) };
}

fn bits<T: Float>(x: &[T]) -> Vec<u64> {
    x.iter().map(|x| if x.wide().is_nan() { 0 } else { x.wide().to_bits() }).collect()
}

fn holds<F: Formula<T>, T: Vectored>(name: &str) {
    for isa in Isa::all().filter(|&isa| wide(isa).is_some()) {
        let code = native::<T>(isa, |graph, from| record::<T, _>(graph, |l| F::of(l, from))).expect(name);
        for count in [0, 1, 3, 4, 7, 8, 15, 16, 17, 31, 32, 33, 100, 1003] {
            let x = [0, 1, 2].map(|turn| operand::<T>(count, turn));
            // What lies behind the elements must stay.
            let (mut wanted, mut got) = (vec![T::round_from(7.0); count], vec![T::round_from(7.0); count + 20]);
            T::run(isa, Plain::<F, T>(&x, &mut wanted, PhantomData));
            call(&code, &x, &mut got[..count]);
            assert_eq!(bits(&got[..count]), bits(&wanted), "{name} of {count} with {}", isa.name());
            assert!(got[count..].iter().all(|&x| x.wide() == 7.0), "{name} of {count} writes past its end");
        }
    }
}

/// Stamp a formula of three operands and a test of it for these floats.
///
/// `[f32] name(l, a, b, c) = body;` expands to `fn name()` with a type of its own that implements `Formula<f32>`.
macro_rules! formulas {
    ($([$($type:ty),+] $name:ident($l:ident, $a:ident, $b:ident, $c:ident) = $body:expr;)+) => {$(
        #[test]
        fn $name() {
            struct This;
            $(
                impl Formula<$type> for This {
                    #[inline(always)]
                    fn of<L: Lanes<Elem = $type>>($l: L, [$a, $b, $c]: [L::V; 3]) -> L::V {
                        $body
                    }
                }
            )+
            $(holds::<This, $type>(stringify!($name));)+
        }
    )+};
}

formulas! {
    [f32, f64] sums(l, a, b, c) = l.sub(l.add(a, b), l.add(c, a));
    [f32, f64] products(l, a, b, c) = l.div(l.mul(a, b), l.sub(c, l.constant(0.3)));
    [f32, f64] fused_sums(l, a, b, c) =
        l.mul_add(a, b, l.neg_mul_add(c, a, l.mul_add(l.constant(2.5), b, l.constant(-1.25))));
    [f32, f64] fused_of_the_same(l, a, b, c) =
        l.mul_add(a, a, l.add(l.mul_add(b, c, b), l.neg_mul_add(c, l.constant(3.0), c)));
    [f32, f64] fused_over_each_operand(l, a, b, c) = {
        let x = l.mul_add(l.add(a, b), c, a);
        let y = l.mul_add(c, l.sub(a, b), b);
        l.add(x, l.add(y, l.mul_add(a, b, l.mul(c, c))))
    };
    [f32, f64] roots_and_whole_numbers(l, a, b, c) =
        l.add(l.add(l.sqrt(a), l.floor(b)), l.add(l.ceil(c), l.sub(l.trunc(a), l.round(b))));
    [f32, f64] smaller_and_larger(l, a, b, c) = l.larger(l.smaller(a, b), l.max(l.min(b, c), l.constant(0.0)));
    [f32, f64] signs(l, a, b, c) = l.copy_sign(l.neg(a), l.xor(b, l.abs(c)));
    [f32, f64] bits_of_numbers(l, a, b, c) =
        l.or(l.and(l.sub_bits(a, b), l.shift_right(c, 3)), l.and_not(b, l.shift_left(l.add_bits(a, c), 5)));
    [f32, f64] choices(l, a, b, c) = {
        let mask = l.mask_or(l.lt(a, b), l.mask_not(l.mask_and(l.le(b, c), l.eq(a, a))));
        l.select(mask, l.select(l.lt(c, l.constant(0.0)), l.constant(2.0), a), c)
    };
    [f32, f64] simple_functions(l, a, b, c) = {
        let x = <simple::Sign as Function<_>>::of(l, a);
        <simple::CopySign as Combine<_>>::of(l, <simple::Maximum as Combine<_>>::of(l, x, b), c)
    };
    [f32] exponentials(l, a, b, c) = l.add(Exp::of(l, a), l.sub(Expm1::of(l, b), Sigmoid::of(l, c)));
    [f32] logarithms(l, a, b, c) = l.add(Log::of(l, a), l.sub(Log1p::of(l, b), Log::of(l, c)));
    [f32] error_function_and_tangent(l, a, b, c) = l.add(Erf::of(l, a), l.sub(Tanh::of(l, b), Erf::of(l, c)));
}

/// More values at once than registers, used in an order that suits none of them; more operands than addresses fit.
#[test]
fn values_beyond_the_registers_wait_on_the_stack() {
    const MANY: usize = OPERANDS - 2;
    for isa in Isa::all().filter(|&isa| wide(isa).is_some()) {
        let mut graph = Graph::default();
        let one: Vec<Value> = (0..MANY).map(|i| graph.operand(i as u8, false)).collect();
        let number = graph.operand(MANY as u8, true);
        let sum = record::<f32, _>(&mut graph, |l| {
            let squares: Vec<Value> = one.iter().map(|&x| l.mul(x, x)).collect();
            let mut sum = l.mul(squares[0], number);
            for i in 0..MANY {
                let place = i * 7 % MANY;
                sum = l.mul_add(squares[place], one[MANY - 1 - place], sum);
            }
            sum
        });
        graph.store(MANY as u8 + 1, sum);
        let code = Native::new(isa, false, &graph).unwrap();
        let mut x: Vec<Vec<f32>> =
            (0..MANY).map(|i| operand::<f32>(37, i).iter().map(|x| x.clamp(-2.0, 2.0)).collect()).collect();
        x.push(vec![1.5; 16]);
        let mut got = [0.0; 37];
        call(&code, &x, &mut got);
        for i in 0..37 {
            let mut sum = x[0][i] * x[0][i] * 1.5;
            for k in 0..MANY {
                let place = k * 7 % MANY;
                sum = (x[place][i] * x[place][i]).mul_add(x[MANY - 1 - place][i], sum);
            }
            assert_eq!(bits(&[got[i]]), bits(&[sum]), "element {i} with {}", isa.name());
        }
    }
}

#[test]
fn equal_work_is_one_piece_of_code_while_it_lives() {
    let Some(isa) = Isa::all().filter(|&isa| wide(isa).is_some()).last() else { return };
    let make = || native::<f32>(isa, |graph, [a, b, _]| record::<f32, _>(graph, |l| l.add(a, l.mul(a, b)))).unwrap();
    let first = make();
    assert!(Arc::ptr_eq(&first, &make()));
}

#[test]
fn what_lanes_decide_by_is_no_code() {
    let isas = Isa::all();
    for isa in isas {
        let asked =
            native::<f32>(isa, |graph, [a, b, _]| record::<f32, _>(graph, |l| if l.any(l.lt(a, b)) { a } else { b }));
        assert!(asked.is_none());
    }
}
