"""The accelerator's rules as docs/neural-art.md ("Constants", "Units") states them, written a second time in numpy.

Nothing here was taken from the C++ side: `test_neural_art.py` compares the two. Maps are [height, width, channel] of
int64 codes; weights [kernel, row, column, channel]. uint8 codes are held as int8, 128 lower, and handed back as they were.
"""
import math

import numpy as np

F32 = np.float32


def away(v, s):
    """v / 2^s to the nearest integer, ties away from zero; a negative s multiplies."""
    v = np.asarray(v, np.int64)
    if s <= 0:
        return v * (1 << -s)
    magnitude = (np.abs(v) + (1 << (s - 1))) // (1 << s)
    return np.where(v < 0, -magnitude, magnitude)


def sat16(v):
    return np.clip(v, -32768, 32767)


def half_up(x):
    return math.floor(x + 0.5)


def log2_ceiling(x):
    """The least n with 2^n >= x."""
    mantissa, exponent = math.frexp(x)
    return exponent - 1 if mantissa == 0.5 else exponent


def fifteen_bits(x):
    """(m, n): m = x * 2^n to the nearest integer, in [2^14, 2^15)."""
    n = 0
    while half_up(math.ldexp(x, n)) >= 1 << 15:
        n -= 1
    while half_up(math.ldexp(x, n + 1)) < 1 << 15:
        n += 1
    return half_up(math.ldexp(x, n)), n


class Quant:
    """Scale (float32), zero point, and the codes' type of a map."""

    def __init__(self, scale, zero, dtype=np.int8):
        self.scale, self.zero, self.dtype = float(F32(scale)), int(zero), np.dtype(dtype)

    @property
    def lift(self):
        return 128 if self.dtype == np.uint8 else 0

    @property
    def held_zero(self):
        return self.zero - self.lift

    def held(self, codes):
        return np.asarray(codes, np.int64) - self.lift

    def stored(self, codes, clamp=None):
        low, high = clamp or (-128 + self.lift, 127 + self.lift)
        return np.clip(codes + self.lift, low, high).astype(np.int64)


def scale_products(x, w_scale):
    return [float(F32(F32(x.scale) * F32(s))) for s in w_scale]


def sum_shift(weights):
    """max(0, ceil(log2(largest |signed sum of a kernel| * 255)) - 15)"""
    largest = int(np.abs(weights.reshape(len(weights), -1).sum(1)).max())
    bits = 0
    while (1 << bits) < largest * 255:
        bits += 1
    return max(0, bits - 15)


class Layer:
    """Constants of a convolution or dense layer."""

    def __init__(self, x, y, weights, w_scale, bias=None):
        kernels = len(weights)
        w_scale = list(w_scale) if len(w_scale) > 1 else list(w_scale) * kernels
        scales = scale_products(x, w_scale)
        self.s0 = sum_shift(weights)
        _, qn = fifteen_bits(max(scales))
        self.a = np.array([half_up(math.ldexp(s, qn)) for s in scales], np.int64)
        reals = np.zeros(kernels) if bias is None else np.array([int(b) * s for b, s in zip(bias, scales)])
        nb = 15 - (log2_ceiling(255 * y.scale) + 1)
        if np.abs(reals).max() > 0:
            nb = min(nb, 15 - log2_ceiling(float(np.abs(reals).max())))
        nb = min(nb, qn - self.s0)
        self.s1 = qn - self.s0 - nb
        self.common, j = fifteen_bits(1 / y.scale)
        self.sh = j + nb
        zero = y.held_zero
        if kernels > 512:
            self.constant = [zero * 2 ** self.sh + self.common * half_up(math.ldexp(r, nb)) for r in reals]
        else:
            self.constant = [int(math.ldexp(r / y.scale + zero, self.sh)) for r in reals]  # truncates
        self.constant = np.array(self.constant, np.int64)

    def leave(self, run, y, clamp):
        b = sat16(away(run * self.a, self.s1))
        return y.stored(away(b * self.common + self.constant, self.sh), clamp)


def slices(total, most):
    return [(k, min(k + most, total)) for k in range(0, total, most)]


def channels_in_a_pass(kernels, pixels):
    if kernels > 512 or pixels == 1:
        return 128
    return 256 if kernels % 8 == 0 else 64


def convolution(codes, x, y, weights, w_scale, bias=None, strides=(1, 1), dilations=(1, 1), pads=(0, 0, 0, 0), groups=1, clamp=None):
    """pads: top, left, bottom, right. Padding is the real zero."""
    centred = np.asarray(codes, np.int64) - x.zero
    (kernels, rows, columns, depth), (high, wide, _) = weights.shape, centred.shape
    padded = np.pad(centred, ((pads[0], pads[2]), (pads[1], pads[3]), (0, 0)))
    out_h = (high + pads[0] + pads[2] - dilations[0] * (rows - 1) - 1) // strides[0] + 1
    out_w = (wide + pads[1] + pads[3] - dilations[1] * (columns - 1) - 1) // strides[1] + 1
    layer = Layer(x, y, weights, w_scale, bias)
    point = rows == columns == 1 and groups == 1
    deep = channels_in_a_pass(kernels, out_h * out_w) if point else depth
    run = np.zeros((out_h, out_w, kernels), np.int64)
    per_group = kernels // groups
    for r0, r1 in slices(rows, 3):
        for c0, c1 in slices(columns, 12 if strides[1] >= 2 else 6):
            for d0, d1 in slices(depth, deep):
                piece = np.zeros_like(run)
                for i in range(r0, r1):
                    for j in range(c0, c1):
                        seen = padded[i * dilations[0]:, j * dilations[1]:][::strides[0], ::strides[1]][:out_h, :out_w]
                        for g in range(groups):
                            own = slice(g * per_group, (g + 1) * per_group)
                            piece[:, :, own] += seen[:, :, g * depth + d0:g * depth + d1] @ weights[own, i, j, d0:d1].T
                run = sat16(away((run << layer.s0) + piece, layer.s0))
    return layer.leave(run, y, clamp)


def rescaled(v, drop, ratio, x_zero, y_zero):
    """((A * v) >> drop, floor) + C, rounded by h; A = ratio * 2^h."""
    a, h = fifteen_bits(ratio)
    return away(((a * v) >> drop) + int(math.ldexp(y_zero - x_zero * ratio, h)), h)


def requantize(codes, x, y, clamp=None):
    if (x.scale, x.held_zero) == (y.scale, y.held_zero):
        return y.stored(x.held(codes), clamp)
    return y.stored(rescaled(x.held(codes), 0, x.scale / y.scale, x.held_zero, y.held_zero), clamp)


def average(total, count, x, y, clamp=None):
    """Of sums of held codes: a 16-bit mean with 8 fraction bits, then rescaled."""
    m, n = fifteen_bits(1 / count)
    mean = sat16(away(total * m, n - 8))
    return y.stored(rescaled(mean, 8, x.scale / y.scale, x.held_zero, y.held_zero), clamp)


def global_average(codes, x, y, clamp=None):
    return average(x.held(codes).sum((0, 1)), codes.shape[0] * codes.shape[1], x, y, clamp)


def windows(codes, kernel, strides, pads, take):
    high, wide, _ = codes.shape
    out_h, out_w = ((s + pads[k] + pads[k + 2] - kernel[k]) // strides[k] + 1 for k, s in enumerate((high, wide)))
    rows = []
    for i in range(out_h):
        top, left = i * strides[0] - pads[0], None
        row = []
        for j in range(out_w):
            left = j * strides[1] - pads[1]
            row.append(take(codes[max(top, 0):top + kernel[0], max(left, 0):left + kernel[1]]))
        rows.append(row)
    return np.array(rows)


def max_pool(codes, kernel, strides, pads):
    return windows(codes, kernel, strides, pads, lambda w: w.max((0, 1)))


def average_pool(codes, x, y, kernel, strides, pads, clamp=None):
    return windows(codes, kernel, strides, pads, lambda w: average(x.held(w).sum((0, 1)), w.shape[0] * w.shape[1], x, y, clamp))


def add(a, qa, b, qb, y, clamp=None, minus=False):
    """sat8(rnd(((A*a >> Ax) + (B*b >> By) + (C << Cs)) >> sh)), both coefficients in [2^14, 2^15)."""
    ra, rb = qa.scale / y.scale, qb.scale / y.scale
    sh = 14 - math.floor(math.log2(max(ra, rb)))
    shifts, coefficients = [], []
    for ratio in (ra, rb):
        own = 0
        while round(math.ldexp(ratio, sh + own)) < 1 << 14 and own < 31:
            own += 1
        shifts.append(own)
        coefficients.append(round(math.ldexp(ratio, sh + own)))
    zb = -qb.held_zero if minus else qb.held_zero
    exact = math.ldexp(y.held_zero - qa.held_zero * ra - zb * rb, sh)
    cs = 0
    while abs(int(exact) if cs == 0 else half_up(math.ldexp(exact, -cs))) > 32767:
        cs += 1
    c = int(exact) if cs == 0 else half_up(math.ldexp(exact, -cs))
    sign = -1 if minus else 1
    total = ((coefficients[0] * qa.held(a)) >> shifts[0]) + ((sign * coefficients[1] * qb.held(b)) >> shifts[1]) + (c << cs)
    return y.stored(away(total, sh), clamp)


def multiply(a, qa, b, qb, y, clamp=None):
    """sat8(rnd(((M * centred >> 7) + (B*b >> Bs) + (C << Cs)) >> sh)), centred = a * (b - zb); zero points but -128 are assumed."""
    ratio = qa.scale * qb.scale / y.scale
    lift = 14 - math.floor(math.log2(ratio))
    sh = lift - 7
    m = half_up(math.ldexp(ratio, lift))
    bs, factor = 0, -qa.held_zero * math.ldexp(ratio, sh)
    while factor != 0 and abs(math.ldexp(factor, bs)) < 16383.5 and bs < 31:
        bs += 1
    exact = math.ldexp(y.held_zero + ratio * qa.held_zero * qb.held_zero, sh)
    cs = 0
    while abs(int(exact) if cs == 0 else half_up(math.ldexp(exact, -cs))) > 32767:
        cs += 1
    c = int(exact) if cs == 0 else half_up(math.ldexp(exact, -cs))
    centred = qa.held(a) * (qb.held(b) - qb.held_zero)
    total = ((m * centred) >> 7) + ((half_up(math.ldexp(factor, bs)) * qb.held(b)) >> bs) + (c << cs)
    return y.stored(away(total, sh), clamp)
