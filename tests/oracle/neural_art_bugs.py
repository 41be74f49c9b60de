"""Mistakes of a compiler, planted into an exported epoch program (x.program.json and its constants).

Each kind is a function (program, random) -> the epoch in which it stands, or None where the program has no place for it.
Written without a look at `npu seed`: kinds, places and sizes differ from its own.
"""
import copy
import json
import pathlib

KINDS = {}


def kind(f):
    KINDS[f.__name__.replace("_", " ")] = f
    return f


class Program:
    def __init__(self, path):
        path = pathlib.Path(path)
        self.json = json.loads(path.read_text())
        self.folder = path.parent
        w = self.json["weights"]
        self.weights = w if isinstance(w, list) else [w]
        self.bytes = [bytearray((self.folder / i["file"]).read_bytes()) for i in self.weights]

    def copy(self):
        p = copy.copy(self)
        p.json, p.bytes = copy.deepcopy(self.json), [bytearray(b) for b in self.bytes]
        return p

    def save(self, path):
        path = pathlib.Path(path)
        weights = []
        for n, (i, b) in enumerate(zip(self.weights, self.bytes)):
            name = f"{path.name.split('.')[0]}.{n}.bin"
            (path.parent / name).write_bytes(b)
            weights.append(dict(i, file=name))
        path.write_text(json.dumps(dict(self.json, weights=weights)))

    def byte(self, address):
        """(image, offset) of a constant."""
        for b, i in zip(self.bytes, self.weights):
            if i["base"] <= address < i["base"] + len(b):
                return b, address - i["base"]
        return None, 0

    @property
    def epochs(self):
        return self.json["epochs"]

    @property
    def buffers(self):
        return self.json["buffers"]


def value(u, field):
    return u["fields"].get(field, 0)


def add(u, field, by):
    u["fields"][field] = value(u, field) + by


def of(u, *kinds):
    return u["unit"] in kinds


ARITH, CONV, POOL, ACTIV, STREAM = ("ARITH", "ARITHACC"), ("CONVACC",), ("POOL", "POOLACC"), ("ACTIV", "ACTIVACC"), ("STRENG",)


def pick(p, r, fits):
    all_ = [(e, u) for e in p.epochs for u in e["units"] if fits(e, u)]
    return all_[r.integers(len(all_))] if all_ else (None, None)


def change(kinds, field, by, fits=lambda e, u: True):
    """A kind that adds to one field of one unit; `by` a number or a function of (unit, random)."""
    def plant(p, r):
        e, u = pick(p, r, lambda e, u: of(u, *kinds) and fits(e, u))
        if not u:
            return None
        add(u, field, by(u, r) if callable(by) else by)
        return e["number"]
    return plant


def put(kinds, field, new, fits=lambda e, u: True):
    def plant(p, r):
        e, u = pick(p, r, lambda e, u: of(u, *kinds) and value(u, field) != new and fits(e, u))
        if not u:
            return None
        u["fields"][field] = new
        return e["number"]
    return plant


def either(*bys):
    return lambda u, r: bys[r.integers(len(bys))]


def links_of(e, unit, port=None):
    return [l for l in e["links"] if l["to"][:2] == [unit["unit"].replace("ACC", "") if unit["unit"] != "CONVACC" else "CONVACC", unit["id"]]
            or l["to"][:2] == [unit["unit"], unit["id"]] if port is None or l["to"][2] == port]


def feeds_kernels(e, u):
    return of(u, *STREAM) and any(s["source"][:2] == ["STRENG", u["id"]] and l["to"][0] == "CONVACC" and l["to"][2] == 1
                                  for l in e["links"] for s in l["from"])


def is_sums(e, u):
    return value(u, "outbytes_o") == 2


def is_affine(e, u):
    return value(u, "operation") == "ARITH_AFFINE"


def vector(e, u):
    return is_affine(e, u) and value(u, "scalar") == 0 and value(u, "A_vector") != 0


def single(e, u):
    return is_affine(e, u) and value(u, "scalar") == 1 and value(u, "dualinput") == 0


def dual(e, u):
    return is_affine(e, u) and value(u, "scalar") == 1 and value(u, "dualinput") == 1 and value(u, "inbytes_x") == 1


def reads(e, u):
    return value(u, "dir") == 0 and not feeds_kernels(e, u)


def writes(e, u):
    return value(u, "dir") == 1


def raster(e, u):
    return value(u, "raw") == 0


def both(*all_):
    return lambda e, u: all(f(e, u) for f in all_)


# ---- convolutions
KINDS["sums: shift less"] = change(CONV, "shift_o", -1, lambda e, u: is_sums(e, u) and value(u, "shift_o") > 0)
KINDS["sums: shift two more"] = change(CONV, "shift_o", 2, is_sums)
KINDS["partial sums: weight"] = change(CONV, "shift_a", either(-1, 1), lambda e, u: value(u, "accumulate") and value(u, "shift_a") > 0)
KINDS["features: zero point one off"] = change(CONV, "fsub", either(-1, 1), lambda e, u: value(u, "fsub") != 0)
KINDS["features: zero point invented"] = put(CONV, "fsub", 3, lambda e, u: value(u, "fsub") == 0 and value(u, "simd") == 2)
KINDS["features: sign"] = change(CONV, "f_unsigned", lambda u, r: 1 - 2 * value(u, "f_unsigned"), lambda e, u: value(u, "inbytes_f") == 1)
KINDS["sums: no saturation"] = put(CONV, "saturation_o", 0, is_sums)
KINDS["sums: truncated"] = put(CONV, "rounding_o", 0, lambda e, u: is_sums(e, u) and value(u, "shift_o") > 0)
KINDS["kernel count"] = change(CONV, "nKernels", -1, lambda e, u: value(u, "nKernels") > 1)
KINDS["kernel rows"] = change(CONV, "kernelHeight", -1, lambda e, u: value(u, "kernelHeight") > 1)
KINDS["stride of rows"] = change(CONV, "vstride", lambda u, r: 3 - 2 * value(u, "vstride"), lambda e, u: value(u, "vstride") in (1, 2) and value(u, "fHeight") > 3)
KINDS["stride of columns"] = change(CONV, "hstride", lambda u, r: 3 - 2 * value(u, "hstride"), lambda e, u: value(u, "hstride") in (1, 2) and value(u, "fWidth") > 3)
KINDS["channels of a frame"] = change(CONV, "batchDepth", -1, lambda e, u: value(u, "batchDepth") > 1)
KINDS["partial sums: the first kept"] = put(CONV, "accumulate_first", 0, lambda e, u: value(u, "accumulate_first") == 1)
KINDS["partial sums: count of passes"] = change(CONV, "afilt_tot", -1, lambda e, u: value(u, "afilt_tot") > 2)
KINDS["partial sums: a pass not added"] = change(CONV, "afilt_first", 1, lambda e, u: value(u, "afilt_tot") > 2)
KINDS["partial sums: flag missing"] = put(CONV, "accumulate", 0, lambda e, u: value(u, "accumulate") == 1)
KINDS["kernels of another unit"] = change(CONV, "kfilt_first", 0, lambda e, u: False)
KINDS["widened sums"] = put(CONV, "outbytes_o", 2, lambda e, u: value(u, "outbytes_o") == 3)


@kind
def kernels_of_two_units_exchanged(p, r):
    e, u = pick(p, r, lambda e, u: of(u, *CONV) and value(u, "kfilt_tot") > 1)
    if not u:
        return None
    others = [v for v in e["units"] if of(v, *CONV) and v is not u and value(v, "kfilt_tot") == value(u, "kfilt_tot")]
    if not others:
        return None
    v = others[r.integers(len(others))]
    for f in ("kfilt_first", "kfilt_last"):
        u["fields"][f], v["fields"][f] = value(v, f), value(u, f)
    return e["number"]


@kind
def padding_moved_by_one(p, r):
    sides = [("top_padding", "bot_padding"), ("left_padding", "right_padding")]
    a, b = sides[r.integers(2)]
    e, u = pick(p, r, lambda e, u: of(u, *CONV) and value(u, a) + value(u, b) > 0)
    if not u:
        return None
    by = 1 if value(u, b) > 0 and value(u, a) < 3 else -1
    add(u, a, by), add(u, b, -by)
    return e["number"]


@kind
def padding_lost_all_around(p, r):
    names = ("top_padding", "bot_padding", "left_padding", "right_padding")
    e, u = pick(p, r, lambda e, u: of(u, *CONV) and any(value(u, n) for n in names))
    if not u:
        return None
    for n in names:
        u["fields"][n] = 0
    return e["number"]


@kind
def a_row_cropped(p, r):
    e, u = pick(p, r, lambda e, u: of(u, *CONV) and value(u, "bot_crop") > 1)
    if not u:
        return None
    add(u, "top_crop", 1), add(u, "bot_pad" if False else "bot_padding", 1)
    return e["number"]


# ---- arithmetic units
KINDS["factors: shift more"] = change(ARITH, "shift_o", 1, vector)
KINDS["common scale: shift more"] = change(ARITH, "shift_o", 1, lambda e, u: single(e, u) and value(u, "shift_o") > 0)
KINDS["common scale 1 % off"] = change(ARITH, "A_scalar", lambda u, r: max(1, value(u, "A_scalar") // 100), lambda e, u: single(e, u) and value(u, "A_scalar") > 1000)
KINDS["common scale negated"] = change(ARITH, "A_scalar", lambda u, r: -2 * value(u, "A_scalar"), lambda e, u: is_affine(e, u) and value(u, "A_scalar") != 0)
KINDS["result truncated"] = put(ARITH, "rounding_o", 0, lambda e, u: is_affine(e, u) and value(u, "rounding_o") == 1 and value(u, "shift_o") > 0)
KINDS["result not saturated"] = put(ARITH, "saturation_o", 0, lambda e, u: value(u, "saturation_o") == 1)
KINDS["bias and offset not combined"] = put(ARITH, "combinebc", 0, lambda e, u: value(u, "combinebc") == 1)
KINDS["sum read as one byte"] = put(ARITH, "inbytes_x", 1, lambda e, u: value(u, "inbytes_x") == 2)
KINDS["Add: second coefficient halved"] = change(ARITH, "B_scalar", lambda u, r: -(value(u, "B_scalar") // 2), dual)
KINDS["Add: first coefficient 2 % off"] = change(ARITH, "A_scalar", lambda u, r: value(u, "A_scalar") // 50, dual)
KINDS["Add: constant of other sign"] = change(ARITH, "C_scalar", lambda u, r: -2 * value(u, "C_scalar"), lambda e, u: dual(e, u) and abs(value(u, "C_scalar")) > 500)
KINDS["Add: constant shifted"] = change(ARITH, "C_shift", either(1, -1), lambda e, u: dual(e, u) and value(u, "C_shift") > 0 and abs(value(u, "C_scalar")) > 500)
KINDS["Add: shift of the result"] = change(ARITH, "shift_o", either(1, -1), dual)
KINDS["Add: first operand shifted"] = change(ARITH, "Ax_shift", 1, dual)
KINDS["Add: one operand only"] = put(ARITH, "dualinput", 0, dual)
KINDS["offset one code off"] = change(ARITH, "B_scalar", lambda u, r: 1 << max(0, value(u, "shift_o") - 16), lambda e, u: single(e, u) and value(u, "combinebc") == 1 and value(u, "shift_o") >= 16)
KINDS["factors: a channel late"] = change(ARITH, "A_vector", 2, vector)
KINDS["factors: 32 channels late"] = change(ARITH, "A_vector", 64, lambda e, u: vector(e, u) and value(u, "fChannels") > 32)
KINDS["bias: a channel late"] = change(ARITH, "C_vector", lambda u, r: 4 if value(u, "combinebc") else 2, lambda e, u: is_affine(e, u) and value(u, "C_vector") != 0 and value(u, "fChannels") > 8)
KINDS["factors: channels of a block"] = change(ARITH, "batchDepth", lambda u, r: -(value(u, "batchDepth") // 2), lambda e, u: vector(e, u) and value(u, "batchDepth") > 1 and value(u, "fWidth") * value(u, "fHeight") > 1)
KINDS["clip: highest code"] = change(ARITH, "clipmax", -20, lambda e, u: value(u, "clipout") == 1)
KINDS["clip: lowest code"] = change(ARITH, "clipmin", 20, lambda e, u: value(u, "clipout") == 1)
KINDS["clip: lost"] = put(ARITH, "clipout", 0, lambda e, u: value(u, "clipout") == 1)


@kind
def operands_exchanged_at_the_ports(p, r):
    e, u = pick(p, r, lambda e, u: of(u, *ARITH) and dual(e, u) and value(u, "A_scalar") != value(u, "B_scalar"))
    if not u:
        return None
    mine = [l for l in e["links"] if l["to"][1] == u["id"] and l["to"][0].startswith("ARITH")]
    if len(mine) != 2:
        return None
    mine[0]["from"], mine[1]["from"] = mine[1]["from"], mine[0]["from"]
    return e["number"]


def table_edit(field, edit):
    def plant(p, r):
        e, u = pick(p, r, lambda e, u: of(u, *ARITH) and is_affine(e, u) and value(u, field) != 0 and value(u, "fChannels") > 3)
        if not u:
            return None
        b, at = p.byte(value(u, field))
        size = 4 if field == "C_vector" and value(u, "combinebc") else 2
        if b is None:
            return None
        n = value(u, "fChannels")
        rows = [int.from_bytes(b[at + size * k:at + size * k + size], "little", signed=True) for k in range(n)]
        new = edit(list(rows), r)
        if new == rows:
            return None
        for k, v in enumerate(new):
            b[at + size * k:at + size * k + size] = int(v).to_bytes(size, "little", signed=True)
        return e["number"]
    return plant


def one_exchanged(rows, r):
    largest = max(range(len(rows)), key=lambda k: rows[k])
    k = int(r.integers(len(rows)))
    rows[largest], rows[k] = rows[k], rows[largest]
    return rows


def one_negated(rows, r):
    k = max(range(len(rows)), key=lambda k: abs(rows[k]))
    rows[k] = -rows[k]
    return rows


KINDS["factors: two channels exchanged"] = table_edit("A_vector", one_exchanged)
KINDS["factors: one negated"] = table_edit("A_vector", one_negated)
KINDS["bias: one negated"] = table_edit("C_vector", one_negated)
KINDS["bias: doubled"] = table_edit("C_vector", lambda rows, r: [max(-2**31, min(2**31 - 1, 2 * v)) if max(map(abs, rows)) > 32767 else max(-32768, min(32767, 2 * v)) for v in rows])
KINDS["bias: two channels exchanged"] = table_edit("C_vector", one_exchanged)


# ---- pooling and activation units
KINDS["pool: window"] = change(POOL, "poolWinX", either(1, -1), lambda e, u: value(u, "poolWinX") > 1)
KINDS["pool: stride"] = change(POOL, "strideY", 1, lambda e, u: value(u, "strideY") >= 1 and value(u, "inputY") > 3)
KINDS["pool: factor"] = change(POOL, "mulval", lambda u, r: value(u, "mulval") // 9, lambda e, u: value(u, "mulval") > 100)
KINDS["pool: shift"] = change(POOL, "shift_o", either(1, -1), lambda e, u: value(u, "shift_o") > 1)
KINDS["pool: channels"] = change(POOL, "batchSize", -1, lambda e, u: value(u, "batchSize") > 1)
KINDS["pool: padding"] = change(POOL, "topPad", 1, lambda e, u: value(u, "poolWinY") > 1)
KINDS["pool: least for greatest"] = put(POOL, "operation", "POOL_MIN", lambda e, u: value(u, "operation") == "POOL_MAX")
KINDS["activation: table"] = change(ACTIV, "ROM1_vector", 6, lambda e, u: value(u, "ROM1_vector") != 0)
KINDS["activation: segments"] = change(ACTIV, "ROM0_vector", 1, lambda e, u: value(u, "ROM0_vector") != 0)
KINDS["activation: shift"] = change(ACTIV, "shift_o", 1, lambda e, u: value(u, "operation") == "ACTIV_FUNC")
KINDS["activation: linear shift"] = change(ACTIV, "shift_b", 1, lambda e, u: value(u, "operation") == "ACTIV_FUNC")
KINDS["activation: parameter"] = change(ACTIV, "parameter", 7)

# ---- stream engines


def moved(u, r):
    return int((8, 16, 64, 128)[r.integers(4)])


KINDS["features read off"] = change(STREAM, "offset_start", moved, lambda e, u: reads(e, u) and u.get("buffer", "") != "ATONN_ACCUMULATOR_PORT")
KINDS["features read off, backwards"] = change(STREAM, "offset_start", lambda u, r: -min(moved(u, r), value(u, "offset_start")), lambda e, u: reads(e, u) and value(u, "offset_start") >= 8 and u.get("buffer", "") != "ATONN_ACCUMULATOR_PORT")
KINDS["result written backwards"] = change(STREAM, "offset_start", lambda u, r: -min(moved(u, r), value(u, "offset_start")), lambda e, u: writes(e, u) and value(u, "offset_start") >= 8)
KINDS["frames: one less"] = change(STREAM, "frame_tot_cnt", -1, lambda e, u: value(u, "frame_tot_cnt") > 1)
KINDS["frames: distance"] = change(STREAM, "frame_offset", either(8, -8, 1), lambda e, u: raster(e, u) and value(u, "frame_tot_cnt") > 1 and value(u, "frame_offset") > 8)
KINDS["lines: distance"] = change(STREAM, "line_offset", either(8, -8), lambda e, u: raster(e, u) and value(u, "line_offset") > 8 and value(u, "fheight") > 1)
KINDS["pixels: distance"] = change(STREAM, "batch_offset", either(8, -8, 1), lambda e, u: raster(e, u) and value(u, "batch_offset") > 8 and value(u, "fwidth") * value(u, "fheight") > 1)
KINDS["repetitions: distance"] = change(STREAM, "loop_offset", either(8, -8), lambda e, u: value(u, "frame_loop_cnt") > 0 and value(u, "frame_tot_cnt") > value(u, "frame_loop_cnt"))
KINDS["repetitions: count"] = change(STREAM, "frame_loop_cnt", -1, lambda e, u: value(u, "frame_loop_cnt") > 1 and value(u, "frame_tot_cnt") > value(u, "frame_loop_cnt"))
KINDS["width of a bit field"] = change(STREAM, "nbits_in", lambda u, r: 24 - 2 * value(u, "nbits_in"), lambda e, u: value(u, "nbits_in") in (8, 16) and not feeds_kernels(e, u))
KINDS["widened without sign"] = put(STREAM, "nbits_unsigned", 1, lambda e, u: value(u, "nbits_in") == 8 and value(u, "nbits_out") == 16)
KINDS["kernels one channel off"] = change(STREAM, "offset_start", either(1, 3, 9), feeds_kernels)
KINDS["kernels: a frame repeated"] = change(STREAM, "frame_tot_cnt", 1, feeds_kernels)
KINDS["kernels: distance of sets"] = change(STREAM, "frame_offset", either(1, 8), lambda e, u: feeds_kernels(e, u) and value(u, "frame_tot_cnt") > 1 and value(u, "frame_offset") > 8)
KINDS["depth of a pixel"] = change(STREAM, "batch_depth", -1, lambda e, u: raster(e, u) and value(u, "batch_depth") > 1)


@kind
def rows_and_columns_exchanged(p, r):
    e, u = pick(p, r, lambda e, u: of(u, *STREAM) and raster(e, u) and value(u, "fwidth") > 1 and value(u, "fheight") > 1 and value(u, "fwidth") != value(u, "fheight"))
    if not u:
        return None
    f = u["fields"]
    f["fwidth"], f["fheight"] = f["fheight"], f["fwidth"]
    return e["number"]


@kind
def another_tensor_read(p, r):
    """The stream is right but for where it begins: at another buffer of the same size that is there."""
    all_ = []
    for e in p.epochs:
        for u in e["units"]:
            if not (of(u, *STREAM) and reads(e, u)) or u.get("buffer", "") == "ATONN_ACCUMULATOR_PORT":
                continue
            own = [b for b in p.buffers if b["name"] == u.get("buffer", "")]
            for b in p.buffers:
                if own and not b.get("is_param") and 0 < b.get("epoch", 0) < e["number"] and b["offset_end"] - b["offset_start"] == own[0]["offset_end"] - own[0]["offset_start"] \
                        and b["addr_base"] == own[0]["addr_base"] and b["offset_start"] != own[0]["offset_start"]:
                    all_.append((e, u, b["offset_start"] - own[0]["offset_start"]))
    if not all_:
        return None
    e, u, by = all_[r.integers(len(all_))]
    if value(u, "offset_start") + by < 0:
        return None
    add(u, "offset_start", by)
    if value(u, "offset_end"):
        add(u, "offset_end", by)
    return e["number"]


@kind
def output_lands_on_an_input_of_the_same_epoch(p, r):
    all_ = [(e, o, i) for e in p.epochs for o in e["units"] for i in e["units"]
            if of(o, *STREAM) and of(i, *STREAM) and writes(e, o) and reads(e, i) and value(o, "addr_base") == value(i, "addr_base") and value(i, "offset_start") != value(o, "offset_start")
            and i.get("buffer", "") != "ATONN_ACCUMULATOR_PORT"]
    if not all_:
        return None
    e, o, i = all_[r.integers(len(all_))]
    by = value(i, "offset_start") - value(o, "offset_start")
    add(o, "offset_start", by)
    if value(o, "offset_end"):
        add(o, "offset_end", by)
    return e["number"]


# ---- the switch
@kind
def a_link_left_from_another_epoch(p, r):
    all_ = []
    for e in p.epochs:
        for l in e["links"]:
            here = [[u["unit"] if not u["unit"].endswith("ACC") or u["unit"] == "CONVACC" else u["unit"][:-3], u["id"], 0] for u in e["units"]
                    if not (of(u, *STREAM) and value(u, "dir") == 1)]
            for s in here:
                if s[:2] != l["to"][:2] and s[:2] != l["from"][0]["source"][:2]:
                    all_.append((e, l, s))
    if not all_:
        return None
    e, l, s = all_[r.integers(len(all_))]
    l["from"] = [{"context": 1, "frames": 0, "source": s}]
    return e["number"]


@kind
def a_link_missing(p, r):
    all_ = [(e, l) for e in p.epochs for l in e["links"]]
    if not all_:
        return None
    e, l = all_[r.integers(len(all_))]
    e["links"].remove(l)
    return e["number"]


@kind
def frames_of_a_context(p, r):
    all_ = [(e, l) for e in p.epochs for l in e["links"] if len(l["from"]) > 1]
    if not all_:
        return None
    e, l = all_[r.integers(len(all_))]
    l["from"][0]["frames"] += 1
    return e["number"]


# ---- constants
def some_kernels(p, r):
    """(epoch, stream, image, offset) of a convolution's kernels; no image where there are none."""
    e, u = pick(p, r, lambda e, u: of(u, *STREAM) and feeds_kernels(e, u))
    b, at = p.byte(value(u, "addr_base") + value(u, "offset_start")) if u else (None, 0)
    return e, u, b, at


@kind
def two_kernels_exchanged(p, r):
    e, u, b, at = some_kernels(p, r)
    if b is None:
        return None
    n = 9
    one, two = b[at:at + n], b[at + n:at + 2 * n]
    if one == two:
        return None
    b[at:at + n], b[at + n:at + 2 * n] = two, one
    return e["number"]


@kind
def one_weight_negated(p, r):
    e, u, b, at = some_kernels(p, r)
    if b is None:
        return None
    size = value(u, "offset_end") - value(u, "offset_start")
    for k in range(at, at + max(1, size)):
        if k < len(b) and b[k] not in (0, 128):
            b[k] = 256 - b[k]
            return e["number"]
    return None


@kind
def kernels_of_a_like_layer(p, r):
    """Two layers of one shape: the one reads the other's kernels."""
    all_ = [(e, u) for e in p.epochs for u in e["units"] if of(u, *STREAM) and feeds_kernels(e, u)]
    pairs = [(a, b) for a in all_ for b in all_ if a[0] is not b[0] and value(a[1], "offset_start") != value(b[1], "offset_start")
             and value(a[1], "addr_base") == value(b[1], "addr_base")
             and all(value(a[1], f) == value(b[1], f) for f in ("frame_tot_cnt", "frame_offset", "raw", "frame_loop_cnt", "nbits_in"))
             and value(a[1], "offset_end") - value(a[1], "offset_start") == value(b[1], "offset_end") - value(b[1], "offset_start")]
    if not pairs:
        return None
    (e, u), (_, v) = pairs[r.integers(len(pairs))]
    for f in ("offset_start", "offset_end"):
        u["fields"][f] = value(v, f)
    return e["number"]


# ---- software epochs and caches
def call_number(argument):
    return int(argument) if argument.strip().lstrip("-").isdigit() else None


@kind
def dma_call_with_other_blocks(p, r):
    all_ = [(e, c) for e in p.epochs for c in e["calls"] if c["function"].startswith("LL_ATON_LIB_DMA_")
            and any((call_number(a) or 0) > 1 for a in c["arguments"])]
    if not all_:
        return None
    e, c = all_[r.integers(len(all_))]
    for i, a in enumerate(c["arguments"][3:], 3):
        if (call_number(a) or 0) > 1:
            c["arguments"][i] = str(call_number(a) + 1)
            return e["number"]
    return None


@kind
def invalidation_missing(p, r):
    cpu = [e for e in p.epochs if not e["units"] and any(c["function"].startswith("ll_sw") for c in e["calls"])]
    if not cpu:
        return None
    e = cpu[r.integers(len(cpu))]
    made = e["number"]
    for f in p.epochs:
        if made - 1 <= f["number"] <= made:
            f["calls"] = [c for c in f["calls"] if "nvalidate" not in c["function"]]
    before = [f for f in p.epochs if f["number"] == made - 1]
    return made if before and before[0]["units"] else None


@kind
def invalidation_of_half_the_range(p, r):
    all_ = [(n, e, c) for n, e in enumerate(p.epochs) for c in e["calls"] if "Invalidate" in c["function"] and (call_number(c["arguments"][1]) or 0) > 127
            and n + 1 < len(p.epochs) and e["units"] and not p.epochs[n + 1]["units"] and any(x["function"].startswith("ll_sw") for x in p.epochs[n + 1]["calls"])]
    if not all_:
        return None
    n, e, c = all_[r.integers(len(all_))]
    c["arguments"][1] = str(call_number(c["arguments"][1]) // 2)
    return p.epochs[n + 1]["number"]


@kind
def clean_before_the_work(p, r):
    cpu = [e for n, e in enumerate(p.epochs) if not e["units"] and any(c["function"].startswith("ll_sw") for c in e["calls"])
           and any("Clean" in c["function"] for c in e["calls"]) and n + 1 < len(p.epochs) and p.epochs[n + 1]["units"]]
    if not cpu:
        return None
    e = cpu[r.integers(len(cpu))]
    first = [c for c in e["calls"] if "Clean" in c["function"]]
    e["calls"] = first + [c for c in e["calls"] if "Clean" not in c["function"]]
    return e["number"]


def table_rows(e):
    for name, t in e.get("tables", {}).items():
        for row in t["value"] if isinstance(t["value"], list) else []:
            if isinstance(row, dict):
                yield name, row


@kind
def software_address(p, r):
    """The call's own tables say where its operands lie."""
    all_ = [(e, row, k) for e in p.epochs if not e["units"] for _, row in table_rows(e) for k in ("offset_start",)
            if row.get("name") not in (None, "NULL") and isinstance(row.get(k), int)]
    if not all_:
        return None
    e, row, k = all_[r.integers(len(all_))]
    by = 64
    for f in ("offset_start", "offset_end"):
        row[f] += by
    return e["number"]


# ---- order
@kind
def two_epochs_exchanged(p, r):
    pairs = [n for n in range(len(p.epochs) - 1) if p.epochs[n]["units"] and p.epochs[n + 1]["units"]]
    if not pairs:
        return None
    n = pairs[r.integers(len(pairs))]
    p.epochs[n], p.epochs[n + 1] = p.epochs[n + 1], p.epochs[n]
    a, b = p.epochs[n]["number"], p.epochs[n + 1]["number"]
    p.epochs[n]["number"], p.epochs[n + 1]["number"] = b, a
    return b


@kind
def two_tensors_in_one_place(p, r):
    last = {}
    for e in p.epochs:
        for u in e["units"]:
            if of(u, *STREAM) and value(u, "dir") == 0:
                last[u.get("buffer", "")] = e["number"]
        if not e["units"]:
            for b in p.buffers:
                last[b["name"]] = max(last.get(b["name"], 0), 0)
    hardware = {e["number"] for e in p.epochs if e["units"]}
    live = [b for b in p.buffers if not b.get("is_param") and b["name"] in last]
    pairs = [(b, x) for b in live for x in live if b.get("epoch", 0) in hardware and x.get("epoch", 0) < b["epoch"] < last[x["name"]]
             and last[b["name"]] > b["epoch"] and x["addr_base"] == b["addr_base"]
             and (x["offset_end"] <= b["offset_start"] or b["offset_end"] <= x["offset_start"])]
    if not pairs:
        return None
    b, x = pairs[r.integers(len(pairs))]
    by = x["offset_start"] - b["offset_start"]
    for e in p.epochs:
        for u in e["units"]:
            if of(u, *STREAM) and u.get("buffer", "") == b["name"]:
                f = "offset_start" if value(u, "offset_start") or value(u, "addr_base") == b["addr_base"] else "addr_base"
                add(u, f, by)
                if f == "offset_start" and value(u, "offset_end"):
                    add(u, "offset_end", by)
    for f in ("offset_start", "offset_end"):
        b[f] += by
    return b["epoch"]


del KINDS["kernels of another unit"]
