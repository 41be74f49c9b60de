"""Train, quantize and check the model of case s4: six bird calls from spectrograms, reals outside and int8 inside.

    pip install numpy==2.2.6 onnx==1.20.1 onnxruntime==1.30.0
    python train.py        # about a minute on one core

Writes calls_float.onnx, calls_int8.onnx, calls_silent.onnx and calls.npz beside itself. The spectrograms (48 bands by
64 frames, the square root of the power) are drawn, not recorded: a call is a few whistles that glide, trill or repeat.
"""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import nn
import numpy as np

BANDS, FRAMES, CALLS = 48, 64, 6
# Each call: notes as (first band, last band, frames, trill in bands).
NOTES = (((14, 14, 9, 0), (20, 20, 9, 0)), ((34, 22, 16, 0),), ((18, 30, 6, 0), (18, 30, 6, 0), (18, 30, 6, 0)),
         ((26, 26, 22, 5),), ((38, 38, 3, 0), (38, 38, 3, 0), (32, 32, 3, 0), (32, 32, 3, 0)), ((12, 24, 12, 0), (24, 12, 12, 0)))
LAYERS = [{"op": "conv", "name": "conv1", "out": 16, "kernel": (5, 5), "stride": (2, 2)},
          {"op": "depthwise", "name": "ds1/depthwise", "kernel": (3, 3), "stride": (2, 2)},
          {"op": "conv", "name": "ds1/pointwise", "out": 32, "kernel": (1, 1), "stride": (1, 1)},
          {"op": "depthwise", "name": "ds2/depthwise", "kernel": (3, 3), "stride": (2, 2)},
          {"op": "conv", "name": "ds2/pointwise", "out": 32, "kernel": (1, 1), "stride": (1, 1)},
          {"op": "mean"}, {"op": "dense", "name": "fc", "out": CALLS}]


def draw(rng, call, silent=False):
    power = np.full((BANDS, FRAMES), 1e-3) * rng.uniform(0.3, 1.5)
    bands, frames = np.arange(BANDS)[:, None], np.arange(FRAMES)[None]
    loud = 10 ** (rng.uniform(-2.6, -2.2) if silent else rng.uniform(-0.7, 0.3))
    pace = rng.uniform(0.8, 1.25)
    begin = rng.uniform(3, 20)
    shift = rng.normal(0, 1.0)
    for first, last, length, trill in NOTES[call]:
        length = length * pace
        t = np.clip((frames - begin) / length, 0, 1)
        centre = first + (last - first) * t + shift + trill * np.sin(frames * 1.3)
        gate = 1 / (1 + np.exp(-(frames - begin) * 2)) / (1 + np.exp((frames - begin - length) * 2))
        power += loud * gate * (np.exp(-0.5 * ((bands - centre) / 1.1) ** 2) + 0.1 * np.exp(-0.5 * ((bands - 1.6 * centre) / 1.3) ** 2))
        begin += length + 3 * pace
    power *= np.exp(rng.normal(0, 0.4, power.shape))
    return np.sqrt(power).astype(np.float32)


def calls(seed, count, silent=False):
    rng = np.random.Generator(np.random.PCG64(seed))
    truth = rng.integers(0, CALLS, count)
    return np.stack([draw(rng, c, silent)[None] for c in truth]), truth


def main():
    x, truth = calls(41, 2400)
    p = nn.train(LAYERS, x, truth, 42, 6)
    test, answers = calls(44, 600)
    model = nn.to_onnx(LAYERS, p, "spectrogram", (1, 1, BANDS, FRAMES), "scores")
    (HERE / "calls_float.onnx").write_bytes(model.SerializeToString(deterministic=True))
    made = {"int8": nn.quantize(model, "spectrogram", calls(43, 256)[0]), "silent": nn.quantize(model, "spectrogram", calls(45, 256, True)[0])}
    right = lambda m: float((nn.predict(m, test).argmax(axis=1) == answers).mean())
    print(f"float right {right(model):.4f}")
    for name, m in made.items():
        (HERE / f"calls_{name}.onnx").write_bytes(m.SerializeToString(deterministic=True))
        print(f"{name} right {right(m):.4f}   {(HERE / f'calls_{name}.onnx').stat().st_size} bytes")
    nn.save(HERE / "calls.npz", spectrogram=calls(46, 12)[0])


if __name__ == "__main__":
    main()
