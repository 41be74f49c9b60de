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


def lines_of(rng, a, share):
    """Which elements lie in 32-byte lines that are taken with this probability."""
    each = 32 // a.itemsize
    return np.repeat(rng.random(-(-a.size // each)) < share, each)[:a.size].reshape(a.shape)


def padded_rows(y):
    """Rows written at a multiple of 16 elements and read without the gaps."""
    row = np.pad(y, [(0, 0)] * (y.ndim - 1) + [(0, -y.shape[-1] % 16)])
    return row.ravel()[:y.size].reshape(y.shape)


def bursts(rng, y, shift):
    """In some blocks of 64 bytes what follows a place in it lies `shift` bytes late."""
    flat = y.ravel().copy()
    for begin in range(0, flat.size - 63, 64):
        if rng.random() < 0.3:
            at = begin + int(rng.integers(4, 56))
            flat[at + shift:begin + 64] = y.ravel()[at:begin + 64 - shift]
    return flat.reshape(y.shape)


def scattered(rng, y, old):
    """Bursts of 8 bytes that did not arrive: what was there a run earlier."""
    flat, before = y.ravel().copy(), old.ravel()
    for begin in range(0, flat.size - 7, 8):
        if rng.random() < 0.15:
            flat[begin:begin + 8] = before[begin:begin + 8]
    return flat.reshape(y.shape)


def patches(rng, name, right, before, channels_last):
    """`right`: the runs as they should be; `before`: tensors of codes that are made earlier than `name`."""
    size, one = right[0][name].size, right[0][name]
    lines = lines_of(rng, one, 0.4)
    old = lambda i: right[max(0, i - 1)][name]
    byte = np.frombuffer(b"\xa5" * one.itemsize, one.dtype)[0]
    fill = lambda v: [v.__setitem__(slice(k, k + 64), byte) for k in range(size // 4 // 64 * 64, size, 256)]
    yield "zeros", lambda y, made, i: y * 0, ["memory-asleep", "poison", "weights-constant"]
    yield "stale-lines", lambda y, made, i: np.where(lines, old(i), y), ["stale-lines", "torn"]
    yield "of-run-before", lambda y, made, i: old(i), ["stale-output", "frozen"]
    yield "torn", lambda y, made, i: np.where(np.arange(size).reshape(y.shape) < size * 3 // 5, y, old(i)), ["torn", "stale"]
    yield "8-early", lambda y, made, i: np.concatenate([y.ravel()[8:], y.ravel()[-8:] * 0]).reshape(y.shape), ["output-shifted", "operand-shifted"]
    yield "poison", lambda y, made, i: changed(y, fill), ["poison"]
    yield "lost-bursts", lambda y, made, i: scattered(np.random.default_rng(size + i), y, old(i)), ["stale-lines", "lost-bursts"]
    if one.itemsize == 1:
        yield "bursts-late", lambda y, made, i: bursts(np.random.default_rng(size + i), y, 2), ["lost-bursts"]
    if one.shape[-1] % 16 and size > 2 * one.shape[-1]:
        yield "rows-padded", lambda y, made, i: padded_rows(y), ["padded-rows"]
    if one.ndim == 4:
        row = one.shape[3] * (one.shape[2] if channels_last else 1)
        yield "row-late", lambda y, made, i: late(y, row), ["output-shifted"]
        c = 3 if channels_last else 1
        if one.shape[c] > 8 and one.shape[c] % 8:
            whole = np.arange(one.shape[c]).reshape([-1 if d == c else 1 for d in range(4)]) < one.shape[c] // 8 * 8
            yield "tail-channels", lambda y, made, i: np.where(whole, y, 0), ["tail-channels-dropped"]
        yield "channels-turned", lambda y, made, i: np.roll(y, y.shape[c] // 3 or 1, c), ["output-channels-exchanged"]
        last = np.arange(one.shape[2]).reshape((1, 1, -1, 1)) == one.shape[2] - 1
        yield "last-column", lambda y, made, i: np.where(last, 0, y), ["edge-not-computed"]
    yield "bit-flips", lambda y, made, i: np.where(rng.random(y.shape) < 0.03, y ^ np.array(32, y.dtype), y), []
    if size % 4 == 0 and one.itemsize == 1:
        yield "half-words-turned", lambda y, made, i: y.reshape(-1, 2)[:, ::-1].reshape(y.shape), ["byte-order", "channels-exchanged-in-groups"]
        yield "bytes-turned", lambda y, made, i: y.reshape(-1, 4)[:, ::-1].reshape(y.shape), ["byte-order", "channels-exchanged-in-groups"]
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
    order_of_all, table = rng.permutation(size), np.sort(rng.integers(low, high + 1, high - low + 1))
    yield "shuffled", lambda y, made, i: y.ravel()[order_of_all].reshape(y.shape), []
    yield "any-table", lambda y, made, i: table[y.astype(int) - low], []
