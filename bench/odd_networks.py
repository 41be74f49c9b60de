"""Writes networks of shapes that the shared models lack, for `lockstep bench`: bench/odd_networks.py FOLDER.

TFLite: transposed convolutions, LSTM and SVDF on codes, products of 16-bit codes, rows of codes, one operator each. ONNX: whole
quantized networks (residual, inverted residuals, hard activations, gates, U-Net, attention, recurrent, keyword
spotting, segmentation) of tests/oracle/generated_models.py, two ways to quantize each.
"""
import pathlib
import shutil
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "oracle"))

import generated  # noqa: E402
import test_tflite_ops  # noqa: E402
from tflite_operands import Maker, Operand, build, options, vector  # noqa: E402

STYLES = ["qdq_s8s8_channel", "qdq_u8u8", "qop_u8s8_channel", "qdq_mixed16", "qdq_conv_only"]


def transposed(m, extent, channels, filters, kernel, stride, dtype=np.int8):
    out = extent * stride
    x = m.fed((1, extent, extent, channels), dtype, 0.05)
    weights = Operand((filters, kernel, kernel, channels), np.int8, [0.005] * filters, 0, m.codes((filters, kernel, kernel, channels), np.int8))
    bias = Operand((filters,), np.int64 if dtype == np.int16 else np.int32, [0.05 * 0.005] * filters, 0, m.r.integers(-999, 999, filters))
    return ("TRANSPOSE_CONV", [vector([1, out, out, filters]), weights, x, bias], [m.fed((1, out, out, filters), dtype, 0.1)],
            options("TransposeConv", padding=0, strideH=stride, strideW=stride), 3)


def svdf(m, size, filters, memory, rank):
    x = m.fed((1, size), np.int8)
    w = Operand((filters, size), np.int8, m.scale(), 0, m.codes((filters, size), np.int8))
    v = Operand((filters, memory), np.int16, 1e-3, 0, m.codes((filters, memory), np.int16))
    bias = Operand((filters // rank,), np.int32, 1e-5, 0, m.r.integers(-999, 999, filters // rank))
    state = Operand((1, filters * memory), np.int16, 1e-3, 0)
    state.variable = True
    return "SVDF", [x, w, v, bias, state], [m.fed((1, filters // rank), np.int8, 0.2)], options("SVDF", rank=rank, fusedActivationFunction=1), 1


def lstm(m, steps, size, cells):
    def weights(*shape):
        return Operand(shape, np.int8, 0.005, 0, m.codes(shape, np.int8, -127))
    x = m.fed((1, steps, size), np.int8, 0.03)
    state, cell = Operand((1, cells), np.int8, 2.0 ** -7, 0), Operand((1, cells), np.int16, 2.0 ** -12, 0)
    state.variable = cell.variable = True
    kind = options("UnidirectionalSequenceLSTM", fusedActivationFunction=4, timeMajor=False, cellClip=0.0, projClip=0.0)
    kind.intermediates = [(1.0, 0)] * 4 + [(2.0 ** -7, 0)]
    bias = [Operand((cells,), np.int32, 3e-4, 0, m.r.integers(-3000, 3000, cells)) for _ in range(4)]
    operands = [x, *[weights(cells, size) for _ in range(4)], *[weights(cells, cells) for _ in range(4)], *[None] * 3, *bias, *[None] * 2,
                state, cell, *[None] * 4]
    return "UNIDIRECTIONAL_SEQUENCE_LSTM", operands, [Operand((1, steps, cells), np.int8, 2.0 ** -7, 0)], kind, 1


def product(m, rows, depth, columns, transposed_b):
    a = m.fed((1, 4, rows, depth), np.int16, 0.001)
    b = m.fed((1, 4, columns, depth) if transposed_b else (1, 4, depth, columns), np.int16, 0.001)
    return "BATCH_MATMUL", [a, b], [m.fed((1, 4, rows, columns), np.int16, 0.01)], options("BatchMatMul", adjX=False, adjY=transposed_b), 1


def layer(m, rows, depth, columns):
    x = m.fed((rows, depth), np.int16, 0.001)
    w = Operand((columns, depth), np.int8, 0.005, 0, m.codes((columns, depth), np.int8))
    bias = Operand((columns,), np.int64, 0.001 * 0.005, 0, m.r.integers(-3000, 3000, columns))
    return "FULLY_CONNECTED", [x, w, bias], [m.fed((rows, columns), np.int16, 0.01)], options("FullyConnected", fusedActivationFunction=0), 1


def rows(op, shape, scale, zero, kind=None):
    """An operator along the innermost axis."""
    return op, [Operand(shape, np.int8, 0.05, 3)], [Operand(shape, np.int8, scale, zero)], kind, 2


def packed(shape, axis):
    parts = [Operand(shape, np.int8, 0.05, 3) for _ in range(4)]
    return "PACK", parts, [Operand([*shape[:axis], 4, *shape[axis:]], np.int8, 0.05, 3)], options("Pack", valuesCount=4, axis=axis), 1


def greatest(shape):
    axis = len(shape) - 1
    return "REDUCE_MAX", [Operand(shape, np.int8, 0.05, 3), vector([axis])], [Operand(shape[:-1], np.int8, 0.05, 3)], options("Reducer", keepDims=False), 2


def operators():
    m = Maker(3)
    yield "transposed_k2s2", transposed(m, 16, 64, 32, 2, 2)
    yield "transposed_k3s2", transposed(m, 16, 64, 32, 3, 2)
    yield "transposed_k4s2", transposed(m, 24, 32, 16, 4, 2)
    yield "transposed_k2s2_one", transposed(m, 64, 16, 1, 2, 2)
    yield "transposed_k3s1", transposed(m, 32, 24, 24, 3, 1)
    yield "transposed_int16", transposed(m, 16, 64, 32, 2, 2, np.int16)
    yield "lstm_20", lstm(m, 100, 10, 20)
    yield "lstm_64", lstm(m, 49, 40, 64)
    yield "lstm_128", lstm(m, 32, 64, 128)
    yield "svdf_512", svdf(m, 256, 512, 10, 2)
    yield "svdf_1024", svdf(m, 1024, 1024, 16, 1)
    yield "product_int16", product(m, 64, 32, 64, False)
    yield "product_int16_transposed", product(m, 64, 32, 64, True)
    yield "layer_int16_deep", layer(m, 16, 2048, 128)
    yield "log_softmax_32", rows("LOG_SOFTMAX", (1, 64, 64, 32), 16 / 256, 127)
    yield "log_softmax_1000", rows("LOG_SOFTMAX", (64, 1000), 16 / 256, 127)
    yield "l2_normalization_32", rows("L2_NORMALIZATION", (1, 64, 64, 32), 1 / 128, 0, options("L2Norm"))
    yield "pack_planes", packed((1, 64, 64, 32), 1)
    yield "pack_rows", packed((1, 64, 64, 32), 3)
    yield "pack_codes", packed((1, 64, 64, 32), 4)
    yield "greatest_of_32", greatest((1, 64, 64, 32))
    yield "greatest_of_1024", greatest((64, 1024))


def main():
    if len(sys.argv) != 2:
        sys.exit("bench/odd_networks.py FOLDER")
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, (op, operands, results, kind, version) in operators():
        data = build(op, operands, results, kind, version)
        (folder / f"{name}.tflite").write_bytes(test_tflite_ops.mark_variables(data, operands))
    for i, model in enumerate(generated.MODELS):
        for j in range(2):
            style = STYLES[(i + 3 * j) % len(STYLES)]
            try:
                shutil.copy(generated.network(7000 + i * 10 + j, style, ["whole"], model, None), folder / f"{model}_{style}.onnx")
            except Exception as error:  # the quantizer refuses its own network
                print(f"skipped  {model}_{style}: {str(error)[:200]}")


if __name__ == "__main__":
    main()
