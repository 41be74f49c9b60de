"""Single-operator ONNX models of onnxruntime's own domain: what its optimizer and its quantizers write into files."""
import numpy as np

from onnx_operands import F, I8, U8, case

OWN = "com.microsoft"


def weights(m, k, n, kind):
    """Stored codes [k, n], their scale and zero point: one, or one a column."""
    i, by_column = np.iinfo(kind), m.pick(True, False)
    shape = [n] if by_column else m.pick([], [1])
    codes = m.const(m.values((k, n), kind, i.min, i.max))
    scale = m.const(m.r.uniform(0.002, 0.05, shape), F)
    zero = m.const(np.zeros(shape, kind) if kind == I8 else m.r.integers(0, 256, shape), kind) if m.pick(0, 1, 1) else ""
    return codes, scale, zero


def sizes(m, most=60):
    return [int(v) for v in m.r.integers(1, most, 2)]


def integer_to_float(kind):
    def make(m):
        k, n = sizes(m)
        a = m.feed([*m.shape(m.pick(1, 2), 5), k], U8, 0, 255)
        codes, scale, zero = weights(m, k, n, kind)
        names = [a, codes, m.const(m.r.uniform(0.002, 0.05), F), scale, m.const(int(m.r.integers(0, 256)), U8), zero]
        if m.pick(0, 1):
            names.append(m.const(m.r.standard_normal(n), F))
        m.node("MatMulIntegerToFloat", *names, domain=OWN)
    return make


def dynamic_quantize_matmul(kind):
    def make(m):
        k, n = sizes(m)
        codes, scale, zero = weights(m, k, n, kind)
        names = [m.feed([*m.shape(m.pick(1, 2), 5), k]), codes, scale, zero]
        if m.pick(0, 1):
            names.append(m.const(m.r.standard_normal(n), F))
        m.node("DynamicQuantizeMatMul", *names, domain=OWN)
    return make


def fused_matmul(m):
    i, j, k = (int(v) for v in m.r.integers(2, 40, 3))
    alpha, ta, tb = m.pick(1.0, 0.125, 0.35355339), m.pick(0, 1), m.pick(0, 1)
    outer = m.pick([], [2], [2, 3])
    if alpha in (1.0, 0.125) and m.pick(0, 1):  # long sums of stacked turned operands are refused
        k = int(m.r.integers(100, 129 if ta and outer else 700))
    a, b = [k, i] if ta else [i, k], [j, k] if tb else [k, j]
    batch = [m.pick(0, 0, 1) if outer else 0 for _ in range(2)]  # the first axis of a matrix before all others
    lie = lambda shape, first: [shape[0], *outer, shape[1]] if first else outer + shape
    right = m.const(m.r.standard_normal(b), F) if not batch[1] and m.pick(0, 1) else m.feed(lie(b, batch[1]))
    m.node("FusedMatMul", m.feed(lie(a, batch[0])), right, domain=OWN, alpha=alpha, transA=ta, transB=tb,
           transBatchA=batch[0], transBatchB=batch[1])


def skip_layer_norm(kind):
    def make(m):
        b, s, h = m.pick(1, 2), int(m.r.integers(1, 7)), int(m.r.integers(1, 70))
        names = [m.feed([b, s, h]), m.feed(m.pick([b, s, h], [1, s, h], [s, h])), m.const(m.r.uniform(0.5, 1.5, h), F)]
        if kind == "SkipLayerNormalization":
            names.append(m.const(m.r.standard_normal(h), F) if m.pick(0, 1) else "")
        if m.pick(0, 1):
            names.append(m.const(m.r.standard_normal(h), F))
        while not names[-1]:
            names.pop()
        m.node(kind, *names, domain=OWN, epsilon=m.pick(1e-5, 1e-12))
    return make


def biased(kind):
    def make(m):
        n = int(m.r.integers(1, 70))
        m.node(kind, m.feed([*m.shape(m.pick(1, 2), 5), n]), m.const(m.r.standard_normal(n), F), domain=OWN)
    return make


def matmul_n_bits(bits):
    def make(m):
        block = m.pick(16, 32, 64, 128, 256)
        k, n, rows = int(m.r.integers(1, 500)), int(m.r.integers(1, 40)), m.pick(1, 1, 2, 7)
        k = m.pick(k, -(-k // block) * block)
        blocks = -(-k // block)
        names = [m.feed(m.pick([rows, k], [1, rows, k])), m.const(m.values((n, blocks, block * bits // 8), U8, 0, 255)),
                 m.const(m.r.uniform(0.01, 0.1, n * blocks), F)]
        names.append(m.const(m.values(n * (-(-blocks * bits // 8)), U8, 0, 255)) if m.pick(0, 1) else "")
        if m.pick(0, 1):
            names += ["", m.const(m.r.standard_normal(n), F)]
        while not names[-1]:
            names.pop()
        m.node("MatMulNBits", *names, domain=OWN, K=k, N=n, bits=bits, block_size=block, accuracy_level=m.pick(0, 1))
    return make


def define_contrib():
    for bits in (4, 8):
        case(f"MatMulNBits {bits}", matmul_n_bits(bits))
    for kind in (I8, U8):
        case(f"MatMulIntegerToFloat {np.dtype(kind)}", integer_to_float(kind))
        case(f"DynamicQuantizeMatMul {np.dtype(kind)}", dynamic_quantize_matmul(kind))
    case("FusedMatMul", fused_matmul)
    for kind in ("SkipLayerNormalization", "SkipSimplifiedLayerNormalization"):
        case(kind, skip_layer_norm(kind))
    for kind in ("BiasGelu", "FastGelu"):
        case(f"{kind} with a bias", biased(kind))
