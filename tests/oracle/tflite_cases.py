"""{name: maker} of the single-operator TFLite models of test_tflite_ops.py."""
import numpy as np
from ai_edge_litert import schema_py_generated as schema

import tflite_shapes
from tflite_operands import Operand, options, vector
from tflite_pieces import (binary, comparison, concat, conv, conv3d, dense, matmul, moved, numbers, off_centre, on_axis, pack, pool, prelu, product_of_codes, reduction, requantize,
                           resize, scatter_nd, select, softmax, strided, top_k, transpose_conv, unary, without_bias)
from tflite_recurrent import lstm_codes, lstm_hybrid, rnn_hybrid, svdf
from tflite_detection import detections

I8, U8, I16, F32 = np.int8, np.uint8, np.int16, np.float32
CASES = {}


def case(name, make):
    CASES[name] = make


def called_uint8(made):
    """Signed bytes around zero under the name of uint8, as the first converters wrote weights of hybrid layers."""
    weights = made[1][1]
    weights.contents, weights.dtype = np.asarray(weights.contents).astype(I8).view(U8), np.dtype(U8)
    return made


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
    for depthwise in (False, True):
        case(f"{'depthwise ' if depthwise else ''}conv int8, weights with a zero point", lambda m, d=depthwise: off_centre(conv(m, I8, depthwise=d, per_channel=False)))
        case(f"{'depthwise ' if depthwise else ''}conv uint8, one scale on axis 3", lambda m, d=depthwise: on_axis(conv(m, U8, depthwise=d, per_channel=False), 3))
    case("fully connected uint8, one scale on axis 1", lambda m: on_axis(dense(m, U8), 1))
    case("transpose conv int16, no bias, sums of 32 bits", lambda m: without_bias(transpose_conv(m, I16)))
    case("conv hybrid", lambda m: conv(m, I8, hybrid=True, per_channel=False))
    case("conv hybrid, scales by channel", lambda m: conv(m, I8, hybrid=True))
    case("depthwise conv hybrid", lambda m: conv(m, I8, depthwise=True, hybrid=True))
    case("fully connected hybrid", lambda m: dense(m, I8, hybrid=True))
    case("fully connected hybrid, scales by channel", lambda m: dense(m, I8, hybrid=True, per_channel=True))
    case("fully connected hybrid, asymmetric", lambda m: dense(m, I8, hybrid=True, asymmetric=True))
    case("conv hybrid, weights called uint8", lambda m: called_uint8(conv(m, I8, hybrid=True, per_channel=False)))
    case("fully connected hybrid, weights called uint8", lambda m: called_uint8(dense(m, I8, hybrid=True)))
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
        case(f"SELECT_V2 {n}, own scales", lambda m, t=t: select(m, t, False))
        case(f"FILL {n}", lambda m, t=t: moved(m, "FILL", t, (), (2, 3), (), None, (vector([2, 3]),)))
        case(f"SUM of int8 codes {n}", lambda m, t=t: reduction(m, "SUM", t)) if t == I8 else None
    for t, n in ((F32, "float"), (np.int32, "int32")):
        case(f"FLOOR_DIV {n}", lambda m, t=t: numbers(m, "FLOOR_DIV", t))
        case(f"FLOOR_MOD {n}", lambda m, t=t: numbers(m, "FLOOR_MOD", t))
        case(f"REDUCE_PROD {n}", lambda m, t=t: reduction(m, "REDUCE_PROD", t))
    for op in ("CEIL", "FLOOR", "ROUND", "SIGN", "SIN", "COS", "SQRT", "SQUARE"):
        case(f"{op} float", lambda m, op=op: unary(m, op, F32))
    for t, n in ((I8, "int8"), (I16, "int16")):
        case(f"REDUCE_PROD {n}", lambda m, t=t: product_of_codes(m, t))
    case("SELECT_V2 int16, own scales", lambda m: select(m, I16, False))
    case("POW float", lambda m: binary(m, "POW", F32))
    case("DIV float", lambda m: binary(m, "DIV", F32, "Div"))
    for a, b in ((F32, I8), (F32, U8), (F32, I16), (I8, I8), (I8, U8), (U8, I8), (U8, U8), (I16, I8), (I8, I16), (I16, I16)):
        case(f"quantize {np.dtype(a)} to {np.dtype(b)}", lambda m, a=a, b=b: requantize(m, a, b))
    case("dequantize float16", lambda m: ("DEQUANTIZE", [Operand((5, 50), np.float16, contents=m.r.standard_normal((5, 50)))], [Operand((5, 50), F32)], None))
    for t in (I8, U8, I16):
        case(f"dequantize {np.dtype(t)}", lambda m, t=t: ("DEQUANTIZE", [m.fed((5, 50), t)], [Operand((5, 50), F32)], None))
    for form in ("plain", "coupled", "peephole", "projection"):
        case(f"UNIDIRECTIONAL_SEQUENCE_LSTM hybrid {form}", lambda m, form=form: lstm_hybrid(m, form))
        case(f"UNIDIRECTIONAL_SEQUENCE_LSTM hybrid {form}, asymmetric", lambda m, form=form: lstm_hybrid(m, form, asymmetric=True))
    for op in ("UNIDIRECTIONAL_SEQUENCE_RNN", "RNN"):
        case(f"{op} hybrid", lambda m, op=op: rnn_hybrid(m, op))
        case(f"{op} hybrid, asymmetric", lambda m, op=op: rnn_hybrid(m, op, asymmetric=True))
    case("RSQRT int16", lambda m: unary(m, "RSQRT", I16, None, 0.01))
    case("fully connected int16, scales by channel", lambda m: dense(m, I16, per_channel=True))
    case("ATAN2 float", lambda m: ("ATAN2", [m.fed((3, 5), F32), m.fed((3, 5), F32)], [m.fed((3, 5), F32)], None))
    case("LOCAL_RESPONSE_NORMALIZATION float", lambda m: ("LOCAL_RESPONSE_NORMALIZATION", [m.fed((2, 3, 2, 9), F32)], [m.fed((2, 3, 2, 9), F32)], options(
        "LocalResponseNormalization", radius=int(m.r.integers(1, 6)), bias=float(m.r.choice([1, 2])), alpha=float(m.r.choice([0.01, 1e-4])), beta=float(m.r.choice([0.5, 0.75])))))
    case("CONV_3D float", conv3d)
    case("ZEROS_LIKE float", lambda m: ("ZEROS_LIKE", [m.fed((3, 4), F32)], [m.fed((3, 4), F32)], None))
    case("EMBEDDING_LOOKUP float", lambda m: ("EMBEDDING_LOOKUP", [vector(m.r.integers(0, 9, 5)), m.fed((9, 4), F32)], [m.fed((5, 4), F32)], None))
    for t, n in ((F32, "float"), (np.int32, "int32")):
        case(f"DYNAMIC_UPDATE_SLICE {n}", lambda m, t=t: ("DYNAMIC_UPDATE_SLICE", [Operand((5, 6), t), Operand((2, 3), t), vector(m.r.integers(-2, 8, 2))], [Operand((5, 6), t)], None))
    for regular in (False, True):
        case(f"TFLite_Detection_PostProcess {'by class' if regular else 'by box'}", lambda m, regular=regular: detections(m, regular))
        case(f"TFLite_Detection_PostProcess {'by class' if regular else 'by box'}, equal scores", lambda m, regular=regular: detections(m, regular, True))
