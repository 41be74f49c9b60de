"""Pieces of single-operator ONNX models: a node with its inputs from one seed, and the list of cases."""
import numpy as np
import onnx
from onnx import helper, numpy_helper

INEXACT = {}
CASES = {}
F, I8, U8, I32, I64, BOOL = np.float32, np.int8, np.uint8, np.int32, np.int64, np.bool_


class Maker:
    """Inputs, constants and one node, from one seed."""

    def __init__(self, seed):
        self.r = np.random.default_rng(seed)
        self.fed, self.constants, self.opset, self.domain, self.results = {}, [], 17, "", 1
        self.kind, self.names, self.attrs = "", [], {}

    def pick(self, *options):
        return options[int(self.r.integers(len(options)))]

    def shape(self, rank=None, most=9):
        rank = rank or int(self.r.integers(1, 5))
        return [int(v) for v in self.r.integers(1, most + 1, rank)]

    def values(self, shape, dtype, low=None, high=None):
        dtype = np.dtype(dtype)
        if dtype == np.bool_:
            return self.r.random(shape) < 0.5
        if dtype.kind == "f":
            if low is not None:
                return self.r.uniform(low, high, shape).astype(dtype)
            return (self.r.standard_normal(shape) * self.pick(0.5, 2, 8)).astype(dtype)
        i = np.iinfo(dtype)
        low, high = (max(i.min, -1000) if low is None else low), (min(i.max, 1000) if high is None else high)
        return self.r.integers(low, high + 1, shape).astype(dtype)

    def feed(self, shape, dtype=F, low=None, high=None):
        name = f"x{len(self.fed)}"
        self.fed[name] = np.asarray(self.values(shape, dtype, low, high))
        return name

    def const(self, array, dtype=None):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(np.asarray(array, dtype)), name)
                              if np.ndim(array) else numpy_helper.from_array(np.asarray(array, dtype), name))
        return name

    def node(self, kind, *names, results=1, domain="", opset=None, unnamed=(), **attrs):
        """`unnamed`: which of its results the file leaves without a name."""
        self.kind, self.names, self.results, self.domain, self.attrs = kind, list(names), results, domain, attrs
        self.unnamed = unnamed
        self.opset = opset or self.opset

    def model(self):
        outputs = ["" if i in self.unnamed else f"y{i}" for i in range(self.results)]
        node = helper.make_node(self.kind, self.names, outputs, domain=self.domain, **self.attrs)
        inputs = [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape)
                  for n, a in self.fed.items()]
        graph = helper.make_graph([node], "g", inputs, [onnx.ValueInfoProto(name=n) for n in outputs if n], self.constants)
        domains = [helper.make_opsetid("", self.opset)]
        if self.domain:
            domains.append(helper.make_opsetid(self.domain, 1))
        m = helper.make_model(graph, opset_imports=domains)
        m.ir_version = 8 if self.opset < 21 else 10
        return m


def case(name, make, inexact=False):
    CASES[name] = make
    INEXACT[name] = inexact


def unary(kind, low=None, high=None, opset=17, dtype=F, inexact=False, domain="", **attrs):
    def make(m):
        m.node(kind, m.feed(m.shape(most=17), dtype, low, high), opset=opset, domain=domain,
               **{k: (v(m) if callable(v) else v) for k, v in attrs.items()})
    case(f"{kind} {np.dtype(dtype)}{' ' + domain if domain else ''}{''.join(f' {v}' for v in attrs.values() if isinstance(v, str))}", make, inexact)


def binary(kind, low=None, high=None, dtype=F, b_low=None, b_high=None, opset=17, inexact=False, **attrs):
    def make(m):
        a = m.shape(3)
        b = [1 if m.r.random() < 0.3 else e for e in a][int(m.r.integers(0, 3)):]
        x = m.feed(a, dtype, low, high)
        y = m.feed(b, dtype, low if b_low is None else b_low, high if b_high is None else b_high)
        m.node(kind, *((x, y) if kind in ("PRelu", "Pow", "Mod") or m.r.random() < 0.5 else (y, x)), opset=opset, **attrs)
    case(f"{kind} {np.dtype(dtype)}{''.join(f' {k}={v}' for k, v in attrs.items())}", make, inexact)
