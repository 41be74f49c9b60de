"""Train, quantize and check the model of case s3: nine spoken words from log-mel spectrograms.

    pip install numpy==2.2.6 onnx==1.20.1 onnxruntime==1.30.0
    python train.py        # about a minute on one core

Writes words_int8.onnx, dump.npz and dumps.npz beside itself. The spectrograms (40 mel bands by 49
frames) are drawn, not recorded: a word is two or three phones, a phone a few formants that glide.
"""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import nn
import numpy as np

BANDS, FRAMES, WORDS = 40, 49, 9
# Each word: phones as (formants in mel bands at its start, at its end, loudness).
PHONES = {"a": ((9, 17, 27), (9, 17, 27), 1.0), "i": ((4, 25, 31), (4, 25, 31), 0.9), "u": ((5, 10, 26), (5, 10, 26), 0.8),
          "ai": ((10, 16, 27), (4, 24, 31), 1.0), "ou": ((8, 13, 26), (5, 9, 25), 0.9), "s": ((33, 36, 38), (33, 36, 38), 0.5),
          "f": ((28, 34, 39), (27, 33, 39), 0.35), "n": ((3, 14, 22), (3, 14, 22), 0.5), "o": ((7, 12, 26), (7, 12, 26), 0.9)}
SPOKEN = (("s", "a", "n"), ("i", "s"), ("n", "ou"), ("f", "ai"), ("u", "n"), ("s", "u"), ("ai", "f"), ("o", "n", "i"), ("a", "s", "i"))
LAYERS = [{"op": "conv", "name": "conv1", "out": 16, "kernel": (9, 3), "stride": (2, 2)},
          {"op": "depthwise", "name": "ds1/depthwise", "kernel": (3, 3), "stride": (2, 2)},
          {"op": "conv", "name": "ds1/pointwise", "out": 32, "kernel": (1, 1), "stride": (1, 1)},
          {"op": "depthwise", "name": "ds2/depthwise", "kernel": (3, 3), "stride": (1, 1)},
          {"op": "conv", "name": "ds2/pointwise", "out": 32, "kernel": (1, 1), "stride": (1, 1)},
          {"op": "mean"}, {"op": "dense", "name": "fc", "out": WORDS}]


def draw(rng, word):
    power = np.full((BANDS, FRAMES), 1e-4, np.float64) * rng.uniform(0.5, 2.0)
    phones = SPOKEN[word]
    length = rng.uniform(22, 34)
    cuts = np.cumsum([0.0] + [rng.uniform(0.7, 1.3) for _ in phones])
    cuts = cuts / cuts[-1] * length + rng.uniform(4, FRAMES - length - 4)
    bands, frames = np.arange(BANDS)[:, None], np.arange(FRAMES)[None]
    shift = rng.normal(0, 0.8)  # a longer or shorter vocal tract
    loud = 10 ** rng.uniform(-0.6, 0.4)
    for phone, begin, end in zip(phones, cuts, cuts[1:]):
        first, last, strength = PHONES[phone]
        t = np.clip((frames - begin) / (end - begin), 0, 1)
        gate = 1 / (1 + np.exp(-(frames - begin) * 1.5)) / (1 + np.exp((frames - end) * 1.5))
        for k, (f0, f1) in enumerate(zip(first, last)):
            centre = f0 + (f1 - f0) * t + shift
            power += loud * strength * gate * 10 ** (-0.5 * k) * np.exp(-0.5 * ((bands - centre) / 1.4) ** 2)
    power *= np.exp(rng.normal(0, 0.35, power.shape))
    power += 1e-3 * 10 ** rng.uniform(-1, 0.5) * np.exp(rng.normal(0, 0.5, power.shape)) * np.exp(-bands / 20)
    return ((np.log(power) + 5.5) / 2).astype(np.float32)


def words(seed, count):
    rng = np.random.Generator(np.random.PCG64(seed))
    truth = rng.integers(0, WORDS, count)
    return np.stack([draw(rng, w)[None] for w in truth]), truth


def main():
    x, truth = words(31, 3000)
    p = nn.train(LAYERS, x, truth, 32, 6)
    test, answers = words(34, 600)
    model = nn.to_onnx(LAYERS, p, "logmel", (1, 1, BANDS, FRAMES), "logits")
    made = nn.quantize(model, "logmel", words(33, 200)[0])
    (HERE / "words_int8.onnx").write_bytes(made.SerializeToString(deterministic=True))
    real, codes = nn.predict(model, test), nn.predict(made, test)
    right = lambda y: float((y.argmax(axis=1) == answers).mean())
    swapped = np.ascontiguousarray(test.transpose(0, 1, 3, 2)).reshape(test.shape)
    print(f"float right {right(real):.4f}   int8 right {right(codes):.4f}   axes swapped {right(nn.predict(made, swapped)):.4f}")
    dumps, said = words(35, 8)
    nn.save(HERE / "dump.npz", logmel=dumps[:1])
    nn.save(HERE / "dumps.npz", logmel=dumps)
    print("words", said.tolist(), "int8", nn.predict(made, dumps).argmax(axis=1).tolist())
    print("model", (HERE / "words_int8.onnx").stat().st_size, "bytes")


if __name__ == "__main__":
    main()
