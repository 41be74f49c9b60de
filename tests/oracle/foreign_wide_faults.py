"""Faults in the networks of foreign_wide.py, as (name, samples, operation, words): see foreign_faults.py.

Several faults at once, faults in one inference only, faults by blocks of channels, edges, tables, tiles: each is NumPy
arithmetic or an edit of the file that onnxruntime runs. Where `words` is empty no catalogue entry describes the fault
and the cause must stay open.
"""
import numpy as np

from foreign_faults import edited, own_constant
from foreign_network import code_tensors, codes_of, constant, producer, run
from foreign_wide import NETWORKS, Sum, quantized, run_changed, signals


class Wide:
    def __init__(self, network, seed=0, count=4):
        self.network, self.model = network, quantized(network, seed)
        self.x = [v[None] for v in signals(count, NETWORKS[network][1], seed + 7)]
        self.right = [run(self.model, {"image": v}) for v in self.x]
        self.rng = np.random.default_rng(seed + 3)

    def with_file(self, model):
        return [run(model, {"image": v}) for v in self.x]

    def with_inputs(self, images):
        made = [run(self.model, {"image": np.ascontiguousarray(v, np.float32).reshape(self.x[0].shape)}) for v in images]
        return [{**m, "image": v} for m, v in zip(made, self.x)]

    def changed(self, *changes):
        """(operation, f(codes, tensors so far, index of the run)) in the order of the network."""
        pairs = [(codes_of(self.model, name), f) for name, f in changes]
        return [run_changed(self.model, {"image": v}, [(t, lambda made, t=t, f=f, i=i: f(made[t], made, i)) for t, f in pairs])
                for i, v in enumerate(self.x)]

    def computed(self, name, **how):
        s = Sum(self.model, name)
        return self.changed((name, lambda y, made, i: s.compute(made, **how)))

    def one_run(self, samples, which):
        return [samples[i] if i == which else self.right[i] for i in range(len(self.x))]


def flat(y, f):
    v = y.ravel().copy()
    f(v)
    return v.reshape(y.shape)


def fill(first, end, code):
    def change(v):
        v[first:end] = code
    return lambda y, made, i: flat(y, change)


def of_channels(y, first, end, f):
    y = y.astype(np.int64).copy()
    y[:, first:end] = f(y[:, first:end])
    return np.clip(y, -128, 127)


def limited(bits, wraps):
    half = 1 << (bits - 1)
    if wraps:
        return lambda t, b: (t.sum((0, 1)) + b + half) % (2 * half) - half
    return lambda t, b: np.clip(t.sum((0, 1)) + b, -half, half - 1)


def zero_and_scale(m, tensor):
    n = producer(m, tensor)
    return int(constant(m, n.input[2])), float(constant(m, n.input[1]))


def contract(b):
    x = b.x
    shape = x[0].shape
    yield "input-lags-in-run-2", b.one_run(b.with_inputs([x[max(0, i - 1)] for i in range(len(x))]), 2), "image", ["stale-input", "torn-input", "input-not-rewritten", "not renewed"]
    yield "input-first-half-late", b.with_inputs([np.concatenate([x[max(0, i - 1)].ravel()[:v.size // 2], v.ravel()[v.size // 2:]]) for i, v in enumerate(x)]), "image", ["stale-input-lines", "torn-input"]
    yield "input-minus-mean", b.with_inputs([v - 0.37 for v in x]), "image", ["input-normalized-wrongly", "input-wrong-scale"]
    yield "input-clipped-at-0", b.with_inputs([np.maximum(v, 0) for v in x]), "image", ["codes-clipped"]
    yield "input-absolute", b.with_inputs([np.abs(v) for v in x]), "image", []
    yield "input-mirrored", b.with_inputs([v[..., ::-1] for v in x]), "image", []
    yield "input-one-sample-late", b.with_inputs([np.concatenate([v[..., :1] * 0, v[..., :-1]], -1) for v in x]), "image", ["operand-shifted", "output-shifted"] if len(shape) == 2 else ["pads-asymmetric", "unexplained"]
    yield "input-noisy", b.with_inputs([v + b.rng.normal(0, 0.3, shape) for v in x]), "image", []
    yield "input-squared", b.with_inputs([np.sign(v) * v * v for v in x]), "image", []
    if len(shape) == 4 and shape[1] > 1:
        yield "input-channels-reversed", b.with_inputs([v[:, ::-1] for v in x]), "image", ["input-channels-reordered"]
        yield "input-channel-lost", b.with_inputs([np.concatenate([v[:, :1], v[:, 1:] * 0], 1) for v in x]), "image", ["tail-channels-dropped"]
        yield "input-interleaved", b.with_inputs([v.transpose(0, 2, 3, 1) for v in x]), "image", ["input-as-nhwc", "input-as-nchw", "input-axes-swapped"]
    if len(shape) == 4 and shape[2] > 1:
        yield "input-transposed", b.with_inputs([v.transpose(0, 1, 3, 2) for v in x]), "image", ["input-axes-swapped"]
        yield "input-upside-down", b.with_inputs([v[:, :, ::-1] for v in x]), "image", []


def sums(b, name):
    m, s = b.model, Sum(b.model, name)
    out = s.w.shape[0]
    each = s.w.shape[1] * s.kernel[0] * s.kernel[1]
    yield "right-" + name, b.computed(name), None, []
    most = max(int(np.abs(s.terms(s.windows(r[s.x])).sum((0, 1)) + s.bias()).max()) for r in b.right)
    bits = most.bit_length() - 1  # two below what holds all sums
    yield f"accumulator-saturates-{bits}-bits-{name}", b.computed(name, store=limited(bits, False)), name, ["accumulator"] if bits != 16 else ["accumulator", "group-saturation"]
    yield f"accumulator-wraps-{bits}-bits-{name}", b.computed(name, store=limited(bits, True)), name, ["accumulator"] if bits != 16 else ["accumulator", "group-saturation"]
    yield "bias-of-neighbour-" + name, b.computed(name, b=np.roll(s.b, -1)), name, ["bias-misread"]
    yield "bias-half-" + name, b.computed(name, b=s.b // 2), name, ["channels-rescaled", "unexplained"]
    yield "bias-negated-" + name, b.computed(name, b=-s.b), name, ["channels-rescaled", "unexplained"]
    yield "bias-of-one-channel-lost-" + name, b.computed(name, b=np.where(np.arange(out) == int(np.argmax(np.abs(s.b * s.w_scale))), 0, s.b)), name, ["bias", "channels-rescaled"]
    yield "weights-low-nibble-lost-" + name, b.computed(name, w=s.w // 16 * 16), name, []
    yield "weights-unsigned-" + name, b.computed(name, w=s.w % 256), name, []
    yield "weights-mirrored-" + name, b.computed(name, w=s.w[:, :, :, ::-1]), name, ["weights-transposed"] if s.kernel[1] > 1 else None
    yield "weights-negated-" + name, b.computed(name, w=-s.w), name, []
    if out >= 16:
        yield "channels-8-to-15-doubled-" + name, b.computed(name, store=lambda t, c: (t.sum((0, 1)) + c) * np.where(np.arange(out) // 8 == 1, 2, 1).reshape(1, -1, 1, 1)), name, ["channels-rescaled"]
        yield "channels-8-to-15-zero-code-" + name, b.changed((name, lambda y, made, i: of_channels(y, 8, 16, lambda v: v * 0))), name, ["poison", "tail-channels", "memory", "channels-rescaled"]
        yield "blocks-of-8-swapped-" + name, b.changed((name, lambda y, made, i: np.concatenate([y[:, 8:16], y[:, :8], y[:, 16:]], 1))), name, ["output-channels-exchanged"]
        yield "channels-reversed-in-8-" + name, b.changed((name, lambda y, made, i: y.reshape(y.shape[0], -1, 8, *y.shape[2:])[:, :, ::-1].reshape(y.shape))), name, ["byte-order"]
    if s.w.shape[1] >= 16:
        yield "only-8-input-channels-" + name, b.computed(name, store=lambda t, c: t[:, :8].sum((0, 1)) + c), name, ["products-dropped", "weights", "tail-channels-dropped"]
        yield "last-input-channel-twice-" + name, b.computed(name, store=lambda t, c: t.sum((0, 1)) + t[:, -1].sum(0) + c), name, []
    if len(s.windows(b.right[0][s.x])) > 1:
        yield "last-tap-lost-" + name, b.computed(name, store=lambda t, c: t[:-1].sum((0, 1)) + c), name, ["products-dropped", "weights-cut"]
        yield "edge-replicated-" + name, b.computed(name, windows={"outside": "edge"}), name, ["pads"] if any(s.pads) else None
        yield "row-below-for-padding-" + name, b.computed(name, windows={"outside": "next"}), name, ["pads"] if any(s.pads) and s.kernel[0] > 1 else None
        yield "padded-with-code-0-" + name, b.computed(name, windows={"code": 0}), name, ["pads-with-zero-code"]
        yield "window-one-right-" + name, b.computed(name, windows={"shift": (0, 1)}), name, ["pads-asymmetric", "operand-shifted"] if any(s.pads) else ["operand-shifted", "unexplained"]
    yield "multiplier-8-bits-" + name, b.computed(name, factor=short(np.float64(s.x_scale) * s.w_scale / s.y_scale, 5)), name, ["channels-rescaled", "multiplier"]
    yield "multiplier-15-bits-" + name, b.computed(name, factor=short(np.float64(s.x_scale) * s.w_scale / s.y_scale, 15)), None, []
    yield "mean-of-scales-" + name, b.computed(name, factor=np.float64(s.x_scale) * np.mean(s.w_scale) / s.y_scale), name, ["per-channel-as-per-tensor"]
    yield "zero-point-one-off-" + name, b.computed(name, zero=s.y_zero + 1), name, ["result-offset", "codes-offset"]
    yield "result-wraps-" + name, b.changed((name, lambda y, made, i: (s.compute(made, factor=None, clamp=False).astype(np.int64) + 128) % 256 - 128)), name, ["clamp-lost"]
    yield "rounded-up-" + name, b.computed(name, rounding=np.ceil), name, ["requant-rounding", "requant-truncates"]


def short(m, bits):
    f, e = np.frexp(m)
    return np.ldexp(np.rint(np.ldexp(f, bits)), e - bits)


def memory(b, name, where):
    t, r, m = codes_of(b.model, name), b.right, b.model
    y = r[0][t]
    size = y.size
    yield "zeros-in-run-1-" + name, b.changed((name, lambda y, made, i: y * 0 if i == 1 else y)), name, ["memory-asleep", "poison"]
    yield "last-tile-old-" + name, b.changed((name, lambda y, made, i: flat(y, lambda v: v.__setitem__(slice(size - size // 4, None), r[max(0, i - 1)][t].ravel()[size - size // 4:])))), name, ["torn-output", "stale-lines", "stale-output"]
    yield "last-tile-zero-" + name, b.changed((name, fill(size - size // 4, size, 0))), name, ["poison", "tail-channels", "memory"]
    yield "last-tile-zero-point-" + name, b.changed((name, fill(size - size // 4, size, zero_and_scale(m, t)[0]))), name, ["poison", "tail-channels", "memory"]
    yield "one-stretch-0xa5-" + name, b.changed((name, fill(size // 3 // 32 * 32, size // 3 // 32 * 32 + 32, -91))), name, ["poison"]
    yield "first-line-old-in-run-2-" + name, b.changed((name, lambda y, made, i: flat(y, lambda v: v.__setitem__(slice(0, 32), r[1][t].ravel()[:32])) if i == 2 else y)), name, ["stale-lines"]
    yield "every-other-line-old-" + name, b.changed((name, lambda y, made, i: flat(y, lambda v: [v.__setitem__(slice(k, k + 32), r[max(0, i - 1)][t].ravel()[k:k + 32]) for k in range(32, size, 64)]))), name, ["stale-lines"] if size > 96 else ["stale-lines", "torn-output"]
    yield "halves-swapped-" + name, b.changed((name, lambda y, made, i: flat(y, lambda v: v.__setitem__(slice(None), np.roll(v.copy(), size // 2))))), name, ["output-channels-exchanged", "output-shifted", "output-layout"]
    yield "reversed-" + name, b.changed((name, lambda y, made, i: y.ravel()[::-1].reshape(y.shape))), name, []
    yield "noise-" + name, b.changed((name, lambda y, made, i: np.clip(y + b.rng.integers(-7, 8, y.shape), -128, 127))), name, []
    yield "few-bits-flip-" + name, b.changed((name, lambda y, made, i: np.where(b.rng.random(y.shape) < 0.01, y ^ np.int8(1 << b.rng.integers(3, 7)), y))), name, []
    yield "bit-5-stuck-" + name, b.changed((name, lambda y, made, i: y | np.int8(32))), name, []
    yield "low-3-bits-lost-" + name, b.changed((name, lambda y, made, i: y // 8 * 8)), name, []
    yield "shuffled-" + name, b.changed((name, lambda y, made, i: flat(y, lambda v: v.__setitem__(slice(None), v[np.random.default_rng(5).permutation(size)])))), name, []
    yield "one-run-doubled-" + name, b.changed((name, lambda y, made, i: np.clip(2 * y.astype(int), -128, 127) if i == 1 else y)), name, []
    if where:
        yield "lies-under-another-" + name, b.changed((name, lambda y, made, i: flat(y, lambda v: v.__setitem__(slice(40, 104), made[codes_of(m, where)].ravel()[8:72])))), name, ["buffers-overlap"]
    if y.ndim == 4 and y.shape[2] > 1:
        yield "transposed-" + name, b.changed((name, lambda y, made, i: y.transpose(0, 1, 3, 2).reshape(y.shape))), name, ["output-layout"]
        yield "last-row-zero-" + name, b.changed((name, lambda y, made, i: last(y, 2))), name, ["edge-not-computed", "poison", "memory"]
        yield "last-column-zero-" + name, b.changed((name, lambda y, made, i: last(y, 3))), name, ["edge-not-computed"]
        yield "column-late-" + name, b.changed((name, lambda y, made, i: np.concatenate([y[..., :1], y[..., :-1]], -1))), name, []


def last(y, axis):
    y = y.copy()
    np.moveaxis(y, axis, 0)[-1] = 0
    return y


def tables(b, name, source, f):
    """An operation that a table of 256 codes computes: f in reals, from the tensor of `source`."""
    m = b.model
    xz, xs = zero_and_scale(m, codes_of(m, source))
    yz, ys = zero_and_scale(m, codes_of(m, name))
    table = lambda by=0, g=f: np.clip(np.rint(g((np.arange(-128, 128) + by - xz) * xs) / ys) + yz, -128, 127).astype(np.int8)
    look = lambda t: lambda y, made, i: t[made[codes_of(m, source)].astype(int) + 128]
    yield "table-right-" + name, b.changed((name, look(table()))), None, []
    yield "table-one-late-" + name, b.changed((name, look(table(1)))), name, ["table"]
    yield "table-three-early-" + name, b.changed((name, look(table(-3)))), name, ["table"]
    yield "table-half-off-" + name, b.changed((name, look(np.roll(table(), 128)))), name, ["table-off-by-128", "table"]
    yield "table-of-relu-" + name, b.changed((name, look(table(0, lambda v: np.maximum(v, 0))))), name, ["slope"] if name == "leaky" else []
    yield "table-reversed-" + name, b.changed((name, look(table()[::-1]))), name, []


def of_wide(b):
    m = b.model
    yield from contract(b)
    for name in ("stem", "dil", "left", "deep"):
        yield from sums(b, name)
    for name, other in (("point", "stem"), ("cat", "gated")):
        yield from memory(b, name, other)
    yield from tables(b, "sigmoid", "gate", lambda v: 1 / (1 + np.exp(-v)))
    yield from tables(b, "leaky", "left", lambda v: np.where(v < 0, 0.2 * v, v))
    second = next(n for n in m.graph.node if n.name == "sum1").input[1]
    scaled = own_constant(m, producer(m, second).name, 1, lambda s: s * 0.6)
    yield "sum-operand-scale", b.with_file(scaled), "sum1", ["operand-rescale"]
    stale = lambda y, made, i: flat(y, lambda v: v.__setitem__(slice(64, 128), b.right[max(0, i - 1)][codes_of(m, "deep")].ravel()[64:128]))
    both = Wide.__new__(Wide)
    both.__dict__.update(b.__dict__, model=scaled)
    yield "sum-operand-scale-and-stale-deep", both.changed(("deep", stale)), "sum1", ["operand-rescale"]
    d = Sum(m, "dil")
    yield "bias-and-poison", b.changed(("dil", lambda y, made, i: d.compute(made, b=d.b * 0)), ("left", fill(64, 160, 0x55))), "dil", ["bias-misread"]
    yield "gain-and-offset-at-one-place", b.changed(("point", lambda y, made, i: np.clip(y * 0.5 + 20, -128, 127))), "point", []
    pooled = lambda y, made, i, f: f(made[codes_of(m, "gated")].reshape(1, 16, 6, 2, 7, 2))
    yield "pool-takes-first", b.changed(("pool", lambda y, made, i: pooled(y, made, i, lambda v: v[:, :, :, 0, :, 0]))), "pool", []
    yield "pool-takes-mean", b.changed(("pool", lambda y, made, i: pooled(y, made, i, lambda v: np.rint(v.mean((3, 5)))))), "pool", []
    mean = lambda n: lambda y, made, i: gap(m, made, n)
    yield "mean-right", b.changed(("mean", mean(12))), None, []
    yield "mean-by-16", b.changed(("mean", mean(16))), "mean", ["result-rescaled", "pool-divisor"]
    yield "concat-swapped", b.changed(("cat", lambda y, made, i: np.roll(y, 8, 1))), "cat", ["output-channels-exchanged", "output-shifted"]
    yield "outputs-of-run-before", [{**v, "logits": b.right[max(0, i - 1)]["logits"]} for i, v in enumerate(b.right)], "logits", ["stale-output"]


def gap(m, made, count):
    x, y = codes_of(m, "deep"), codes_of(m, "mean")
    (xz, xs), (yz, ys) = zero_and_scale(m, x), zero_and_scale(m, y)
    return np.clip(np.rint((made[x].astype(np.int64) - xz).sum((2, 3), keepdims=True) * xs / ys / count) + yz, -128, 127)


def of_line(b):
    m = b.model
    yield from contract(b)
    for name in ("in", "t1", "down"):
        yield from sums(b, name)
    yield from memory(b, "t2", "in")
    yield from memory(b, "res0", "in")
    t = Sum(m, "t2")
    t.dilations, t.pads = [1, 1], [0, 2, 0, 0]
    yield "dilation-lost-t2", b.changed(("t2", lambda y, made, i: t.compute(made))), "t2", ["dilation-lost"]
    u = Sum(m, "t2")
    u.pads = [0, 0, 0, 8]
    yield "padded-after-t2", b.changed(("t2", lambda y, made, i: u.compute(made))), "t2", ["pads-asymmetric", "operand-shifted"]


def of_dense(b):
    yield from contract(b)
    for name in ("d0", "d2"):
        yield from memory(b, name, None)
    m = b.model
    for name in ("d1", "logits"):
        gemm = next(n for n in m.graph.node if n.name == name)
        w, c = producer(m, gemm.input[1]).input[0], producer(m, gemm.input[2]).input[0]
        yield "bias-lost-" + name, b.with_file(edited(m, c, lambda v: v * 0)), name, ["bias"]
        yield "bias-late-" + name, b.with_file(edited(m, c, lambda v: np.roll(v, 1))), name, ["bias"]
        yield "weights-late-" + name, b.with_file(edited(m, w, lambda v: np.roll(v.ravel(), 4).reshape(v.shape))), name, ["weights-shifted", "unexplained"]
        yield "weights-half-" + name, b.with_file(edited(m, w, lambda v: v // 2)), name, []
        yield "weight-row-lost-" + name, b.with_file(edited(m, w, lambda v: np.where(np.arange(v.shape[0])[:, None] == 5, 0, v))), name, []
        yield "weight-column-lost-" + name, b.with_file(edited(m, w, lambda v: np.where(np.arange(v.shape[1])[None] == 5, 0, v))), name, []


CASES = {"wide": of_wide, "line": of_line, "dense": of_dense}


def cases(b):
    for name, samples, operation, words in CASES[b.network](b):
        if words is not None:
            yield name, samples, operation, words
