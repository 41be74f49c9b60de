"""A small ONNX network under construction: seeded weights, names, and the elementary layers of exported networks."""
import math

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ACTIVATIONS = ["relu", "relu6", "clip", "leaky", "prelu", "hardswish", "hardswish_parts", "silu", "hardsigmoid",
               "sigmoid", "tanh", "mish", "mish_parts", "gelu_erf", "gelu_tanh", "elu", "softplus", "none"]

LISTS_WERE_ATTRIBUTES = {"Split": "split", "Squeeze": "axes", "Unsqueeze": "axes", "ReduceSum": "axes"}  # before opset 13


class Map:
    """A feature map in the network: its name and its shape [1, c, h, w]."""

    def __init__(self, name, c, h, w):
        self.name, self.c, self.h, self.w = name, c, h, w


class Net:
    """Nodes and constants of a network; every draw comes from the one generator of the seed."""

    def __init__(self, seed, opset):
        self.rng = np.random.default_rng(seed)
        self.opset = opset
        self.nodes, self.constants, self.inputs, self.outputs = [], [], [], []
        self.used = 0

    def pick(self, *options):
        return options[int(self.rng.integers(len(options)))]

    def chance(self, p):
        return bool(self.rng.random() < p)

    def name(self, stem):
        self.used += 1
        return f"{stem}_{self.used}"

    def const(self, array, stem="c"):
        name = self.name(stem)
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def real(self, *values):
        return self.const(np.array(values if len(values) > 1 else values[0], np.float32))

    def ints(self, *values):
        return self.const(np.array(values, np.int64))

    def op(self, kind, *inputs, outputs=1, **attrs):
        """Name of the node's output (a list of names where there are several)."""
        inputs = list(inputs)
        if self.opset < 13 and kind in LISTS_WERE_ATTRIBUTES and len(inputs) == 2:
            listed = next(c for c in self.constants if c.name == inputs[1])
            self.constants.remove(listed)
            attrs[LISTS_WERE_ATTRIBUTES[kind]] = [int(v) for v in numpy_helper.to_array(listed)]
            inputs.pop()
        names = [self.name(kind.lower()) for _ in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, name=names[0] + "_node", **attrs))
        return names[0] if outputs == 1 else names

    def input(self, *shape):
        name = self.name("input")
        self.inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape)))
        return name

    def output(self, name, kind=TensorProto.FLOAT):
        self.outputs.append(onnx.ValueInfoProto(name=name))
        self.outputs[-1].type.tensor_type.elem_type = kind

    def weights(self, *shape):
        spread = math.sqrt(2.0 / max(1, int(np.prod(shape[1:]))))
        w = self.rng.standard_normal(shape) * spread
        return self.const((w * self.rng.uniform(0.3, 1.5, (shape[0],) + (1,) * (len(shape) - 1)))
                          .astype(np.float32), "w")

    def bias(self, n):
        return self.const((self.rng.standard_normal(n) * 0.2).astype(np.float32), "b")

    def model(self):
        graph = helper.make_graph(self.nodes, "net", self.inputs, self.outputs, self.constants)
        m = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)])
        m.ir_version = 8
        m = onnx.shape_inference.infer_shapes(m, strict_mode=True, data_prop=True)
        onnx.checker.check_model(m)
        return m


def conv(net, x, out, k=3, s=1, d=1, g=1, pads=None, act="none", bias=True, norm=False):
    """Convolution; pads: None (same), a list of four, or the name of an automatic padding."""
    kh, kw = (k, k) if isinstance(k, int) else k
    attrs = {"kernel_shape": [kh, kw], "strides": [s, s], "dilations": [d, d], "group": g}
    if isinstance(pads, str):
        attrs["auto_pad"] = pads
        full = pads != "VALID"
        h = -(-x.h // s) if full else (x.h - d * (kh - 1) - 1) // s + 1
        w = -(-x.w // s) if full else (x.w - d * (kw - 1) - 1) // s + 1
    else:
        p = pads or [d * (kh - 1) // 2, d * (kw - 1) // 2] * 2
        attrs["pads"] = p
        h = (x.h + p[0] + p[2] - d * (kh - 1) - 1) // s + 1
        w = (x.w + p[1] + p[3] - d * (kw - 1) - 1) // s + 1
    inputs = [x.name, net.weights(out, x.c // g, kh, kw)] + ([net.bias(out)] if bias else [])
    y = Map(net.op("Conv", *inputs, **attrs), out, h, w)
    if norm:
        y = batch_norm(net, y)
    return activation(net, y, act)


def batch_norm(net, x):
    r = net.rng
    parts = [r.uniform(0.5, 1.5, x.c), r.standard_normal(x.c) * 0.2, r.standard_normal(x.c) * 0.2,
             r.uniform(0.5, 2.0, x.c)]
    names = [net.const(p.astype(np.float32), "bn") for p in parts]
    return Map(net.op("BatchNormalization", x.name, *names, epsilon=1e-5), x.c, x.h, x.w)


def conv_transpose(net, x, out, k=2, s=2, pads=None, g=1, output_padding=0):
    p = pads or [0, 0, 0, 0]
    w = net.const((net.rng.standard_normal((x.c, out // g, k, k)) / math.sqrt(x.c)).astype(np.float32), "w")
    attrs = {"kernel_shape": [k, k], "strides": [s, s], "pads": p, "group": g}
    if output_padding:
        attrs["output_padding"] = [output_padding] * 2
    y = net.op("ConvTranspose", x.name, w, net.bias(out), **attrs)
    return Map(y, out, (x.h - 1) * s + k - p[0] - p[2] + output_padding,
               (x.w - 1) * s + k - p[1] - p[3] + output_padding)


def pool(net, x, kind, k, s, pads=None, **attrs):
    p = pads or [0, 0, 0, 0]
    y = net.op(kind, x.name, kernel_shape=[k, k], strides=[s, s], pads=p, **attrs)
    up = s - 1 if attrs.get("ceil_mode") else 0
    return Map(y, x.c, (x.h + p[0] + p[2] - k + up) // s + 1, (x.w + p[1] + p[3] - k + up) // s + 1)


def same(x, name):
    return Map(name, x.c, x.h, x.w)


def concat(net, *maps):
    return Map(net.op("Concat", *[m.name for m in maps], axis=1), sum(m.c for m in maps), maps[0].h, maps[0].w)


def split(net, x, *sizes):
    names = net.op("Split", x.name, net.ints(*sizes), outputs=len(sizes), axis=1)
    return [Map(n, c, x.h, x.w) for n, c in zip(names, sizes)]


def cut(net, name, starts, ends, axes, steps=None):
    more = [net.ints(*steps)] if steps else []
    return net.op("Slice", name, net.ints(*starts), net.ints(*ends), net.ints(*axes), *more)


def reshape(net, name, *shape):
    return net.op("Reshape", name, net.ints(*shape))


def activation(net, x, act):
    """One of ACTIVATIONS, as exporters write it."""
    n, o = x.name, net.op
    if act == "none":
        return x
    if act in ("relu", "sigmoid", "tanh", "softplus", "elu"):
        return same(x, o({"relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh", "softplus": "Softplus",
                          "elu": "Elu"}[act], n))
    if act == "relu6":
        return same(x, o("Clip", n, net.real(0.0), net.real(6.0)))
    if act == "clip":
        return same(x, o("Clip", n, net.real(-1.0), net.real(1.0)))
    if act == "leaky":
        return same(x, o("LeakyRelu", n, alpha=net.pick(0.01, 0.1, 0.2)))
    if act == "prelu":
        slope = net.rng.uniform(0.05, 0.4, (x.c, 1, 1)).astype(np.float32)
        return same(x, o("PRelu", n, net.const(slope, "slope")))
    if act == "hardsigmoid":
        return same(x, o("HardSigmoid", n, alpha=net.pick(0.2, 1 / 6)))
    if act == "hardswish":
        if net.opset >= 14:
            return same(x, o("HardSwish", n))
        return same(x, o("Mul", n, o("HardSigmoid", n, alpha=1 / 6)))
    if act == "hardswish_parts":
        gate = o("Clip", o("Add", n, net.real(3.0)), net.real(0.0), net.real(6.0))
        return same(x, o("Div", o("Mul", n, gate), net.real(6.0)))
    if act == "silu":
        return same(x, o("Mul", n, o("Sigmoid", n)))
    if act == "mish":
        return same(x, o("Mish", n) if net.opset >= 18 else o("Mul", n, o("Tanh", o("Softplus", n))))
    if act == "mish_parts":
        return same(x, o("Mul", n, o("Tanh", o("Softplus", n))))
    if act == "gelu_erf":
        half = o("Add", o("Erf", o("Div", n, net.real(math.sqrt(2.0)))), net.real(1.0))
        return same(x, o("Mul", o("Mul", n, half), net.real(0.5)))
    if act == "gelu_tanh":
        inner = o("Add", n, o("Mul", o("Pow", n, net.real(3.0)), net.real(0.044715)))
        half = o("Add", o("Tanh", o("Mul", inner, net.real(math.sqrt(2.0 / math.pi)))), net.real(1.0))
        return same(x, o("Mul", o("Mul", n, half), net.real(0.5)))
    raise ValueError(act)
