"""What is laid over one tensor of a run, whatever the network: memory that goes wrong, and what nothing describes.

`patches(...)` yields (label, f(array, tensors so far, index of the run), words); an empty list: the cause must stay open.
"""
import numpy as np


def smooth(rng, shape):
    x = rng.normal(0, 1, shape)
    for axis in range(1, len(shape)):
        if shape[axis] > 4:
            x = (x + np.roll(x, 1, axis) + np.roll(x, 2, axis)) / 1.8
    return x.astype(np.float32)


def late(a, by):
    """Read from `by` elements before its begin, where zeros lie."""
    flat = a.ravel()
    return np.concatenate([flat[:by] * 0, flat[:-by]]).reshape(a.shape)


def changed(y, f):
    flat = y.ravel().copy()
    f(flat)
    return flat.reshape(y.shape)


def patches(rng, name, right, before, channels_last):
    """`right`: the runs as they should be; `before`: tensors of codes that are made earlier than `name`."""
    size, one = right[0][name].size, right[0][name]
    lines = np.repeat(rng.random(-(-size // 32)) < 0.4, 32)[:size].reshape(one.shape)
    old = lambda i: right[max(0, i - 1)][name]
    byte = np.array(0xA5, np.uint8).view(one.dtype)
    fill = lambda v: [v.__setitem__(slice(k, k + 64), byte) for k in range(size // 4 // 64 * 64, size, 256)]
    yield "zeros", lambda y, made, i: y * 0, ["memory-asleep", "poison", "weights-constant"]
    yield "stale-lines", lambda y, made, i: np.where(lines, old(i), y), ["stale-lines", "torn"]
    yield "of-run-before", lambda y, made, i: old(i), ["stale-output", "frozen"]
    yield "torn", lambda y, made, i: np.where(np.arange(size).reshape(y.shape) < size * 3 // 5, y, old(i)), ["torn", "stale"]
    yield "8-early", lambda y, made, i: np.concatenate([y.ravel()[8:], y.ravel()[-8:] * 0]).reshape(y.shape), ["output-shifted", "operand-shifted"]
    yield "poison", lambda y, made, i: changed(y, fill), ["poison"]
    if size % 4 == 0:
        yield "bytes-turned", lambda y, made, i: y.reshape(-1, 4)[:, ::-1].reshape(y.shape), ["byte-order"]
    if before:
        other = before[int(rng.integers(len(before)))]
        count = min(size // 3, right[0][other].size - 3)
        yield "overlapped", lambda y, made, i: changed(y, lambda v: v.__setitem__(slice(size // 5, size // 5 + count), made[other].ravel()[3:3 + count])), ["buffers-overlap"]
        yield "mixed", lambda y, made, i: ((y.astype(int) + np.resize(made[other], y.shape)) // 2), []
    if one.ndim == 4 and min(one.shape[1], one.shape[3]) > 1:
        order = (0, 3, 1, 2) if channels_last else (0, 2, 3, 1)
        yield "other-layout", lambda y, made, i: y.transpose(order).reshape(y.shape), ["output-layout"]
    low, high = np.iinfo(one.dtype).min, np.iinfo(one.dtype).max
    yield "noise", lambda y, made, i: np.clip(y + np.where(rng.random(y.shape) < 0.3, rng.integers(-6, 7, y.shape), 0), low, high), []
    yield "few-random", lambda y, made, i: np.where(rng.random(y.shape) < 0.05, rng.integers(low, high, y.shape), y), []
    order_of_all, table = rng.permutation(size), np.sort(rng.integers(low, high + 1, 256))
    yield "shuffled", lambda y, made, i: y.ravel()[order_of_all].reshape(y.shape), []
    yield "any-table", lambda y, made, i: table[y.astype(int) - low], []
