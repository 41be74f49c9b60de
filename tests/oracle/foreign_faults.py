"""Faulty captures that no code of Lockstep made, and what `lockstep diagnose` must say of each.

Each fault is an edit of the model's file run by onnxruntime, or NumPy arithmetic put in the place of one tensor.
`cases()` yields (name, samples, operation, words): the operation that is wrong, and words one of which the report's
cause must contain; an empty list: the cause must stay open.
"""
import copy

import numpy as np

from foreign_network import (code_tensors, codes_of, constant, pictures, producer, quantized_network, run, run_patched,
                             set_constant)


def scale_and_zero(model, tensor):
    n = producer(model, tensor)
    return float(constant(model, n.input[1])), int(constant(model, n.input[2]))


def sums(x, w, b, x_zero, pad_code, stride, group):
    """Accumulators of a convolution on codes [N, C, H, W], term by term: [terms, N, O, H', W'] before the sum."""
    k = w.shape[2]
    p = k // 2
    wide = np.pad(x.astype(np.int64), ((0, 0), (0, 0), (p, p), (p, p)), constant_values=pad_code) - x_zero
    h = (wide.shape[2] - k) // stride + 1
    cols = np.stack([wide[:, :, i:i + h * stride:stride, j:j + h * stride:stride] for i in range(k) for j in range(k)], 2)
    n, c = x.shape[:2]
    each = c // group
    terms = np.empty((each * k * k, n, w.shape[0], h, h), np.int64)
    for o in range(w.shape[0]):
        g = o // (w.shape[0] // group)
        part = cols[:, g * each:(g + 1) * each].reshape(n, each * k * k, h, h)
        terms[:, :, o] = (part * w[o].reshape(1, -1, 1, 1)).transpose(1, 0, 2, 3)
    return terms, b.reshape(1, -1, 1, 1)


class Layer:
    """The numbers of one quantized convolution."""

    def __init__(self, model, name):
        conv = next(n for n in model.graph.node if n.name == name)
        self.out = codes_of(model, name)
        self.x = producer(model, conv.input[0]).input[0]
        self.x_scale, self.x_zero = scale_and_zero(model, self.x)
        self.y_scale, self.y_zero = scale_and_zero(model, self.out)
        wdq, bdq = producer(model, conv.input[1]), producer(model, conv.input[2])
        self.w_name, self.ws_name, self.b_name = wdq.input[0], wdq.input[1], bdq.input[0]
        self.w, self.w_scale = constant(model, self.w_name), constant(model, self.ws_name)
        self.b = constant(model, self.b_name).astype(np.int64)
        attributes = {a.name: a for a in conv.attribute}
        self.stride, self.group = attributes["strides"].ints[0], attributes["group"].i

    def factor(self):
        return (np.float64(self.x_scale) * self.w_scale / self.y_scale).reshape(1, -1, 1, 1)

    def codes(self, acc, rounding=np.rint):
        return np.clip(rounding(acc * self.factor()) + self.y_zero, -128, 127)

    def compute(self, made, pad_code=None, x_zero=None, store=None, rounding=np.rint):
        """`store` takes the terms and the bias and returns accumulators."""
        zero = self.x_zero if x_zero is None else x_zero
        terms, bias = sums(made[self.x], self.w.astype(np.int64), self.b, zero, zero if pad_code is None else pad_code, self.stride, self.group)
        return self.codes(store(terms, bias) if store else terms.sum(0) + bias, rounding)


def saturated(terms, bias):
    return np.clip(terms.sum(0) + bias, -32768, 32767)


def saturated_stepwise(terms, bias):
    acc = np.broadcast_to(bias, terms.shape[1:]).astype(np.int64)
    for t in terms:
        acc = np.clip(acc + t, -32768, 32767)
    return acc


def edited(model, name, change):
    model = copy.deepcopy(model)
    set_constant(model, name, change(constant(model, name)))
    return model


def own_constant(model, node, index, change):
    """One node's own copy of a shared initializer, changed."""
    model = copy.deepcopy(model)
    n = next(m for m in model.graph.node if m.name == node)
    name = n.input[index] + "_own"
    value = change(constant(model, n.input[index]))
    set_constant(model, name, value)
    n.input[index] = name
    return model


def lines(rng, count, share):
    return np.repeat(rng.random(-(-count // 32)) < share, 32)[:count]


class Bench:
    def __init__(self, seed=0, count=4):
        self.model = quantized_network(seed)
        self.x = [v[None] for v in pictures(count, (1, 3, 16, 16), seed + 7)]
        self.right = [run(self.model, {"image": v}) for v in self.x]
        self.rng = np.random.default_rng(seed + 3)

    def with_file(self, model):
        return [run(model, {"image": v}) for v in self.x]

    def with_inputs(self, images):
        """The network read `images`; the capture holds what was sent."""
        made = [run(self.model, {"image": np.ascontiguousarray(v, np.float32)}) for v in images]
        return [{**m, "image": v} for m, v in zip(made, self.x)]

    def with_patch(self, tensor, change):
        """change(tensors of this run, right tensors of all runs, index of the run)."""
        return [run_patched(self.model, {"image": v}, tensor, lambda made, i=i: change(made, i)) for i, v in enumerate(self.x)]

    def layer(self, name, w_scale=None, **how):
        layer = Layer(self.model, name)
        layer.w_scale = w_scale(layer.w_scale) if w_scale else layer.w_scale
        return self.with_patch(layer.out, lambda made, i: layer.compute(made, **how))

    def dequantizer(self, operation, operand):
        n = next(m for m in self.model.graph.node if m.name == operation)
        return producer(self.model, n.input[operand]).name


def cases(b):
    m = b.model
    out = lambda name: codes_of(m, name)
    layer = lambda name: Layer(m, name)

    # The yardstick: the same arithmetic by NumPy must be healthy.
    yield "numpy-right", b.layer("b2"), None, []

    # The contract at the input.
    x = b.x
    yield "bgr", b.with_inputs([v[:, ::-1] for v in x]), "image", ["input-channels-reordered"]
    yield "bytes-not-normalized", b.with_inputs([np.round(v * 255) for v in x]), "image", ["input-normalized-wrongly"]
    yield "mean-std", b.with_inputs([(v - 0.5) / 0.25 for v in x]), "image", ["input-normalized-wrongly"]
    yield "nhwc-read-as-nchw", b.with_inputs([v.transpose(0, 2, 3, 1).reshape(v.shape) for v in x]), "image", ["input-as-nhwc", "input-as-nchw", "input-axes-swapped"]
    yield "width-height", b.with_inputs([v.transpose(0, 1, 3, 2) for v in x]), "image", ["input-axes-swapped"]
    yield "input-of-run-before", b.with_inputs([x[max(0, i - 1)] for i in range(len(x))]), "image", ["stale-input"]
    yield "input-frozen", b.with_inputs([x[0]] * len(x)), "image", ["stale-input"]
    yield "input-scale", b.with_file(edited(m, "image_scale", lambda s: s * 2)), "image", ["scale", "normalized"]

    # Scales and zero points.
    yield "add-operand-scale", b.with_file(own_constant(m, b.dequantizer("add1", 1), 1, lambda s: s * 0.5)), "add1", ["operand-rescale"]
    yield "add-operand-scale-odd", b.with_file(own_constant(m, b.dequantizer("add2", 1), 1, lambda s: s * 0.83)), "add2", ["operand-rescale"]
    yield "concat-one-scale", b.with_file(own_constant(m, b.dequantizer("cat", 0), 1, lambda s: constant(m, "cat_scale"))), "cat", ["operand-rescale", "concat-not-rescaled"]
    yield "weights-per-tensor", b.layer("b2", w_scale=lambda s: np.full_like(s, s.max())), "b2", ["per-channel-as-per-tensor"]
    yield "weights-first-scale", b.layer("a1", w_scale=lambda s: np.full_like(s, s[0])), "a1", ["per-channel-as-per-tensor"]
    yield "output-scale", b.with_file(own_constant(m, producer(m, out("a2")).name, 1, lambda s: s * 2)), "a2", ["scale", "multiplier", "rescale"]
    yield "output-scale-odd", b.with_file(own_constant(m, producer(m, out("b2")).name, 1, lambda s: s * 1.37)), "b2", ["scale", "multiplier", "rescale"]
    yield "input-zero-ignored", b.layer("b2", x_zero=0), "b2", ["zero-point-ignored"]
    yield "pad-with-code-0", b.layer("a1", pad_code=0), "a1", ["pads-with-zero-code"]

    # Arithmetic.
    yield "scales-one-channel-late", b.layer("a1", w_scale=lambda s: np.roll(s, 1)), "a1", ["channel-scales-misplaced"]
    yield "bias-big-endian", b.with_file(edited(m, layer("b2").b_name, lambda v: v.byteswap())), "b2", ["bias"]
    yield "half-up", b.layer("b2", rounding=lambda v: np.floor(v + 0.5)), None, []
    yield "floor", b.layer("b2", rounding=np.floor), "b2", ["requant-truncates"]
    yield "toward-zero", b.layer("b2", rounding=np.trunc), "b2", ["requant-truncates"]
    yield "accumulator-saturates", b.layer("b2", store=saturated), "b2", ["accumulator-16bit", "group-saturation"]
    yield "accumulator-saturates-stepwise", b.layer("b2", store=saturated_stepwise), "b2", []
    yield "accumulator-wraps", b.layer("b2", store=lambda t, c: (t.sum(0) + c + 32768) % 65536 - 32768), "b2", ["accumulator-16bit", "group-saturation"]
    yield "relu-lost", b.with_patch(out("a1"), lambda made, i: no_relu(b, "a1", made)), "a1", ["clamp-lost", "output-zero"]

    # Weights.
    yield "weights-transposed", b.with_file(edited(m, layer("b2").w_name, lambda w: w.transpose(0, 1, 3, 2))), "b2", ["weights-transposed", "operand-layout"]
    yield "weights-in-out", b.with_file(edited(m, layer("b2").w_name, lambda w: w.transpose(1, 0, 2, 3))), "b2", ["weights-transposed", "operand-layout"]
    yield "weights-ohwi", b.with_file(edited(m, layer("b1").w_name, lambda w: w.transpose(0, 2, 3, 1).reshape(w.shape))), "b1", ["weights-transposed", "operand-layout"]
    yield "weights-zero", b.with_file(edited(m, layer("a2").w_name, lambda w: w * 0)), "a2", ["weights-constant", "operand-lost"]
    yield "weights-erased", b.with_file(edited(m, layer("a2").w_name, lambda w: w * 0 - 1)), "a2", ["weights-constant"]
    yield "weights-cut", b.with_file(edited(m, layer("b1").w_name, lambda w: cut(w, w.size // 3))), "b1", ["weights-cut", "tail-channels-dropped"]
    yield "weights-late", b.with_file(edited(m, layer("b1").w_name, lambda w: late(w, 16))), "b1", ["weights-shifted"]
    yield "bias-lost", b.with_file(edited(m, layer("a2").b_name, lambda v: v * 0)), "a2", ["bias"]
    yield "bias-shifted", b.with_file(edited(m, layer("b2").b_name, lambda v: np.roll(v, 1))), "b2", ["bias"]
    yield "output-channels-swapped", b.with_patch(out("b1"), lambda made, i: made[out("b1")][:, swap(24, 3, 9)]), "b1", ["channel"]
    yield "one-weight-bit", b.with_file(edited(m, layer("b2").w_name, lambda w: flip(w, 17, 64))), "b2", []

    # Memory.
    r = b.right
    for name in ("a2", "b1"):
        t = out(name)
        masks = [lines(b.rng, r[0][t].size, 0.3) for _ in x]
        yield "stale-lines-" + name, b.with_patch(t, lambda made, i, t=t, masks=masks: where(masks[i], r[max(0, i - 1)][t], made[t])), name, ["stale"]
        yield "lines-of-another-" + name, b.with_patch(t, lambda made, i, t=t: overlay(made[t], made[out("stem")], 256)), name, ["buffers-overlap"]
        yield "output-frozen-" + name, b.with_patch(t, lambda made, i, t=t: r[0][t]), name, ["frozen", "stale"]
        yield "zeros-" + name, b.with_patch(t, lambda made, i, t=t: made[t] * 0), name, ["memory-asleep"]
        yield "poison-tail-" + name, b.with_patch(t, lambda made, i, t=t: tail(made[t], 0x55)), name, ["poison", "memory", "tail", "torn"]
        yield "nhwc-" + name, b.with_patch(t, lambda made, i, t=t: made[t].transpose(0, 2, 3, 1).reshape(made[t].shape)), name, ["output-layout", "operand-layout"]
        yield "four-bytes-swapped-" + name, b.with_patch(t, lambda made, i, t=t: made[t].reshape(-1, 4)[:, ::-1].reshape(made[t].shape)), name, ["byte-order"]
        yield "one-byte-late-" + name, b.with_patch(t, lambda made, i, t=t: late(made[t], 1)), name, ["output-shifted"]
    yield "wrong-operand", b.with_patch(out("add1"), lambda made, i: add_of(b, made, "add1", out("a2"), out("a2"))), "add1", ["operand-replaced"]
    yield "add-one-scale-then-lines-late", b.with_patch(out("add1"), lambda made, i: overlay(one_scale_add(b, made), made[out("stem")], 96)), "add1", ["add", "operand", "overlap"]
    yield "concat-swapped", b.with_patch(out("cat"), lambda made, i: np.roll(made[out("cat")], 16, 1)), "cat", ["output-channels-exchanged"]
    yield "logits-of-run-before", [{**v, "logits": r[max(0, i - 1)]["logits"]} for i, v in enumerate(r)], "logits", ["stale-output"]
    yield "rows-of-16-bytes-a2", b.with_patch(out("a2"), lambda made, i: padded(made[out("a2")], 16)), "a2", ["padded-rows"]
    yield "burst-of-weights-lost", b.with_file(edited(m, layer("b1").w_name, lambda w: blank(w, 640, 64))), "b1", []
    yield "block-never-written", b.with_patch(out("b1"), lambda made, i: blank(made[out("b1")], 96, 64)), "b1", ["poison-survives", "memory-asleep"]

    # What nothing describes.
    yield "noise", b.with_patch(out("b1"), lambda made, i: np.clip(made[out("b1")] + b.rng.integers(-9, 10, made[out("b1")].shape), -128, 127)), "b1", []


def where(mask, a, c):
    return np.where(mask.reshape(a.shape), a, c)


def swap(count, i, j):
    order = np.arange(count)
    order[[i, j]] = order[[j, i]]
    return order


def cut(w, first):
    flat = w.ravel().copy()
    flat[first:] = 0
    return flat.reshape(w.shape)


def flip(w, at, bit):
    flat = w.ravel().copy()
    flat[at] = np.int8(flat[at] ^ bit)
    return flat.reshape(w.shape)


def overlay(t, other, count):
    flat = t.ravel().copy()
    flat[:count] = other.ravel()[:count]
    return flat.reshape(t.shape)


def padded(t, multiple):
    """Rows written at a padded stride, read without it."""
    wide = np.zeros((*t.shape[:-1], -(-t.shape[-1] // multiple) * multiple), t.dtype)
    wide[..., :t.shape[-1]] = t
    return wide.ravel()[:t.size].reshape(t.shape)


def blank(t, first, count):
    flat = t.ravel().copy()
    flat[first:first + count] = 0
    return flat.reshape(t.shape)


def tail(t, code):
    flat = t.ravel().copy()
    flat[flat.size * 3 // 4:] = code
    return flat.reshape(t.shape)


def late(t, by):
    flat = t.ravel()
    return np.concatenate([np.zeros(by, t.dtype), flat[:-by]]).reshape(t.shape)


def no_relu(b, name, made):
    layer = Layer(b.model, name)
    terms, bias = sums(made[layer.x], layer.w.astype(np.int64), layer.b, layer.x_zero, layer.x_zero, layer.stride, layer.group)
    codes = np.rint((terms.sum(0) + bias) * layer.factor()) + layer.y_zero
    return (codes.astype(np.int64) + 128) % 256 - 128  # what the clamp would have kept away wraps


def one_scale_add(b, made):
    n = next(m for m in b.model.graph.node if m.name == "add1")
    first, second = (producer(b.model, i).input[0] for i in n.input)
    s1, z1 = scale_and_zero(b.model, first)
    _, z2 = scale_and_zero(b.model, second)
    sy, zy = scale_and_zero(b.model, codes_of(b.model, "add1"))
    y = np.float32(s1) * (made[first].astype(np.float32) - z1 + made[second].astype(np.float32) - z2)
    return np.clip(np.rint(y / np.float32(sy)) + zy, -128, 127).astype(np.int8)


def add_of(b, made, name, first, second):
    s1, z1 = scale_and_zero(b.model, first)
    s2, z2 = scale_and_zero(b.model, second)
    sy, zy = scale_and_zero(b.model, codes_of(b.model, name))
    y = np.float32(made[first].astype(np.float32) - z1) * np.float32(s1) + np.float32(made[second].astype(np.float32) - z2) * np.float32(s2)
    return np.clip(np.rint(y / np.float32(sy)) + zy, -128, 127)
