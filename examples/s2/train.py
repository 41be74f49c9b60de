"""Train, quantize and check the model of case s2: a live face, or a screen that shows one.

    pip install numpy==2.2.6 onnx==1.20.1 onnxruntime==1.30.0
    python train.py        # about two minutes on one core

Writes liveness_int8.onnx and faces.npz beside itself. The pictures are drawn, not taken: a shaded
ellipsoid with eyes and a mouth before a background; a replayed one carries what a screen and a second
camera add (a raster beating with the sensor, flatter shading, a colour cast), from hardly to plainly.
"""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import nn
import numpy as np

SIZE = 32
LAYERS = [{"op": "conv", "name": "stem", "out": 12, "kernel": (3, 3), "stride": (2, 2)},
          {"op": "depthwise", "name": "b1/depthwise", "kernel": (3, 3), "stride": (1, 1)},
          {"op": "conv", "name": "b1/pointwise", "out": 24, "kernel": (1, 1), "stride": (1, 1)},
          {"op": "depthwise", "name": "b2/depthwise", "kernel": (3, 3), "stride": (2, 2)},
          {"op": "conv", "name": "b2/pointwise", "out": 32, "kernel": (1, 1), "stride": (1, 1)},
          {"op": "depthwise", "name": "b3/depthwise", "kernel": (3, 3), "stride": (2, 2)},
          {"op": "conv", "name": "b3/pointwise", "out": 48, "kernel": (1, 1), "stride": (1, 1)},
          {"op": "mean"}, {"op": "dense", "name": "fc", "out": 2}]


def picture(rng, live):
    v, u = np.mgrid[0:SIZE, 0:SIZE].astype(np.float64) / SIZE - 0.5
    cx, cy, w, h = rng.normal(0, 0.04), rng.normal(0, 0.04), rng.uniform(0.26, 0.34), rng.uniform(0.34, 0.42)
    r2 = ((u - cx) / w) ** 2 + ((v - cy) / h) ** 2
    depth = np.sqrt(np.clip(1 - r2, 0, 1))
    light = rng.uniform(-0.6, 0.6, 2)
    shade = np.clip(0.45 + 0.5 * depth + light[0] * (u - cx) + light[1] * (v - cy), 0, 1.2)
    skin = np.array([0.85, 0.62, 0.5]) * rng.uniform(0.55, 1.05)
    back = rng.uniform(0.1, 0.8, 3) + 0.15 * rng.normal() * u[..., None]
    image = np.where((r2 < 1)[..., None], shade[..., None] * skin, back)
    for sign in (-1, 1):
        eye = np.exp(-(((u - cx + sign * 0.4 * w) / 0.035) ** 2 + ((v - cy + 0.25 * h) / 0.025) ** 2))
        image -= 0.45 * eye[..., None]
    image -= 0.3 * np.exp(-(((u - cx) / 0.09) ** 2 + ((v - cy - 0.5 * h) / 0.02) ** 2))[..., None]
    image += rng.normal(0, 0.012, image.shape)
    if not live:
        much = rng.uniform(0.35, 1.0)
        angle, period = rng.uniform(0, np.pi), rng.uniform(2.2, 4.5)
        beat = np.sin(2 * np.pi * SIZE / period * (u * np.cos(angle) + v * np.sin(angle)) + rng.uniform(0, 6.28))
        image += 0.07 * much * beat[..., None] * np.array([1.0, 0.7, 1.2])
        image = image * (1 - 0.1 * much) + 0.05 * much * np.array([0.6, 0.9, 1.4])
    image = np.rint(np.clip(image, 0, 1) * 255) / 255  # an 8-bit camera
    return image.astype(np.float32).transpose(2, 0, 1)


def pictures(seed, count):
    rng = np.random.Generator(np.random.PCG64(seed))
    live = rng.integers(0, 2, count)
    return np.stack([picture(rng, k) for k in live]), live


def main():
    x, live = pictures(41, 3000)
    p = nn.train(LAYERS, x, live, 42, 7)
    model = nn.to_onnx(LAYERS, p, "face", (1, 3, SIZE, SIZE), "logits")
    made = nn.quantize(model, "face", pictures(43, 200)[0], per_channel=False)
    (HERE / "liveness_int8.onnx").write_bytes(made.SerializeToString(deterministic=True))
    test, truth = pictures(44, 600)
    real, codes = nn.predict(model, test), nn.predict(made, test)
    right = lambda y: float((y.argmax(axis=1) == truth).mean())
    print(f"float right {right(real):.4f}   int8 right {right(codes):.4f}")
    faces, said = pictures(45, 24)
    nn.save(HERE / "faces.npz", face=faces)
    margin = nn.predict(made, faces)
    print("live", said.tolist())
    print("margin", [round(float(m[1] - m[0]), 2) for m in margin])
    print("model", (HERE / "liveness_int8.onnx").stat().st_size, "bytes")


if __name__ == "__main__":
    main()
