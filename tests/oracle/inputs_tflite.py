"""Inputs for each shared .tflite model: real ones where some fit, then seeded random and extreme ones."""
import hashlib
import pathlib
import struct
import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter

import cache
import tflite_oracle


def bmp(path):
    """Pixels (h, w, channels) of an uncompressed 8-bit grey or 24-bit colour BMP file."""
    data = pathlib.Path(path).read_bytes()
    start, width, height = struct.unpack_from("<I", data, 10)[0], *struct.unpack_from("<ii", data, 18)
    channels = struct.unpack_from("<H", data, 28)[0] // 8
    row = (width * channels + 3) // 4 * 4
    rows = np.frombuffer(data, np.uint8, row * abs(height), start).reshape(abs(height), row)
    pixels = rows[:, :width * channels].reshape(abs(height), width, channels)
    return pixels[::-1, :, ::-1] if height > 0 else pixels[:, :, ::-1]


def photograph(name, height, width, channels):
    """A shared photograph as uint8 (1, height, width, channels), nearest pixels."""
    pixels = bmp(cache.shared_folder() / "inputs" / "images" / name)
    y = np.arange(height) * pixels.shape[0] // height
    x = np.arange(width) * pixels.shape[1] // width
    small = pixels[y][:, x]
    if channels == 1:
        small = small.mean(axis=2, keepdims=True).astype(np.uint8)
    return np.broadcast_to(small, (height, width, channels))[None]


def real_values(relative, shape):
    """[(tag, real-valued array)] in the units that the model was trained on."""
    shared = cache.shared_folder() / "inputs"
    family = relative.split("/")[-1]
    if family.startswith("kws_ref"):
        codes = [np.fromfile(p, np.int8) for p in sorted((shared / "kws01").glob("tst_00000*.bin"))[:3]]
        return [(f"kws{k}", (c.astype(np.float32) - 83) * np.float32(0.5847029089927673)) for k, c in enumerate(codes)]
    if family.startswith("ad01"):
        frames = np.fromfile(next((shared / "toyadmos").glob("*.bin")), np.float32).reshape(-1, 128)
        return [(f"frame{k}", frames[k:k + 5].reshape(-1)) for k in (0, 60, 120)]
    if family.startswith("str_ww"):
        with np.load(shared / "speech" / "mlc_sww_calibration_samples.npz") as z:
            return [(f"sww{k}", z["specs"][k]) for k in (0, 20, 40)]
    if family.startswith("predmaint"):
        windows = np.load(shared / "timeseries" / "predmaint_X_split_test.npy")
        return [(f"window{k}", windows[k]) for k in (0, 200, 400)]
    if len(shape) == 4 and shape[1] == shape[2] and shape[1] >= 32 and shape[3] in (1, 3):
        scale, shift = {"resnet8": (1, 0), "resnet_": (1, 0), "vww_96_": (1 / 255, 0)}.get(family[:7], (1 / 127.5, -1))
        files = ["coral_cat.bmp", "coral_grace_hopper.bmp", "tflm_person.bmp"]
        return [(f.split(".")[0], photograph(f, *shape[1:]) * scale + shift) for f in files]
    return []


def coded(values, dtype, quantization, shape):
    values = np.asarray(values, np.float64).reshape(shape)
    if dtype.kind == "f":
        return values.astype(dtype)
    scale, zero = quantization
    return np.clip(np.rint(values / scale) + zero, np.iinfo(dtype).min, np.iinfo(dtype).max).astype(dtype)


def signature(path):
    """[(name, dtype, shape, (scale, zero))] of the model's inputs."""
    data = pathlib.Path(path).read_bytes()
    names = {i: name for i, name, *_ in tflite_oracle.file_tensors(data)}
    it = Interpreter(model_content=tflite_oracle.axis_repaired(data)[0])
    return [(names[d["index"]], np.dtype(d["dtype"]), tuple(int(n) for n in d["shape"]), d["quantization"])
            for d in it.get_input_details()]


def random_of(name):
    return np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "little"))


def tflite_inputs(relative):
    """[(tag, {input name: array})] for one shared model: five or more."""
    inputs, cases = signature(cache.shared_folder() / "models" / relative), []
    if len(inputs) == 1:
        name, dtype, shape, q = inputs[0]
        cases = [(tag, {name: coded(v, dtype, q, shape)}) for tag, v in real_values(relative, shape)]
    real = cases[0][1][inputs[0][0]] if cases else None

    def limits(dtype):
        if dtype.kind in "iu":
            return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
        return (float(real.min()), float(real.max())) if real is not None else (-3.0, 3.0)

    def uniform(name, dtype, shape, q):
        low, high = limits(dtype)
        rng = random_of(relative + name)
        if dtype.kind == "f":
            return (low + (high - low) * rng.random(shape)).astype(dtype)
        return rng.integers(low, high + 1, shape).astype(dtype)

    def normal(name, dtype, shape, q):
        low, high = limits(dtype)
        values = (low + high) / 2 + random_of(relative + name + "normal").standard_normal(shape) * (high - low) / 4
        return values.astype(dtype) if dtype.kind == "f" else np.clip(np.rint(values), low, high).astype(dtype)

    def constant(pick):
        return lambda name, dtype, shape, q: np.full(shape, pick(dtype, q)).astype(dtype)

    for tag, make in [("random", uniform), ("normal", normal), ("minimum", constant(lambda t, q: limits(t)[0])),
                      ("maximum", constant(lambda t, q: limits(t)[1])),
                      ("zero", constant(lambda t, q: q[1] if t.kind in "iu" else 0))]:
        cases.append((tag, {i[0]: make(*i) for i in inputs}))
    return cases


def tflite_models():
    """Paths of all shared .tflite models, relative to the models folder, sorted."""
    root = cache.shared_folder() / "models"
    return sorted(str(p.relative_to(root)) for p in root.rglob("*.tflite"))


if __name__ == "__main__":
    for m in sys.argv[1:] or tflite_models():
        print(m, [(t, {k: (v.dtype.name, v.shape) for k, v in i.items()}) for t, i in tflite_inputs(m)])
