"""Single-operator ONNX models of layers, reductions, recurrences and operators that move elements, each chosen at random."""
import numpy as np

from onnx_operands import F, I8, I64, U8, case


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
        pools = kind.endswith("Pool")
        shape = [m.pick(1, 2), c] + [int(v) for v in m.r.integers(1 if pools and m.r.random() < 0.2 else 5, 11, rank)]
        kernel, strides = [int(v) for v in m.r.integers(1, 4, rank)], [int(v) for v in m.r.integers(1, 3, rank)]
        attrs = dict(kernel_shape=kernel, strides=strides, **{k: (v(m) if callable(v) else v) for k, v in more.items()})
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
        m.node(kind, *names, results=3 if kind == "LSTM" else 2, hidden_size=h, direction=direction,
               unnamed=m.pick((), (), (0,)), **attrs)
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
    n = int(m.r.integers(1, m.pick(20, 200)))
    corner = m.r.uniform(0, 8, (1, n, 2))
    m.fed["x0"] = np.concatenate([corner, corner + m.r.uniform(0.5, 4, (1, n, 2))], 2).astype(F)
    scores = m.feed([1, m.pick(1, 2), n], F, 0, 1)
    if m.pick(True, False):  # many are equal
        m.fed[scores] = np.round(m.fed[scores] * 6) / F(6)
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
