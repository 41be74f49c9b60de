"""The cases of test_onnx_ops.py: every operator in every form that is compared."""
import numpy as np

from onnx_codes import define_codes
from onnx_contrib import define_contrib
from onnx_operands import BOOL, F, I8, I32, I64, U8, binary, case, unary
from onnx_pieces import (channel_norm, dynamic_lstm, einsum, gemm, grid_sample, layer_norm, matmul, moved, nms, one_hot, recurrent,
                         reduction, resize, scatter_elements, scatter_nd, softmax, top_k, window)


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
    moved("NonZero", lambda m: m.node("NonZero", m.const(m.values(m.shape(m.pick(1, 2, 3)), m.pick(F, I64, BOOL), 0, m.pick(0, 1, 2)))))
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
    define_contrib()
