"""One operand of one operator that is not what its maker wrote: another place in memory, another buffer, an earlier run.

`reads(...)` yields (label, f(array, tensors so far, index of the run), words); what every other reader sees stays right.
"""
import numpy as np

from edited_patches import late, lines_of, padded_rows


def reads(rng, name, right, before, zero, channels_last):
    """`before`: tensors of codes made earlier, `zero`: the operand's zero point."""
    x = right[0][name]
    old = lambda i: right[max(0, i - 1)][name]
    yield "reads-zeros", lambda v, made, i: v * 0, ["operand-lost", "memory-asleep", "gate-left-out"]
    yield "reads-nothing", lambda v, made, i: v * 0 + zero, ["operand-lost", "gate-left-out"]
    yield "reads-4-late", lambda v, made, i: late(v, 4), ["operand-shifted"]
    yield "reads-run-before", lambda v, made, i: old(i), ["operand-stale", "stale-output"]
    yield "reads-frozen", lambda v, made, i: right[0][name], ["operand-stale", "frozen-output"]
    if x.ndim > 1 and x.shape[-1] % 16 and x.size > 2 * x.shape[-1]:
        yield "reads-padded-rows", lambda v, made, i: padded_rows(v), ["operand-padded-rows"]
    if x.ndim == 4 and min(x.shape[1], x.shape[3]) > 1:
        order = (0, 3, 1, 2) if channels_last else (0, 2, 3, 1)
        yield "reads-other-layout", lambda v, made, i: v.transpose(order).reshape(v.shape), ["operand-layout"]
    large = [t for t in before if t != name and right[0][t].size >= x.size and right[0][t].dtype == x.dtype]
    if large:
        other = large[int(rng.integers(len(large)))]
        yield "reads-another", lambda v, made, i: made[other].ravel()[:v.size].reshape(v.shape), ["operand-replaced"]
    mask = lines_of(rng, x, 0.4)
    if x.size >= 128 and 0 < mask.sum() < mask.size:
        yield "reads-stale-lines", lambda v, made, i: np.where(mask, old(i), v), ["operand-stale"]
    yield "reads-noise", lambda v, made, i: np.where(rng.random(v.shape) < 0.2, np.roll(v.ravel(), 5).reshape(v.shape) ^ 9, v), []
