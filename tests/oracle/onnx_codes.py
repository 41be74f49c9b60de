"""Single-operator ONNX models on codes: onnxruntime's QLinear operators."""
import numpy as np

from onnx_operands import BOOL, F, I8, I32, U8, case


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
