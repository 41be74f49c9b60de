"""Mistakes of a compiler, planted into the text of a compiled network: network.c with unit structures, or with blobs beside it.

Only the text is known here: structures by their names, blobs by the register map, constants by their image.
Each kind is a function (text, random) -> the epoch in which it stands, or None where the text has no place for it.
"""
import pathlib
import re

KINDS = {}

# Register (word) and bits of a field: (word, lsb, width, signed).
REGISTERS = {
    "CONVACC": {"shift_o": (4, 8, 6, False), "rounding_o": (4, 16, 1, False), "saturation_o": (4, 17, 1, False), "fsub": (12, 0, 24, True),
                "f_unsigned": (0, 20, 1, False), "vstride": (3, 12, 3, False), "hstride": (3, 8, 3, False), "top_padding": (3, 4, 2, False),
                "left_padding": (3, 0, 2, False), "bot_crop": (7, 16, 16, False),
                "bot_padding": (3, 6, 2, False), "kernelHeight": (2, 8, 8, False), "kernelWidth": (2, 0, 8, False), "nKernels": (2, 24, 8, False)},
    "ARITH": {"A_scalar": (7, 0, 16, True), "C_scalar": (7, 16, 16, True), "B_scalar": (8, 0, 16, True), "shift_o": (2, 15, 6, False),
              "Ax_shift": (2, 0, 5, False), "By_shift": (2, 5, 5, False), "C_shift": (2, 10, 5, False), "rounding_o": (0, 5, 1, False),
              "saturation_o": (0, 6, 1, False), "dualinput": (0, 8, 1, False), "combinebc": (0, 28, 1, False), "by_channel": (0, 7, 1, False),
              "clipout": (0, 29, 1, False), "clipmax": (14, 0, 16, True), "clipmin": (14, 16, 16, True)},
    "POOL": {"mulval": (5, 0, 16, False), "shift_o": (0, 8, 6, False), "poolWinX": (2, 0, 3, False), "strideY": (2, 10, 4, False), "topPad": (2, 14, 3, False),
             "strideX": (2, 6, 4, False), "leftPad": (2, 20, 3, False)},
    "STRENG": {"address": (2, 0, 32, False), "dir": (0, 3, 1, False), "raw": (0, 8, 1, False), "fwidth": (3, 0, 16, False), "fheight": (3, 16, 16, False),
               "batch_depth": (4, 0, 16, False), "frame_offset": (6, 0, 32, False), "loop_offset": (8, 0, 32, False),
               "batch_offset": (4, 16, 16, False), "line_offset": (5, 0, 16, False), "frame_loop_cnt": (7, 0, 32, False), "frame_tot_cnt": (13, 0, 32, False)},
}
FIRST = {"STRENG": (5, 10), "CONVACC": (15, 4), "ARITH": (23, 4), "POOL": (27, 2)}


def kind(f):
    KINDS[f.__name__.replace("_", " ")] = f
    return f


class Image:
    """Bytes of a constants file; .hex or plain."""
    def __init__(self, path):
        self.path, self.parts = pathlib.Path(path), []
        if self.path.suffix != ".hex":
            self.parts = [[None, bytearray(self.path.read_bytes())]]
            return
        high = 0
        for line in self.path.read_text().splitlines():
            raw = bytes.fromhex(line[1:])
            if raw[3] == 4:
                high = int.from_bytes(raw[4:6], "big") << 16
            elif raw[3] == 0:
                at = high + int.from_bytes(raw[1:3], "big")
                if not self.parts or self.parts[-1][0] + len(self.parts[-1][1]) != at:
                    self.parts.append([at, bytearray()])
                self.parts[-1][1] += raw[4:4 + raw[0]]

    def save(self, folder):
        out = pathlib.Path(folder) / self.path.name
        if self.path.suffix != ".hex":
            out.write_bytes(self.parts[0][1])
            return
        lines = []

        def record(at, type_, data):
            raw = bytes([len(data)]) + at.to_bytes(2, "big") + bytes([type_]) + data
            lines.append(":" + (raw + bytes([-sum(raw) & 255])).hex().upper())
        for base, data in self.parts:
            high = None
            for k in range(0, len(data), 16):
                if high != (base + k) >> 16:
                    high = (base + k) >> 16
                    record(0, 4, high.to_bytes(2, "big"))
                take = min(16, len(data) - k, 0x10000 - ((base + k) & 0xffff))
                assert take == min(16, len(data) - k), "a record may not cross a bank"
                record((base + k) & 0xffff, 0, bytes(data[k:k + take]))
        out.write_text("\n".join(lines + [":00000001FF", ""]))


class Unit:
    """One unit of one epoch; `get` and `set` in the fields of REGISTERS, `address` of a stream among them."""
    def __init__(self, text, epoch, kind_, id_):
        self.text, self.epoch, self.kind, self.id = text, epoch, kind_, id_


class StructUnit(Unit):
    def __init__(self, text, epoch, kind_, id_, span):
        super().__init__(text, epoch, kind_, id_)
        self.span = span
        self.body = text.c[slice(*span)]

    def find(self, name):
        return re.search(rf"\.{name} = ([^,}}\n]+)", self.body)

    def get(self, name):
        if name == "address":
            at = self.find("addr_base") and address_of(re.search(r"\.addr_base = \{(.*)", self.body).group(1))
            return None if at is None else at + (self.get("offset_start") or 0)
        if name == "by_channel":
            v = self.find("A_vector")
            return int(self.get("scalar") == 0 and bool(v) and "NULL" not in v.group(1))
        m = self.find(name)
        return 0 if not m else int(m.group(1).strip()) if re.fullmatch(r"-?\d+", m.group(1).strip()) else m.group(1).strip()

    def set(self, name, value):
        if name == "address":
            by = value - self.get("address")
            for f in ("offset_start", "offset_end"):
                if f == "offset_start" or self.find(f):
                    self.set(f, (self.get(f) or 0) + by)
            return True
        m = self.find(name)
        start = self.span[0]
        self.text.edit(*((start + m.start(1), start + m.end(1), str(value)) if m else (start + 1, start + 1, f" .{name} = {value},")))
        return True

    def rename(self, old, new):
        """What the comment beside the address says."""
        m = re.search(rf"/\* {re.escape(old)}\b[^*]*\*/", self.body)
        if m:
            self.text.edit(self.span[0] + m.start(), self.span[0] + m.end(), f"/* {new} */")

    def said(self):
        m = re.search(r"\.addr_base = .*?,\s*/\* (\S+)[^*]*\*/", self.body)
        return m.group(1) if m else ""


class BlobUnit(Unit):
    def __init__(self, text, epoch, kind_, id_):
        super().__init__(text, epoch, kind_, id_)
        self.words = {}  # register -> [(place, lsb, width)], in order; a place is (blob, word)

    def get(self, name):
        word, lsb, width, signed = REGISTERS[self.kind].get(name, (None, 0, 0, False))
        v = None if word is None else self.text.register(self, word)
        if v is None:
            return 0 if name not in ("address",) else None
        v = v >> lsb & (1 << width) - 1
        return v - (1 << width) if signed and v >> (width - 1) else v

    def set(self, name, value):
        word, lsb, width, _ = REGISTERS[self.kind].get(name, (None, 0, 0, False))
        for place, low, n, bit in reversed(self.words.get(word, [])):
            if low <= lsb and lsb + width <= low + n:
                mask = (1 << width) - 1
                if bit is not None:
                    self.text.words[place] = self.text.words[place] & ~(1 << 13) | (value & 1) << 13
                else:
                    shift = lsb - low
                    self.text.words[place] = self.text.words[place] & ~(mask << shift) | (value & mask) << shift
                return True
        return False

    def rename(self, old, new):
        pass

    def said(self):
        return ""


def address_of(text):
    m = re.search(r"0x([0-9a-fA-F]+)U?L?(?:\s*\+\s*(\d+))?", text)
    return int(m.group(1), 16) + int(m.group(2) or 0) if m else None


class Text:
    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.c = self.path.read_text(errors="replace")
        stem = self.path.name[:-2]
        blobs = self.path.parent / f"{stem}_ecblobs.h"
        self.blob_path = blobs if blobs.exists() and "_ec_blob" in self.c else None
        files = [p for p in sorted(self.path.parent.glob(f"{stem}*")) if p.suffix in (".hex", ".raw", ".bin") and p.stat().st_size]
        self.images = [Image(p) for p in files if p.suffix != ".hex" or all(q.suffix == ".hex" for q in files)]
        self.edits = []
        self.units = []
        self.links = []  # [epoch, (kind, id, port), (kind, id), handle]
        self.read_structs()
        if self.blob_path:
            self.read_blobs()
        self.read_buffers()

    # ---- explicit structures
    def read_structs(self):
        starts = [(m.start(), int(m.group(1))) for m in re.finditer(r"^(?:static )?void LL_ATON_(?:Start|End)_EpochBlock_(\d+)\(", self.c, re.M)]
        ends = [s for s, _ in starts[1:]] + [len(self.c)]
        for (start, epoch), end in zip(starts, ends):
            body = self.c[start:end]
            for m in re.finditer(r"static const LL_\w+?_(?:Tensor)?InitTypeDef (\w+) = (\{.*?\n\s*\});", body, re.S):
                call = re.search(rf"LL_(\w+?)_(?:Tensor)?Init\((\d+), &{m.group(1)}\b", body[m.end():])
                name = {"Streng": "STRENG", "Convacc": "CONVACC", "Arithacc": "ARITH", "Poolacc": "POOL", "Activacc": "ACTIV"}.get(call and call.group(1))
                if name:
                    self.units.append(StructUnit(self, epoch, name, int(call.group(2)), (start + m.start(2), start + m.end(2))))
            for m in re.finditer(r"ATONN_DSTPORT\(STRSWITCH, 0, (\w+), (\d+), (\d+)\), LL_Switch_Init_Source\(0\) = ATONN_SRCPORT\(STRSWITCH, 0, ((\w+), (\d+), \d+)\)", body):
                self.links.append([epoch, (m.group(1), int(m.group(2)), int(m.group(3))), (m.group(5), int(m.group(6))), (start + m.start(4), start + m.end(4))])

    def edit(self, start, end, new):
        self.edits.append((start, end, new))

    # ---- blobs
    def read_blobs(self):
        self.h = self.blob_path.read_text(errors="replace")
        self.words, self.places = {}, []
        for n, m in enumerate(re.finditer(r"uint64_t \w+ ?\[\w*\] ?=\s*\{(.*?)\};", self.h, re.S)):
            words = []
            for w in re.finditer(r"0x([0-9a-fA-F]+)UL", m.group(1)):
                v = int(w.group(1), 16)
                words += [v & 0xffffffff, v >> 32]
                self.places.append((n, len(words) - 2, m.start(1) + w.start(1), m.start(1) + w.end(1)))
            for k, v in enumerate(words):
                self.words[n, k] = v
            if 0xCA057A7A in words:
                first = words.index(0xCA057A7A)
                self.run(n, words, first + 2, first + 2 + words[first + 1])

    def run(self, blob, words, at, end):
        epoch, units, sources, running = 0, {}, {}, False  # behind the first poll of a stream engine: taken down again

        def wrote(unit, register, place, lsb, width, bit=None):
            if running:
                return
            for name, (first, count) in FIRST.items():
                if first <= unit < first + count:
                    u = units.get((epoch, name, unit - first))
                    if not u:
                        u = units[epoch, name, unit - first] = BlobUnit(self, epoch, name, unit - first)
                        self.units.append(u)
                    u.words.setdefault(register, []).append((place, lsb, width, bit))
            if unit == 4 and register >= 2:
                sources.setdefault((epoch, register), []).append((place, lsb, width))
        while at < end:
            op = words[at]
            code, unit, register = op & 31, op >> 26, op >> 16 & 1023
            if code == 0:
                lsb, msb = op >> 5 & 31, op >> 10 & 31
                wrote(unit, register, (blob, at + 1), lsb, msb - lsb + 1)
                at += 2
            elif code == 1:
                wrote(unit, register, (blob, at), op >> 5 & 31, 1, op >> 5 & 31)
                at += 1
            elif code in (2, 3):
                n = op >> 5 & 2047
                for k in range(n):
                    wrote(unit, register + (k if code == 3 else 0), (blob, at + 1 + k), 0, 32)
                at += 1 + n
            elif code == 4:
                running = running or 5 <= unit < 15
                at += 3
            elif code == 29:
                epoch, running = op >> 5, False
                at += 1
            elif code == 12:
                break
            else:
                raise ValueError(f"opcode {code} at word {at}")
        # A unit counts where it was set up: another register than the first (its control word) was written.
        self.units = [u for u in self.units if not isinstance(u, BlobUnit) or any(r > 0 for r in u.words)]
        for (e, register), all_ in sources.items():
            place, lsb, width = all_[0]
            v = self.words[place]
            if lsb == 0 and width >= 6 and v & 1:
                self.links.append([e, destination(register - 2), source(v >> 1 & 31), place])

    def register(self, unit, word):
        if not unit.words.get(word):
            return None
        v = 0
        for place, lsb, width, bit in unit.words[word]:
            if bit is not None:
                v = v & ~(1 << bit) | (self.words[place] >> 13 & 1) << bit
            elif self.words[place] or width < 32 or word:
                v = v & ~((1 << width) - 1 << lsb) | (self.words[place] & (1 << width) - 1) << lsb
        return v & 0xffffffff

    def swap_sources(self, a, b):
        """The sources of two links of one epoch."""
        if isinstance(a[3][0], int) and self.blob_path and a[3] in self.words:
            x, y = self.words[a[3]], self.words[b[3]]
            self.words[a[3]], self.words[b[3]] = x & ~62 | y & 62, y & ~62 | x & 62
        else:
            self.edit(*a[3], self.c[slice(*b[3])]), self.edit(*b[3], self.c[slice(*a[3])])

    # ---- buffers of the tables
    def read_buffers(self):
        self.buffers = []
        for m in re.finditer(r"\{\s*\.name = \"([^\"]+)\",\s*\.addr_base = \{(.*?)\},.*?\.offset_start = (\d+),\s*\.offset_end = (\d+),.*?\.is_param = (\d),\s*\.epoch = (\d+),", self.c, re.S):
            base = address_of(m.group(2))
            if base is not None:
                self.buffers.append({"name": m.group(1), "base": base, "start": int(m.group(3)), "end": int(m.group(4)), "param": m.group(5) == "1",
                                     "epoch": int(m.group(6)), "spans": ((m.start(3), m.end(3)), (m.start(4), m.end(4)))})

    def byte(self, address, memory):
        """(bytes, offset) of a constant; `memory` the base of plain images."""
        for image in self.images:
            for base, data in image.parts:
                base = memory if base is None else base
                if base is not None and base <= address < base + len(data):
                    return data, address - base
        return None, 0

    def weights_base(self):
        bases = [b["base"] for b in self.buffers if b["param"]]
        return min(bases, default=None)

    def copy(self):
        return Text(self.path)

    def save(self, folder):
        folder = pathlib.Path(folder)
        c = self.c
        for start, end, new in sorted(self.edits, reverse=True):
            c = c[:start] + new + c[end:]
        (folder / self.path.name).write_text(c)
        for image in self.images:
            image.save(folder)
        if self.blob_path:
            parts, last = [], 0
            for n, k, start, end in self.places:
                parts += [self.h[last:start], f"{self.words[n, k + 1] << 32 | self.words[n, k]:016x}"]
                last = end
            (folder / self.blob_path.name).write_text("".join(parts) + self.h[last:])
        return folder / self.path.name


def destination(n):
    for name, count, ports in (("STRENG", 10, 1), ("CONVACC", 4, 3), ("DECUN", 2, 2), ("ACTIV", 2, 1), ("ARITH", 4, 2), ("POOL", 2, 1), ("RECBUF", 1, 3)):
        if n < count * ports:
            return name, n // ports, n % ports
        n -= count * ports
    return "NONE", 0, 0


def source(n):
    for name, count in (("STRENG", 10), ("CONVACC", 4), ("DECUN", 2), ("ACTIV", 2), ("ARITH", 4), ("POOL", 2), ("RECBUF", 3)):
        if n < count:
            return name, n
        n -= count
    return "NONE", 0


# ---- choosing
def units(t, kind_, fits=lambda u: True):
    return [u for u in t.units if u.kind == kind_ and fits(u)]


def one(r, all_):
    return all_[r.integers(len(all_))] if all_ else None


def change(kind_, field, new, fits=lambda u: True):
    def plant(t, r):
        u = one(r, units(t, kind_, lambda u: fits(u)))
        if not u:
            return None
        v = new(u.get(field), u) if callable(new) else new
        return u.epoch if v != u.get(field) and u.set(field, v) else None
    return plant


def dual(u):
    return u.get("dualinput") == 1 and u.get("B_scalar") not in (0, None) and abs(u.get("A_scalar")) > 64 and abs(u.get("B_scalar")) > 64


def single(u):
    return u.get("dualinput") == 0 and abs(u.get("A_scalar")) > 1000 and not u.get("by_channel") and u.get("shift_o") > 0


def linked(t, u, port):
    """The stream behind a port of a unit, or None."""
    for epoch, to, frm, _ in t.links:
        if epoch == u.epoch and to == (u.kind, u.id, port) and frm[0] == "STRENG":
            return next((s for s in units(t, "STRENG") if s.epoch == epoch and s.id == frm[1]), None)
    return None


def kernels(t):
    return [s for c in units(t, "CONVACC") for s in [linked(t, c, 1)] if s and s.get("address")]


def holder(t, address, epoch):
    """The latest tensor made before `epoch` that holds the address."""
    all_ = [b for b in t.buffers if not b["param"] and not b["name"].startswith("SCRATCH") and b["epoch"] < epoch and b["base"] + b["start"] <= address < b["base"] + b["end"]]
    return max(all_, key=lambda b: b["epoch"], default=None)


def standing(t, b, epoch):
    """Nothing is put on b before `epoch`."""
    low, high = b["base"] + b["start"], b["base"] + b["end"]
    return not any(o is not b and b["epoch"] <= o["epoch"] < epoch and not o["param"] and o["base"] + o["start"] < high and low < o["base"] + o["end"] for o in t.buffers)


def features(t):
    """Streams that read a tensor from its first byte on, and it."""
    weights = {id(s) for s in kernels(t)}
    sums = {(e, frm[1]) for e, to, frm, _ in t.links if to[0] == "CONVACC" and to[2] == 2 and frm[0] == "STRENG"}
    for s in units(t, "STRENG", lambda s: s.get("dir") == 0 and s.get("address")):
        b = None if id(s) in weights or (s.epoch, s.id) in sums else holder(t, s.get("address"), s.epoch)
        if b and b["base"] + b["start"] == s.get("address") and s.said() in ("", b["name"]):
            yield s, b


# ---- units
KINDS["sums: shift one more"] = change("CONVACC", "shift_o", lambda v, u: v + 1, lambda u: u.get("shift_o") > 0 and u.get("saturation_o") == 1)
KINDS["sums: shift one less"] = change("CONVACC", "shift_o", lambda v, u: v - 1, lambda u: u.get("shift_o") > 1 and u.get("saturation_o") == 1)
KINDS["sums: truncated"] = change("CONVACC", "rounding_o", 0, lambda u: u.get("shift_o") > 0 and u.get("rounding_o") == 1)
KINDS["sums: wrapped"] = change("CONVACC", "saturation_o", 0, lambda u: u.get("saturation_o") == 1)
KINDS["features: zero point lost"] = change("CONVACC", "fsub", 0, lambda u: u.get("fsub") != 0)
KINDS["features: zero point negated"] = change("CONVACC", "fsub", lambda v, u: -v, lambda u: u.get("fsub") != 0)
KINDS["features: sign"] = change("CONVACC", "f_unsigned", lambda v, u: 1 - v, lambda u: u.get("fsub") == 0)
KINDS["padding above"] = change("CONVACC", "top_padding", lambda v, u: v - 1, lambda u: u.get("top_padding") > 0)
KINDS["stride of rows"] = change("CONVACC", "vstride", lambda v, u: 3 - v, lambda u: u.get("vstride") in (1, 2) and u.get("kernelHeight") > 1)
KINDS["result: shift one less"] = change("ARITH", "shift_o", lambda v, u: v - 1, single)
KINDS["result: scale 1 % off"] = change("ARITH", "A_scalar", lambda v, u: v - v // 100, single)
KINDS["result: zero point lost"] = change("ARITH", "B_scalar", 0, lambda u: single(u) and u.get("combinebc") == 1 and abs(u.get("B_scalar")) > 16)
KINDS["result: zero point negated"] = change("ARITH", "B_scalar", lambda v, u: -v, lambda u: single(u) and u.get("combinebc") == 1 and abs(u.get("B_scalar")) > 16)
KINDS["result: truncated"] = change("ARITH", "rounding_o", 0, lambda u: u.get("rounding_o") == 1 and u.get("shift_o") > 0)
KINDS["result: wrapped"] = change("ARITH", "saturation_o", 0, lambda u: u.get("saturation_o") == 1)
KINDS["factors: shift one more"] = change("ARITH", "shift_o", lambda v, u: v + 1, lambda u: u.get("by_channel") == 1 and u.get("shift_o") > 0)
KINDS["Add: first coefficient 3 % off"] = change("ARITH", "A_scalar", lambda v, u: v + v // 32, dual)
KINDS["Add: second coefficient doubled"] = change("ARITH", "By_shift", lambda v, u: v - 1, lambda u: dual(u) and u.get("By_shift") > 0)
KINDS["Add: constant lost"] = change("ARITH", "C_scalar", 0, lambda u: dual(u) and abs(u.get("C_scalar")) > 400)
KINDS["Add: shift"] = change("ARITH", "shift_o", lambda v, u: v + 1, dual)
KINDS["pool: factor"] = change("POOL", "mulval", lambda v, u: v - v // 8, lambda u: u.get("mulval") > 100)
KINDS["pool: shift"] = change("POOL", "shift_o", lambda v, u: v + 1, lambda u: u.get("shift_o") > 1 and u.get("mulval") > 1)
KINDS["pool: window"] = change("POOL", "poolWinX", lambda v, u: v - 1, lambda u: u.get("poolWinX") > 1)
KINDS["raster: width"] = change("STRENG", "fwidth", lambda v, u: v - 1, lambda u: u.get("raw") == 0 and u.get("fwidth") > 2)
KINDS["raster: distance of frames"] = change("STRENG", "frame_offset", lambda v, u: v - 8, lambda u: u.get("raw") == 0 and u.get("frame_offset") > 8)
KINDS["raster: distance of pixels"] = change("STRENG", "batch_offset", lambda v, u: v + 1, lambda u: u.get("raw") == 0 and u.get("fwidth") > 1 and u.get("batch_offset") > 0)
KINDS["raster: distance of lines"] = change("STRENG", "line_offset", lambda v, u: v + 2, lambda u: u.get("raw") == 0 and u.get("fheight") > 1 and u.get("line_offset") > 0)
KINDS["raster: channels of a pixel"] = change("STRENG", "batch_depth", lambda v, u: v - 1, lambda u: u.get("raw") == 0 and u.get("batch_depth") > 1)
KINDS["frames: one less"] = change("STRENG", "frame_tot_cnt", lambda v, u: v - 1, lambda u: u.get("frame_tot_cnt") > 1)
KINDS["frames: one more before a turn"] = change("STRENG", "frame_loop_cnt", lambda v, u: v + 1, lambda u: u.get("frame_loop_cnt") > 1)
KINDS["padding on the left"] = change("CONVACC", "left_padding", lambda v, u: v - 1, lambda u: u.get("left_padding") > 0)
KINDS["a row cropped"] = change("CONVACC", "bot_crop", lambda v, u: v - 1, lambda u: 1 < u.get("bot_crop") < 0xffff)
KINDS["clip lost"] = change("ARITH", "clipout", 0, lambda u: u.get("clipout") == 1)
KINDS["clip: greatest code"] = change("ARITH", "clipmax", lambda v, u: v - 3, lambda u: u.get("clipout") == 1 and u.get("clipmax") < 127)
KINDS["pool: stride"] = change("POOL", "strideX", lambda v, u: 3 - v, lambda u: u.get("strideX") in (1, 2) and u.get("poolWinX") > 1)
KINDS["pool: padding"] = change("POOL", "leftPad", lambda v, u: v - 1, lambda u: u.get("leftPad") > 0)


@kind
def add_coefficients_exchanged(t, r):
    u = one(r, units(t, "ARITH", lambda u: dual(u) and abs(u.get("A_scalar") - u.get("B_scalar")) > 300))
    if not u:
        return None
    a, b = u.get("A_scalar"), u.get("B_scalar")
    return u.epoch if u.set("A_scalar", b) and u.set("B_scalar", a) else None


@kind
def operands_exchanged_at_the_ports(t, r):
    u = one(r, units(t, "ARITH", lambda u: dual(u) and abs(u.get("A_scalar") - u.get("B_scalar")) > 300))
    if not u:
        return None
    mine = [l for l in t.links if l[0] == u.epoch and l[1][:2] == ("ARITH", u.id)]
    if len(mine) != 2 or mine[0][2] == mine[1][2]:
        return None
    t.swap_sources(*mine)
    return u.epoch


# ---- places
def moved(all_, by):
    def plant(t, r):
        s = one(r, all_(t))
        return s.epoch if s and s.set("address", s.get("address") + by) else None
    return plant


KINDS["kernels 8 bytes on"] = moved(kernels, 8)
KINDS["kernels 1 byte back"] = moved(kernels, -1)
KINDS["features 64 bytes on"] = moved(lambda t: [s for s, _ in features(t)], 64)
KINDS["result 64 bytes on"] = moved(lambda t: units(t, "STRENG", lambda s: s.get("dir") == 1 and s.get("address")), 64)
KINDS["result 64 bytes back"] = moved(lambda t: units(t, "STRENG", lambda s: s.get("dir") == 1 and s.get("address")), -64)


@kind
def another_tensor_read(t, r):
    """Whole, of the same size, and still there."""
    pairs = []
    for s, b in features(t):
        for w in t.buffers:
            if not w["param"] and w["epoch"] < s.epoch and w["end"] - w["start"] == b["end"] - b["start"] and w["base"] + w["start"] != b["base"] + b["start"] \
                    and holder(t, w["base"] + w["start"], s.epoch) is w and standing(t, w, s.epoch) and root(w["name"]) != root(b["name"]):
                pairs.append((s, b, w))
    if not pairs:
        return None
    s, b, w = one(r, pairs)
    s.rename(b["name"], w["name"])
    return s.epoch if s.set("address", w["base"] + w["start"]) else None


def root(name):
    """Of copies and of what has no zero point: "Add_15_zero_off_out_3_cp_in_9" -> "Add_15"."""
    return re.sub(r"_(zero_off|off_bias|out|cp_in|copy_in|inserted).*", "", name)


@kind
def two_tensors_in_one_place(t, r):
    """A tensor is put onto one that is still to be read, in the table and in all streams."""
    read = {}  # by address of a tensor: the epochs that read it from its first byte on
    for s, b in features(t):
        read.setdefault(id(b), []).append(s.epoch)
    hardware = {u.epoch for u in t.units}
    spans = {id(b): [b["epoch"], max(read[id(b)])] for b in t.buffers if id(b) in read}
    pairs = []
    for b in t.buffers:
        if id(b) not in spans or b["epoch"] not in hardware or any(e not in hardware for e in range(b["epoch"], spans[id(b)][1] + 1)):
            continue
        low, high = b["base"] + b["start"], b["base"] + b["end"]
        if any(o is not b and o["epoch"] <= spans[id(b)][1] and not o["param"] and o["base"] + o["start"] < high and low < o["base"] + o["end"] and
               (o["epoch"] >= b["epoch"]) for o in t.buffers):
            continue
        for x in t.buffers:
            if id(x) in spans and x["base"] == b["base"] and x["epoch"] < b["epoch"] < spans[id(x)][1] and standing(t, x, spans[id(x)][1]) \
                    and x["end"] - x["start"] >= b["end"] - b["start"] and (x["end"] <= b["start"] or b["end"] <= x["start"]):
                pairs.append((b, x))
    if not pairs:
        return None
    b, x = one(r, pairs)
    low, high, by = b["base"] + b["start"], b["base"] + b["end"], x["start"] - b["start"]
    for s in units(t, "STRENG"):
        if b["epoch"] <= s.epoch <= spans[id(b)][1] and s.get("address") and low <= s.get("address") < high and (s.epoch > b["epoch"] or s.get("dir") == 1):
            if not s.set("address", s.get("address") + by):
                return None
    for span, v in zip(b["spans"], (b["start"], b["end"])):
        t.edit(*span, str(v + by))
    return b["epoch"]


# ---- constants
@kind
def one_weight_another(t, r):
    s = one(r, kernels(t))
    b, at = t.byte(s.get("address"), t.weights_base()) if s else (None, 0)
    if b is None:
        return None
    for k in range(at, min(at + 64, len(b))):
        if b[k]:
            b[k] ^= 0x55
            return s.epoch
    return None


@kind
def kernels_exchanged(t, r):
    s = one(r, kernels(t))
    b, at = t.byte(s.get("address"), t.weights_base()) if s else (None, 0)
    if b is None or b[at:at + 9] == b[at + 9:at + 18] or at + 18 > len(b):
        return None
    b[at:at + 9], b[at + 9:at + 18] = b[at + 9:at + 18], b[at:at + 9]
    return s.epoch


# ---- calls of the CPU
def described(t, field):
    """[(epoch, address, span of the number that places it)] of a tensor or constant in the structures of the CPU's calls."""
    functions = functions_of(t)
    for (start, e), (end, _) in zip(functions, functions[1:] + [(len(t.c), 0)]):
        if "ll_sw_forward_" not in t.c[start:end]:
            continue
        for m in re.finditer(rf"\.{field}\.mem\.start_offset = ([^\n]*?)(?:,|\s*/\*)", t.c[start:end]):
            last = list(re.finditer(r"\b\d+\b", m.group(1)))[-1]
            hex_ = re.search(r"0x([0-9a-fA-F]+)", m.group(1))
            yield e, int(last.group()) + (int(hex_.group(1), 16) if hex_ else 0), (start + m.start(1) + last.start(), start + m.start(1) + last.end())


def call_moved(field, by):
    def plant(t, r):
        place = one(r, list(described(t, field)))
        if place is None:
            return None
        epoch, _, span = place
        t.edit(*span, str(int(t.c[slice(*span)]) + by))
        return epoch
    return plant


def call_constant(field, at, mask):
    """A constant that calls share is wrong from the first of them on."""
    def plant(t, r):
        all_ = list(described(t, field))
        place = one(r, all_)
        b, n = t.byte(place[1] + at, t.weights_base()) if place else (None, 0)
        if b is None:
            return None
        b[n] ^= mask
        return min(e for e, address, _ in all_ if address == place[1])
    return plant


KINDS["call: weights one byte on"] = call_moved("weights", 1)
KINDS["call: input 16 bytes on"] = call_moved("general\\.input", 16)
KINDS["call: result 16 bytes on"] = call_moved("general\\.output", 16)
KINDS["call: scale of the input"] = call_constant("is", 2, 0x20)
KINDS["call: scale of the result"] = call_constant("os", 2, 0x20)
KINDS["call: zero point of the input"] = call_constant("izp", 0, 0x0a)
KINDS["call: zero point of the result"] = call_constant("ozp", 0, 0x0a)
KINDS["call: a bias"] = call_constant("bias", 5, 0x02)


# ---- caches
def functions_of(t):
    """[(first character, epoch)] of the functions of epochs."""
    return [(m.start(), int(m.group(1))) for m in re.finditer(r"^(?:static )?void LL_ATON_(?:Start|End)_EpochBlock_(\d+)\(", t.c, re.M)]


@kind
def clean_missing(t, r):
    """Behind a software epoch that the accelerator follows, and until then."""
    hardware = {u.epoch for u in t.units}
    functions = functions_of(t)
    spans = [(start, end, e) for (start, e), (end, _) in zip(functions, functions[1:] + [(len(t.c), 0)])]
    epoch = one(r, sorted({e for start, end, e in spans if e not in hardware and e + 1 in hardware and "ll_sw_" in t.c[start:end]}))
    if epoch is None:
        return None
    lines = 0
    for start, end, e in spans:
        if e >= epoch:
            for m in re.finditer(r"^.*(?:Clean)\w*\(.*\n", t.c[start:end], re.M):
                t.edit(start + m.start(), start + m.end(), "\n")
                lines += 1
    return epoch if lines else None


@kind
def invalidation_missing(t, r):
    """Before a software epoch that follows one of the accelerator."""
    hardware = {u.epoch for u in t.units}
    functions = functions_of(t)
    cpu = sorted({e for (start, e), (end, _) in zip(functions, functions[1:] + [(len(t.c), 0)])
                  if e not in hardware and e - 1 in hardware and "ll_sw_" in t.c[start:end]})
    epoch = one(r, cpu)
    if epoch is None:
        return None
    lines = 0
    for (start, e), (end, _) in zip(functions, functions[1:] + [(len(t.c), 0)]):
        if e <= epoch:
            for m in re.finditer(r"^.*(?:nvalidate)\w*\(.*\n", t.c[start:end], re.M):
                t.edit(start + m.start(), start + m.end(), "\n")
                lines += 1
    return epoch if lines else None
