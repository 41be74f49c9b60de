"""Single-operator TFLite models of odd shapes for test_tflite_ops.py: one element, several batches, dilation along both
axes, strides beyond the window, SAME with even windows, every fused activation, broadcasting up to five axes,
reductions over any axes, products of several ranks. Scales and zero points come from the maker that is handed in."""
import numpy as np

from tflite_moves import broadcast_to, concat, extent, gather, padded, slice_of, transpose
from tflite_operands import Operand, options, vector

I8, U8, I16, F32 = np.int8, np.uint8, np.int16, np.float32
NAMES = ((I8, "int8"), (U8, "uint8"), (I16, "int16"), (F32, "float"))


def windows(m, size):
    """(window, stride, dilation, padding, outputs) that leaves at least one output on both axes."""
    while True:
        k, s, d = ([int(v) for v in m.r.integers(1, most, 2)] for most in (6, 6, 4))
        if m.r.random() < 0.5:
            d = [1, 1]
        if d != [1, 1]:
            s = [1, 1]  # XNNPACK and the reference alike allow both; converters write one of them
        same = m.r.random() < 0.5
        out = [-(-e // t) if same else -(-(e - (w - 1) * g) // t) for e, w, t, g in zip(size, k, s, d)]
        if min(out) >= 1:
            return k, s, d, 0 if same else 1, out


def weights_of(m, x, shape, channels, dtype, hybrid, by_channel, axis, narrow=False):
    """(weights, bias) for an operator over `channels` outputs; `narrow`: 32 bits beside 16-bit activations."""
    if dtype == F32 and not hybrid:
        bias = Operand((channels,), F32, contents=m.r.standard_normal(channels))
        return Operand(shape, F32, contents=m.r.standard_normal(shape)), bias
    wtype = U8 if dtype == U8 else I8
    count = channels if by_channel and dtype != U8 and channels > 1 else 1
    scales = [m.weight_scale() for _ in range(count)]
    zero = m.zero(U8) if dtype == U8 else 0
    weights = Operand(shape, wtype, scales, zero, m.codes(shape, wtype, -127 if hybrid else None), axis if count > 1 else 0)
    if hybrid:
        return weights, Operand((channels,), F32, contents=m.r.standard_normal(channels))
    bias_type = np.int64 if dtype == I16 and not narrow else np.int32
    most = int(m.r.choice([10, 3000, 2_000_000]))
    bias = Operand((channels,), bias_type, [float(np.float32(x.scale[0]) * np.float32(s)) for s in scales], 0, m.r.integers(-most, most, channels))
    return weights, bias


def conv(m, dtype, depthwise=False, hybrid=False, narrow=False):
    n, size, c, o = extent(m, 3), (extent(m, 12), extent(m, 12)), extent(m, 20), extent(m, 20)
    k, s, d, padding, out = windows(m, size)
    mult = extent(m, 3)
    channels = c * mult if depthwise else o
    shape = (1, *k, channels) if depthwise else (channels, *k, c)
    x = m.fed((n, *size, c), F32 if hybrid else dtype)
    by_channel = m.r.random() < 0.7 or depthwise and hybrid  # the hybrid kernel reads a scale for each channel
    weights, bias = weights_of(m, x, shape, channels, dtype, hybrid, by_channel, 3 if depthwise else 0, narrow)
    if bias.dtype == np.int64 and not depthwise and m.r.random() < 0.3:
        bias = Operand(bias.shape, np.int32, bias.scale, 0, np.clip(bias.contents, -3000, 3000))
    y = m.fed((n, *out, channels), F32 if hybrid else dtype, m.output_scale(x, weights, np.prod(shape[1:])))
    common = dict(padding=padding, strideH=s[0], strideW=s[1], dilationHFactor=d[0], dilationWFactor=d[1], fusedActivationFunction=m.activation())
    if depthwise:
        return "DEPTHWISE_CONV_2D", [x, weights, bias], [y], options("DepthwiseConv2D", depthMultiplier=mult, **common)
    bias_option = 2 if dtype == I16 and bias.dtype == np.int32 else 0  # the option says INT32, else the runtime reads 64 bits
    return "CONV_2D", [x, weights, bias], [y], options("Conv2D", quantizedBiasType=bias_option, **common)


def dense(m, dtype, hybrid=False, narrow=False):
    rank, k, n = int(m.r.integers(1, 5)), extent(m, 150), extent(m, 40)
    lead = [extent(m, 4) for _ in range(rank - 1)]
    x = m.fed((*lead, k), F32 if hybrid else dtype)
    weights, bias = weights_of(m, x, (n, k), n, dtype, hybrid, m.r.random() < 0.5 and (dtype != I16 or narrow), 0, narrow)
    if m.r.random() < 0.3:
        bias = None
    keep = m.r.random() < 0.5
    rows = int(np.prod(lead))
    y = m.fed((*lead, n) if keep else (rows, n), F32 if hybrid else dtype, m.output_scale(x, weights, k))
    kind = options("FullyConnected", fusedActivationFunction=m.activation(), keepNumDims=keep, asymmetricQuantizeInputs=hybrid and m.r.random() < 0.3,
                   quantizedBiasType=2 if narrow else 0)
    return "FULLY_CONNECTED", [x, weights, bias], [y], kind


def transpose_conv(m, dtype, narrow=False):
    n, size, c, o = extent(m, 3), [extent(m, 6), extent(m, 6)], extent(m, 9), extent(m, 9)
    k, s = [int(v) for v in m.r.integers(1, 6, 2)], [int(v) for v in m.r.integers(1, 4, 2)]
    same = m.r.random() < 0.5
    out = [e * t if same else (e - 1) * t + max(w, t) for e, t, w in zip(size, s, k)]
    x = m.fed((n, *size, c), dtype)
    weights, bias = weights_of(m, x, (o, *k, c), o, dtype, False, True, 0, narrow)
    if m.r.random() < 0.2:
        bias = None
    y = m.fed((n, *out, o), dtype, m.output_scale(x, weights, c * 4))
    return "TRANSPOSE_CONV", [vector([n, *out, o]), weights, x, bias], [y], \
        options("TransposeConv", padding=0 if same else 1, strideH=s[0], strideW=s[1], fusedActivationFunction=m.activation(),
                quantizedBiasType=2 if narrow and bias is not None else 0)


def spread(m, most=5):
    """Two shapes that broadcast, of unlike ranks too."""
    rank = int(m.r.integers(0, most + 1))
    full = [extent(m, 5) for _ in range(rank)]
    a, b = ([1 if m.r.random() < 0.3 else e for e in full] for _ in range(2))
    cut = int(m.r.integers(0, rank + 1)) if m.r.random() < 0.4 else 0
    return (a[cut:], b) if m.r.random() < 0.5 else (a, b[cut:])


def binary(m, op, dtype, kind=None):
    sa, sb = spread(m)
    a = m.fed(sa, dtype)
    b = m.fed(sb, dtype)
    if m.r.random() < 0.4:  # a constant operand takes other paths in delegates
        b = Operand(sb, dtype, b.scale, b.zero if b.scale is not None else 0,
                    m.r.standard_normal(sb) if dtype == F32 else m.codes(sb, dtype))
    out = list(np.broadcast_shapes(tuple(sa), tuple(sb)))
    y = m.fed(out, dtype, None if dtype == F32 else float(a.scale[0] * (b.scale[0] * 60 if op == "MUL" else m.r.uniform(0.5, 3))))
    if op in ("MAXIMUM", "MINIMUM") and dtype != F32:
        b.scale, b.zero, y.scale, y.zero = a.scale, a.zero, a.scale, a.zero
    if m.r.random() < 0.2 and b.contents is not None:
        a, b = b, a
    fused = {"fusedActivationFunction": m.activation()} if kind in ("Add", "Sub", "Mul", "Div") else {}
    if kind in ("Add", "Sub"):
        fused["potScaleInt16"] = False
    return op, [a, b], [y], options(kind, **fused) if kind else None


def pool(m, op, dtype):
    size = (extent(m, 10), extent(m, 10))
    k, s, _, padding, _ = windows(m, size)
    out = [-(-e // t) if padding == 0 else -(-(e - w + 1) // t) for e, w, t in zip(size, k, s)]
    if min(out) < 1:
        padding, out = 0, [-(-e // t) for e, t in zip(size, s)]
    n, c = extent(m, 3), extent(m, 20)
    x = m.fed((n, *size, c), dtype)
    y = Operand((n, *out, c), dtype, x.scale, x.zero) if x.scale is not None else m.fed((n, *out, c), dtype)
    return op, [x], [y], options("Pool2D", padding=padding, strideH=s[0], strideW=s[1], filterHeight=k[0], filterWidth=k[1],
                                 fusedActivationFunction=m.activation())


def reduction(m, op, dtype, same=False):
    rank = int(m.r.integers(1, 6))
    shape = [extent(m, 6) for _ in range(rank)]
    axes = [int(a) for a in m.r.permutation(rank)[:int(m.r.integers(1, rank + 1))]]
    keep = bool(m.r.integers(0, 2))
    out = [1 if k in axes else e for k, e in enumerate(shape) if keep or k not in axes]
    x = m.fed(shape, dtype)
    y = m.fed(out, dtype, x.scale if same else None, x.zero if same else None)
    if not same and x.scale is not None and m.r.random() < 0.7:
        y.scale = x.scale * np.float32(m.r.uniform(0.3, 2))
    given = [a - rank if m.r.random() < 0.3 else a for a in axes]
    return op, [x, vector(given)], [y], options("Reducer", keepDims=keep)


def softmax(m, op, dtype):
    shape = [extent(m, 6) for _ in range(int(m.r.integers(1, 5)))]
    x = m.fed(shape, dtype)
    soft = {I8: (1 / 256, -128), U8: (1 / 256, 0), I16: (1 / 32768, 0)}
    log = {I8: (16 / 256, 127), U8: (16 / 256, 255)}
    scale, zero = (soft if op == "SOFTMAX" else log).get(dtype, (None, None))
    beta = float(m.r.choice([1.0, 0.1, 3.0]))
    return op, [x], [m.fed(shape, dtype, scale, zero)], options("Softmax", beta=beta) if op == "SOFTMAX" else options("LogSoftmax")


def resize(m, op, kind, dtype):
    n, c = extent(m, 3), extent(m, 20)
    h, w, oh, ow = (extent(m, 14) for _ in range(4))
    align, half = [(False, False), (True, False), (False, True)][int(m.r.integers(0, 3))]
    x = m.fed((n, h, w, c), dtype)
    y = Operand((n, oh, ow, c), dtype, x.scale, x.zero) if x.scale is not None else m.fed((n, oh, ow, c), dtype)
    return op, [x, vector([oh, ow])], [y], options(kind, alignCorners=align, halfPixelCenters=half), 3


def matmul(m, dtype):
    sa, sb = spread(m, 3)
    i, k, j = extent(m, 9), extent(m, 40), extent(m, 9)
    adj_x, adj_y = bool(m.r.integers(0, 2)), bool(m.r.integers(0, 2))
    x = m.fed((*sa, *((k, i) if adj_x else (i, k))), dtype)
    y = m.fed((*sb, *((j, k) if adj_y else (k, j))), dtype, None, 0 if m.r.random() < 0.4 else None)
    if m.r.random() < 0.3:
        y = Operand(y.shape, dtype, y.scale, y.zero if y.scale is not None else 0,
                    m.r.standard_normal(y.shape) if dtype == F32 else m.codes(y.shape, dtype, -127))
    out = (*np.broadcast_shapes(tuple(sa), tuple(sb)), i, j)
    return "BATCH_MATMUL", [x, y], [m.fed(out, dtype, m.output_scale(x, y, k))], options("BatchMatMul", adjX=adj_x, adjY=adj_y)


def prelu(m, dtype):
    rank = int(m.r.integers(1, 5))
    shape = [extent(m, 6) for _ in range(rank)]
    slope_shape = [1 if m.r.random() < 0.5 and k < rank - 1 else e for k, e in enumerate(shape)]
    slope_shape = slope_shape[int(m.r.integers(0, rank)):] if m.r.random() < 0.3 else slope_shape
    x = m.fed(shape, dtype)
    slope = Operand(slope_shape, F32, contents=m.r.standard_normal(slope_shape)) if dtype == F32 else \
        Operand(slope_shape, *((I8, m.scale(), 0, m.codes(slope_shape, I8)) if dtype == I16 else
                               (dtype, m.scale(), m.zero(dtype), m.codes(slope_shape, dtype))))
    return "PRELU", [x, slope], [m.fed(shape, dtype)], None


def rnn(m, op):
    """A recurrent layer of floats; its state starts at zero."""
    batch, steps, size, units = extent(m, 3), extent(m, 5), extent(m, 20), extent(m, 12)
    major = op != "RNN" and m.r.random() < 0.5
    shape = (batch, size) if op == "RNN" else (steps, batch, size) if major else (batch, steps, size)
    def constant(*extents):
        return Operand(extents, F32, contents=m.r.standard_normal(extents) * 0.3)
    state = Operand((batch, units), F32)
    state.variable = True
    fused = int(m.r.choice([0, 1, 2, 3, 4]))
    kind = options("RNN", fusedActivationFunction=fused) if op == "RNN" else options("SequenceRNN", timeMajor=major, fusedActivationFunction=fused)
    return op, [m.fed(shape, F32), constant(units, size), constant(units, units), constant(units), state], [m.fed((*shape[:-1], units), F32)], kind


def four_bits(made):
    """The layer with its weights in four bits."""
    op, (x, w, bias), y, kind = made
    w.contents, w.four = np.clip(w.contents, -7, 7), True
    return op, [x, w, bias], y, kind


def fake_quant(m):
    x = m.fed([extent(m, 6) for _ in range(int(m.r.integers(1, 5)))], F32)
    low = float(np.float32(m.r.choice([-1, -0.3, 0, 0.2, -4])))
    bits = int(m.r.choice([2, 4, 8, 8, 16]))
    return "FAKE_QUANT", [x], [Operand(x.shape, F32)], options("FakeQuant", min=low, max=float(np.float32(low + m.r.uniform(0.5, 5))), numBits=bits)


def choice_of_truths(m, op):
    shape = [extent(m, 5) for _ in range(3)]
    axis = int(m.r.integers(0, 3))
    return op, [Operand(shape, np.bool_, contents=m.r.random(shape) < 0.6), vector([axis])], \
        [Operand([e for k, e in enumerate(shape) if k != axis], np.bool_)], options("Reducer", keepDims=False)


def cases():
    """{name: maker} of every operator here in every type that some kernel takes."""
    made = {}

    def case(name, make):
        made["odd " + name] = make
    for t, n in NAMES:
        case(f"conv {n}", lambda m, t=t: conv(m, t))
        case(f"depthwise conv {n}", lambda m, t=t: conv(m, t, True))
        case(f"fully connected {n}", lambda m, t=t: dense(m, t))
        case(f"transpose conv {n}", lambda m, t=t: transpose_conv(m, t))
        for op, kind in (("ADD", "Add"), ("SUB", "Sub"), ("MUL", "Mul"), ("DIV", "Div"), ("MAXIMUM", None), ("MINIMUM", None), ("SQUARED_DIFFERENCE", None)):
            case(f"{op} {n}", lambda m, t=t, op=op, kind=kind: binary(m, op, t, kind))
        for op in ("AVERAGE_POOL_2D", "MAX_POOL_2D"):
            case(f"{op} {n}", lambda m, t=t, op=op: pool(m, op, t))
        for op in ("MEAN", "SUM"):
            case(f"{op} {n}", lambda m, t=t, op=op: reduction(m, op, t))
        for op in ("REDUCE_MAX", "REDUCE_MIN"):
            case(f"{op} {n}", lambda m, t=t, op=op: reduction(m, op, t, True))
        for op in ("SOFTMAX", "LOG_SOFTMAX"):
            case(f"{op} {n}", lambda m, t=t, op=op: softmax(m, op, t))
        for op, kind in (("RESIZE_BILINEAR", "ResizeBilinear"), ("RESIZE_NEAREST_NEIGHBOR", "ResizeNearestNeighbor")):
            case(f"{op} {n}", lambda m, t=t, op=op, kind=kind: resize(m, op, kind, t))
        case(f"BATCH_MATMUL {n}", lambda m, t=t: matmul(m, t))
        case(f"CONCATENATION {n}", lambda m, t=t: concat(m, t))
        case(f"CONCATENATION {n}, own scales", lambda m, t=t: concat(m, t, False))
        case(f"PRELU {n}", lambda m, t=t: prelu(m, t))
        case(f"TRANSPOSE {n}", lambda m, t=t: transpose(m, t))
        case(f"SLICE {n}", lambda m, t=t: slice_of(m, t))
        for op in ("PAD", "PADV2", "MIRROR_PAD"):
            case(f"{op} {n}", lambda m, t=t, op=op: padded(m, op, t))
        case(f"GATHER {n}", lambda m, t=t: gather(m, t))
        case(f"BROADCAST_TO {n}", lambda m, t=t: broadcast_to(m, t))
    case("L2_POOL_2D float", lambda m: pool(m, "L2_POOL_2D", F32))
    case("FAKE_QUANT", fake_quant)
    for op in ("RNN", "UNIDIRECTIONAL_SEQUENCE_RNN"):
        case(op, lambda m, op=op: rnn(m, op))
    for op in ("REDUCE_ANY", "REDUCE_ALL"):
        case(op, lambda m, op=op: choice_of_truths(m, op))
    for name, make in (("conv", conv), ("fully connected", dense), ("transpose conv", transpose_conv)):
        case(f"{name} int16, bias of 32 bits", lambda m, make=make: make(m, I16, narrow=True))
    case("conv hybrid", lambda m: conv(m, I8, False, True))
    case("depthwise conv hybrid", lambda m: conv(m, I8, True, True))
    case("fully connected hybrid", lambda m: dense(m, I8, True))
    case("fully connected hybrid, weights of four bits", lambda m: four_bits(dense(m, I8, True)))
    case("fully connected int8, weights of four bits", lambda m: four_bits(dense(m, I8)))
    case("conv int8, weights of four bits", lambda m: four_bits(conv(m, I8)))
    case("depthwise conv int8, weights of four bits", lambda m: four_bits(conv(m, I8, True)))
    return made
