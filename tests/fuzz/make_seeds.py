"""Writes one small model of every operator case of tests/oracle as seeds: make_seeds.py FOLDER.

FOLDER/fuzz_onnx gets the ONNX models, FOLDER/fuzz_tflite the TFLite ones.
"""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/oracle"))

import onnx_cases  # noqa: E402
import onnx_operands  # noqa: E402
import test_tflite_ops  # noqa: E402
import tflite_cases  # noqa: E402
import tflite_operands  # noqa: E402

LARGEST = 4096  # bytes; a fuzzer gets through small files faster


def onnx_model(name):
    maker = onnx_operands.Maker([0, sum(name.encode())])
    onnx_operands.CASES[name](maker)
    return maker.model().SerializeToString()


def tflite_model(name):
    maker = tflite_operands.Maker([0, sum(name.encode())])
    op, operands, results, kind, *_ = tflite_cases.CASES[name](maker)
    return test_tflite_ops.mark_variables(tflite_operands.build(op, operands, results, kind, 1), operands)


def write(folder, cases, make):
    folder.mkdir(parents=True, exist_ok=True)
    written = 0
    for name in cases:
        data = make(name)
        if len(data) <= LARGEST:
            (folder / "".join(c if c.isalnum() else "_" for c in name)).write_bytes(data)
            written += 1
    print(f"{folder.name}: {written} of {len(cases)} cases, the others are larger than {LARGEST} bytes")


def main():
    folder = pathlib.Path(sys.argv[1])
    onnx_cases.define_cases()
    tflite_cases.define_cases()
    write(folder / "fuzz_onnx", onnx_operands.CASES, onnx_model)
    write(folder / "fuzz_tflite", tflite_cases.CASES, tflite_model)


main()
