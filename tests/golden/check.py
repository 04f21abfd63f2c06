#!/usr/bin/env python3
# Kept as it was written beside the vectors, so that both can be replaced together.
# ruff: noqa
# fmt: off
"""Run the reference cases beside this file against an installed package; print each case that falls short."""
import argparse, importlib, json, pathlib, sys, traceback
import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("--package", required=True)
parser.add_argument("--dtype", default="float64", choices=["float64", "float32"])
parser.add_argument("--device", default="cpu")
parser.add_argument("--only", default="", help="run the cases whose id or kind holds this text")
parser.add_argument("--cases", default=str(pathlib.Path(__file__).parent))
parser.add_argument("--captured", action="store_true", help="run function, second-order and training cases inside package.compile, replayed")
parser.add_argument("--verbose", action="store_true")
args = parser.parse_args()

package = importlib.import_module(args.package)
folder = pathlib.Path(args.cases)
cases = json.loads((folder / "cases.json").read_text())["cases"]
arrays = np.load(folder / "arrays.npz")
RTOL, ATOL = (1e-9, 1e-10) if args.dtype == "float64" else (2e-4, 2e-5)


def resolve(path):
    parts = path.split(".")
    for cut in range(len(parts) - 1, -1, -1):
        try:
            found = importlib.import_module(".".join([args.package, *parts[:cut]]))
        except ImportError:
            continue
        for part in parts[cut:]:
            found = getattr(found, part)
        return found
    raise AttributeError(path)


def tensor(array, grad=False):
    array = np.asarray(array)
    if array.dtype.kind == "f":
        array = array.astype(args.dtype)
    t = package.asarray(array, dtype=getattr(package, str(array.dtype)), device=args.device)
    assert t.dtype == getattr(package, str(array.dtype)), f"asarray made {t.dtype} of {array.dtype}"
    return t.requires_grad_() if grad and array.dtype.kind == "f" else t


def run(f, *inputs):
    """Call f eagerly, or captured and replayed: the second call of a compiled function is the one that counts."""
    if not args.captured:
        return f(*inputs)
    compiled = package.compile(f)
    compiled(*inputs)
    return compiled(*inputs)


def host(t):
    return np.asarray(t.detach() if hasattr(t, "detach") else t)


def close(got, want, what, scale=1.0):
    got = host(got)
    want = np.asarray(want)
    assert got.shape == want.shape, f"{what}: shape {got.shape}, want {want.shape}"
    kind = np.dtype(args.dtype) if want.dtype.kind == "f" else want.dtype
    assert got.dtype == kind, f"{what}: dtype {got.dtype}, want {kind}"
    if want.dtype.kind == "b":
        assert (got == want).all(), f"{what}: differs"
        return
    magnitude = np.nanmax(np.abs(np.where(np.isfinite(want), want, 0))) if want.size else 0.0
    with np.errstate(all="ignore"):
        ok = np.isclose(got.astype("f8"), want, rtol=RTOL * scale, atol=(ATOL + RTOL * magnitude) * scale, equal_nan=True)
    assert ok.all(), f"{what}: off by up to {np.nanmax(np.abs(got - want)):.3g} (values up to {magnitude:.3g})"


def get(case, name):
    return arrays[f"{case['id']}/{name}"]


def tuples(kwargs):
    return {k: tuple(v) if isinstance(v, list) else v for k, v in kwargs.items()}


KEYWORD_ONLY = {"pos_weight", "attn_mask"}


def check_function(case):
    f, kwargs = resolve(case["fn"]), tuples(case["kwargs"])
    grads = set(case["grads"])
    inputs = {n: tensor(get(case, n), n in grads) for n in case["args"]}
    name = case["fn"].split(".")[-1]
    keyword = {n: inputs[n] for n in inputs if n in KEYWORD_ONLY or (name in ("layer_norm", "rms_norm", "group_norm") and n != "x") or (name == "cross_entropy" and n == "weight")}
    positional = [inputs[n] for n in inputs if n not in keyword]
    if name == "einsum":
        positional.insert(0, kwargs.pop("equation"))
    for n in ("source", "destination", "repeats", "repetitions"):  # positional-only in the standard
        if n in kwargs:
            positional.append(kwargs.pop(n))
    if args.captured:
        return captured_function(case, f, inputs, positional, keyword, kwargs)
    out = f(*positional, **keyword, **kwargs)
    outs = out if isinstance(out, (tuple, list)) else (out,)
    for o, n in zip(outs, case["outputs"]):
        close(o, get(case, n), n)
    for n in case.get("after", ()):
        close(inputs[n], get(case, f"after/{n}"), f"{n} after the call")
    if grads:
        weigh(outs, upstreams(case)).backward()
        for n in case["grads"]:
            close(inputs[n].grad, get(case, f"grad_{n}"), f"gradient of {n}", 10)


def upstreams(case):
    keys = [f"{case['id']}/upstream{n[3:]}" for n in case["outputs"]]
    return [tensor(arrays[k]) if k in arrays else None for k in keys]


def weigh(outs, weights):
    total = None
    for o, w in zip(outs, weights):
        if w is not None:
            term = package.sum(package.multiply(o, w))
            total = term if total is None else package.add(total, term)
    return total


def captured_function(case, f, inputs, positional, keyword, kwargs):
    """Outputs and gradients as the results of one compiled function of all the tensors."""
    names = list(inputs)
    wanted = tuple(names.index(n) for n in case["grads"])
    weights = upstreams(case)

    def forward(*tensors):
        swap = {id(inputs[n]): t for n, t in zip(names, tensors)}
        pos = [swap.get(id(p), p) for p in positional]
        key = {n: swap.get(id(t), t) for n, t in keyword.items()}
        out = f(*pos, **key, **kwargs)
        return out if isinstance(out, (tuple, list)) else (out,)

    def step(*tensors):
        outs = forward(*tensors)
        grads = package.grad(lambda *t: weigh(forward(*t), weights), argnums=wanted)(*tensors) if wanted else ()
        return (*outs, *grads)

    results = run(step, *[t.detach() for t in inputs.values()])
    for o, n in zip(results, case["outputs"]):
        close(o, get(case, n), n)
    for g, n in zip(results[len(case["outputs"]):], case["grads"]):
        close(g, get(case, f"grad_{n}"), f"gradient of {n}", 10)


def check_second_order(case):
    f, kwargs = resolve(case["fn"]), tuples(case["kwargs"])
    u, v = tensor(get(case, "u")), tensor(get(case, "v"))
    inner = package.grad(lambda x: package.sum(package.multiply(u, f(x, x) if case["twice"] else f(x, **kwargs))))
    outer = package.grad(lambda x: package.sum(package.multiply(v, inner(x))))
    first, second = run(lambda x: (inner(x), outer(x)), tensor(get(case, "x")))
    close(first, get(case, "first"), "first derivative", 10)
    close(second, get(case, "second"), "second derivative", 100)


def load(module, case):
    module.load_state_dict({k: tensor(get(case, f"state/{k}")) for k in case["state"]}) if "state" in case else None
    return module


def check_module(case):
    module = load(resolve(case["cls"])(**case["kwargs"], dtype=getattr(package, args.dtype), device=args.device), case)
    inputs = [tensor(get(case, n), n in case["grads"]) for n in case["args"]]
    name = case["cls"].split(".")[-1]
    out = module(*inputs * 3, need_weights=False)[0] if name == "MultiheadAttention" else module(*inputs)
    flat = []
    for o in out if isinstance(out, (tuple, list)) else (out,):
        flat.extend(o if isinstance(o, (tuple, list)) else (o,))
    for o, n in zip(flat, case["outputs"]):
        close(o, get(case, n), n)
    total = weigh(flat, upstreams(case))
    for n in case["after"]:
        close(module.state_dict()[n], get(case, f"after/{n}"), f"state {n} after the call")
    total.backward()
    for n, t in zip(case["args"], inputs):
        if n in case["grads"]:
            close(t.grad, get(case, f"grad_{n}"), f"gradient of {n}", 10)
    parameters = dict(module.named_parameters())
    for n in case["param_grads"]:
        close(parameters[n].grad, get(case, f"pgrad/{n}"), f"gradient of parameter {n}", 10)


def check_optimizer(case):
    Parameter = resolve("nn.Parameter")
    def make(values):
        params = [Parameter(v) for v in values]
        groups = [dict(params=[p], **g) for p, g in zip(params, case["groups"])] if "groups" in case else params
        return params, resolve(case["cls"])(groups, **tuples(case["kwargs"]))

    params, optimizer = make([tensor(get(case, f"param{i}")) for i in range(case["params"])])
    for step in range(case["steps"]):
        if step == case["reload_at"]:
            state, values = optimizer.state_dict(), [tensor(host(p).copy()) for p in params]
            params, optimizer = make(values)
            optimizer.load_state_dict(state)
        if step == case["lr_change"]["step"]:
            for group in optimizer.param_groups:
                group["lr"] = group["lr"] * case["lr_change"]["factor"]
        for i, p in enumerate(params):
            p.grad = tensor(get(case, f"gradients{i}")[step])
        optimizer.step()
        for i, p in enumerate(params):
            close(p, get(case, f"trajectory{i}")[step], f"parameter {i} after step {step + 1}", 10)


def check_clip(case):
    Parameter = resolve("nn.Parameter")
    params = []
    for i in range(case["params"]):
        p = Parameter(tensor(np.zeros_like(get(case, f"gradient{i}"))))
        p.grad = tensor(get(case, f"gradient{i}"))
        params.append(p)
    close(resolve(case["fn"])(params, **case["kwargs"]), get(case, "norm"), "norm")
    for i, p in enumerate(params):
        close(p.grad, get(case, f"clipped{i}"), f"clipped gradient {i}")


def scheduled(case):
    optimizer = resolve("optim.SGD")([resolve("nn.Parameter")(tensor(np.zeros(1)))], lr=case["base_lr"])
    if "parts" in case:
        parts = [resolve(f"optim.lr_scheduler.{cls}")(optimizer, **kw) for cls, kw in case["parts"]]
        return optimizer, resolve(case["cls"])(optimizer, schedulers=parts, milestones=case["milestones"])
    return optimizer, resolve(case["cls"])(optimizer, **case["kwargs"])


def check_scheduler(case):
    optimizer, scheduler = scheduled(case)
    got = []
    want = get(case, "lr")
    metrics = get(case, "metric") if case["kind"] == "scheduler_metric" else None
    for i in range(len(want)):
        got.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if i + 1 < len(want) or metrics is not None:
            scheduler.step(float(metrics[i])) if metrics is not None else scheduler.step()
    np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-12)


def build(case, nn):
    h, kw = case["id"].split("/")[1], dict(dtype=getattr(package, args.dtype), device=args.device)
    if h == "mlp":
        width = get(case, "state/0.weight").shape[0]
        return nn.Sequential(nn.Linear(8, width, **kw), nn.ReLU(), nn.Linear(width, width, **kw), nn.Tanh(), nn.Linear(width, 1, **kw)), None
    if h == "cnn":
        return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1, **kw), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 8, 3, **kw), nn.ReLU(), nn.Flatten(), nn.Linear(32, 5, **kw)), None
    if h == "lstm":
        class Recurrent(nn.Module):
            def __init__(self):
                super().__init__()
                self.rnn, self.head = nn.LSTM(3, 8, batch_first=True, **kw), nn.Linear(8, 1, **kw)
            def forward(self, x):
                return self.head(self.rnn(x)[0][:, -1])
        return Recurrent(), None
    class CausalLM(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.pos = nn.Embedding(11, 16, **kw), nn.Embedding(12, 16, **kw)
            self.block = nn.TransformerEncoderLayer(16, 2, 32, 0.0, "gelu", batch_first=True, norm_first=True, **kw)
            self.head = nn.Linear(16, 11, **kw)
        def forward(self, ids):
            steps = ids.shape[1]
            mask = np.triu(np.full((steps, steps), -np.inf), 1)
            x = self.embed(ids) + self.pos(tensor(np.arange(steps)))
            return package.reshape(self.head(self.block(x, src_mask=tensor(mask))), (-1, 11))
    return CausalLM(), None


def check_run(case):
    model, _ = build(case, resolve("nn"))
    names = [k.split("/state/")[1] for k in arrays.files if k.startswith(case["id"] + "/state/")]
    model.load_state_dict({n: tensor(get(case, f"state/{n}")) for n in names})
    optimizer = resolve(case["optimizer"])(model.parameters(), **case["kwargs"])
    loss_fn = resolve(f"nn.functional.{case['loss']}")

    def train_step(x, y):
        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    train_step = package.compile(train_step) if args.captured else train_step
    losses = [float(host(train_step(tensor(x), tensor(y)))) for x, y in zip(get(case, "x"), get(case, "y"))]
    scale = 1e3 if args.dtype == "float64" else 50
    close(np.array(losses, args.dtype), get(case, "losses"), "losses", scale)
    state = model.state_dict()
    for n in names if args.dtype == "float64" else ():  # in float32 an adaptive optimizer magnifies rounding where the true gradient is 0
        close(state[n], get(case, f"final/{n}"), f"final {n}", scale)


CHECKS = dict(function=check_function, second_order=check_second_order, module=check_module, optimizer=check_optimizer, clip=check_clip, scheduler=check_scheduler, scheduler_metric=check_scheduler, training_run=check_run)
passed = failed = 0
for case in cases:
    if args.only and args.only not in case["id"] and args.only != case["kind"]:
        continue
    try:
        CHECKS[case["kind"]](case)
        passed += 1
    except Exception as error:
        failed += 1
        print(f"{case['kind']:12s} {case['id']}: {type(error).__name__}: {str(error).splitlines()[0][:160] if str(error) else ''}")
        if args.verbose:
            traceback.print_exc()
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
