"""Other networks out of .tflite files: `mutate_tflite.py FILE... --out FOLDER` writes mutants of each, which
`test_networks.py --folder FOLDER` compares with the runtimes.

Kinds: scales (scales and zero points of activations drawn anew, biases follow), uint8 (per-tensor weights with any zero
point, codes without sign), batch (two or three samples at once), activations (every fused activation drawn anew), cut (the
network ends after an inner operator; what is left behind stays in the file). Tensors that must share a scale keep sharing it.
"""
import argparse
import copy
import pathlib

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

TYPES = schema.TensorType
NAMES = {v: k for k, v in vars(schema.BuiltinOperator).items() if isinstance(v, int)}
CODES = {TYPES.INT8: (-128, 127), TYPES.UINT8: (0, 255), TYPES.INT16: (0, 0)}
ONE_SCALE = ("AVERAGE_POOL_2D", "BATCH_TO_SPACE_ND", "BROADCAST_TO", "CONCATENATION", "DEPTH_TO_SPACE", "EXPAND_DIMS", "GATHER", "MAXIMUM",
             "MAX_POOL_2D", "MINIMUM", "MIRROR_PAD", "PACK", "PAD", "PADV2", "REDUCE_MAX", "REDUCE_MIN", "RELU", "RELU6", "RESHAPE",
             "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "REVERSE_V2", "SLICE", "SPACE_TO_BATCH_ND", "SPACE_TO_DEPTH", "SPLIT", "SPLIT_V",
             "SQUEEZE", "STRIDED_SLICE", "TILE", "TRANSPOSE", "UNPACK")
FIXED = ("SOFTMAX", "LOGISTIC", "TANH", "L2_NORMALIZATION", "LOG_SOFTMAX")  # their results have scales of their own
LAYERS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


class Network:
    def __init__(self, path):
        self.model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(bytearray(pathlib.Path(path).read_bytes()), 0))
        self.model.signatureDefs = None
        self.graph = self.model.subgraphs[0]
        self.tensors = self.graph.tensors

    def write(self, path):
        builder = flatbuffers.Builder(1024)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        pathlib.Path(path).write_bytes(bytes(builder.Output()))

    def name(self, op):
        code = self.model.operatorCodes[op.opcodeIndex]
        return NAMES[max(code.builtinCode, code.deprecatedBuiltinCode)]

    def contents(self, i):
        data = self.model.buffers[self.tensors[i].buffer].data
        return data if data is not None and len(data) else None

    def scales(self, i):
        q = self.tensors[i].quantization
        return list(q.scale) if i >= 0 and q is not None and q.scale is not None and self.tensors[i].type in CODES else []

    def operands(self, op):
        return [int(t) for t in [*op.inputs, *op.outputs] if t >= 0 and len(self.scales(int(t))) == 1]

    def biases_follow(self):
        for op in self.graph.operators:
            name = self.name(op)
            at = [0, 1, 2] if name in LAYERS else [2, 1, 3] if name == "TRANSPOSE_CONV" else []
            if not at or len(op.inputs) <= at[2] or op.inputs[at[2]] < 0:
                continue
            x, w, b = (int(op.inputs[k]) for k in at)
            if self.tensors[b].type in (TYPES.INT32, TYPES.INT64) and self.scales(x):
                self.tensors[b].quantization.scale = [float(np.float32(self.scales(x)[0]) * np.float32(s)) for s in self.scales(w)]


def scales(net, r, spread=0.5):
    group = list(range(len(net.tensors)))

    def root(i):
        while group[i] != i:
            i = group[i]
        return i
    fixed = set()
    for op in net.graph.operators:
        name, shared = net.name(op), net.operands(op)
        if name in ONE_SCALE:
            for t in shared[1:]:
                group[root(t)] = root(shared[0])
        if name in FIXED:
            fixed.add(int(op.outputs[0]))
        if name == "SVDF" or "LSTM" in name or "RNN" in name:
            fixed |= set(shared)
    fixed, drawn = {root(i) for i in fixed}, {}
    moves = {root(i) for i in range(len(net.tensors)) if net.contents(i) is None}
    for i, t in enumerate(net.tensors):
        k = root(i)
        if len(net.scales(i)) != 1 or k in fixed or k not in moves:
            continue
        low, high = CODES[t.type]
        if k not in drawn:
            drawn[k] = (float(np.exp(r.normal(0, spread))), int(r.choice([low, high, int(r.integers(low, high + 1))])))
        t.quantization.scale, t.quantization.zeroPoint = [float(np.float32(net.scales(i)[0] * drawn[k][0]))], [drawn[k][1]]
    net.biases_follow()


def uint8(net, r):
    moved = set()
    for t in net.tensors:
        if t.type != TYPES.INT8:
            continue
        q = t.quantization
        q.scale, q.quantizedDimension = [float(np.float32(np.mean(q.scale)))], 0
        t.type, q.zeroPoint = TYPES.UINT8, [int(q.zeroPoint[0]) + 128]
        buffer = net.model.buffers[t.buffer]
        if buffer.data is not None and len(buffer.data) and t.buffer not in moved:
            buffer.data = np.asarray(buffer.data, np.uint8) ^ 0x80
            moved.add(t.buffer)
    for op in net.graph.operators:
        if net.name(op) in LAYERS:
            net.tensors[int(op.inputs[1])].quantization.zeroPoint = [int(r.integers(0, 256))]
    scales(net, r, 0.3)


def batch(net, r):
    n = int(r.integers(2, 4))
    for i, t in enumerate(net.tensors):
        if t.shape is not None and len(t.shape) > 1 and t.shape[0] == 1 and net.contents(i) is None:
            t.shape, t.shapeSignature = [n, *t.shape[1:]], None
    for op in net.graph.operators:
        if net.name(op) != "RESHAPE":
            continue
        if op.builtinOptions is not None and op.builtinOptions.newShape is not None and list(op.builtinOptions.newShape[:1]) == [1]:
            op.builtinOptions.newShape = [n, *op.builtinOptions.newShape[1:]]
        if len(op.inputs) > 1 and net.contents(int(op.inputs[1])) is not None:
            t = net.tensors[int(op.inputs[1])]
            shape = np.frombuffer(np.asarray(net.contents(int(op.inputs[1])), np.uint8).tobytes(), np.int32).copy()
            if shape[0] == 1:
                shape[0] = n
                net.model.buffers.append(copy.deepcopy(net.model.buffers[t.buffer]))
                net.model.buffers[-1].data = np.frombuffer(shape.tobytes(), np.uint8)
                t.buffer = len(net.model.buffers) - 1


def activations(net, r):
    for op in net.graph.operators:
        if hasattr(op.builtinOptions, "fusedActivationFunction") and net.name(op) != "SVDF" and "LSTM" not in net.name(op):
            op.builtinOptions.fusedActivationFunction = int(r.choice([0, 1, 2, 3]))
    scales(net, r, 0.2)


def cut(net, r):
    ops = net.graph.operators = net.graph.operators[:int(r.integers(1, len(net.graph.operators) + 1))]
    read = {int(t) for op in ops for t in op.inputs}
    net.graph.outputs = [int(t) for op in ops for t in op.outputs if int(t) not in read]
    net.graph.inputs = [i for i in net.graph.inputs if int(i) in read]
    scales(net, r, 1.0)


KINDS = {f.__name__: f for f in (scales, uint8, batch, activations, cut)}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("file", nargs="+")
    p.add_argument("--out", required=True)
    p.add_argument("--kind", action="append", choices=list(KINDS), help="only these")
    p.add_argument("--seeds", type=int, default=2)
    p.add_argument("--first", type=int, default=0)
    args = p.parse_args()
    pathlib.Path(args.out).mkdir(parents=True, exist_ok=True)
    written = 0
    for path in map(pathlib.Path, args.file):
        for kind in args.kind or KINDS:
            for seed in range(args.first, args.first + args.seeds):
                net = Network(path)
                KINDS[kind](net, np.random.default_rng([seed, sum(path.name.encode()), sum(kind.encode())]))
                net.write(pathlib.Path(args.out) / f"{path.stem}-{kind}-{seed}.tflite")
                written += 1
    print(f"{written} networks written to {args.out}")


if __name__ == "__main__":
    main()
