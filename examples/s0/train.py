"""Train, quantize and check the model of case s0: the state of a pump from ten slow readings.

    pip install numpy==2.2.6 onnx==1.20.1 onnxruntime==1.30.0
    python train.py        # under a minute on one core

Writes pump_int8.onnx, calm_a.npz, calm_b.npz and event.npz beside itself. A window is 50 polls of ten
readings, each as its deviation from the value at commissioning, in units of its usual spread:
flow, suction and discharge pressure, motor current, three temperatures, two vibrations, level.
"""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import nn
import numpy as np

STATES = ("normal", "blocked inlet", "leak", "bearing", "overload")
STEPS, FEATURES = 50, 10
# What each state does to each reading: sign and relative size.
EFFECT = np.array([[0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
                   [-3, -5, -2, -1, 1, 0, 0, 2, 1, 0],
                   [-1, 0, -4, 1, 0, 0, 0, 0, 0, -5],
                   [0, 0, 0, 2, 0, 4, 1, 5, 4, 0],
                   [2, 0, 2, 6, 4, 2, 1, 1, 1, 0]], np.float32)
LAYERS = [{"op": "conv", "name": "conv1", "out": 16, "kernel": (1, 5), "stride": (1, 1)},
          {"op": "conv", "name": "conv2", "out": 24, "kernel": (1, 5), "stride": (1, 1)},
          {"op": "mean"}, {"op": "dense", "name": "fc", "out": 5}]


def readings(seed, count, states=None, noise=0.12):
    """(count,50,10) float32 and the states. Noise and drift are small against any event."""
    rng = np.random.Generator(np.random.PCG64(seed))
    state = rng.integers(0, len(STATES), count) if states is None else np.asarray(states)
    time = np.arange(STEPS, dtype=np.float32) / STEPS
    drift = rng.normal(0, 0.10, (count, 1, FEATURES)) * time[None, :, None]
    x = rng.normal(0, noise, (count, STEPS, FEATURES)) + drift
    begin = rng.uniform(-0.6, 0.5, count)
    size = rng.uniform(0.4, 1.6, count)
    swell = np.clip((time[None] - begin[:, None]) / 0.3, 0, 1) * size[:, None]
    wobble = 1 + 0.2 * rng.normal(0, 1, (count, STEPS, FEATURES))
    x += swell[:, :, None] * EFFECT[state][:, None, :] * wobble
    return x.astype(np.float32), state


def main():
    x, state = readings(21, 6000)
    p = nn.train(LAYERS, x.transpose(0, 2, 1)[:, :, None], state, 22, 24)
    model = nn.to_onnx(LAYERS, p, "readings", (1, STEPS, FEATURES), "state", softmax=True, one_d=True)
    made = nn.quantize(model, "readings", readings(23, 400)[0], codes_outside=True)
    (HERE / "pump_int8.onnx").write_bytes(made.SerializeToString(deterministic=True))
    scale, zero = nn.scale_and_zero(made, "readings")
    codes = lambda r: np.clip(np.rint(r / np.float32(scale)) + zero, -128, 127).astype(np.int8)
    test, truth = readings(24, 2000)
    right = lambda y: float((y.argmax(axis=1) == truth).mean())
    print(f"float right {right(nn.predict(model, test)):.4f}   int8 right {right(nn.predict(made, codes(test))):.4f}")
    print(f"input scale {scale:.5f} zero {zero}")
    # Two stretches of a calm plant (what the board saw all day), and windows in which something happens.
    calm = codes(readings(25, 16, [0] * 16)[0])
    event = codes(readings(26, 8, [3, 0, 3, 4, 1, 2, 0, 3])[0])
    nn.save(HERE / "calm_a.npz", readings=calm[:8])
    nn.save(HERE / "calm_b.npz", readings=calm[8:])
    nn.save(HERE / "event.npz", readings=event)
    print("calm ", nn.predict(made, calm)[:3].tolist())
    print("event", nn.predict(made, event).tolist())
    print("model", (HERE / "pump_int8.onnx").stat().st_size, "bytes")


if __name__ == "__main__":
    main()
