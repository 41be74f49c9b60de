"""Train, quantize and check the model of case s1.

    pip install numpy==2.2.6 onnx==1.20.1 onnxruntime==1.30.0
    python train.py              # everything: about two minutes on one core
    python train.py --quantize   # only the int8 model and the golden file, from tcn_float.onnx

Writes tcn_float.onnx, tcn_int8.onnx, golden.npz and golden_ppm.csv beside itself. Seeds are fixed
and one thread is used: a second run on the same class of CPU writes the same bytes. Another class of
CPU sums float products in another order and may train to slightly different weights; --quantize
starts behind that.
"""

import os

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"  # before NumPy loads: the order of float sums must not depend on cores

import argparse
import io
import pathlib
import tempfile
import time
import zipfile

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import (CalibrationDataReader, CalibrationMethod, QuantFormat,
                                      QuantType, quantize_static)

import gas
import tcn

HERE = pathlib.Path(__file__).resolve().parent
FLOAT, INT8 = HERE / "tcn_float.onnx", HERE / "tcn_int8.onnx"
GOLDEN, TRUTH = HERE / "golden.npz", HERE / "golden_ppm.csv"
TRAIN_SEED, TEST_SEED, CALIBRATION_SEED, GOLDEN_SEED, INIT_SEED = 11, 12, 13, 14, 15
EPOCHS, BATCH, WINDOWS, RATE, DECAY = 36, 64, 24576, 3e-3, 0.3
LOSS_UNIT = 4.0  # ppm


def to_steps(x):
    return np.ascontiguousarray(x[:, :, 0, :].transpose(0, 2, 1))


def train():
    x, y = gas.windows(TRAIN_SEED, WINDOWS)
    x = to_steps(x)
    p = tcn.initial(INIT_SEED)
    first = {k: np.zeros_like(v) for k, v in p.items()}
    second = {k: np.zeros_like(v) for k, v in p.items()}
    order = np.random.Generator(np.random.PCG64(INIT_SEED + 1))
    step, total, start = 0, EPOCHS * (WINDOWS // BATCH), time.time()
    for epoch in range(EPOCHS):
        loss_sum = 0.0
        for rows in order.permutation(WINDOWS).reshape(-1, BATCH):
            out, kept = tcn.forward(p, x[rows])
            error = (out - y[rows]) / LOSS_UNIT
            loss_sum += float(np.mean(error ** 2))
            slope = np.clip(error, -1.0, 1.0) * np.float32(2.0 / (LOSS_UNIT * BATCH))  # Huber
            g = tcn.gradient(p, kept, slope)
            step += 1
            rate = RATE * min(1.0, step / 200) * 0.5 * (1.0 + np.cos(np.pi * step / total))
            for k in p:  # Adam; decay keeps the branches small beside the identity path
                first[k] += 0.1 * (g[k] - first[k])
                second[k] += 0.001 * (g[k] ** 2 - second[k])
                p[k] -= np.float32(rate) * (first[k] / (1 - 0.9 ** step)) / (
                    np.sqrt(second[k] / (1 - 0.999 ** step)) + np.float32(1e-8))
                p[k] = (p[k] * (1.0 - rate * DECAY * k.startswith("block"))).astype(np.float32)
        print(f"epoch {epoch + 1:2d}  rmse {LOSS_UNIT * np.sqrt(loss_sum / (WINDOWS // BATCH)):.3f}"
              f" ppm  {time.time() - start:.0f} s", flush=True)
    return p


class Calibration(CalibrationDataReader):
    def __init__(self):
        self.rows = iter(gas.windows(CALIBRATION_SEED, 256)[0])

    def get_next(self):
        row = next(self.rows, None)
        return None if row is None else {"window": row[None]}


def quantize():
    with tempfile.TemporaryDirectory() as folder:
        raw = pathlib.Path(folder) / "int8.onnx"
        quantize_static(FLOAT, raw, Calibration(), quant_format=QuantFormat.QDQ, per_channel=True,
                        activation_type=QuantType.QInt8, weight_type=QuantType.QInt8,
                        calibrate_method=CalibrationMethod.MinMax)
        model = onnx.load(raw)
    del model.metadata_props[:]
    onnx.checker.check_model(model, full_check=True)
    INT8.write_bytes(model.SerializeToString(deterministic=True))


def predict(path, x):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(None, {"window": row[None]})[0] for row in x])


def write_golden():
    """16 windows in which the gas is clearly there at the last reading, and the true answers."""
    x, y = gas.windows(GOLDEN_SEED, 256)
    rows = np.flatnonzero(y[:, 0] > 3.0)[:16]
    entry = zipfile.ZipInfo("window.npy", date_time=(2000, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    array = io.BytesIO()
    np.save(array, x[rows])
    with zipfile.ZipFile(GOLDEN, "w") as archive:
        archive.writestr(entry, array.getvalue())
    TRUTH.write_text("".join(f"{ppm:.3f}\n" for ppm in y[rows, 0]))


def check():
    x, y = gas.windows(TEST_SEED, 2048)
    rmse = lambda a, b: float(np.sqrt(np.mean((a - b) ** 2)))
    real, codes = predict(FLOAT, x), predict(INT8, x)
    print(f"test windows 2048  spread of the answer {float(np.std(y)):.2f} ppm")
    print(f"float  rmse {rmse(real, y):.3f} ppm")
    cosine = float(np.sum(codes * real) / np.linalg.norm(codes) / np.linalg.norm(real))
    print(f"int8   rmse {rmse(codes, y):.3f} ppm   against float {rmse(codes, real):.3f} ppm, "
          f"cosine {cosine:.5f}")
    for path in (FLOAT, INT8, GOLDEN):
        print(f"{path.name}  {path.stat().st_size} bytes")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--quantize", action="store_true", help="start from tcn_float.onnx")
    if not parser.parse_args().quantize:
        FLOAT.write_bytes(tcn.to_onnx(train()).SerializeToString(deterministic=True))
    quantize()
    write_golden()
    check()
