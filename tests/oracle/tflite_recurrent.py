"""Single-operator TFLite models that keep a state: SVDF, LSTM and RNN, on codes, and on floats under weights in codes."""
import numpy as np

from tflite_operands import Operand, options


def svdf(m, dtype):
    batch, size, filters, memory, rank = 1, 5, 6, 4, 2
    kind = options("SVDF", rank=rank, fusedActivationFunction=1 if dtype == np.int8 else 0)
    if dtype == np.int8:
        x = m.fed((batch, size), np.int8)
        w = Operand((filters, size), np.int8, m.scale(), 0, m.codes((filters, size), np.int8))
        v = Operand((filters, memory), np.int16, m.scale(1e-4, 1e-3), 0, m.codes((filters, memory), np.int16))
        bias = Operand((filters // rank,), np.int32, 1e-5, 0, m.r.integers(-999, 999, filters // rank))
        state = Operand((batch, filters * memory), np.int16, m.scale(1e-4, 1e-3), 0)
        y = m.fed((batch, filters // rank), np.int8, m.scale(0.05, 0.5))
    else:
        x = m.fed((batch, size), np.float32)
        w = Operand((filters, size), np.float32, contents=m.r.standard_normal((filters, size)))
        v = Operand((filters, memory), np.float32, contents=m.r.standard_normal((filters, memory)))
        bias = Operand((filters // rank,), np.float32, contents=m.r.standard_normal(filters // rank))
        state, y = Operand((batch, filters * memory), np.float32), m.fed((batch, filters // rank), np.float32)
    state.variable = True
    return "SVDF", [x, w, v, bias, state], [y], kind


def lstm_codes(m, form):
    """An LSTM on codes: 8-bit activations and weights, 16-bit cells; `form` names what it has besides the gates."""
    batch, steps, size, cells = int(m.r.integers(1, 4)), int(m.r.integers(1, 6)), int(m.r.integers(1, 20)), int(m.r.integers(1, 12))
    out = int(m.r.integers(1, 9)) if form == "projection" else cells
    def weights(shape, dtype=np.int8, scale=None):
        codes = m.r.integers(-127, 128, shape) if dtype == np.int8 else m.r.integers(-32767, 32768, shape)
        return Operand(shape, dtype, scale or m.scale(0.002, 0.02), 0, codes)
    def bias(count, scale):
        return Operand((count,), np.int32, scale, 0, m.r.integers(-3000, 3000, count))
    major = m.r.random() < 0.5
    x = m.fed((steps, batch, size) if major else (batch, steps, size), np.int8, m.scale(0.005, 0.05))
    gates = [None if form == "coupled" and g == 0 else g for g in range(4)]
    w = [None if g is None else weights((cells, size)) for g in gates]
    r = [None if g is None else weights((cells, out)) for g in gates]
    peepholes = [weights((cells,), np.int16, m.scale(1e-5, 1e-4)) if form == "peephole" else None for _ in range(3)]
    b = [None if g is None else bias(cells, float(x.scale[0]) * 0.01) for g in gates]
    projection = [weights((out, cells)), bias(out, 1e-4)] if form == "projection" else [None, None]
    state = Operand((batch, out), np.int8, m.scale(0.004, 0.01), int(m.r.integers(-20, 20)))
    cell = Operand((batch, cells), np.int16, 2.0 ** -int(m.r.integers(9, 16)), 0)
    state.variable = cell.variable = True
    clipped = m.r.random() < 0.4
    kind = options("UnidirectionalSequenceLSTM", fusedActivationFunction=4, timeMajor=major, cellClip=0.7 if clipped else 0.0,
                   projClip=0.3 if clipped and form == "projection" else 0.0)
    y = Operand((steps, batch, out) if major else (batch, steps, out), np.int8, float(state.scale[0]), int(state.zero[0]))
    kind.intermediates = [(1.0, 0)] * 4 + [(float(m.scale(0.004, 0.01)), int(m.r.integers(-30, 30))) if form == "projection" else (float(state.scale[0]), int(state.zero[0]))]
    return "UNIDIRECTIONAL_SEQUENCE_LSTM", [x, *w, *r, *peepholes, *b, *projection, state, cell, None, None, None, None], [y], kind


def lstm_hybrid(m, form, asymmetric=False):
    """An LSTM of floats under int8 weights, as dynamic-range quantization leaves it; `form` as in lstm_codes."""
    batch, steps, size, cells = int(m.r.integers(1, 4)), int(m.r.integers(1, 6)), int(m.r.integers(1, 40)), int(m.r.integers(1, 24))
    out = int(m.r.integers(1, 9)) if form == "projection" else cells
    major = m.r.random() < 0.5

    def weights(*shape):
        return Operand(shape, np.int8, m.scale(0.002, 0.02), 0, m.r.integers(-127, 128, shape))

    def bias(count):
        return Operand((count,), np.float32, contents=m.r.standard_normal(count) * 0.3)
    gates = [None if form == "coupled" and g == 0 else g for g in range(4)]
    w = [None if g is None else weights(cells, size) for g in gates]
    r = [None if g is None else weights(cells, out) for g in gates]
    peepholes = [weights(cells) if form == "peephole" else None for _ in range(3)]
    b = [None if g is None else bias(cells) for g in gates]
    projection = [weights(out, cells), bias(out)] if form == "projection" else [None, None]
    state, cell = Operand((batch, out), np.float32), Operand((batch, cells), np.float32)
    state.variable = cell.variable = True
    clipped = m.r.random() < 0.4
    kind = options("UnidirectionalSequenceLSTM", fusedActivationFunction=4, timeMajor=major, cellClip=0.7 if clipped else 0.0,
                   projClip=0.3 if clipped and form == "projection" else 0.0, asymmetricQuantizeInputs=asymmetric)
    x = m.fed((steps, batch, size) if major else (batch, steps, size), np.float32)
    y = Operand((steps, batch, out) if major else (batch, steps, out), np.float32)
    return "UNIDIRECTIONAL_SEQUENCE_LSTM", [x, *w, *r, *peepholes, *b, *projection, state, cell, None, None, None, None], [y], kind


def rnn_hybrid(m, op, asymmetric=False):
    """A recurrent layer of floats under int8 weights."""
    batch, steps, size, units = int(m.r.integers(1, 4)), int(m.r.integers(1, 6)), int(m.r.integers(1, 40)), int(m.r.integers(1, 24))
    major = op != "RNN" and m.r.random() < 0.5
    shape = (batch, size) if op == "RNN" else (steps, batch, size) if major else (batch, steps, size)

    def weights(*extents):
        return Operand(extents, np.int8, m.scale(0.002, 0.01), 0, m.r.integers(-127, 128, extents))
    state = Operand((batch, units), np.float32)
    state.variable = True
    fused = int(m.r.choice([0, 1, 2, 3, 4]))
    kind = options("RNN", fusedActivationFunction=fused, asymmetricQuantizeInputs=asymmetric) if op == "RNN" else \
        options("SequenceRNN", timeMajor=major, fusedActivationFunction=fused, asymmetricQuantizeInputs=asymmetric)
    bias = Operand((units,), np.float32, contents=m.r.standard_normal(units) * 0.3)
    return op, [m.fed(shape, np.float32), weights(units, size), weights(units, units), bias, state], [m.fed((*shape[:-1], units), np.float32)], kind
