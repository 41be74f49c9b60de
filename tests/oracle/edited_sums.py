"""Layers of codes computed product by product in NumPy, so that the accumulator can be spoiled on the way.

`Layer` holds what a convolution or dense layer multiplies; `edits(layer)` yields (label, f(tensors so far), words). A layer is
used only where `layer.codes(layer.sums(x))` is what the runtime itself yields, code by code (see `proved`).
"""
import numpy as np


class Layer:
    """Codes channels-last: x [N, H, W, C], w [O, kh, kw, C / groups]; dense: H = W = kh = kw = 1.

    `scale`: by output channel, input times weight over output. `requant(acc, scale)`: codes without the zero point, unclipped."""

    def __init__(self, x, y, w, bias, zeros, scale, requant, stride=(1, 1), dilation=(1, 1), pads=(0, 0, 0, 0), groups=1, bounds=None,
                 read=lambda v: v, write=lambda v: v):
        self.x, self.y, self.w, self.bias = x, y, w.astype(np.int64), bias
        self.x_zero, self.w_zero, self.y_zero = zeros
        self.scale = np.broadcast_to(np.asarray(scale, np.float64), [w.shape[0]])
        self.requant, self.stride, self.dilation, self.pads, self.groups = requant, stride, dilation, pads, groups
        self.bounds, self.read, self.write = bounds, read, write

    def windows(self, x, pad):
        """[N, H', W', kh, kw, C] of codes, `pad` where the window leaves the picture."""
        (top, left, bottom, right), (kh, kw) = self.pads, self.w.shape[1:3]
        wide = np.pad(x.astype(np.int64), ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=pad)
        (sh, sw), (dh, dw) = self.stride, self.dilation
        h, w = (wide.shape[1] - (kh - 1) * dh - 1) // sh + 1, (wide.shape[2] - (kw - 1) * dw - 1) // sw + 1
        rows = [[wide[:, i * dh:i * dh + (h - 1) * sh + 1:sh, j * dw:j * dw + (w - 1) * sw + 1:sw] for j in range(kw)] for i in range(kh)]
        return np.stack([np.stack(r, 3) for r in rows], 3)

    def terms(self, made, pad=None, unsigned=False):
        """[N, H', W', O, K] products in the order of memory: rows, columns, channels."""
        x = self.read(made[self.x])
        windows = self.windows(x, self.x_zero if pad is None else pad) - (0 if unsigned else self.x_zero)
        each, outs = windows.shape[-1] // self.groups, self.w.shape[0] // self.groups
        parts = []
        for g in range(self.groups):
            part = windows[..., g * each:(g + 1) * each].reshape(*windows.shape[:3], 1, -1)
            parts.append(part * (self.w[g * outs:(g + 1) * outs] - self.w_zero).reshape(outs, -1))
        return np.concatenate(parts, 3)

    def sums(self, made, **how):
        return self.terms(made, **how).sum(-1) + self.bias

    def codes(self, acc, dtype, requant=None, scale=None, y_zero=None):
        y = (requant or self.requant)(acc, self.scale if scale is None else scale) + (self.y_zero if y_zero is None else y_zero)
        low, high = self.bounds or (np.iinfo(dtype).min, np.iinfo(dtype).max)
        return self.write(np.clip(y, low, high).astype(dtype))

    def size(self, made):
        return self.read(made[self.x]).size * self.w[..., 0].size

    def proved(self, made):
        return np.array_equal(self.codes(self.sums(made), made[self.y].dtype).reshape(made[self.y].shape), made[self.y])


def stored_16(acc):
    return np.clip(acc, -32768, 32767)


def in_groups(terms, bias, count, store=stored_16):
    acc = np.broadcast_to(bias, terms.shape[:-1]).astype(np.int64)
    for k in range(0, terms.shape[-1], count):
        acc = store(acc + terms[..., k:k + count].sum(-1))
    return acc


def edits(layer, dtype):
    """What becomes of the sums: (label, f(made), words)."""
    of = lambda f: lambda made, **how: layer.codes(f(layer, made), dtype, **how)
    sums = lambda l, m: l.sums(m)
    yield "sum-saturates", of(lambda l, m: stored_16(l.sums(m))), ["accumulator-16bit", "accumulator-narrow", "group-saturation"]
    yield "sum-wraps", of(lambda l, m: (l.sums(m) + 32768) % 65536 - 32768), ["accumulator-16bit", "accumulator-narrow", "group-saturation"]
    yield "sum-in-16-bits-shifted", of(lambda l, m: stored_16(l.sums(m) >> 3) << 3), ["accumulator-16bit"]
    yield "sum-saturates-at-14", of(lambda l, m: np.clip(l.sums(m), -8192, 8191)), ["accumulator-narrow"]
    if layer.w[0].size > 16:
        yield "groups-saturate", of(lambda l, m: in_groups(l.terms(m), l.bias, 16)), ["group-saturation", "accumulator-16bit"]
        yield "an-eighth-summed", of(lambda l, m: l.terms(m)[..., :layer.w[0].size // 8].sum(-1) + l.bias), ["products-dropped"]
    if layer.x_zero:
        inside = (layer.pads != (0, 0, 0, 0))
        if inside:
            yield "pads-with-code-0", of(lambda l, m: l.sums(m, pad=0)), ["pads-with-zero-code"]
        yield "output-zero-lost", lambda m: layer.codes(layer.sums(m), dtype, y_zero=0), ["output-zero-lost", "result-offset", "codes-offset"]
    if np.any(layer.bias):
        for label, k in [("input-scale-off", 0.61), ("input-scale-doubled", 2)]:
            biased = np.rint(layer.bias / k).astype(np.int64)
            yield label, lambda m, k=k, b=biased: layer.codes(layer.sums(m) - layer.bias + b, dtype, scale=layer.scale * k), ["products-rescaled"]
    yield "multipliers-powers-of-two", lambda m: layer.codes(layer.sums(m), dtype, scale=2.0 ** np.rint(np.log2(layer.scale))), ["multiplier-power-of-two"]
    if layer.scale.max() > 1.2 * np.median(layer.scale):
        limit = np.median(layer.scale)
        yield "multipliers-clipped", lambda m: layer.codes(layer.sums(m), dtype, scale=np.minimum(layer.scale, limit)), ["multiplier-clipped"]
    yield "rounds-down", lambda m: layer.codes(layer.sums(m), dtype, requant=lambda a, s: np.floor(a * s).astype(np.int64)), ["requant-truncates"]
    yield "rounds-to-zero", lambda m: layer.codes(layer.sums(m), dtype, requant=lambda a, s: np.trunc(a * s).astype(np.int64)), ["requant-truncates"]
    yield "clips-early", lambda m: layer.codes(layer.sums(m), dtype, requant=lambda a, s: np.clip(layer.requant(a, s), -128, 127)), ["clips-before-zero-point", "codes-clipped"]
    if layer.bounds and layer.bounds != (np.iinfo(dtype).min, np.iinfo(dtype).max):
        free = (np.iinfo(dtype).min, np.iinfo(dtype).max)
        yield "clamp-lost", lambda m: layer.write(np.clip(layer.requant(layer.sums(m), layer.scale) + layer.y_zero, *free).astype(dtype)), ["clamp-lost"]
    yield "odd-products-lost", of(lambda l, m: l.terms(m)[..., ::2].sum(-1) + l.bias), []


def twice_rounded(acc, scale):
    """LiteRT's reference: a 31-bit multiplier rounded to nearest, ties away from zero downwards, then a rounding shift."""
    mantissa, exponent = np.frexp(scale)
    q = np.rint(mantissa * 2.0 ** 31).astype(np.int64)
    exponent = np.where(q == 1 << 31, exponent + 1, exponent)
    q = np.where(q == 1 << 31, 1 << 30, q)
    left, right = np.maximum(exponent, 0), np.maximum(-exponent, 0)
    product = (acc << left) * q
    nudge = np.where(product >= 0, 1 << 30, 1 - (1 << 30))
    high = np.trunc((product + nudge) / 2.0 ** 31).astype(np.int64)
    mask = (1 << right) - 1
    rest = high & mask
    return (high >> right) + (rest > (mask >> 1) + (high < 0))


def once_rounded(acc, scale):
    """onnxruntime's: one float factor, ties to even."""
    return np.rint(acc.astype(np.float32) * scale.astype(np.float32)).astype(np.int64)
