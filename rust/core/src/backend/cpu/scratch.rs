//! Working memory of kernels, kept by each thread from one use to the next, so that a steady state allocates nothing.

use crate::buffer::{HostVec, zeroed};
use crate::error::{Error, Result};
use bytemuck::Pod;
use std::cell::RefCell;

thread_local! {
    /// Memory that no kernel of this thread is using.
    static FREE: RefCell<Vec<HostVec>> = const { RefCell::new(Vec::new()) };
}

/// Run `f` with `len` elements of no particular value. Uses may nest.
pub(super) fn with<T: Pod, R>(len: usize, f: impl FnOnce(&mut [T]) -> Result<R>) -> Result<R> {
    let bytes = len * size_of::<T>();
    let kept = FREE.with_borrow_mut(|free| {
        let fits = (0..free.len()).filter(|&i| free[i].len() >= bytes);
        fits.min_by_key(|&i| free[i].len()).map(|i| free.swap_remove(i))
    });
    let mut memory = kept.unwrap_or_else(|| zeroed(bytes.next_power_of_two().max(4096)));
    let elements = bytemuck::try_cast_slice_mut(&mut memory[..bytes])
        .map_err(|_| Error::bug("scratch", "memory that is not aligned for its elements"));
    let result = elements.and_then(f);
    FREE.with_borrow_mut(|free| free.push(memory));
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_comes_back_and_nested_uses_do_not_share() {
        let outer = with::<f32, _>(100, |outer| {
            outer.fill(1.0);
            with::<f64, _>(50, |inner| {
                inner.fill(2.0);
                Ok(())
            })?;
            assert!(outer.iter().all(|&x| x == 1.0));
            Ok(outer.as_ptr() as usize)
        });
        let again =
            with::<f32, _>(10, |inner| with::<f32, _>(10, |x| Ok([inner.as_ptr() as usize, x.as_ptr() as usize])));
        assert!(again.unwrap().contains(&outer.unwrap()));
        assert_eq!(with::<f32, _>(0, |none| Ok(none.len())).unwrap(), 0);
    }
}
