"""Single-operator TFLite models, made at random, through LiteRT and through Lockstep.

In each arithmetic: `tflite-ref` against the reference kernels, `tflite` against LiteRT as it runs by default (XNNPACK),
`cmsis-nn` against TFLite Micro where its package is installed.

Weights of hybrid operators keep to -127..127, as converters write them: the runtime's SSE product negates -128 wrongly.
Integer outputs must be equal to the code, float outputs within FLOAT_STEPS * 2^-23 of the largest magnitude. Covers
operators and types that the shared models do not use. One test is one operator in one type: two models of it, with
--long twenty. Ends with `N passed, M failed, K skipped`; skipped is what the runtime refuses.
"""
import argparse
import collections
import os
import pathlib
import pickle
import sys
import tempfile
import traceback

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

import cache
import compare_models
import litert_oracle
import tflite_oracle
import tflite_shapes
import tflm_oracle
from tflite_operands import ExtremeMaker, Maker, Operand, build, options, vector

FLOAT_STEPS = 16


def conv(m, dtype, depthwise=False, hybrid=False, per_channel=True):
    n, h, w, c, o = int(m.r.integers(1, 3)), int(m.r.integers(4, 9)), int(m.r.integers(4, 9)), int(m.r.choice([1, 3, 8])), int(m.r.choice([1, 4, 6]))
    kh, kw, sh, sw = (int(v) for v in m.r.integers(1, 4, 4))
    dh, dw = (1, 1) if m.r.random() < 0.6 else (2, 1)
    if (kh - 1) * dh + 1 > h or kw > w:
        kh = kw = dh = 1
    group = 1 if depthwise or c != 8 or o != 4 or hybrid or m.r.random() < 0.5 else 2
    mult = int(m.r.choice([1, 2]))
    oc = c * mult if depthwise else o
    wshape = (1, kh, kw, oc) if depthwise else (oc, kh, kw, c // group)
    pad = int(m.r.integers(0, 2))
    out = [-(-h // sh) if pad == 0 else -(-(h - (kh - 1) * dh) // sh), -(-w // sw) if pad == 0 else -(-(w - (kw - 1) * dw) // sw)]
    x = m.fed((n, h, w, c), np.float32 if hybrid or dtype == np.float32 else dtype)
    many = per_channel and dtype != np.uint8 and not (dtype == np.float32 and not hybrid)
    ws = [m.scale(0.001, 0.02) for _ in range(oc)] if many else [m.scale(0.001, 0.02)]
    wtype = np.uint8 if dtype == np.uint8 else np.int8
    if dtype == np.float32 and not hybrid:
        weights, bias = Operand(wshape, np.float32, contents=m.r.standard_normal(wshape)), Operand((oc,), np.float32, contents=m.r.standard_normal(oc))
    else:
        weights = Operand(wshape, wtype, ws, m.zero(np.uint8) if dtype == np.uint8 else 0, m.codes(wshape, wtype, -127 if hybrid else None), 3 if depthwise and len(ws) > 1 else 0)
        if hybrid:
            bias = Operand((oc,), np.float32, contents=m.r.standard_normal(oc))
        else:
            bt = np.int64 if dtype == np.int16 else np.int32
            bias = Operand((oc,), bt, [x.scale[0] * s for s in ws], 0, m.r.integers(-3000, 3000, oc))
    ot = np.float32 if hybrid or dtype == np.float32 else dtype
    y = m.fed((n, out[0], out[1], oc), ot, m.scale(0.02, 0.5))
    common = dict(padding=pad, strideH=sh, strideW=sw, dilationHFactor=dh, dilationWFactor=dw, fusedActivationFunction=m.activation())
    if depthwise:
        return "DEPTHWISE_CONV_2D", [x, weights, bias], [y], options("DepthwiseConv2D", depthMultiplier=mult, **common)
    return "CONV_2D", [x, weights, bias], [y], options("Conv2D", **common)


def transpose_conv(m, dtype):
    n, h, w, c, o = 1, 3, 4, int(m.r.choice([1, 3])), int(m.r.choice([1, 4]))
    k, s, pad = int(m.r.integers(1, 4)), int(m.r.integers(1, 3)), int(m.r.integers(0, 2))
    out = (h * s, w * s) if pad == 0 else ((h - 1) * s + k, (w - 1) * s + k)
    x, wshape = m.fed((n, h, w, c), dtype), (o, k, k, c)
    shape = Operand((4,), np.int32, contents=[n, *out, o])
    if dtype == np.float32:
        weights, bias = Operand(wshape, np.float32, contents=m.r.standard_normal(wshape)), Operand((o,), np.float32, contents=m.r.standard_normal(o))
    else:
        ws = [m.scale(0.001, 0.02) for _ in range(o)]
        weights = Operand(wshape, np.int8, ws, 0, m.codes(wshape, np.int8), 0)
        bias = Operand((o,), np.int64 if dtype == np.int16 else np.int32, [x.scale[0] * v for v in ws], 0, m.r.integers(-999, 999, o))
    y = m.fed((n, *out, o), dtype, m.scale(0.02, 0.5))
    return "TRANSPOSE_CONV", [shape, weights, x, bias], [y], options("TransposeConv", padding=pad, strideH=s, strideW=s, fusedActivationFunction=m.activation()), 3


def dense(m, dtype, hybrid=False, per_channel=False, asymmetric=False):
    b, k, n = int(m.r.integers(1, 4)), int(m.r.integers(1, 70)), int(m.r.integers(1, 9))
    x = m.fed((b, k), np.float32 if hybrid else dtype)
    ws = [m.scale(0.001, 0.02) for _ in range(n if per_channel and n > 1 else 1)]
    wtype = np.uint8 if dtype == np.uint8 else np.int8
    if dtype == np.float32 and not hybrid:
        weights, bias = Operand((n, k), np.float32, contents=m.r.standard_normal((n, k))), Operand((n,), np.float32, contents=m.r.standard_normal(n))
    else:
        weights = Operand((n, k), wtype, ws, m.zero(np.uint8) if dtype == np.uint8 else 0, m.codes((n, k), wtype, -127 if hybrid else None), 0)
        if hybrid:
            bias = Operand((n,), np.float32, contents=m.r.standard_normal(n))
        else:
            bias = Operand((n,), np.int64 if dtype == np.int16 else np.int32, float(x.scale[0] * ws[0]), 0, m.r.integers(-3000, 3000, n))
    if m.r.random() < 0.3:
        bias = None
    y = m.fed((b, n), np.float32 if hybrid else dtype, m.scale(0.02, 0.5))
    return ("FULLY_CONNECTED", [x, weights, bias], [y],
            options("FullyConnected", fusedActivationFunction=m.activation(), asymmetricQuantizeInputs=asymmetric))


def binary(m, op, dtype, kind=None):
    shapes = [((2, 3, 4), (2, 3, 4)), ((2, 3, 4), (4,)), ((1, 3, 1), (2, 1, 4)), ((2, 3, 4), (1,))][int(m.r.integers(0, 4))]
    a, b = m.fed(shapes[0], dtype), m.fed(shapes[1], dtype)
    out = np.broadcast_shapes(*shapes)
    y = m.fed(out, dtype, m.scale(0.05, 0.5) if op != "MUL" else None)
    if op in ("MAXIMUM", "MINIMUM") and dtype != np.float32:
        b.scale, b.zero = a.scale, a.zero
        y.scale, y.zero = a.scale, a.zero
    fused = {"fusedActivationFunction": m.activation()} if kind in ("Add", "Sub", "Mul", "Div") else {}
    if kind in ("Add", "Sub"):
        fused["potScaleInt16"] = False
    return op, [a, b], [y], options(kind, **fused) if kind else None


def comparison(m, op, dtype):
    """Operands of different scales, of one, or of a scale so fine that neighbouring codes count as equal."""
    a, b = (m.fed((7, 40), dtype, min(m.scale(), 0.9)) for _ in range(2))  # from 1 on the runtimes end the process
    form = int(m.r.integers(0, 3))
    if form and dtype != np.float32:
        b.zero, a.scale = a.zero, a.scale / (400 if form == 2 else 1)
        b.scale = a.scale
    return op, [a, b], [Operand((7, 40), np.bool_)], None


def unary(m, op, dtype, kind=None, scale=None, zero=None, x_zero=None, **fields):
    shape = (3, 257)
    x = m.fed(shape, dtype, None, x_zero)
    return op, [x], [m.fed(shape, dtype, scale, zero)], options(kind, **fields) if kind else None


def pool(m, op, dtype):
    n, h, w, c = 1, int(m.r.integers(3, 8)), int(m.r.integers(3, 8)), 3
    kh, kw, sh, sw = int(m.r.integers(1, 4)), int(m.r.integers(1, 4)), int(m.r.integers(1, 3)), int(m.r.integers(1, 3))
    pad = int(m.r.integers(0, 2))
    out = [-(-h // sh) if pad == 0 else -(-(h - kh + 1) // sh), -(-w // sw) if pad == 0 else -(-(w - kw + 1) // sw)]
    x = m.fed((n, h, w, c), dtype)
    y = Operand((n, *out, c), dtype, x.scale, x.zero) if x.scale is not None else m.fed((n, *out, c), dtype)
    return op, [x], [y], options("Pool2D", padding=pad, strideH=sh, strideW=sw, filterHeight=kh, filterWidth=kw, fusedActivationFunction=m.activation())


def reduction(m, op, dtype, same=False):
    shape, axes = (2, 4, 5, 3), [[1, 2], [3], [0, 1, 2, 3], [-1, 1]][int(m.r.integers(0, 4))]
    keep = bool(m.r.integers(0, 2))
    kept = [1 if k in [a % 4 for a in axes] else e for k, e in enumerate(shape)]
    out = kept if keep else [e for k, e in enumerate(shape) if k not in [a % 4 for a in axes]]
    x = m.fed(shape, dtype)
    y = m.fed(out, dtype, x.scale if same else None, x.zero if same else None)
    return op, [x, Operand((len(axes),), np.int32, contents=axes)], [y], options("Reducer", keepDims=keep)


def softmax(m, dtype, out=None):
    x = m.fed((3, int(m.r.integers(1, 30))), dtype, m.scale(0.01, 1.0))
    out = out or dtype
    limits = {np.int8: (1 / 256, -128), np.uint8: (1 / 256, 0), np.int16: (1 / 32768, 0)}
    scale, zero = limits.get(out, (None, None))
    if dtype == np.int8 and out == np.int16:
        scale, zero = 1 / 65536, -32768
    return "SOFTMAX", [x], [m.fed(x.shape, out, scale, zero)], options("Softmax", beta=float(m.r.choice([1.0, 0.5, 2.0])))


def resize(m, op, kind, dtype):
    h, w, oh, ow = (int(v) for v in m.r.integers(1, 9, 4))
    align, half = [(False, False), (True, False), (False, True)][int(m.r.integers(0, 3))]
    x = m.fed((1, h, w, 2), dtype)
    y = Operand((1, oh, ow, 2), dtype, x.scale, x.zero) if x.scale is not None else m.fed((1, oh, ow, 2), dtype)
    return op, [x, Operand((2,), np.int32, contents=[oh, ow])], [y], options(kind, alignCorners=align, halfPixelCenters=half), 3


def requantize(m, a, b):
    x = m.fed((5, 50), a)
    return "QUANTIZE", [x], [m.fed((5, 50), b)], None


def matmul(m, dtype):
    b, i, k, j = 2, int(m.r.integers(1, 6)), int(m.r.integers(1, 20)), int(m.r.integers(1, 6))
    adj_x, adj_y = bool(m.r.integers(0, 2)), bool(m.r.integers(0, 2))
    x = m.fed((b, k, i) if adj_x else (b, i, k), dtype)
    y = m.fed((b, j, k) if adj_y else (b, k, j), dtype)
    return "BATCH_MATMUL", [x, y], [m.fed((b, i, j), dtype, m.scale(0.05, 0.5))], options("BatchMatMul", adjX=adj_x, adjY=adj_y)


def concat(m, dtype, same=True):
    a, b = m.fed((2, 3), dtype), m.fed((2, 4), dtype)
    y = m.fed((2, 7), dtype)
    if same and a.scale is not None:
        b.scale = y.scale = a.scale
        b.zero = y.zero = a.zero
    return "CONCATENATION", [a, b], [y], options("Concatenation", axis=1)


def prelu(m, dtype):
    x = m.fed((2, 3, 5), dtype)
    slope = Operand((1, 1, 5), dtype, contents=m.r.standard_normal(5)) if dtype == np.float32 else \
        Operand((1, 1, 5), dtype, m.scale(), m.zero(dtype), m.codes((1, 1, 5), dtype))
    return "PRELU", [x, slope], [m.fed((2, 3, 5), dtype)], None


def svdf(m, dtype):
    batch, size, filters, memory, rank = 1, 5, 6, 4, 2
    kind = options("SVDF", rank=rank, fusedActivationFunction=1 if dtype == np.int8 else 0)
    if dtype == np.int8:
        x = m.fed((batch, size), np.int8)
        w = Operand((filters, size), np.int8, m.scale(), 0, m.codes((filters, size), np.int8))
        v = Operand((filters, memory), np.int16, m.scale(1e-4, 1e-3), 0, m.codes((filters, memory), np.int16))
        bias = Operand((filters // rank,), np.int32, 1e-5, 0, m.r.integers(-999, 999, filters // rank))
        state = Operand((batch, filters * memory), np.int16, m.scale(1e-4, 1e-3), 0)
        y = m.fed((batch, filters // rank), np.int8, m.scale(0.05, 0.5))
    else:
        x = m.fed((batch, size), np.float32)
        w = Operand((filters, size), np.float32, contents=m.r.standard_normal((filters, size)))
        v = Operand((filters, memory), np.float32, contents=m.r.standard_normal((filters, memory)))
        bias = Operand((filters // rank,), np.float32, contents=m.r.standard_normal(filters // rank))
        state, y = Operand((batch, filters * memory), np.float32), m.fed((batch, filters // rank), np.float32)
    state.variable = True
    return "SVDF", [x, w, v, bias, state], [y], kind


def lstm_codes(m, form):
    """An LSTM on codes: 8-bit activations and weights, 16-bit cells; `form` names what it has besides the gates."""
    batch, steps, size, cells = int(m.r.integers(1, 4)), int(m.r.integers(1, 6)), int(m.r.integers(1, 20)), int(m.r.integers(1, 12))
    out = int(m.r.integers(1, 9)) if form == "projection" else cells
    def weights(shape, dtype=np.int8, scale=None):
        codes = m.r.integers(-127, 128, shape) if dtype == np.int8 else m.r.integers(-32767, 32768, shape)
        return Operand(shape, dtype, scale or m.scale(0.002, 0.02), 0, codes)
    def bias(count, scale):
        return Operand((count,), np.int32, scale, 0, m.r.integers(-3000, 3000, count))
    major = m.r.random() < 0.5
    x = m.fed((steps, batch, size) if major else (batch, steps, size), np.int8, m.scale(0.005, 0.05))
    gates = [None if form == "coupled" and g == 0 else g for g in range(4)]
    w = [None if g is None else weights((cells, size)) for g in gates]
    r = [None if g is None else weights((cells, out)) for g in gates]
    peepholes = [weights((cells,), np.int16, m.scale(1e-5, 1e-4)) if form == "peephole" else None for _ in range(3)]
    b = [None if g is None else bias(cells, float(x.scale[0]) * 0.01) for g in gates]
    projection = [weights((out, cells)), bias(out, 1e-4)] if form == "projection" else [None, None]
    state = Operand((batch, out), np.int8, m.scale(0.004, 0.01), int(m.r.integers(-20, 20)))
    cell = Operand((batch, cells), np.int16, 2.0 ** -int(m.r.integers(9, 16)), 0)
    state.variable = cell.variable = True
    clipped = m.r.random() < 0.4
    kind = options("UnidirectionalSequenceLSTM", fusedActivationFunction=4, timeMajor=major, cellClip=0.7 if clipped else 0.0,
                   projClip=0.3 if clipped and form == "projection" else 0.0)
    y = Operand((steps, batch, out) if major else (batch, steps, out), np.int8, float(state.scale[0]), int(state.zero[0]))
    kind.intermediates = [(1.0, 0)] * 4 + [(float(m.scale(0.004, 0.01)), int(m.r.integers(-30, 30))) if form == "projection" else (float(state.scale[0]), int(state.zero[0]))]
    return "UNIDIRECTIONAL_SEQUENCE_LSTM", [x, *w, *r, *peepholes, *b, *projection, state, cell, None, None, None, None], [y], kind


def moved(m, op, dtype, shape, out, extra=(), kind=None, before=(), count=1, **fields):
    """An operator that moves elements: the results have the quantization of x."""
    x = m.fed(shape, dtype)
    results = [Operand(s, dtype, x.scale, x.zero if x.scale is not None else 0) for s in (out if count > 1 else [out])]
    return op, [*before, x, *extra], results, options(kind, **fields) if kind else None


def strided(m, dtype):
    shape, r = (4, 5, 6), m.r
    begin, end, step = [], [], []
    for e in shape:
        s = int(r.choice([1, 1, 2, -1, -2]))
        a, b = sorted(int(v) for v in r.integers(0, e, 2))
        begin.append(a if s > 0 else b)
        end.append(b + 1 if s > 0 else a - 1)
        step.append(s)
    end_mask = sum(1 << k for k in range(3) if end[k] < 0 or r.random() < 0.3)
    begin_mask = sum(1 << k for k in range(3) if r.random() < 0.2)
    cut = tuple(slice(None if begin_mask >> k & 1 else begin[k], None if end_mask >> k & 1 else end[k], step[k]) for k in range(3))
    out = np.zeros(shape)[cut].shape
    return moved(m, "STRIDED_SLICE", dtype, shape, out, (vector(begin), vector(end), vector(step)), "StridedSlice",
                 beginMask=begin_mask, endMask=end_mask)


def define_movements(t, n):
    case(f"PAD {n}", lambda m: moved(m, "PAD", t, (2, 3, 4), (3, 3, 9), (Operand((3, 2), np.int32, contents=[0, 1, 0, 0, 2, 3]),)))
    case(f"MIRROR_PAD {n}", lambda m: moved(m, "MIRROR_PAD", t, (2, 3, 4), (2, 5, 7), (Operand((3, 2), np.int32, contents=[0, 0, 1, 1, 2, 1]),), "MirrorPad", mode=int(m.r.integers(0, 2))))
    case(f"TRANSPOSE {n}", lambda m: moved(m, "TRANSPOSE", t, (2, 3, 4), (4, 2, 3), (vector([2, 0, 1]),)))
    case(f"SLICE {n}", lambda m: moved(m, "SLICE", t, (4, 5, 6), (2, 5, 3), (vector([1, 0, 3]), vector([2, 5, -1]))))
    case(f"STRIDED_SLICE {n}", lambda m: strided(m, t))
    case(f"SPLIT {n}", lambda m: moved(m, "SPLIT", t, (2, 6), [(2, 2)] * 3, (), "Split", (Operand((), np.int32, contents=[1]),), 3, numSplits=3))
    case(f"SPLIT_V {n}", lambda m: moved(m, "SPLIT_V", t, (2, 6), [(2, 1), (2, 5)], (vector([1, 5]), Operand((), np.int32, contents=[1])), "SplitV", (), 2, numSplits=2))
    case(f"UNPACK {n}", lambda m: moved(m, "UNPACK", t, (3, 4), [(4,)] * 3, (), "Unpack", (), 3, num=3, axis=0))
    case(f"GATHER {n}", lambda m: moved(m, "GATHER", t, (5, 4), (3, 4), (vector([4, 0, 4]),), "Gather", axis=0))
    case(f"TILE {n}", lambda m: moved(m, "TILE", t, (2, 3), (4, 9), (vector([2, 3]),)))
    case(f"EXPAND_DIMS {n}", lambda m: moved(m, "EXPAND_DIMS", t, (2, 3), (2, 1, 3), (vector([1]),)))
    case(f"SQUEEZE {n}", lambda m: moved(m, "SQUEEZE", t, (2, 1, 3), (2, 3), (), "Squeeze", squeezeDims=[1]))
    case(f"RESHAPE {n}", lambda m: moved(m, "RESHAPE", t, (2, 6), (3, 4), (vector([3, -1]),), "Reshape", newShape=[3, -1]))
    case(f"SPACE_TO_DEPTH {n}", lambda m: moved(m, "SPACE_TO_DEPTH", t, (1, 4, 6, 2), (1, 2, 3, 8), (), "SpaceToDepth", blockSize=2))
    case(f"DEPTH_TO_SPACE {n}", lambda m: moved(m, "DEPTH_TO_SPACE", t, (1, 2, 3, 8), (1, 4, 6, 2), (), "DepthToSpace", blockSize=2))
    case(f"SPACE_TO_BATCH_ND {n}", lambda m: moved(m, "SPACE_TO_BATCH_ND", t, (2, 3, 4, 2), (8, 2, 3, 2), (vector([2, 2]), Operand((2, 2), np.int32, contents=[0, 1, 1, 1]))))
    case(f"BATCH_TO_SPACE_ND {n}", lambda m: moved(m, "BATCH_TO_SPACE_ND", t, (8, 2, 3, 2), (2, 3, 4, 2), (vector([2, 2]), Operand((2, 2), np.int32, contents=[0, 1, 1, 1]))))
    case(f"PACK {n}", lambda m: pack(m, t))
    if n != "int16":
        case(f"ARG_MAX {n}", lambda m: ("ARG_MAX", [m.fed((3, 5), t), vector([1])], [Operand((3,), np.int32)], options("ArgMax", outputType=schema.TensorType.INT32)))


def pack(m, dtype):
    a, b = m.fed((2, 3), dtype), m.fed((2, 3), dtype)
    b.scale, b.zero = a.scale, a.zero
    return "PACK", [a, b], [Operand((2, 2, 3), dtype, a.scale, a.zero if a.scale is not None else 0)], options("Pack", valuesCount=2, axis=1)


def numbers(m, op, dtype):
    """Two operands without scales; the divisor is never 0."""
    b = m.r.integers(1, 9, (4,)) * m.r.choice([-1, 1], (4,))
    return op, [Operand((3, 4), dtype), Operand((4,), dtype, contents=b)], [Operand((3, 4), dtype)], None


def top_k(m, dtype):
    x, k = m.fed((3, 7), dtype), int(m.r.integers(1, 8))
    return "TOPK_V2", [x, Operand((), np.int32, contents=k)], \
        [Operand((3, k), dtype, x.scale, x.zero if x.scale is not None else 0), Operand((3, k), np.int32)], None


def scatter_nd(m, dtype):
    u = m.fed((3, 2), dtype)
    return "SCATTER_ND", [Operand((3, 1), np.int32, contents=m.r.integers(0, 4, 3)), u, vector([4, 2])], \
        [Operand((4, 2), dtype, u.scale, u.zero if u.scale is not None else 0)], None


def select(m, dtype):
    a, b = m.fed((3, 4), dtype), m.fed((4,), dtype)
    b.scale, b.zero = a.scale, a.zero
    return "SELECT_V2", [Operand((3, 1), np.bool_, contents=m.r.random((3, 1)) < 0.5), a, b], \
        [Operand((3, 4), dtype, a.scale, a.zero if a.scale is not None else 0)], None


I8, U8, I16, F32 = np.int8, np.uint8, np.int16, np.float32
CASES = {}


def case(name, make):
    CASES[name] = make


def define_cases():
    for t, n in ((I8, "int8"), (U8, "uint8"), (I16, "int16"), (F32, "float")):
        case(f"conv {n}", lambda m, t=t: conv(m, t))
        case(f"depthwise conv {n}", lambda m, t=t: conv(m, t, depthwise=True))
        case(f"fully connected {n}", lambda m, t=t: dense(m, t))
        for op, kind in (("ADD", "Add"), ("SUB", "Sub"), ("MUL", "Mul")):
            case(f"{op} {n}", lambda m, t=t, op=op, kind=kind: binary(m, op, t, kind))
        case(f"MAXIMUM {n}", lambda m, t=t: binary(m, "MAXIMUM", t))
        case(f"MINIMUM {n}", lambda m, t=t: binary(m, "MINIMUM", t))
        for op in ("EQUAL", "NOT_EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL") if t in (I8, U8, F32) else ():
            case(f"{op} {n}", lambda m, t=t, op=op: comparison(m, op, t))
        case(f"average pool {n}", lambda m, t=t: pool(m, "AVERAGE_POOL_2D", t))
        case(f"max pool {n}", lambda m, t=t: pool(m, "MAX_POOL_2D", t))
        case(f"MEAN {n}", lambda m, t=t: reduction(m, "MEAN", t))
        case(f"softmax {n}", lambda m, t=t: softmax(m, t))
        case(f"resize bilinear {n}", lambda m, t=t: resize(m, "RESIZE_BILINEAR", "ResizeBilinear", t))
        case(f"resize nearest {n}", lambda m, t=t: resize(m, "RESIZE_NEAREST_NEIGHBOR", "ResizeNearestNeighbor", t))
        case(f"LEAKY_RELU {n}", lambda m, t=t: unary(m, "LEAKY_RELU", t, "LeakyRelu", alpha=float(m.r.choice([0.1, 0.3, 1.5]))))
        case(f"RELU {n}", lambda m, t=t: unary(m, "RELU", t))
        case(f"RELU6 {n}", lambda m, t=t: unary(m, "RELU6", t))
        case(f"concat {n}", lambda m, t=t: concat(m, t))
        if t != I16:
            case(f"PRELU {n}", lambda m, t=t: prelu(m, t))
            case(f"HARD_SWISH {n}", lambda m, t=t: unary(m, "HARD_SWISH", t, "HardSwish", m.scale(0.05, 0.5) if t != F32 else None))
            case(f"L2_NORMALIZATION {n}", lambda m, t=t: unary(m, "L2_NORMALIZATION", t, "L2Norm", 1 / 128, {U8: 128, I8: 0}.get(t, 0)))
        if t != I16:
            case(f"LOG_SOFTMAX {n}", lambda m, t=t: unary(m, "LOG_SOFTMAX", t, "LogSoftmax", 16 / 256, {U8: 255, I8: 127}.get(t, 0)))
        case(f"TANH {n}", lambda m, t=t: unary(m, "TANH", t, None, {I16: 1 / 32768}.get(t, 1 / 128), {U8: 128}.get(t, 0)))
        case(f"LOGISTIC {n}", lambda m, t=t: unary(m, "LOGISTIC", t, None, {I16: 1 / 32768}.get(t, 1 / 256), {I8: -128}.get(t, 0)))
        if t != U8:
            case(f"transpose conv {n}", lambda m, t=t: transpose_conv(m, t))
            case(f"batch matmul {n}", lambda m, t=t: matmul(m, t))
            case(f"EXP {n}", lambda m, t=t: unary(m, "EXP", t, None, 0.05))
            case(f"REDUCE_MAX {n}", lambda m, t=t: reduction(m, "REDUCE_MAX", t, True))
            case(f"ABS {n}", lambda m, t=t: unary(m, "ABS", t))
        case(f"GELU {n}", lambda m, t=t: unary(m, "GELU", t, "Gelu", approximate=bool(m.r.integers(0, 2))))
        if t in (I8, U8, F32):
            case(f"SUM {n}", lambda m, t=t: reduction(m, "SUM", t))
        if t in (I8, F32):
            case(f"ELU {n}", lambda m, t=t: unary(m, "ELU", t))
            case(f"LOG {n}", lambda m, t=t: unary(m, "LOG", t, None, None, None, -128))
            case(f"NEG {n}", lambda m, t=t: unary(m, "NEG", t))
            case(f"SQUARED_DIFFERENCE {n}", lambda m, t=t: binary(m, "SQUARED_DIFFERENCE", t))
            case(f"RSQRT {n}", lambda m, t=t: unary(m, "RSQRT", t, None, 0.01, None, -128))
            case(f"SQRT {n}", lambda m, t=t: unary(m, "SQRT", t, None, None, None, -128))
            case(f"SVDF {n}", lambda m, t=t: svdf(m, t))
    for form in ("plain", "coupled", "peephole", "projection"):
        case(f"UNIDIRECTIONAL_SEQUENCE_LSTM int8 {form}", lambda m, form=form: lstm_codes(m, form))
    for t, n in ((I8, "int8"), (U8, "uint8"), (I16, "int16"), (F32, "float")):
        define_movements(t, n)
    CASES.update(tflite_shapes.cases())
    case("conv int8, one scale", lambda m: conv(m, I8, per_channel=False))
    case("fully connected int8, scales by channel", lambda m: dense(m, I8, per_channel=True))
    case("conv hybrid", lambda m: conv(m, I8, hybrid=True, per_channel=False))
    case("conv hybrid, scales by channel", lambda m: conv(m, I8, hybrid=True))
    case("depthwise conv hybrid", lambda m: conv(m, I8, depthwise=True, hybrid=True))
    case("fully connected hybrid", lambda m: dense(m, I8, hybrid=True))
    case("fully connected hybrid, scales by channel", lambda m: dense(m, I8, hybrid=True, per_channel=True))
    case("fully connected hybrid, asymmetric", lambda m: dense(m, I8, hybrid=True, asymmetric=True))
    case("softmax int8 to int16", lambda m: softmax(m, I8, I16))
    case("concat uint8, own scales", lambda m: concat(m, U8, False))
    case("CUMSUM float", lambda m: ("CUMSUM", [m.fed((3, 5), F32), Operand((), np.int32, contents=[1])], [m.fed((3, 5), F32)], options("Cumsum", exclusive=bool(m.r.integers(0, 2)), reverse=bool(m.r.integers(0, 2)))))
    case("ADD_N float", lambda m: ("ADD_N", [m.fed((3, 5), F32) for _ in range(3)], [m.fed((3, 5), F32)], None))
    for t, n in ((F32, "float"), (I8, "int8"), (U8, "uint8"), (np.int32, "int32")):
        case(f"TOPK_V2 {n}", lambda m, t=t: top_k(m, t))
        case(f"SCATTER_ND {n}", lambda m, t=t: scatter_nd(m, t))
        case(f"REVERSE_SEQUENCE {n}", lambda m, t=t: moved(m, "REVERSE_SEQUENCE", t, (3, 4, 2), (3, 4, 2), (vector([4, 1, 2]),), "ReverseSequence", seqDim=1, batchDim=0))
        case(f"REVERSE_V2 {n}", lambda m, t=t: moved(m, "REVERSE_V2", t, (3, 4, 2), (3, 4, 2), (vector([1]),)))
        case(f"GATHER_ND {n}", lambda m, t=t: moved(m, "GATHER_ND", t, (3, 4, 2), (2, 2), (Operand((2, 2), np.int32, contents=[[0, 3], [2, 1]]),)))
        case(f"SELECT_V2 {n}", lambda m, t=t: select(m, t))
        case(f"FILL {n}", lambda m, t=t: moved(m, "FILL", t, (), (2, 3), (), None, (vector([2, 3]),)))
        case(f"SUM of int8 codes {n}", lambda m, t=t: reduction(m, "SUM", t)) if t == I8 else None
    for t, n in ((F32, "float"), (np.int32, "int32")):
        case(f"FLOOR_DIV {n}", lambda m, t=t: numbers(m, "FLOOR_DIV", t))
        case(f"FLOOR_MOD {n}", lambda m, t=t: numbers(m, "FLOOR_MOD", t))
        case(f"REDUCE_PROD {n}", lambda m, t=t: reduction(m, "REDUCE_PROD", t))
    for op in ("CEIL", "FLOOR", "ROUND", "SIGN", "SIN", "COS", "SQRT", "SQUARE"):
        case(f"{op} float", lambda m, op=op: unary(m, op, F32))
    case("POW float", lambda m: binary(m, "POW", F32))
    case("DIV float", lambda m: binary(m, "DIV", F32, "Div"))
    for a, b in ((F32, I8), (F32, U8), (F32, I16), (I8, I8), (I8, U8), (U8, I8), (U8, U8), (I16, I8), (I8, I16), (I16, I16)):
        case(f"quantize {np.dtype(a)} to {np.dtype(b)}", lambda m, a=a, b=b: requantize(m, a, b))
    case("dequantize float16", lambda m: ("DEQUANTIZE", [Operand((5, 50), np.float16, contents=m.r.standard_normal((5, 50)))], [Operand((5, 50), F32)], None))
    for t in (I8, U8, I16):
        case(f"dequantize {np.dtype(t)}", lambda m, t=t: ("DEQUANTIZE", [m.fed((5, 50), t)], [Operand((5, 50), F32)], None))


def inputs_for(m, operands, op):
    fed = {}
    for k, o in enumerate(operands):
        if o is None or o.contents is not None or getattr(o, "variable", False):
            continue
        if o.dtype.kind == "f":
            v = m.r.standard_normal(o.shape) * float(m.r.choice([0.5, 3, 20]))
            fed[f"x{k}"] = (np.abs(v) if op in ("RSQRT", "SQRT", "LOG") else v).astype(o.dtype)
        else:
            fed[f"x{k}"] = m.codes(o.shape, o.dtype)
            if m.r.random() < 0.15:
                fed[f"x{k}"][...] = m.r.choice([np.iinfo(o.dtype).min, np.iinfo(o.dtype).max])
    return fed


def mark_variables(data, operands):
    """Sets is_variable where an operand keeps state."""
    if not any(getattr(o, "variable", False) for o in operands if o is not None):
        return data
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(bytearray(data), 0))
    for t in model.subgraphs[0].tensors:
        k = t.name.decode()[1:]
        if t.name.startswith(b"x") and getattr(operands[int(k)], "variable", False):
            t.isVariable = True
            model.subgraphs[0].inputs = [i for i in model.subgraphs[0].inputs if model.subgraphs[0].tensors[i] is not t]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


CHECK_FAILED = 70  # an exit code that no runtime uses


def apart(function, *args):
    """function(*args) in a process of its own: some checks of the runtimes end the process that fails them."""
    answer, ask = os.pipe()
    child = os.fork()
    if child == 0:
        status = CHECK_FAILED
        try:  # whatever happens, the child must not go on as a second parent
            os.close(answer)
            try:
                told = (True, function(*args)[0])
            except (RuntimeError, ValueError) as error:
                told = (False, str(error))
            with os.fdopen(ask, "wb") as pipe:
                pickle.dump(told, pipe)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(ask)
    with os.fdopen(answer, "rb") as pipe:
        told = pipe.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status == CHECK_FAILED:
        raise AssertionError(f"the check itself failed in {function.__module__}")
    if not told:
        raise RuntimeError("the process ends")
    good, value = pickle.loads(told)
    if not good:
        raise RuntimeError(value)
    return value


ORACLES = {"tflite-ref": tflite_oracle.run, "tflite": litert_oracle.run, "cmsis-nn": tflm_oracle.run}
# In `tflite` XNNPACK's float kernels sum and approximate in their own ways; hybrid layers code rows alike.
FLOATS_WITHIN = {"tflite-ref": FLOAT_STEPS, "tflite": 256, "cmsis-nn": 64}
RECURRENT_WITHIN = 64  # LiteRT sums recurrent layers of floats by vectors, and each step carries the last bits on


# What Lockstep refuses and says why; a row here is named in docs/numerics.md.
REFUSED_BY_NAME = {"cmsis-nn": ["not computed in cmsis-nn"], "tflite-ref": ["not computed in tflite-ref"]}


def run_case(name, seed, binary_path, folder, count, notes, arith="tflite-ref", maker=Maker):
    m = maker([seed, sum(name.encode())])
    op, operands, results, kind, *_ = CASES[name](m)
    path = os.path.join(folder, "m.tflite")
    fed = inputs_for(m, operands, op)
    for version in range(7, 0, -1):  # the newest that the runtime knows
        data = mark_variables(build(op, operands, results, kind, version), operands)
        try:
            theirs = apart(ORACLES[arith], data, fed, tflite_oracle.file_tensors(data))
            break
        except (RuntimeError, ValueError) as error:
            if "Didn't find op" in str(error) and version > 1:
                continue
            count["refused by the runtime"] += 1
            notes.append(f"{name} #{seed}: the runtime refuses: {str(error).strip()[:160]}")
            return
    pathlib.Path(path).write_bytes(data)
    mine, words = compare_models.ask_lockstep(binary_path, path, fed, arith, folder)
    if mine is None and any(reason in words for reason in REFUSED_BY_NAME.get(arith, [])):  # named in docs/numerics.md
        count["refused by name"] += 1
        notes.append(f"{name} #{seed}: {words}")
        return
    if mine is None:
        count["failed"] += 1
        notes.append(f"{name} #{seed}: {words}")
        return
    count["models"] += 1
    for tensor, b in theirs.items():
        a = mine.get(tensor)
        if tensor.startswith("i"):  # an intermediate: its scale is all that it says
            continue
        if a is None or a.shape != b.shape or a.dtype != b.dtype:
            count["failed"] += 1
            notes.append(f"{name} #{seed}: {tensor} {None if a is None else (a.shape, a.dtype)} against {(b.shape, b.dtype)}")
        elif b.dtype.kind in "iu":
            differ = a.astype(np.int64) != b.astype(np.int64)
            count["codes"] += b.size
            count["differ"] += int(differ.sum())
            if differ.any():
                i = tuple(np.argwhere(differ)[0])
                notes.append(f"{name} #{seed}: {tensor} {int(differ.sum())} of {b.size} codes, first {a[i]} against {b[i]}")
        else:
            same = (a == b) | (np.isnan(a) & np.isnan(b))
            top = max(float(np.abs(b[np.isfinite(b)]).max(initial=0)), 1e-30)
            with np.errstate(all="ignore"):
                steps = np.where(same, 0, np.abs(a.astype(np.float64) - b) / (top * 2.0 ** -23))
            count["floats"] += b.size
            count["float steps"] = max(count["float steps"], float(steps.max(initial=0)))
            bound = max(FLOATS_WITHIN[arith], RECURRENT_WITHIN if name.endswith("RNN") else 0)
            if not (steps <= bound).all():
                count["differ"] += int((~(steps <= bound)).sum())
                notes.append(f"{name} #{seed}: {tensor} floats off by {steps.max():.3g} steps")


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("case", nargs="*", help="only cases whose name contains one of these")
    p.add_argument("--binary", default=str(cache.ROOT / "build" / "bin" / "lockstep"))
    p.add_argument("--seeds", type=int, default=0, help="models of each case")
    p.add_argument("--first", type=int, default=0, help="the first seed")
    p.add_argument("--long", action="store_true")
    p.add_argument("--extreme", action="store_true", help="scales from 1e-6 to 1e3, zero points at the borders, every activation")
    p.add_argument("--notes", type=int, default=2, help="notes printed for each case")
    p.add_argument("--arith", action="append", choices=list(ORACLES), help="only these")
    args = p.parse_args()
    args.seeds = args.seeds or (20 if args.long else 2)
    define_cases()
    total = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        for name, arith in [(name, arith) for arith in args.arith or ORACLES for name in CASES]:
            if args.case and not any(c in name for c in args.case):
                continue
            count, notes = collections.Counter(), []
            for seed in range(args.first, args.first + (args.seeds if arith != "cmsis-nn" or tflm_oracle.available() else 0)):
                run_case(name, seed, args.binary, folder, count, notes, arith, ExtremeMaker if args.extreme else Maker)
            bad = count["differ"] + count["failed"]
            verdict = "failed" if bad else "passed" if count["models"] else "skipped"
            total[verdict] += 1
            total["codes"] += count["codes"]
            total["differ"] += count["differ"]
            if args.case or verdict != "passed":
                print(f"{verdict} {arith} {name}: {dict(count)}", flush=True)
                for note in notes[:args.notes]:
                    print("    " + note, flush=True)
    print(f"{total['codes']} codes compared, {total['differ']} elements differ")
    print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    return 1 if total["failed"] or not total["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
