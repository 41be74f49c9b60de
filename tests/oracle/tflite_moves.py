"""Single-operator TFLite models of odd shapes whose operator only moves what is there: joins, slices, borders, gathers
(tflite_shapes.py has those that compute)."""
import numpy as np

from tflite_operands import Operand, options, vector


def extent(m, most=9):
    """An extent that is 1 more often than chance."""
    return 1 if m.r.random() < 0.2 else int(m.r.integers(1, most + 1))


def concat(m, dtype, same=True):
    rank, count = int(m.r.integers(1, 5)), int(m.r.integers(1, 6))
    axis, shape = int(m.r.integers(0, rank)), [extent(m, 5) for _ in range(rank)]
    parts = []
    for _ in range(count):
        part = m.fed([extent(m, 4) if k == axis else e for k, e in enumerate(shape)], dtype)
        if same and parts and part.scale is not None:
            part.scale, part.zero = parts[0].scale, parts[0].zero
        parts.append(part)
    out = [sum(p.shape[axis] for p in parts) if k == axis else e for k, e in enumerate(shape)]
    y = m.fed(out, dtype)
    if same and y.scale is not None:
        y.scale, y.zero = parts[0].scale, parts[0].zero
    return "CONCATENATION", parts, [y], options("Concatenation", axis=axis - rank if m.r.random() < 0.5 else axis)


def transpose(m, dtype):
    rank = int(m.r.integers(1, 7))
    shape, order = [extent(m, 4) for _ in range(rank)], [int(v) for v in m.r.permutation(rank)]
    x = m.fed(shape, dtype)
    return "TRANSPOSE", [x, vector(order)], [Operand([shape[k] for k in order], dtype, x.scale, x.zero if x.scale is not None else 0)], None


def slice_of(m, dtype):
    rank = int(m.r.integers(1, 6))
    shape = [extent(m, 6) for _ in range(rank)]
    begin = [int(m.r.integers(0, e)) for e in shape]
    size = [int(m.r.integers(1, e - b + 1)) for e, b in zip(shape, begin)]
    given = [-1 if b + s == e and m.r.random() < 0.5 else s for e, b, s in zip(shape, begin, size)]
    x = m.fed(shape, dtype)
    return "SLICE", [x, vector(begin), vector(given)], [Operand(size, dtype, x.scale, x.zero if x.scale is not None else 0)], None


def padded(m, op, dtype):
    rank = int(m.r.integers(1, 6))
    shape = [extent(m, 5) for _ in range(rank)]
    mode = int(m.r.integers(0, 2))
    room = [(e - 1 if mode == 0 else e) if op == "MIRROR_PAD" else 3 for e in shape]
    pads = [[int(m.r.integers(0, r + 1)) for _ in range(2)] for r in room]
    x = m.fed(shape, dtype)
    y = Operand([e + a + b for e, (a, b) in zip(shape, pads)], dtype, x.scale, x.zero if x.scale is not None else 0)
    extra = [Operand((), dtype, x.scale, x.zero if x.scale is not None else 0, 3)] if op == "PADV2" else []
    return op, [x, Operand((rank, 2), np.int32, contents=pads), *extra], [y], options("MirrorPad", mode=mode) if op == "MIRROR_PAD" else None


def gather(m, dtype):
    rank = int(m.r.integers(1, 5))
    shape, axis = [extent(m, 6) for _ in range(rank)], int(m.r.integers(0, rank))
    at = [extent(m, 4) for _ in range(int(m.r.integers(0, 3)))]
    batch = 0
    x = m.fed(shape, dtype)
    index = Operand(at, np.int32, contents=m.r.integers(0, shape[axis], at))
    y = Operand([*shape[:axis], *at, *shape[axis + 1:]], dtype, x.scale, x.zero if x.scale is not None else 0)
    return "GATHER", [x, index], [y], options("Gather", axis=axis, batchDims=batch)


def broadcast_to(m, dtype):
    full = [extent(m, 4) for _ in range(int(m.r.integers(1, 6)))]
    shape = [1 if m.r.random() < 0.5 else e for e in full][int(m.r.integers(0, len(full))):]
    x = m.fed(shape, dtype)
    return "BROADCAST_TO", [x, vector(full)], [Operand(full, dtype, x.scale, x.zero if x.scale is not None else 0)], None
