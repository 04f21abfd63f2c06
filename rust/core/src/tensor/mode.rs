//! What is switched on in this thread: gradients, mixed precision, and the recording in progress.

use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::tensor::recorder::Recorder;
use std::cell::{Cell, RefCell};

thread_local! {
    static GRAD: Cell<bool> = const { Cell::new(true) };
    static AUTOCAST: Cell<Option<DType>> = const { Cell::new(None) };
    static RECORDERS: RefCell<Vec<Recorder>> = const { RefCell::new(vec![]) };
    static RECORDING: Cell<u64> = const { Cell::new(0) };
}

/// Whether ops leave a tape.
pub fn grad_enabled() -> bool {
    GRAD.get()
}

/// Switch the tape on or off; gives the setting before.
pub fn set_grad_enabled(enabled: bool) -> bool {
    GRAD.replace(enabled)
}

/// What is switched on besides a recording; a captured step belongs to the settings it was recorded under.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settings {
    grad: bool,
    autocast: Option<DType>,
}

/// The settings of this thread.
pub fn settings() -> Settings {
    Settings { grad: grad_enabled(), autocast: autocast() }
}

/// The dtype in which products compute, where mixed precision is on.
pub fn autocast() -> Option<DType> {
    AUTOCAST.get()
}

/// Switch mixed precision on or off; gives the setting before.
pub fn set_autocast(dtype: Option<DType>) -> Option<DType> {
    AUTOCAST.replace(dtype)
}

/// Run `f` with the tape on or off.
pub fn with_grad<T>(enabled: bool, f: impl FnOnce() -> T) -> T {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            set_grad_enabled(self.0);
        }
    }
    let _restore = Restore(set_grad_enabled(enabled));
    f()
}

/// Number of the innermost recording in this thread, 0 for none.
pub fn recording() -> u64 {
    RECORDING.get()
}

/// Start to record; recordings nest.
pub fn start(recorder: Recorder) {
    RECORDING.set(recorder.id());
    RECORDERS.with_borrow_mut(|stack| stack.push(recorder));
}

/// Stop the innermost recording and take what was noted.
pub fn stop() -> Result<Recorder> {
    RECORDERS.with_borrow_mut(|stack| {
        let recorder = stack.pop().ok_or_else(|| Error::bug("compile", "no recording is in progress"));
        RECORDING.set(stack.last().map_or(0, Recorder::id));
        recorder
    })
}

/// Speak to the innermost recorder; `None` where nothing is being recorded.
pub fn with_recorder<T>(f: impl FnOnce(&mut Recorder) -> T) -> Option<T> {
    if recording() == 0 {
        return None;
    }
    RECORDERS.with_borrow_mut(|stack| stack.last_mut().map(f))
}
