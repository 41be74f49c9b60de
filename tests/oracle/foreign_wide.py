"""Three more networks that onnxruntime quantizes and runs, and NumPy's own arithmetic of their convolutions.

`wide` reads pictures that are not square, has windows, strides and dilations of its own in each axis, a gate, a
leaky ReLU and a maximum; `line` is a causal chain over time with two outputs; `dense` an autoencoder of matrices.
Nothing here comes from Lockstep.
"""
import copy
import pathlib
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

from foreign_network import Reader, code_tensors, codes_of, constant, producer, run


class Builder:
    def __init__(self, seed):
        self.rng, self.nodes, self.constants = np.random.default_rng(seed), [], []

    def node(self, op, inputs, name, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [name], name, **attributes))
        return name

    def value(self, name, array):
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array, np.float32), name))
        return name

    def conv(self, x, name, into, out, kernel, pads, strides=(1, 1), dilations=(1, 1), group=1, relu=True):
        w = self.rng.normal(0, 1.5 / np.sqrt(into // group * kernel[0] * kernel[1]), (out, into // group, *kernel))
        w *= self.rng.uniform(0.3, 1.7, (out, 1, 1, 1))
        self.node("Conv", [x, self.value(name + "_w", w), self.value(name + "_b", self.rng.normal(0, 0.25, out))], name,
                  kernel_shape=kernel, pads=pads, strides=strides, dilations=dilations, group=group)
        return self.node("Relu", [name], name + "_relu") if relu else name

    def gemm(self, x, name, into, out, relu=False):
        w = self.rng.normal(0, 1.3 / np.sqrt(into), (into, out)) * self.rng.uniform(0.5, 1.5, out)
        self.node("Gemm", [x, self.value(name + "_w", w), self.value(name + "_b", self.rng.normal(0, 0.2, out))], name)
        return self.node("Relu", [name], name + "_relu") if relu else name

    def model(self, name, inputs, outputs):
        graph = helper.make_graph(self.nodes, name, [helper.make_tensor_value_info(*i[:1], TensorProto.FLOAT, i[1]) for i in inputs],
                                  [helper.make_tensor_value_info(o, TensorProto.FLOAT, None) for o in outputs], self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def wide(seed):
    b = Builder(seed)
    x = b.conv("image", "stem", 2, 16, (3, 5), [1, 2, 1, 2], (1, 2))  # 16 x 12 x 14
    y = b.conv(x, "dil", 16, 16, (3, 3), [2, 1, 2, 1], dilations=(2, 1), group=16)
    y = b.conv(y, "point", 16, 16, (1, 1), [0] * 4, relu=False)
    x = b.node("Add", [x, y], "sum1")
    g = b.conv(x, "gate", 16, 16, (1, 3), [0, 1, 0, 1], relu=False)
    g = b.node("Sigmoid", [g], "sigmoid")
    x = b.node("Mul", [x, g], "gated")
    x = b.node("MaxPool", [x], "pool", kernel_shape=[2, 2], strides=[2, 2])  # 6 x 7
    y = b.conv(x, "left", 16, 24, (3, 3), [1] * 4, relu=False)
    y = b.node("LeakyRelu", [y], "leaky", alpha=0.2)
    z = b.conv(x, "right", 16, 8, (1, 1), [0] * 4)
    x = b.node("Concat", [y, z], "cat", axis=1)
    x = b.conv(x, "deep", 32, 32, (3, 3), [1] * 4, (2, 2))  # 3 x 4
    x = b.node("GlobalAveragePool", [x], "mean")
    x = b.node("Flatten", [x], "flat")
    b.gemm(x, "logits", 32, 12)
    return b.model("wide", [("image", [1, 2, 12, 28])], ["logits"])


def line(seed):
    b = Builder(seed)
    x = b.conv("image", "in", 6, 16, (1, 5), [0, 4, 0, 0])
    for i, d in enumerate((1, 2, 4)):
        y = b.conv(x, f"t{i}", 16, 16, (1, 3), [0, 2 * d, 0, 0], dilations=(1, d))
        y = b.conv(y, f"p{i}", 16, 16, (1, 1), [0] * 4, relu=False)
        x = b.node("Add", [x, y], f"res{i}")
    b.conv(x, "trace", 16, 4, (1, 1), [0] * 4, relu=False)
    x = b.conv(x, "down", 16, 24, (1, 4), [0] * 4, (1, 4))
    x = b.node("GlobalAveragePool", [x], "mean")
    x = b.node("Flatten", [x], "flat")
    b.gemm(x, "logits", 24, 5)
    return b.model("line", [("image", [1, 6, 1, 48])], ["logits", "trace"])


def dense(seed):
    b = Builder(seed)
    x = "image"
    for i, (into, out) in enumerate([(80, 48), (48, 12), (12, 48)]):
        x = b.gemm(x, f"d{i}", into, out, relu=True)
    b.gemm(x, "logits", 48, 80)
    return b.model("dense", [("image", [1, 80])], ["logits"])


NETWORKS = {"wide": (wide, (1, 2, 12, 28)), "line": (line, (1, 6, 1, 48)), "dense": (dense, (1, 80))}


def signals(count, shape, seed):
    """Smooth along the last axis, signed, with an offset of each channel's own."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1, (count, *shape[1:]))
    for _ in range(2):
        x = (x + np.roll(x, 1, -1)) / 1.5
    return (x + rng.normal(0, 0.4, (count, *shape[1:-1], 1) if len(shape) > 2 else (count, 1))).astype(np.float32)


def quantized(name, seed):
    build, shape = NETWORKS[name]
    with tempfile.TemporaryDirectory() as folder:
        source, to = pathlib.Path(folder) / "f.onnx", pathlib.Path(folder) / "q.onnx"
        onnx.save(onnx.shape_inference.infer_shapes(build(seed)), source)
        quantize_static(source, to, Reader(signals(24, shape, seed + 1000)), quant_format=QuantFormat.QDQ,
                        per_channel=name != "dense", weight_type=QuantType.QInt8, activation_type=QuantType.QInt8)
        return onnx.load(to)


def run_changed(model, feeds, changes):
    """One inference in which each (tensor, change) of `changes`, in the order of the network, replaces that tensor by
    change(tensors so far)."""
    made = run(model, feeds)
    cut, given = copy.deepcopy(model), {}
    for tensor, change in changes:
        value = np.ascontiguousarray(change(made), np.int8).reshape(made[tensor].shape)
        cut.graph.node.remove(producer(cut, tensor))
        cut.graph.input.append(helper.make_tensor_value_info(tensor, TensorProto.INT8, value.shape))
        given[tensor] = value
        made = {**run(cut, {**feeds, **given}), **given}
    return made


class Sum:
    """The numbers of one quantized convolution, and NumPy's arithmetic of it."""

    def __init__(self, model, name):
        conv = next(n for n in model.graph.node if n.name == name)
        scale = lambda n: (constant(model, n.input[1]), constant(model, n.input[2]).astype(np.int64))
        self.out = codes_of(model, name)
        xdq = producer(model, conv.input[0])
        self.x = xdq.input[0]
        (self.x_scale, self.x_zero), (self.y_scale, self.y_zero) = scale(xdq), scale(producer(model, self.out))
        wdq, bdq = producer(model, conv.input[1]), producer(model, conv.input[2])
        self.w_name, self.b_name = wdq.input[0], bdq.input[0]
        self.w, self.w_scale = constant(model, self.w_name).astype(np.int64), constant(model, wdq.input[1])
        self.b = constant(model, self.b_name).astype(np.int64)
        a = {k.name: k for k in conv.attribute}
        self.kernel, self.pads = list(a["kernel_shape"].ints), list(a["pads"].ints)
        self.strides, self.dilations, self.group = list(a["strides"].ints), list(a["dilations"].ints), a["group"].i

    def windows(self, x, outside="zero", code=None, shift=(0, 0)):
        """[taps, N, C, H', W'] of x - zero; `outside`: what a place beyond the edge holds."""
        n, c, h, w = x.shape
        (kh, kw), (sh, sw), (dh, dw) = self.kernel, self.strides, self.dilations
        oh = (h + self.pads[0] + self.pads[2] - dh * (kh - 1) - 1) // sh + 1
        ow = (w + self.pads[1] + self.pads[3] - dw * (kw - 1) - 1) // sw + 1
        flat = x.astype(np.int64).reshape(n, c, h * w)
        taps = []
        for i in range(kh):
            for j in range(kw):
                row = (np.arange(oh) * sh - self.pads[0] + i * dh + shift[0])[:, None] + np.zeros((1, ow), int)
                col = (np.arange(ow) * sw - self.pads[1] + j * dw + shift[1])[None, :] + np.zeros((oh, 1), int)
                inside = (row >= 0) & (row < h) & (col >= 0) & (col < w)
                if outside == "edge":
                    at = np.clip(row, 0, h - 1) * w + np.clip(col, 0, w - 1)
                    got = flat[:, :, at]
                elif outside == "next":  # beyond the right edge lies the row below
                    at = row * w + col
                    kept = (at >= 0) & (at < h * w) & (row >= 0) & (row < h)
                    got = np.where(kept, flat[:, :, np.clip(at, 0, h * w - 1)], int(self.x_zero))
                else:
                    got = np.where(inside, flat[:, :, np.clip(row, 0, h - 1) * w + np.clip(col, 0, w - 1)],
                                   int(self.x_zero) if code is None else code)
                taps.append(got - int(self.x_zero))
        return np.stack(taps)

    def terms(self, taps, w=None):
        """[taps, C / group, N, O, H', W'] of products."""
        w = self.w if w is None else w
        each, outs = w.shape[1], w.shape[0] // self.group
        made = np.empty((len(taps), each, taps.shape[1], w.shape[0], *taps.shape[3:]), np.int64)
        for o in range(w.shape[0]):
            first = o // outs * each
            part = taps[:, :, first:first + each].transpose(0, 2, 1, 3, 4)
            made[:, :, :, o] = part * w[o].reshape(each, -1).T.reshape(len(taps), each, 1, 1, 1)
        return made

    def codes(self, acc, factor=None, rounding=np.rint, zero=None, clamp=True):
        m = np.float64(self.x_scale) * self.w_scale / self.y_scale if factor is None else factor
        y = rounding(acc * np.reshape(m, (1, -1, 1, 1))) + (self.y_zero if zero is None else zero)
        return np.clip(y, -128, 127) if clamp else y

    def bias(self):
        return self.b.reshape(1, -1, 1, 1)

    def compute(self, made, store=None, w=None, b=None, windows=None, **how):
        taps = self.windows(made[self.x], **(windows or {}))
        t = self.terms(taps, w)
        bias = self.bias() if b is None else b.reshape(1, -1, 1, 1)
        return self.codes(store(t, bias) if store else t.sum((0, 1)) + bias, **how)
