//! A step that fails changes nothing: no parameter, no state, no count, no gradient, no tensor.

use super::net::{Net, apart, batch, call, handles, random, record, run, scalar, with};
use std::sync::{Arc, Mutex};
use trainsmith_core::Result;
use trainsmith_core::device::Device;
use trainsmith_core::dtype::DType;
use trainsmith_core::error::Error;
use trainsmith_core::tensor::backward::backward;
use trainsmith_core::tensor::recorder::{HostEvent, happens};
use trainsmith_core::tensor::{Tensor, mode};

fn labels(numbers: [i64; 4]) -> Tensor {
    Tensor::from_i64(&numbers, [4]).unwrap()
}

#[test]
fn a_label_out_of_range_changes_nothing() {
    for optimizer in ["SGD", "AdamW"] {
        let (net, twin) = (Net::mlp(1, DType::F64, optimizer), Net::mlp(1, DType::F64, optimizer));
        let [x, _] = batch(1, DType::F64);
        let good = [x.clone(), labels([0, 1, 1, 0])];
        let captured = record(&good, || Ok(vec![net.classify(&good[0], &good[1])?])).unwrap();
        run(&captured, &good).unwrap();
        twin.classify(&good[0], &good[1]).unwrap();
        let before = net.state();
        for wrong in [labels([0, 2, 1, 0]), labels([0, 1, 1, -1])] {
            let error = run(&captured, &[x.clone(), wrong]).unwrap_err();
            assert!(matches!(error, Error::Index { .. }), "{error}");
            assert_eq!(net.state(), before, "{optimizer}");
        }
        let got = scalar(&run(&captured, &good).unwrap()[0]);
        let want = scalar(&twin.classify(&good[0], &good[1]).unwrap());
        assert_eq!(got, want, "the next step goes on as if nothing had been");
        assert_eq!(apart(&net.weights(), &twin.weights(), 1e-12), None);
        assert_eq!(captured.runs(), 2);
    }
}

#[test]
fn a_gradient_that_is_not_finite_changes_nothing() {
    let net = Net::mlp(2, DType::F64, "AdamW");
    let good = batch(2, DType::F64);
    let captured = record(&good, || Ok(vec![net.train(&good[0], &good[1])?])).unwrap();
    run(&captured, &good).unwrap();
    let before = net.state();
    for number in [f64::NAN, f64::INFINITY] {
        let wrong = with("multiply", &good[0], number).unwrap();
        let error = run(&captured, &[wrong, good[1].clone()]).unwrap_err();
        assert!(matches!(error, Error::NonFinite { .. }), "{error}");
        assert!(error.to_string().contains("gradient of p"), "{error}");
        assert_eq!(net.state(), before);
    }
    run(&captured, &good).unwrap();
}

/// The same in eager mode, where the gradient has been added before the optimizer refuses it.
#[test]
fn an_eager_step_with_a_bad_gradient_changes_no_parameter() {
    let net = Net::mlp(2, DType::F64, "AdamW");
    let good = batch(2, DType::F64);
    net.train(&good[0], &good[1]).unwrap();
    let before = net.weights();
    let wrong = with("multiply", &good[0], f64::NAN).unwrap();
    assert!(matches!(net.train(&wrong, &good[1]).unwrap_err(), Error::NonFinite { .. }));
    assert_eq!(net.weights(), before);
}

/// Gradients that add up, an argument and a tensor outside that the step changes in place: all stay as they were.
#[test]
fn gradients_and_tensors_outside_survive_a_failure() {
    let net = Net::mlp(3, DType::F64, "AdamW");
    let [x, y] = batch(3, DType::F64);
    backward(&call("mse_loss", &[&net.forward(&x).unwrap(), &y], &[]).unwrap(), None, false, false).unwrap();
    let (counter, good) = (random(5, &[2], DType::F64), [x, labels([0, 1, 1, 0])]);
    let captured = record(&good, || {
        let loss = call("cross_entropy", &[&net.forward(&good[0])?, &good[1]], &[])?;
        backward(&loss, None, false, false)?;
        net.optimizer.step()?;
        counter.overwrite("test", with("add", &counter, 1.0)?.edge()?)?;
        good[0].overwrite("test", with("multiply", &good[0], 2.0)?.edge()?)?;
        Ok(vec![loss])
    })
    .unwrap();
    run(&captured, &good).unwrap();
    let (before, count, x) = (net.state(), counter.to_f64().unwrap(), good[0].to_f64().unwrap());
    assert!(before.iter().any(|(name, _)| name == "p0 gradient"));
    run(&captured, &[good[0].clone(), labels([9, 0, 0, 0])]).unwrap_err();
    assert_eq!((net.state(), counter.to_f64().unwrap(), good[0].to_f64().unwrap()), (before, count, x));
}

/// Counts its turns up and down, and fails when told to.
struct Counter {
    name: &'static str,
    log: Arc<Mutex<Vec<String>>>,
    fails: Arc<Mutex<bool>>,
}

impl HostEvent for Counter {
    fn advance(&self) -> Result<Vec<f64>> {
        if *self.fails.lock().unwrap() && self.name == "b" {
            return Err(Error::value("test", "an event that does not fail", "one that does"));
        }
        self.log.lock().unwrap().push(format!("+{}", self.name));
        Ok(vec![2.5])
    }
    fn rollback(&self) {
        self.log.lock().unwrap().push(format!("-{}", self.name));
    }
}

#[test]
fn host_events_are_undone_in_reverse() {
    let (log, fails) = (Arc::new(Mutex::new(vec![])), Arc::new(Mutex::new(false)));
    let good = [random(1, &[4], DType::F64), labels([0, 1, 1, 0])];
    let captured = record(&good, || {
        let mut sum = call("take", &[&good[0], &good[1]], &[])?;
        for name in ["a", "b", "c"] {
            let event = Counter { name, log: Arc::clone(&log), fails: Arc::clone(&fails) };
            let wanted = [(DType::F64, Device::Cpu)];
            let numbers = happens(Arc::new(event), &wanted)?;
            sum = call("add", &[&sum, &Tensor::from_edge(numbers[0].clone())], &[])?;
        }
        Ok(vec![sum])
    })
    .unwrap();
    let take = || std::mem::take(&mut *log.lock().unwrap());
    assert_eq!(take(), [""; 0], "events wait for the first run");
    let sums = run(&captured, &good).unwrap()[0].to_f64().unwrap();
    assert_eq!(sums[0], good[0].to_f64().unwrap()[0] + 7.5);
    assert_eq!(take(), ["+a", "+b", "+c"]);
    run(&captured, &[good[0].clone(), labels([7, 0, 0, 0])]).unwrap_err();
    assert_eq!(take(), ["+a", "+b", "+c", "-c", "-b", "-a"]);
    *fails.lock().unwrap() = true;
    run(&captured, &good).unwrap_err();
    assert_eq!(take(), ["+a", "-a"], "the event that failed has nothing to undo, nor the one that never came");
    assert_eq!((captured.event_count(), captured.runs()), (3, 1));
}

/// A function that fails while it is recorded leaves the thread and the network as they were.
#[test]
fn a_recording_that_fails_leaves_no_trace() {
    let net = Net::mlp(4, DType::F64, "AdamW");
    let good = batch(4, DType::F64);
    net.train(&good[0], &good[1]).unwrap();
    let before = net.state();
    let failed = record(&good, || {
        net.train(&good[0], &good[1])?;
        call("matmul", &[&good[0], &good[1]], &[]).map(|y| vec![y])
    });
    assert!(matches!(failed.unwrap_err(), Error::Shape { .. }));
    assert_eq!((mode::recording(), mode::grad_enabled()), (0, true));
    assert_eq!(net.state(), before);
    net.train(&good[0], &good[1]).unwrap();
}

/// A snapshot holds all that a step changes, and puts it back.
#[test]
fn a_snapshot_is_restored_to_the_bit() {
    let net = Net::mlp(5, DType::F64, "SGD");
    let good = batch(5, DType::F64);
    let captured = super::net::record_at(&good, true, None, || Ok(vec![net.train(&good[0], &good[1])?])).unwrap();
    run(&captured, &good).unwrap();
    let (before, snapshot) = (net.state(), captured.snapshot(&handles(&good)));
    run(&captured, &good).unwrap();
    assert_ne!(net.state(), before);
    captured.restore(&snapshot);
    captured.rollback(captured.event_count());
    assert_eq!(net.state(), before);
    assert_eq!(captured.cells(&snapshot).count(), net.params.len());
}
