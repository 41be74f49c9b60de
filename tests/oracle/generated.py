"""Int8 networks from seeds: built from the stages of generated_blocks.py and the heads of generated_heads.py, quantized by
onnxruntime's own quantizer.

A network is named SEED-VARIANT (`17-qdq_u8s8_channel`), or SEEDoOPSET-VARIANT (`17o21-...`) where the opset is not the
seed's own, and may name its blocks (`-STAGE+STAGE-HEAD`) or a whole network of generated_models.py (`-whole-NAME`); the name alone rebuilds it. Its file and its inputs stay under
build/generated/, so that any difference can be replayed with `lockstep run`.
"""
import logging
import os
import zlib

import numpy as np
import onnx
import onnxruntime
from onnxruntime import quantization

import cache
import generated_styles
import inputs
from generated_blocks import STAGES
from generated_heads import HEADS
from generated_models import MODELS
from generated_net import Map, Net, conv

FOLDER = cache.ROOT / "build" / "generated"
logging.disable(logging.WARNING)  # the quantizer's advice on its own variants
onnxruntime.set_default_logger_severity(4)
INT8, UINT8 = quantization.QuantType.QInt8, quantization.QuantType.QUInt8
INT16, UINT16 = quantization.QuantType.QInt16, quantization.QuantType.QUInt16
INT4, UINT4 = quantization.QuantType.QInt4, quantization.QuantType.QUInt4
QDQ, QOPERATOR = quantization.QuantFormat.QDQ, quantization.QuantFormat.QOperator


def variant(form, activations, weights, channel, clean=True, reduce_range=False, stored=None, **options):
    return {"form": form, "activations": activations, "weights": weights, "channel": channel, "clean": clean,
            "reduce_range": reduce_range, "stored": stored, "options": options}


# name -> how the network is quantized; `clean`: the runtime's basic optimizations ran first (they fold normalization)
VARIANTS = {
    "qdq_s8s8_channel": variant(QDQ, INT8, INT8, True),
    "qdq_s8s8": variant(QDQ, INT8, INT8, False),
    "qdq_s8s8_raw": variant(QDQ, INT8, INT8, True, clean=False),
    "qdq_u8s8_channel": variant(QDQ, UINT8, INT8, True),
    "qdq_u8u8": variant(QDQ, UINT8, UINT8, False),
    "qdq_u8s8_reduced": variant(QDQ, UINT8, INT8, True, reduce_range=True),
    "qdq_s8s8_symmetric": variant(QDQ, INT8, INT8, True, ActivationSymmetric=True, WeightSymmetric=True),
    "qdq_s8s8_weight_pair": variant(QDQ, INT8, INT8, True, AddQDQPairToWeight=True),
    "qdq_u8s8_dedicated": variant(QDQ, UINT8, INT8, False, DedicatedQDQPair=True, ForceQuantizeNoInputCheck=True),
    "qdq_s8s8_float_bias": variant(QDQ, INT8, INT8, True, QuantizeBias=False),
    "qdq_s8s8_keep": variant(QDQ, INT8, INT8, True, QDQKeepRemovableActivations=True),
    "qop_u8s8_channel": variant(QOPERATOR, UINT8, INT8, True),
    "qop_u8u8": variant(QOPERATOR, UINT8, UINT8, False),
    "qop_s8s8": variant(QOPERATOR, INT8, INT8, False),
    "dynamic_s8": variant("dynamic", UINT8, INT8, False),
    "dynamic_u8_channel": variant("dynamic", UINT8, UINT8, True),
    "qdq_s16s8_channel": variant(QDQ, INT16, INT8, True),
    "qdq_u16u8": variant(QDQ, UINT16, UINT8, False),
    "qdq_u16s16": variant(QDQ, UINT16, INT16, False),
    "qdq_u8s4_channel": variant(QDQ, UINT8, INT4, True),
    "qdq_s8u4": variant(QDQ, INT8, UINT4, False),
    "dynamic_s8_reduced": variant("dynamic", UINT8, INT8, True, reduce_range=True),
}

VARIANTS |= {
    "qdq_u8u8_channel": variant(QDQ, UINT8, UINT8, True),
    "qop_u8u8_channel": variant(QOPERATOR, UINT8, UINT8, True),
    "qop_s8s8_channel": variant(QOPERATOR, INT8, INT8, True),
    "qdq_conv_only": variant(QDQ, INT8, INT8, True, only=["Conv"]),
    "qdq_dense_only": variant(QDQ, UINT8, INT8, False, only=["MatMul", "Gemm"]),
    "qdq_mixed16": variant(QDQ, UINT8, INT8, True, mixed=UINT16),
}
for style in generated_styles.STYLES:  # after all others: seeds keep their variants' names
    VARIANTS[style] = variant("style", None, None, True)
BASIC, EXTENDED = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC, onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
VARIANTS |= {  # as the runtime's optimizer stores them: constants shared, operators of its own domain
    "stored_qdq_u8s8": variant(QDQ, UINT8, INT8, True, stored=BASIC),
    "stored_qop_u8u8": variant(QOPERATOR, UINT8, UINT8, False, stored=EXTENDED),
    "stored_qdq_s8s8": variant(QDQ, INT8, INT8, False, stored=EXTENDED),
    "stored_dynamic_s8": variant("dynamic", UINT8, INT8, False, stored=EXTENDED),
}


class Samples(quantization.CalibrationDataReader):
    """Seeded random inputs for calibration."""

    def __init__(self, model, seed):
        rng = np.random.default_rng(seed)
        shapes = {i.name: [d.dim_value for d in i.type.tensor_type.shape.dim] for i in model.graph.input}
        self.left = [{n: rng.standard_normal(s).astype(np.float32) for n, s in shapes.items()} for _ in range(4)]

    def get_next(self):
        return self.left.pop() if self.left else None


def float_network(seed, stages=None, head=None, opset=None):
    """The network of this seed before quantization."""
    net = Net(seed, opset or [13, 13, 17, 18][seed % 4])
    if head in MODELS:
        x = Map(net.input(1, 3, 64, 64), 3, 64, 64)
        MODELS[head](net, x)
        return net.model()
    size, channels = net.pick(16, 20, 24, 32), net.pick(1, 3, 3)
    x = Map(net.input(1, channels, size, size), channels, size, size)
    x = conv(net, x, net.pick(8, 12, 16), 3, net.pick(1, 2), act=net.pick("relu", "relu6", "silu", "leaky", "prelu"))
    for name in stages or [net.pick(*STAGES) for _ in range(net.pick(1, 2, 3))]:
        if x.h >= 4 and x.w >= 4:
            x = STAGES[name](net, x)
    HEADS[head or net.pick(*HEADS)](net, x)
    return net.model()


def optimized(model, path, level=onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC):
    """The model after the runtime's optimizations, at first the basic ones, as quantization's own preparation does it."""
    so = onnxruntime.SessionOptions()
    so.graph_optimization_level = level
    so.optimized_model_filepath = path
    so.log_severity_level = 4
    onnxruntime.InferenceSession(model.SerializeToString(), so, providers=["CPUExecutionProvider"])
    return onnx.load(path)


def network(seed, name, stages=None, head=None, opset=None):
    """Path of the quantized network of this seed and variant (and of these blocks, where they are given)."""
    path, stored = quantized(seed, name, stages, head, opset), VARIANTS[name]["stored"]
    if stored:
        temporary = f"{path}.tmp{os.getpid()}"
        optimized(onnx.load(path), temporary, stored)
        os.replace(temporary, path)
    return path


def quantized(seed, name, stages, head, opset):
    """The same as the quantizer leaves it."""
    how = VARIANTS[name]
    FOLDER.mkdir(parents=True, exist_ok=True)
    stem = "-".join([f"{seed}o{opset}" if opset else str(seed), name] + (["+".join(stages)] if stages else []) + ([head] if head else []))
    path = FOLDER / f"{stem}.onnx"
    temporary = str(FOLDER / f"{stem}.tmp{os.getpid()}")
    model = float_network(seed, stages, head, opset)
    channel = how["channel"] and (opset or 13) >= 13  # scales by channel came with opset 13
    if how["clean"]:
        model = onnx.shape_inference.infer_shapes(optimized(model, temporary))
    if how["form"] == "style":
        onnx.save(generated_styles.restyled(model, Samples(model, seed).left, name), path)
        return path
    options = dict(how["options"])
    only, mixed = options.pop("only", None), options.pop("mixed", None)
    if mixed:  # every other result in the wider type
        names = [n.output[0] for n in model.graph.node if n.op_type in ("Conv", "Add", "Mul", "Relu", "Concat", "MaxPool")]
        options["TensorQuantOverrides"] = {n: [{"quant_type": mixed}] for i, n in enumerate(names) if i % 2 == seed % 2}
    if how["form"] == "dynamic":
        onnx.save(model, temporary + ".float")
        try:
            quantization.quantize_dynamic(temporary + ".float", temporary, per_channel=channel,
                                          reduce_range=how["reduce_range"], weight_type=how["weights"], extra_options=options)
        finally:
            os.remove(temporary + ".float")
        os.replace(temporary, path)
        return path
    quantization.quantize_static(
        model, temporary, Samples(model, seed), quant_format=how["form"], per_channel=channel,
        reduce_range=how["reduce_range"], activation_type=how["activations"], weight_type=how["weights"],
        extra_options=options, op_types_to_quantize=only)
    os.replace(temporary, path)
    return path


def cases(path):
    """[(tag, inputs)]: seeded random over the input's range, normal, all minimum, all maximum."""
    model, signature = inputs.onnx_signature(path)
    rng = np.random.default_rng(zlib.crc32(path.name.encode()))
    limits = {n: inputs.first_range(model, n) or (-3.0, 3.0) for n, _, _ in signature}
    made = {"random": {}, "normal": {}, "minimum": {}, "maximum": {}}
    for name, dtype, shape in signature:
        low, high = limits[name]
        made["random"][name] = (low + (high - low) * rng.random(shape)).astype(dtype)
        made["normal"][name] = rng.standard_normal(shape).astype(dtype)
        made["minimum"][name] = np.full(shape, low, dtype)
        made["maximum"][name] = np.full(shape, high, dtype)
    return list(made.items())
