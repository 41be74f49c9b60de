"""A device that is right and computes with another input than the one that was recorded as sent.

`feeds(...)` yields (label, name of the input, [its array in every run], words). The device's own input is not in the capture.
"""
import numpy as np

from edited_patches import changed, lines_of


def wrapped(x, y):
    """Reals `y` in the type of `x`."""
    if x.dtype.kind == "f":
        return y.astype(x.dtype)
    limits = np.iinfo(x.dtype)
    return np.clip(np.rint(y), limits.min, limits.max).astype(x.dtype)


def moves(x, channels_last):
    """What moves the elements of one input: (label, array, words)."""
    if x.ndim == 4:
        c, h, w = (3, 1, 2) if channels_last else (1, 2, 3)
        order = [0, 3, 1, 2] if channels_last else [0, 2, 3, 1]
        turned = [0, 2, 1, 3] if channels_last else [0, 1, 3, 2]
        if 2 < x.shape[c] <= 4:
            yield "channels-turned", np.flip(x, c), ["input-channels-reordered"]
        if x.shape[c] > 1:
            yield "other-layout", x.transpose(order).reshape(x.shape), ["input-as-nchw", "input-as-nhwc"]
        yield "axes-swapped", x.transpose(turned).reshape(x.shape), ["input-axes-swapped"]
        yield "mirrored", np.flip(x, w), ["input-mirrored"]
        yield "upside-down", np.flip(x, h), ["input-mirrored"]
        row = np.pad(x, [(0, 0)] * 3 + [(0, -x.shape[3] % 16)])
        if row.shape != x.shape:
            yield "padded-rows", row.ravel()[:x.size].reshape(x.shape), ["input-padded-rows"]
    if x.itemsize == 1 and x.size % 4 == 0:
        yield "words-turned", x.reshape(-1, 4)[:, ::-1].reshape(x.shape), ["input-byte-order"]


def numbers(x, scale):
    """What changes the numbers: (label, f(array), words)."""
    if x.dtype.kind == "f":
        yield "255-times", lambda v: v * 255, ["input-normalized-wrongly"]
        yield "mean-not-subtracted", lambda v: v + 0.5, ["input-normalized-wrongly"]
        yield "half", lambda v: v * 0.5, ["input-normalized-wrongly", "input-wrong-scale"]
    elif x.itemsize == 1:
        yield "top-bit", lambda v: v ^ np.array(0x80, np.uint8).view(v.dtype), ["zero-point-128"]
        yield "real-values", lambda v: wrapped(v, (v.astype(float) - scale[1]) * scale[0]), ["input-not-quantized"]
        yield "twice", lambda v: wrapped(v, v / scale[0] + scale[1]), ["input-quantized-twice"]
        yield "other-scale", lambda v: wrapped(v, (v.astype(float) - scale[1]) * 0.61 + scale[1]), ["input-wrong-scale", "input-normalized-wrongly"]


def normalized(x, scale, channels_last):
    """Other means and deviations than the network was made for: (label, f(array), words)."""
    real = (lambda v: v.astype(float)) if x.dtype.kind == "f" else (lambda v: (v.astype(float) - scale[1]) * scale[0])
    code = (lambda y: y) if x.dtype.kind == "f" else (lambda y: y / scale[0] + scale[1])
    words = ["input-normalized-wrongly"]
    yield "sign-turned", lambda v: wrapped(v, code(-real(v))), words
    yield "minus-one-to-one", lambda v: wrapped(v, code(real(v) * 2 - 1)), words + ["input-wrong-scale"]
    axis = (x.ndim - 1 if channels_last else 1) if x.ndim == 4 else 0
    if x.ndim == 4 and x.shape[axis] == 3:
        shape = [3 if a == axis else 1 for a in range(4)]
        mean, deviation = np.reshape([0.485, 0.456, 0.406], shape), np.reshape([0.229, 0.224, 0.225], shape)
        yield "imagenet-for-one-half", lambda v: wrapped(v, code((real(v) * 0.5 + 0.5 - mean) / deviation)), words
        yield "one-half-for-imagenet", lambda v: wrapped(v, code((real(v) * deviation + mean - 0.5) / 0.5)), words
        yield "mean-left", lambda v: wrapped(v, code(real(v) + mean / deviation)), words
        yield "own-factors", lambda v: wrapped(v, code(real(v) * np.reshape([0.8, 1.1, 0.95], shape) - np.reshape([0, 0.1, 0], shape))), words


def earlier(rng, x):
    """What stays from the run before: (label, f(array, array before), words)."""
    yield "of-run-before", lambda v, old: old, ["stale-input"]
    yield "torn", lambda v, old: np.where(np.arange(v.size).reshape(v.shape) < v.size * 2 // 3, v, old), ["torn-input", "stale-input-lines"]
    mask = lines_of(rng, x, 0.4)
    if 0 < mask.sum() < mask.size:
        yield "stale-lines", lambda v, old: np.where(mask, old, v), ["stale-input-lines", "torn-input"]


def feeds(rng, sent, channels_last, scale_of):
    """`sent`: the inputs as recorded, run by run; `scale_of(name)`: (scale, zero point) of an input in codes."""
    for name in sent[0]:
        xs = [s[name] for s in sent]
        if xs[0].dtype.kind not in "fiu" or xs[0].size < 8:
            continue
        for label, _, words in moves(xs[0], channels_last):
            yield label, name, [next(y for l, y, _ in moves(x, channels_last) if l == label) for x in xs], words
        for label, f, words in [*numbers(xs[0], scale_of(name)), *normalized(xs[0], scale_of(name), channels_last)]:
            yield label, name, [f(x) for x in xs], words
        for label, f, words in earlier(rng, xs[0]):
            yield label, name, [f(x, xs[max(0, i - 1)]) for i, x in enumerate(xs)], words
        yield "frozen", name, [xs[0]] * len(xs), ["stale-input"]
        yield "late-from-zeros", name, [np.zeros_like(xs[0]), *xs[:-1]], ["stale-input"]
        yield "never-arrives", name, [np.zeros_like(xs[0])] * len(xs), ["stale-input"]
        noise = [changed(x, lambda v: v.__setitem__(rng.integers(0, v.size, v.size // 8), v[rng.integers(0, v.size, v.size // 8)])) for x in xs]
        yield "scattered", name, noise, []
