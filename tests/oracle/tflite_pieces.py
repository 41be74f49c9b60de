"""Single-operator TFLite models of layers and of operators on elements: each function chooses one at random."""
import numpy as np

from tflite_operands import TYPES, Operand, options, vector


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


def conv3d(m):
    """Over depth, height and width; the weights lie as [depth, height, width, in, out]."""
    size, c, o = [int(v) for v in m.r.integers(3, 7, 3)], int(m.r.integers(1, 4)), int(m.r.integers(1, 5))
    k, s, pad = [int(v) for v in m.r.integers(1, 4, 3)], [int(v) for v in m.r.integers(1, 3, 3)], int(m.r.integers(0, 2))
    out = [-(-e // t) if pad == 0 else -(-(e - w + 1) // t) for e, t, w in zip(size, s, k)]
    weights = Operand((*k, c, o), np.float32, contents=m.r.standard_normal((*k, c, o)) * 0.3)
    bias = Operand((o,), np.float32, contents=m.r.standard_normal(o))
    return "CONV_3D", [m.fed((2, *size, c), np.float32), weights, bias], [m.fed((2, *out, o), np.float32)], options(
        "Conv3D", padding=pad, strideD=s[0], strideH=s[1], strideW=s[2], dilationDFactor=1, dilationHFactor=1, dilationWFactor=1,
        fusedActivationFunction=m.activation())


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


def select(m, dtype, same=True):
    """Codes are copied; the converter leaves scales apart where they have 16 bits."""
    a, b = m.fed((3, 4), dtype), m.fed((4,), dtype)
    if same:
        b.scale, b.zero = a.scale, a.zero
    return "SELECT_V2", [Operand((3, 1), np.bool_, contents=m.r.random((3, 1)) < 0.5), a, b], \
        [Operand((3, 4), dtype, a.scale, a.zero if a.scale is not None else 0)], None


def product_of_codes(m, dtype):
    """Few factors, so that products stay inside the runtime's 47 bits and some results inside the codes."""
    shape = [(3, 4, 2), (2, 5), (4, 3)][m.r.integers(0, 3)]
    x, axis = m.fed(shape, dtype), int(m.r.integers(0, len(shape)))
    x.scale = np.float32([m.r.uniform(0.5, 2) / np.iinfo(dtype).max])
    if dtype == np.int16:
        x.zero = np.int64([0])
    keep = bool(m.r.integers(0, 2))
    y = [1 if k == axis else e for k, e in enumerate(shape) if k != axis or keep]
    out = Operand(y, dtype, np.float32(m.r.uniform(0.2, 1) / np.iinfo(dtype).max), 0 if dtype == np.int16 else int(m.r.integers(-20, 20)))
    return "REDUCE_PROD", [x, vector([axis])], [out], options("Reducer", keepDims=keep)


def off_centre(made):
    """The same layer, its weights with a zero point, which the kernels do not read."""
    weights = made[1][1]
    weights.zero = np.full_like(weights.zero, -7)
    return made


def on_axis(made, axis):
    """The same layer, its weights' one scale said to lie along that axis."""
    made[1][1].axis = axis
    return made


def without_bias(made):
    """A transposed convolution of 16-bit codes whose sums have 32 bits because its options say so."""
    op, operands, results, kind, *rest = made
    kind.quantizedBiasType = TYPES[np.dtype(np.int32)]
    return op, operands[:3], results, kind, *rest
