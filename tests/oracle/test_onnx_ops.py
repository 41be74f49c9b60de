"""Single-operator ONNX models, made at random, through onnxruntime (`ort-noopt`) and through Lockstep.

Every element must be equal in its bits, floats included: what is quantized next depends on the last bit. NaN equals
NaN, and -0 equals 0. Cases marked INEXACT call functions that are not imitated; they are held to STEPS * 2^-23 of the largest magnitude,
and counted apart. Covers operators and shapes that the shared models do not use. One test is one case: two models of
it, with --long twenty. Ends with `N passed, M failed, K skipped`; skipped is what the runtime refuses, and operators that
Lockstep does not read.
"""
import argparse
import collections
import os
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import cache
import compare_models

STEPS = 16
INEXACT = {}
CASES = {}
F, I8, U8, I32, I64, BOOL = np.float32, np.int8, np.uint8, np.int32, np.int64, np.bool_


class Maker:
    """Inputs, constants and one node, from one seed."""

    def __init__(self, seed):
        self.r = np.random.default_rng(seed)
        self.fed, self.constants, self.opset, self.domain, self.results = {}, [], 17, "", 1
        self.kind, self.names, self.attrs = "", [], {}

    def pick(self, *options):
        return options[int(self.r.integers(len(options)))]

    def shape(self, rank=None, most=9):
        rank = rank or int(self.r.integers(1, 5))
        return [int(v) for v in self.r.integers(1, most + 1, rank)]

    def values(self, shape, dtype, low=None, high=None):
        dtype = np.dtype(dtype)
        if dtype == np.bool_:
            return self.r.random(shape) < 0.5
        if dtype.kind == "f":
            if low is not None:
                return self.r.uniform(low, high, shape).astype(dtype)
            return (self.r.standard_normal(shape) * self.pick(0.5, 2, 8)).astype(dtype)
        i = np.iinfo(dtype)
        low, high = (max(i.min, -1000) if low is None else low), (min(i.max, 1000) if high is None else high)
        return self.r.integers(low, high + 1, shape).astype(dtype)

    def feed(self, shape, dtype=F, low=None, high=None):
        name = f"x{len(self.fed)}"
        self.fed[name] = np.asarray(self.values(shape, dtype, low, high))
        return name

    def const(self, array, dtype=None):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(np.asarray(array, dtype)), name)
                              if np.ndim(array) else numpy_helper.from_array(np.asarray(array, dtype), name))
        return name

    def node(self, kind, *names, results=1, domain="", opset=None, **attrs):
        self.kind, self.names, self.results, self.domain, self.attrs = kind, list(names), results, domain, attrs
        self.opset = opset or self.opset

    def model(self):
        outputs = [f"y{i}" for i in range(self.results)]
        node = helper.make_node(self.kind, self.names, outputs, domain=self.domain, **self.attrs)
        inputs = [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape)
                  for n, a in self.fed.items()]
        graph = helper.make_graph([node], "g", inputs, [onnx.ValueInfoProto(name=n) for n in outputs], self.constants)
        domains = [helper.make_opsetid("", self.opset)]
        if self.domain:
            domains.append(helper.make_opsetid(self.domain, 1))
        m = helper.make_model(graph, opset_imports=domains)
        m.ir_version = 8 if self.opset < 21 else 10
        return m


def case(name, make, inexact=False):
    CASES[name] = make
    INEXACT[name] = inexact


def unary(kind, low=None, high=None, opset=17, dtype=F, inexact=False, domain="", **attrs):
    def make(m):
        m.node(kind, m.feed(m.shape(most=17), dtype, low, high), opset=opset, domain=domain,
               **{k: (v(m) if callable(v) else v) for k, v in attrs.items()})
    case(f"{kind} {np.dtype(dtype)}{' ' + domain if domain else ''}{''.join(f' {v}' for v in attrs.values() if isinstance(v, str))}", make, inexact)


def binary(kind, low=None, high=None, dtype=F, b_low=None, b_high=None, opset=17, inexact=False, **attrs):
    def make(m):
        a = m.shape(3)
        b = [1 if m.r.random() < 0.3 else e for e in a][int(m.r.integers(0, 3)):]
        x = m.feed(a, dtype, low, high)
        y = m.feed(b, dtype, low if b_low is None else b_low, high if b_high is None else b_high)
        m.node(kind, *((x, y) if kind in ("PRelu", "Pow", "Mod") or m.r.random() < 0.5 else (y, x)), opset=opset, **attrs)
    case(f"{kind} {np.dtype(dtype)}{''.join(f' {k}={v}' for k, v in attrs.items())}", make, inexact)


def reduction(kind, low=None, high=None, dtype=F, inexact=False):
    def make(m):
        shape = [int(v) for v in m.r.integers(1, 24, int(m.r.integers(2, 5)))]
        form = int(m.r.integers(0, 4))
        n = len(shape)
        axes = [[n - 1], [0], list(range(1, n)), sorted({int(v) for v in m.r.integers(0, n, 2)})][form]
        axes = [a - n if m.r.random() < 0.3 else a for a in axes]
        opset = m.pick(13, 18)
        x = m.feed(shape, dtype, low, high)
        if opset >= 18 or kind == "ReduceSum":
            m.node(kind, x, m.const(axes, I64), opset=opset, keepdims=m.pick(0, 1))
        else:
            m.node(kind, x, axes=axes, opset=opset, keepdims=m.pick(0, 1))
    case(f"{kind} {np.dtype(dtype)}", make, inexact)


def layer_norm(m):
    shape = [int(v) for v in m.r.integers(1, 40, 3)]
    axis = m.pick(-1, -1, 1)
    rest = shape[axis:]
    names = [m.feed(shape), m.const(m.r.uniform(0.5, 1.5, rest), F)]
    if m.r.random() < 0.7:
        names.append(m.const(m.r.standard_normal(rest), F))
    m.node("LayerNormalization", *names, axis=axis, epsilon=m.pick(1e-5, 1e-6))


def channel_norm(kind):
    def make(m):
        n, c = m.pick(1, 2), m.pick(1, 3, 8)
        shape = [n, c] + [int(v) for v in m.r.integers(1, 9, m.pick(1, 2, 2, 3))]
        each = lambda low, high: m.const(m.r.uniform(low, high, c), F)
        if kind == "InstanceNormalization":
            m.node(kind, m.feed(shape), each(0.5, 1.5), each(-1, 1), epsilon=1e-5)
        elif kind == "GroupNormalization":
            groups = m.pick(*[g for g in (1, 2, 4) if c % g == 0])
            m.node(kind, m.feed(shape), each(0.5, 1.5), each(-1, 1), num_groups=groups, opset=21, epsilon=1e-5)
        else:
            m.node(kind, m.feed(shape), each(0.5, 1.5), each(-1, 1), each(-1, 1), each(0.5, 2), epsilon=1e-5)
    return make


def window(kind, rank, **more):
    def make(m):
        c = m.pick(1, 3, 4)
        shape = [m.pick(1, 2), c] + [int(v) for v in m.r.integers(1 if "ceil_mode" in more and m.r.random() < 0.2 else 5, 11, rank)]
        kernel, strides = [int(v) for v in m.r.integers(1, 4, rank)], [int(v) for v in m.r.integers(1, 3, rank)]
        attrs = dict(kernel_shape=kernel, strides=strides, **{k: (v(m) if callable(v) else v) for k, v in more.items()})
        if not attrs.get("ceil_mode"):  # without it a window larger than the input makes nothing
            shape[2:] = [v + 4 if v < 5 else v for v in shape[2:]]
        if m.r.random() < 0.6:
            attrs["pads"] = [int(m.r.integers(0, k)) for k in kernel * 2]
        else:
            attrs["auto_pad"] = m.pick("SAME_UPPER", "SAME_LOWER", "VALID")
        if kind in ("Conv", "ConvTranspose"):
            group = m.pick(1, 1, c)
            out = m.pick(1, 2, 4) * group
            w = [out, c // group] if kind == "Conv" else [c, out // group]
            names = [m.feed(shape), m.const(m.r.standard_normal(w + kernel), F)]
            if m.r.random() < 0.6:
                names.append(m.const(m.r.standard_normal(out), F))
            m.node(kind, *names, group=group, dilations=[1] * rank if kind != "Conv" or "auto_pad" in attrs else
                   [int(v) for v in m.r.integers(1, 3, rank)], **attrs)
        else:
            m.node(kind, m.feed(shape), opset=more.get("opset", 19), **attrs)
    return make


def softmax(kind):
    def make(m):
        shape = m.shape(most=40)
        m.node(kind, m.feed(shape), axis=int(m.r.integers(-len(shape), len(shape))), opset=m.pick(11, 13, 17))
    return make


def matmul(m):
    i, k, j = (int(v) for v in m.r.integers(1, 40, 3))
    form = m.pick("2d", "batch", "row", "constant")
    if form == "batch":
        b = m.pick([2], [1, 3])
        m.node("MatMul", m.feed(b + [i, k]), m.feed(m.pick(b, [1] * len(b), []) + [k, j]))
    elif form == "row":
        m.node("MatMul", m.feed([1, k]), m.feed([k, j]))
    elif form == "constant":
        m.node("MatMul", m.feed([2, i, k]), m.const(m.r.standard_normal((k, j)), F))
    else:
        m.node("MatMul", m.feed([i, k]), m.feed([k, j]))


def gemm(m):
    i, k, j = (int(v) for v in m.r.integers(1, 40, 3))
    ta, tb = m.pick(0, 1), m.pick(0, 1)
    names = [m.feed([k, i] if ta else [i, k]), m.const(m.r.standard_normal([j, k] if tb else [k, j]), F)]
    if m.r.random() < 0.7:
        names.append(m.const(m.r.standard_normal(m.pick([j], [1, j], [i, 1], [i, j], [])), F))
    m.node("Gemm", *names, transA=ta, transB=tb, alpha=m.pick(1.0, 0.5), beta=m.pick(1.0, 2.0))


def recurrent(kind):
    def make(m):
        most = m.pick(9, 9, 40, 300)
        t, b, n, h = int(m.r.integers(1, 6)), m.pick(1, 2, 3), int(m.r.integers(1, most)), int(m.r.integers(1, most))
        weights = lambda shape: m.const(m.r.standard_normal(shape) * 0.5, F) if stored else m.feed(shape)
        gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[kind]
        direction = m.pick("forward", "reverse", "bidirectional")
        d = 2 if direction == "bidirectional" else 1
        stored = m.r.random() < 0.8
        names = [m.feed([t, b, n]), weights((d, gates * h, n)), weights((d, gates * h, h))]
        if m.r.random() < 0.7:
            names.append(m.const(m.r.standard_normal((d, 2 * gates * h)) * 0.5, F))
        if len(names) > 3 and m.r.random() < 0.4:
            names += [""] + [m.feed([d, b, h]) for _ in range(2 if kind == "LSTM" else 1)]
        attrs = {"linear_before_reset": m.pick(0, 1)} if kind == "GRU" else {}
        m.node(kind, *names, results=3 if kind == "LSTM" else 2, hidden_size=h, direction=direction, **attrs)
    return make


def dynamic_lstm(m):
    most = m.pick(9, 40)
    t, b, n, h = int(m.r.integers(1, 6)), m.pick(1, 2), int(m.r.integers(1, most)), int(m.r.integers(1, most))
    direction, kind, by_row = m.pick("forward", "reverse", "bidirectional"), m.pick(I8, U8), m.pick(0, 1)
    d, i = 2 if direction == "bidirectional" else 1, np.iinfo(kind)
    codes = lambda *s: m.const(m.values(s, kind, i.min, i.max))
    shape = [d, 4 * h] if by_row else [d]
    scale = lambda: m.const(m.r.uniform(0.002, 0.02, shape), F)
    zero = lambda: m.const(np.full(shape, 0 if kind == I8 and by_row else int(m.r.integers(i.min, i.max + 1))), kind)
    bias = m.const(m.r.standard_normal((d, 8 * h)), F) if m.pick(0, 1) else ""
    m.node("DynamicQuantizeLSTM", m.feed([t, b, n]), codes(d, n, 4 * h), codes(d, h, 4 * h), bias, "", "", "", "", scale(), zero(), scale(),
           zero(), results=3, domain="com.microsoft", hidden_size=h, direction=direction)


def einsum(m):
    e = {k: int(m.r.integers(1, 7)) for k in "bhijkd"}
    form = m.pick("ij,jk->ik", "bij,bjk->bik", "bhid,bhjd->bhij", "bhij,bhjd->bhid", "ij->ji", "ij->i", "ii->i", "i,j->ij",
                  "bij,jk->bik", "bid,hjd->bhij", "ij,ij->", "b...d,...d->b...", "bihd,bjhd->bhij", "ij,kj->ik", "bhij->bihj")
    terms = form.split("->")[0].split(",")
    names = []
    for t in terms:
        shape = []
        for c in t.replace("...", "."):
            shape += [3, 2] if c == "." else [e["i"] if form == "ii->i" else e[c]]
        names.append(m.feed(shape))
    m.node("Einsum", *names, equation=form)


def grid_sample(m):
    n, c, h, w, oh, ow = m.pick(1, 2), m.pick(1, 3), *(int(v) for v in m.r.integers(2, 8, 4))
    opset = m.pick(16, 20)
    mode = m.pick("bilinear", "nearest", "bicubic") if opset == 16 else m.pick("linear", "nearest", "cubic")
    m.node("GridSample", m.feed([n, c, h, w]), m.feed([n, oh, ow, 2], F, -1.3, 1.3), opset=opset, mode=mode,
           padding_mode=m.pick("zeros", "border", "reflection"), align_corners=m.pick(0, 1))


def resize(dtype):
    def make(m):
        mode = m.pick("nearest", "linear", "linear", "cubic")
        h, w = int(m.r.integers(2, 9)), int(m.r.integers(2, 9))
        attrs = dict(mode=mode, coordinate_transformation_mode=m.pick(
            "half_pixel", "asymmetric", "pytorch_half_pixel", "align_corners", "half_pixel_symmetric"))
        if mode == "nearest":
            attrs["nearest_mode"] = m.pick("round_prefer_floor", "floor", "ceil", "round_prefer_ceil")
        elif m.r.random() < 0.4:
            attrs["antialias"] = 1
        if mode == "cubic":
            attrs |= dict(exclude_outside=m.pick(0, 1), cubic_coeff_a=m.pick(-0.75, -0.5))
        elif "antialias" in attrs:
            attrs["exclude_outside"] = m.pick(0, 1)
        x = m.feed([1, 2, h, w], dtype, *((None, None) if dtype == F else (np.iinfo(dtype).min, np.iinfo(dtype).max)))
        if m.r.random() < 0.5:
            m.node("Resize", x, "", "", m.const([1, 2, *m.r.integers(1, 17, 2)], I64), opset=19, **attrs)
        else:
            m.node("Resize", x, "", m.const([1, 1, *m.r.uniform(0.4, 2.6, 2)], F), opset=19, **attrs)
    return make


def moved(kind, make):
    case(kind, make)


def top_k(m):
    shape = m.shape(3)
    axis = int(m.r.integers(-3, 3))
    k = int(m.r.integers(1, shape[axis] + 1))
    m.node("TopK", m.feed(shape, m.pick(F, I64), *m.pick((None, None), (0, 3))), m.const([k], I64), results=2, axis=axis,
           largest=m.pick(0, 1), sorted=1)


def nms(m):
    n = int(m.r.integers(1, 20))
    corner = m.r.uniform(0, 8, (1, n, 2))
    m.fed["x0"] = np.concatenate([corner, corner + m.r.uniform(0.5, 4, (1, n, 2))], 2).astype(F)
    scores = m.feed([1, m.pick(1, 2), n], F, 0, 1)
    m.node("NonMaxSuppression", "x0", scores, m.const([int(m.r.integers(1, 9))], I64), m.const([m.pick(0.3, 0.5)], F),
           m.const([m.pick(0.0, 0.4)], F), center_point_box=m.pick(0, 1))


def scatter_nd(m):
    m.node("ScatterND", m.feed([5, 4, 3]), m.const([[0, 1], [4, 3], [2, 0]], I64), m.feed([3, 3]), opset=18,
           reduction=m.pick("none", "add", "max", "min", "mul"))


def scatter_elements(m):
    m.node("ScatterElements", m.feed([5, 4]), m.const(m.r.permutation(5)[:3].reshape(3, 1).repeat(4, 1), I64), m.feed([3, 4]),
           axis=0, opset=18, reduction=m.pick("none", "add", "mul"))


def one_hot(m):
    m.node("OneHot", m.feed([3, 2], I64, -5, 4), m.const(5, I64), m.const([0.25, 3], F), axis=m.pick(-1, 0, 1))


def define_shuffles():
    moved("TopK", top_k)
    moved("NonMaxSuppression", nms)
    moved("ScatterND", scatter_nd)
    moved("ScatterElements", scatter_elements)
    moved("GatherND", lambda m: m.node("GatherND", m.feed([2, 4, 3]), m.const([[[0], [3]], [[1], [-1]]], I64), batch_dims=1))
    moved("GatherElements", lambda m: m.node("GatherElements", m.feed([5, 4]), m.const(m.r.integers(-5, 5, (3, 4)), I64), axis=0))
    moved("OneHot", one_hot)
    moved("CumSum", lambda m: m.node("CumSum", m.feed([3, 5]), m.const(m.pick(0, 1, -1), I64), exclusive=m.pick(0, 1), reverse=m.pick(0, 1)))
    moved("Tile", lambda m: m.node("Tile", m.feed([2, 3], m.pick(F, I8)), m.const([2, 3], I64)))
    moved("Trilu", lambda m: m.node("Trilu", m.feed([2, 4, 5]), m.const(m.pick(-1, 0, 2), I64), upper=m.pick(0, 1)))
    moved("EyeLike", lambda m: m.node("EyeLike", m.feed([4, 5]), k=m.pick(-1, 0, 2)))
    moved("ReverseSequence", lambda m: m.node("ReverseSequence", m.feed([5, 3, 2]), m.const(m.r.integers(1, 6, 3), I64), time_axis=0, batch_axis=1))
    moved("DepthToSpace", lambda m: m.node("DepthToSpace", m.feed([1, 12, 2, 3]), blocksize=2, mode=m.pick("DCR", "CRD")))
    moved("SpaceToDepth", lambda m: m.node("SpaceToDepth", m.feed([1, 3, 4, 6]), blocksize=2))
    moved("Where", lambda m: m.node("Where", m.feed([3, 1], BOOL), m.feed([3, 4]), m.feed([4])))
    moved("Compress", lambda m: m.node("Compress", m.feed([5, 4]), m.const(m.r.random(5) < 0.5, BOOL), axis=0))
    moved("Hardmax", lambda m: m.node("Hardmax", m.feed([3, 5]), axis=m.pick(0, 1, -1)))
    moved("Pad wrap", lambda m: m.node("Pad", m.feed([3, 5]), m.const([1, 2, 0, 3], I64), mode=m.pick("wrap", "edge", "reflect") if m.pick(0, 1) else "edge", opset=19))
    moved("ArgMin", lambda m: m.node("ArgMin", m.feed([4, 6], m.pick(F, I8), *m.pick((None, None), (0, 3))), axis=m.pick(0, 1), select_last_index=m.pick(0, 1)))
    moved("BitShift", lambda m: m.node("BitShift", m.feed([6], U8), m.feed([6], U8, 0, 7), direction=m.pick("LEFT", "RIGHT")))
    moved("IsNaN", lambda m: m.node("IsNaN", m.feed([6])))
    moved("Col2Im", lambda m: m.node("Col2Im", m.feed([1, 12, 9]), m.const([4, 4], I64), m.const([2, 2], I64), opset=18))
    moved("Unique", lambda m: m.node("Unique", m.const(m.values([9], I64, 0, 4)), results=4, sorted=m.pick(0, 1)))
    moved("IsInf", lambda m: m.node("IsInf", m.feed([6]), detect_positive=m.pick(0, 1)))
    moved("AffineGrid", lambda m: m.node("AffineGrid", m.feed([1, 2, 3]), m.const([1, 1, 4, 5], I64), opset=20))


def define_integers():
    for t in (I8, U8):
        case(f"DynamicQuantizeLinear {np.dtype(t)}" if t == U8 else "QuantizeLinear by channel", (
            lambda m: m.node("DynamicQuantizeLinear", m.feed(m.shape()), results=3)) if t == U8 else (
            lambda m: m.node("QuantizeLinear", m.feed([2, 3, 4]), m.const(m.r.uniform(0.01, 0.1, 3), F), m.const([-3, 0, 5], I8), axis=1)))
    case("MatMulInteger", lambda m: (lambda k: m.node("MatMulInteger", m.feed([3, k], U8, 0, 255), m.const(m.values((k, 4), I8, -128, 127)),
                                                      m.const(m.pick(0, 7, 255), U8), m.const(m.pick(0, 3), I8)))(int(m.r.integers(1, 40))))
    case("ConvInteger", lambda m: m.node("ConvInteger", m.feed([1, 3, 6, 5], U8, 0, 255), m.const(m.values((4, 3, 3, 2), U8, 0, 255)),
                                         m.const(m.pick(0, 128), U8), m.const(m.pick(0, 130), U8), pads=[1, 0, 1, 1], strides=[m.pick(1, 2)] * 2))
    for kind in ("And", "Or", "Xor"):
        case(kind, lambda m, kind=kind: m.node(kind, m.feed([3, 4], BOOL), m.feed([4], BOOL)))
    for kind in ("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"):
        case(kind, lambda m, kind=kind: m.node(kind, m.feed([3, 4], I32, 0, 3), m.feed([4], I32, 0, 3)))
    for t in (I8, U8, I32, I64):
        binary("Add", dtype=t) if t in (I32, I64) else None
        binary("Max", dtype=t)
    for t in (I32, I64):
        binary("Div", dtype=t, low=1, high=900)
        binary("Mod", dtype=t, low=-50, high=50, b_low=1, b_high=9)
        reduction("ReduceSum", dtype=t)
        reduction("ReduceMax", dtype=t)


def quant(m, dtype, low=0.005, high=0.5):
    """Names of a constant scale and zero point; round scales too, where ties meet."""
    i = np.iinfo(dtype)
    scale = float(np.exp(m.r.uniform(np.log(low), np.log(high))))
    if m.r.random() < 0.4:
        scale = max(0.0078125, round(scale * 128) / 128)
    return [m.const(F(scale)), m.const(m.pick(i.min, i.max, 0 if i.min else 128, int(m.r.integers(i.min, i.max + 1))), dtype)]


def all_pairs(kind, dtype):
    """Every pair of codes."""
    def make(m):
        i = np.iinfo(dtype)
        codes = np.arange(i.min, i.max + 1).astype(dtype)
        form = m.pick("pairs", "pairs", "scalar")
        m.fed["x0"] = np.repeat(codes, 256) if form == "pairs" else codes
        m.fed["x1"] = np.tile(codes, 256) if form == "pairs" else codes[int(m.r.integers(0, 256)):][:1]
        names = ["x0", *quant(m, dtype), "x1", *quant(m, dtype)]
        if form == "scalar" and m.r.random() < 0.5:
            names = names[3:] + names[:3]
        m.node(kind, *names, *quant(m, dtype, 0.02), domain="com.microsoft")
    return make


def all_codes(kind, dtype, **attrs):
    def make(m):
        i = np.iinfo(dtype)
        m.fed["x0"] = m.r.permutation(np.arange(i.min, i.max + 1).astype(dtype)).reshape(4, 64)
        m.node(kind, "x0", *quant(m, dtype), *quant(m, dtype), domain="com.microsoft",
               **{k: (v(m) if callable(v) else v) for k, v in attrs.items()})
        if kind == "QLinearSoftmax":
            m.attrs["opset"] = 13
    return make


def pooled_codes(kind, dtype):
    def make(m):
        i = np.iinfo(dtype)
        last = m.pick(0, 1)
        c = m.pick(1, 3, 16)
        h, w = int(m.r.integers(2, 9)), int(m.r.integers(2, 9))
        x = m.feed([1, h, w, c] if last else [1, c, h, w], dtype, i.min, i.max)
        attrs = dict(channels_last=last)
        if kind == "QLinearAveragePool":
            attrs |= dict(kernel_shape=[2, 2], strides=[m.pick(1, 2)] * 2, pads=[m.pick(0, 1)] * 4, count_include_pad=m.pick(0, 1))
        m.node(kind, x, *quant(m, dtype), *quant(m, dtype), domain="com.microsoft", **attrs)
    return make


def qlinear_concat(dtype):
    def make(m):
        i = np.iinfo(dtype)
        names = quant(m, dtype)
        for _ in range(m.pick(2, 3)):
            names += [m.feed([2, int(m.r.integers(1, 200))], dtype, i.min, i.max), *quant(m, dtype)]
        m.node("QLinearConcat", *names, axis=1, domain="com.microsoft")
    return make


def qlinear_where(dtype):
    def make(m):
        i = np.iinfo(dtype)
        names = [m.feed([3, 1, 50], BOOL), m.feed([3, 4, 50], dtype, i.min, i.max), *quant(m, dtype),
                 m.feed([4, 1], dtype, i.min, i.max), *quant(m, dtype), *quant(m, dtype)]
        m.node("QLinearWhere", *names, domain="com.microsoft")
    return make


def qlinear_conv(x_type, w_type):
    def make(m):
        xi, wi = np.iinfo(x_type), np.iinfo(w_type)
        c, group = m.pick((3, 1), (8, 1), (8, 2), (8, 8))
        out = group * m.pick(1, 2, 4)
        kernel = [int(v) for v in m.r.integers(1, 4, 2)]
        x = m.feed([1, c, int(m.r.integers(4, 10)), int(m.r.integers(4, 10))], x_type, xi.min, xi.max)
        many = m.pick(1, out)
        w = m.const(m.values((out, c // group, *kernel), w_type, wi.min, wi.max))
        zero = 0 if w_type == I8 and many > 1 else int(m.r.integers(wi.min, wi.max + 1))
        scales = m.r.uniform(0.001, 0.02, many)
        xq = quant(m, x_type)
        w_names = [m.const(scales if many > 1 else scales[0], F), m.const(np.full(many, zero) if many > 1 else zero, w_type)]
        names = [x, *xq, w, *w_names, *quant(m, x_type, 0.05, 2)]
        if m.r.random() < 0.6:
            names.append(m.const(m.r.integers(-5000, 5000, out), I32))
        m.node("QLinearConv", *names, group=group, strides=[m.pick(1, 2)] * 2, pads=[int(v) for v in m.r.integers(0, 2, 4)],
               dilations=[m.pick(1, 1, 2)] * 2)
    return make


def define_codes():
    for t in (I8, U8):
        n = np.dtype(t)
        case(f"QLinearAdd {n}", all_pairs("QLinearAdd", t))
        case(f"QLinearMul {n}", all_pairs("QLinearMul", t))
        case(f"QLinearSigmoid {n}", all_codes("QLinearSigmoid", t))
        case(f"QLinearLeakyRelu {n}", all_codes("QLinearLeakyRelu", t, alpha=lambda m: m.pick(0.1, 0.01, 1.5)))
        case(f"QLinearSoftmax {n}", all_codes("QLinearSoftmax", t, axis=-1))
        case(f"QLinearGlobalAveragePool {n}", pooled_codes("QLinearGlobalAveragePool", t))
        case(f"QLinearAveragePool {n}", pooled_codes("QLinearAveragePool", t))
        case(f"QLinearConcat {n}", qlinear_concat(t))
        case(f"QLinearWhere {n}", qlinear_where(t))
        for w in (I8, U8):
            case(f"QLinearConv {n} {np.dtype(w)}", qlinear_conv(t, w))


def define_cases():
    define_codes()
    unary("Abs"), unary("Ceil"), unary("Floor"), unary("Round"), unary("Sign"), unary("Neg"), unary("Relu"), unary("Reciprocal")
    unary("Exp"), unary("Log", 1e-3, 9), unary("Sqrt", 0, 9), unary("Sigmoid"), unary("Tanh"), unary("Softplus"), unary("Softsign")
    unary("HardSigmoid", alpha=lambda m: m.pick(0.2, 1 / 6), beta=lambda m: m.pick(0.5, 0.4)), unary("HardSwish", opset=14)
    unary("Elu", alpha=lambda m: m.pick(1.0, 0.3)), unary("Selu"), unary("Celu", alpha=lambda m: m.pick(1.0, 0.5))
    unary("ThresholdedRelu"), unary("LeakyRelu", alpha=lambda m: m.pick(0.1, 0.01)), unary("Erf"), unary("Mish", opset=18)
    unary("Gelu", opset=20), unary("Gelu", opset=20, approximate="tanh"), unary("Shrink", lambd=0.6, bias=0.1)
    unary("Gelu", domain="com.microsoft"), unary("QuickGelu", domain="com.microsoft"), unary("FastGelu", domain="com.microsoft")
    for name, low, high in (("Sin", None, None), ("Cos", None, None), ("Tan", -1, 1), ("Asin", -1, 1), ("Acos", -1, 1), ("Atan", None, None),
                            ("Sinh", -3, 3), ("Cosh", -3, 3), ("Asinh", None, None), ("Acosh", 1, 9), ("Atanh", -0.9, 0.9)):
        unary(name, low, high)
    for kind in ("Add", "Sub", "Mul", "Div", "Max", "Min", "PRelu"):
        binary(kind)
    binary("Pow", 0.1, 4, b_low=-2, b_high=3), binary("Mod", fmod=1)
    case("Pow scalar", lambda m: m.node("Pow", m.feed(m.shape()), m.const(m.pick(2.0, 3.0), F)))
    case("Pow root", lambda m: m.node("Pow", m.feed(m.shape(), F, 0, 5), m.const(m.pick(0.5, -0.5), F)))
    case("Clip", lambda m: m.node("Clip", m.feed(m.shape()), m.const(-1.0, F), m.const(1.5, F)))
    case("Sum", lambda m: m.node("Sum", m.feed([2, 5]), m.feed([5]), m.feed([2, 1])))
    case("Mean", lambda m: m.node("Mean", m.feed([2, 5]), m.feed([5]), m.feed([2, 1])))
    for kind in ("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceProd"):
        reduction(kind)
    reduction("ReduceLogSum", 0.1, 4), reduction("ReduceLogSumExp")
    case("LayerNormalization", layer_norm)
    for kind in ("InstanceNormalization", "GroupNormalization", "BatchNormalization"):
        case(kind, channel_norm(kind))
    case("LpNormalization", lambda m: m.node("LpNormalization", m.feed(m.shape(2, 30)), axis=m.pick(0, 1, -1), p=m.pick(1, 2)))
    case("LRN", lambda m: m.node("LRN", m.feed([1, 7, 3, 4]), size=m.pick(3, 5), alpha=0.001, beta=0.75, bias=1.0), True)
    case("MeanVarianceNormalization", lambda m: m.node("MeanVarianceNormalization", m.feed([2, 3, 4, 5])))
    for kind in ("Softmax", "LogSoftmax"):
        case(kind, softmax(kind))
    for rank in (1, 2, 3):
        case(f"Conv {rank}-D", window("Conv", rank))
        case(f"ConvTranspose {rank}-D", window("ConvTranspose", rank))
        case(f"MaxPool {rank}-D", window("MaxPool", rank, ceil_mode=lambda m: m.pick(0, 1)))
        case(f"AveragePool {rank}-D", window("AveragePool", rank, ceil_mode=lambda m: m.pick(0, 1), count_include_pad=lambda m: m.pick(0, 1)))
    case("LpPool", window("LpPool", 2, p=lambda m: m.pick(1, 2)))
    case("GlobalAveragePool", lambda m: m.node("GlobalAveragePool", m.feed([1, 3, *m.shape(2, 12)])))
    case("GlobalMaxPool", lambda m: m.node("GlobalMaxPool", m.feed([1, 3, *m.shape(2, 12)])))
    case("GlobalLpPool", lambda m: m.node("GlobalLpPool", m.feed([1, 3, *m.shape(2, 12)]), p=m.pick(1, 2)))
    case("MatMul by a vector", lambda m: m.node("MatMul", m.feed([*m.shape(2), 39]), m.const(m.r.standard_normal(39), F) if m.pick(0, 1) else m.feed([39])))
    case("MatMul", matmul), case("Gemm", gemm), case("Einsum", einsum), case("GridSample", grid_sample)
    for t in (F, I8, U8):
        case(f"Resize {np.dtype(t)}", resize(t))
    for kind in ("LSTM", "GRU", "RNN"):
        case(kind, recurrent(kind))
    case("DynamicQuantizeLSTM", dynamic_lstm)
    define_shuffles()
    define_integers()


def ask_runtime(model, fed):
    so = onnxruntime.SessionOptions()
    so.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    so.intra_op_num_threads, so.log_severity_level = 1, 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), so, providers=["CPUExecutionProvider"])
    names = [o.name for o in session.get_outputs()]
    return dict(zip(names, session.run(names, fed)))


def compare(name, a, b, count):
    """Words about a difference of one tensor, or none."""
    if a is None or a.shape != b.shape or a.dtype != b.dtype:
        count["failed"] += 1
        return f"{name} {None if a is None else (a.shape, a.dtype)} against {(b.shape, b.dtype)}"
    same = (a == b) | ((a != a) & (b != b))
    count["elements"] += b.size
    if same.all():
        return ""
    count["unequal"] += int((~same).sum())
    words = f"{name} {int((~same).sum())} of {b.size} elements"
    if b.dtype.kind == "f":
        with np.errstate(all="ignore"):
            top = max(float(np.abs(b[np.isfinite(b)]).max(initial=0)), 1e-30)
            steps = np.where(same, 0, np.abs(a.astype(np.float64) - b) / (top * 2.0 ** -23))
        words += f", {np.nanmax(steps):.3g} steps of the largest"
        count["beyond"] += int((~(steps <= STEPS)).sum())
    else:
        count["beyond"] += int((~same).sum())
    i = tuple(np.argwhere(~same)[0])
    return f"{words}, first at {[int(v) for v in i]}: {a[i]!r} against {b[i]!r}"


def run_case(name, seed, binary, folder, count, notes):
    m = Maker([seed, sum(name.encode())])
    CASES[name](m)
    try:
        model = m.model()
        theirs = ask_runtime(model, m.fed)
    except Exception as error:  # the runtime refuses its own operator in this form
        count["refused by the runtime"] += 1
        notes.append(f"{name} #{seed}: the runtime refuses: {str(error).strip()[:150]}")
        return
    path = os.path.join(folder, "m.onnx")
    onnx.save(model, path)
    mine, words = compare_models.ask_lockstep(binary, path, m.fed, "ort-noopt", folder)
    if mine is None and "want an operator of docs/ops.md" in words:
        count["not read here"] += 1
        notes.append(f"{name} #{seed}: {words}")
        return
    if mine is None:
        count["failed"] += 1
        notes.append(f"{name} #{seed}: {words}")
        return
    count["models"] += 1
    if m.kind == "NonMaxSuppression":  # shapes are static here: rows that stay empty are -1
        rows = mine["y0"]
        mine["y0"] = rows[:len(rows) - int((rows == -1).all(1).sum())]
    for tensor, b in theirs.items():
        words = compare(tensor, mine.get(tensor), b, count)
        if words:
            shapes = ", ".join(f"{n}{list(a.shape)}" for n, a in m.fed.items())
            notes.append(f"{name} #{seed} ({shapes}; {m.attrs}): {words}")


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("case", nargs="*", help="only cases whose name contains one of these")
    p.add_argument("--binary", default=str(cache.ROOT / "build" / "bin" / "lockstep"))
    p.add_argument("--seeds", type=int, default=0, help="models of each case")
    p.add_argument("--first", type=int, default=0, help="the first seed")
    p.add_argument("--long", action="store_true")
    p.add_argument("--notes", type=int, default=2)
    args = p.parse_args()
    define_cases()
    total = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        for name in CASES:
            if args.case and not any(c in name for c in args.case):
                continue
            count, notes = collections.Counter(), []
            for seed in range(args.first, args.first + (args.seeds or (20 if args.long else 2))):
                run_case(name, seed, args.binary, folder, count, notes)
            bad = count["failed"] + (count["beyond"] if INEXACT[name] else count["unequal"])
            verdict = "failed" if bad else "passed" if count["models"] else "skipped"
            total["not read"] += count["not read here"] > 0
            total[verdict] += 1
            total["elements"] += count["elements"]
            total["unequal"] += count["unequal"]
            if args.case or verdict != "passed":
                print(f"{verdict} {name}: {dict(count)}", flush=True)
                for note in notes[:args.notes]:
                    print("    " + note, flush=True)
    print(f"{total['elements']} elements compared, {total['unequal']} unequal in their bits; "
          f"{total['not read']} operators that are not read here are skipped")
    print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    return 1 if total["failed"] or not total["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
