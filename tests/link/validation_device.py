#!/usr/bin/env python3
"""Emulated validation device, written from the protocol's specification alone and independent of src/link.

usage: validation_device.py (--link ./ttyDEVICE | --tcp PORT) [--framing auto|1|2] [--usb N]
       [--version 2.1|2.2|3.1|3.2] [--stock] [--network FILE.json] [--flip RATE] [--log file]

With --link a pty is opened; its slave is symlinked there. With --tcp a port is listened on (0: any free one, printed);
a host that goes away leaves the device where it was, as a board would be. Framing 'auto' looks at the first byte of the
first packet (0x00: two-byte header). --stock is the NPU's stock firmware: no tensors of nodes, no memory access.
--network replaces the built-in network by recorded answers:
  {"name", "signature", "inputs": [desc], "outputs": [desc], "nodes": [desc], "answers": {crc32 of the inputs: [hex of every
  output, then of every node]}}, desc = {"name", "dtype", "dims", "scale", "zero"}.
--flip damages one byte of a tensor's payload with that probability per byte, seeded.
"""
import argparse, json, os, pty, random, socket, struct, time, tty, zlib

from validation_wire import B, F, Link, U, parse, vint

# ---------------------------------------------------------------- model
def fmt(t, sign, bits, fbits=0): return sign << 23 | t << 17 | (bits & 0x7F) << 7 | (fbits + 64) & 0x7F
FLOAT, S8, U8 = fmt(1, 1, 32), fmt(2, 1, 8), fmt(2, 0, 8)
def desc(name, f, dims, scale=0.0, zp=0, addr=0, flags=0, shapefmt=0):
    n = 1
    for d in dims: n *= d
    return (B(1, name) + U(2, f) + U(3, n) + U(4, shapefmt << 24 | len(dims))
            + b''.join(U(5, d) for d in dims) + F(6, scale) + U(7, zp) + U(8, addr) + U(9, flags))
IN_DIMS, OUT_DIMS = [1, 8, 8, 3], [1, 10]
MEM = bytearray(1 << 16); MEM_BASE = 0x34000000

def bsd(b):
    c = 0
    for x in b: c = ((c >> 1) + ((c & 1) << 15) + x) & 0xFFFF
    return c

DTYPES = {'float32': FLOAT, 'int8': S8, 'uint8': U8, 'int16': fmt(2, 1, 16), 'int32': fmt(2, 1, 32)}
SIZES = {'float32': 4, 'int8': 1, 'uint8': 1, 'int16': 2, 'int32': 4}
CAP_OBSERVER, CAP_READ_WRITE, CAP_USB = 1, 8, 64

class Tensor:
    def __init__(self, d):
        self.name, self.dtype, self.dims = d.get('name', ''), d['dtype'], d['dims']
        self.scale, self.zero = d.get('scale', 0.0), d.get('zero', 0)
        self.count = 1
        for n in self.dims: self.count *= n
        self.bytes = self.count * SIZES[self.dtype]
    def desc(self, flags, addr=MEM_BASE):
        return desc(self.name, DTYPES[self.dtype], self.dims, self.scale, self.zero, addr, flags)
    def shape2(self):
        b, h, w, c = ([1] * (4 - len(self.dims)) + list(self.dims)) if len(self.dims) < 4 else self.dims
        return (U(1, DTYPES[self.dtype]) + U(2, b) + U(3, h) + U(4, w) + U(5, c) + F(6, self.scale) + U(7, self.zero) + U(8, MEM_BASE))

class Network:
    def __init__(self, path):
        d = json.load(open(path)) if path else {
            'name': 'network', 'inputs': [{'name': 'in0', 'dtype': 'uint8', 'dims': IN_DIMS, 'scale': 1 / 255.}],
            'outputs': [{'name': 'out0', 'dtype': 'float32', 'dims': OUT_DIMS}],
            'nodes': [{'name': 'feat0', 'dtype': 'int8', 'dims': [1, 2, 2, 4], 'scale': 0.25, 'zero': -3},
                      {'name': 'feat2', 'dtype': 'int8', 'dims': [1, 2, 2, 4], 'scale': 0.25, 'zero': -3}]}
        self.name, self.signature, self.answers = d['name'], d.get('signature', ''), d.get('answers')
        self.inputs, self.outputs, self.nodes = ([Tensor(t) for t in d.get(k, [])] for k in ('inputs', 'outputs', 'nodes'))
    def run(self, inputs):
        """the bytes of every output and of every node's tensor, or None"""
        if self.answers is None:
            data = inputs[0]
            return [struct.pack('<10f', *[float(sum(data[i::10])) for i in range(10)])], [bytes(range(16)), bytes(range(16))]
        found = self.answers.get(str(zlib.crc32(b''.join(inputs))))
        if found is None:   # not a recorded sample: what a device makes of damaged inputs is something else
            return [bytes(t.bytes) for t in self.outputs], [bytes(t.bytes) for t in self.nodes]
        found = [bytes.fromhex(h) for h in found]
        return found[:len(self.outputs)], found[len(self.outputs):]

class Dev:
    def __init__(self, link, ver, a):
        self.l, self.ver, self.usb, self.stock, self.v2 = link, ver, a.usb, a.stock, ver < 0x300
        self.net, self.flip, self.random = Network(a.network), a.flip, random.Random(a.seed)
        self.delay, self.left = a.delay, a.die_after
    def damaged(self, b):
        if not self.flip: return b
        return bytes(x ^ (1 << self.random.randrange(8)) if self.random.random() < self.flip else x for x in b)
    def resp(self, state, field, payload):
        self.l.send(U(1, self.reqid) + U(2, state) + B(field, payload))
    def ack(self, state, param=0, err=0): self.resp(state, 12, U(1, param) + U(2, err))
    def logm(self, s, lvl=1):
        self.resp(1, 13, U(1, lvl) + B(2, s)); self.l.recv()       # host answers with ackMsg
    def waitack(self): self.l.recv()
    def run_forever(self):
        while True:
            if self.l.auto: self.l.framing = 'auto'
            if self.l.auto and self.l.size != 32: self.l.framing = 2
            try: r = parse(self.l.recv())
            except (IndexError, ValueError): continue               # undecodable: dropped
            if not {1, 2, 3, 4, 5} <= set(r): continue              # required fields
            try: self.reqid, cmd, p, name, opt = r[1][0], r[2][0], r[3][0], r[4][0].decode(), r[5][0]
            except (AttributeError, UnicodeDecodeError): continue
            print('cmd=%d reqid=%d param=0x%x name=%r opt=0x%x' % (cmd, self.reqid, p, name, opt), flush=True)
            f = {0: self.sync, 1: self.sysinfo, 2: self.disc, 10: self.info2 if self.v2 else self.info,
                 11: self.run2 if self.v2 else self.run}.get(cmd)
            if not self.stock: f = f or {20: self.mread, 21: self.mwrite, 22: self.mcrc}.get(cmd)
            try:
                if f: f(p, name, opt)
                else: self.ack(4, 4, 4)
            except (IndexError, ValueError, KeyError): pass         # an undecodable message inside: back to idle
    def sync(self, p, n, o):
        cap = CAP_OBSERVER | (0 if self.stock or self.v2 else CAP_READ_WRITE) | (CAP_USB if self.usb else 0)
        self.resp(0, 10, U(1, self.ver) + U(4, cap) + (b'' if self.ver == 0x201 else U(5, 4 | 1 << 16)))
    def sysinfo(self, p, n, o):
        b = U(1, 0x486) + U(2, 800000000) + U(3, 400000000) + U(4, 5 << 24 | 1 << 16 | 3 << 10)
        ex = [0, 1000000000, 900000000, 0]
        if self.l.framing == 2: b += U(5, self.usb) + b''.join(U(6, x) for x in ex)
        elif not self.v2: b += b''.join(U(5, x) for x in ex)
        self.resp(0, 11, b)
        if self.l.framing == 2 and self.usb: self.l.size = self.usb
    def disc(self, p, n, o): self.l.size = 32
    def info(self, p, n, o):
        if not (n == self.net.name or (n == '' and p == 0)): return self.ack(4, 4, 4)
        self.logm('s:config:version:1.0'); self.logm('s:config:npu_freq:1000000000')
        m = (B(1, self.net.name) + U(2, 4 | 1 << 16) + B(3, self.net.signature) + B(4, 'Jan  1 2026 00:00:00') + U(5, 10 << 24)
             + U(6, 1 << 24 | 1 << 16) + U(7, 0) + U(8, 3)
             + U(10, len(self.net.inputs)) + b''.join(B(11, t.desc(1 | 1024)) for t in self.net.inputs)
             + U(12, len(self.net.outputs)) + b''.join(B(13, t.desc(2 | 1024, MEM_BASE + 4096)) for t in self.net.outputs)
             + U(14, 1) + B(15, desc('', U8, [12345], flags=8)) + U(16, 1) + B(17, desc('', U8, [54321], flags=8))
             + B(20, 'fake-aton 1.0 9A75EE0C'))
        if self.l.framing == 2: m += F(21, 0.5) + F(22, 1.5)
        self.resp(0, 22, m)
    def op(self, name, typ, oid, ms, ctype, counters):
        self.resp(2, 16, B(1, name) + U(2, typ) + U(3, oid) + F(4, ms) + U(5, ctype)
                  + b''.join(U(6, c) for c in counters) + U(7, -1) + U(8, -1))
    def tens(self, state, d, addr, data):
        data = self.damaged(data)
        self.resp(state, 17, B(1, d) + B(2, U(1, 0) + U(2, len(data)) + U(3, addr) + B(4, data)))
    def inputs(self, p):
        got = []
        for i, t in enumerate(self.net.inputs):
            data = parse(self.l.recv())[4][0]
            want = SIZES[t.dtype] if p & 512 else t.bytes
            if len(data) != want: return self.ack(4, len(data), 1)
            got.append(data * t.count if p & 512 else data)
            self.ack(2 if i + 1 == len(self.net.inputs) else 1, want); self.waitack()
        return got
    def run(self, p, name, opt):
        if name not in ('', self.net.name): return self.ack(4, 4, 4)
        self.ack(1, self.net.inputs[0].bytes)
        got = self.inputs(p)
        if got is None: return
        time.sleep(self.delay)
        if self.left == 0: os._exit(1)
        self.left -= 1
        outputs, nodes = self.net.run(got)
        if p & 6:
            shown = [None] * 3 if self.stock else list(zip(self.net.nodes, nodes))
            if not self.stock and self.net.answers is None: shown.insert(1, None)      # epoch 1 has no tensor
            for e, node in enumerate(shown):
                self.logm('s:node:evt_post_end:%d:%d:%d:%d:1' % (e, e, e, e))
                self.op('', (1 | (0 if node else 4)) << 24 | (2 if e == 2 else 0), e << 16 | e, 0.1 * (e + 1), 1 << 16, [100, 1000, 10])
                if node:
                    self.tens(2, node[0].desc(4 | 256 | (0 if p & 4 else 512), MEM_BASE + 8192), MEM_BASE + 8192, node[1] if p & 4 else b'')
        self.op(self.net.name, 0, 0, 0.75, 0, [300, 0, 3000, 0, 30, 0, 3330, 0, 2900, 0])
        nodata = bool(p & 8)
        for i, t in enumerate(self.net.outputs):
            last = i + 1 == len(self.net.outputs)
            self.tens(3 if last else 2, t.desc(2 | (256 if last else 0) | (512 if nodata else 0), MEM_BASE + 4096), MEM_BASE + 4096,
                      b'' if nodata else outputs[i])
    # ---- protocol 2.x
    def info2(self, p, n, o):
        if not (n == self.net.name or (n == '' and p == 0)): return self.ack(4, 4, 4)
        nowhere = Tensor({'dtype': 'uint8', 'dims': [1, 1, 1, 99]}).shape2()
        m = (B(1, self.net.name) + B(2, self.net.signature) + B(3, '') + B(4, '') + B(5, 'fake 2.x') + U(6, 7 << 24) + B(7, '') + U(8, 0) + U(9, 0)
             + U(10, 0) + U(11, 0) + U(12, 1000) + U(13, len(self.net.inputs)) + U(14, len(self.net.outputs)) + U(15, len(self.net.nodes))
             + b''.join(B(16, t.shape2()) for t in self.net.inputs) + b''.join(B(17, t.shape2()) for t in self.net.outputs)
             + B(18, nowhere) + B(19, nowhere) + U(20, 0))
        self.resp(0, 20, m)
    def node2(self, state, kind, typ, oid, ms, t, data):
        self.resp(state, 14, U(1, kind << 16 | typ) + U(2, oid) + F(3, ms) + B(4, B(1, t.shape2()) + B(2, self.damaged(data))))
        if state != 3: self.waitack()
    def run2(self, p, name, opt):
        if name not in ('', self.net.name): return self.ack(4, 4, 4)
        self.ack(1, self.net.inputs[0].count)
        got = []
        for i, t in enumerate(self.net.inputs):
            m = parse(self.l.recv()); shape, data = parse(m[1][0]), m[2][0]
            if shape[1][0] != DTYPES[t.dtype]: return self.ack(4, len(data), 2)
            if [shape[k][0] for k in (2, 3, 4, 5)] != ([1] * (4 - len(t.dims)) + list(t.dims)): return self.ack(4, len(data), 5)
            if len(data) != t.bytes: return self.ack(4, len(data), 1)
            got.append(data); self.ack(2 if i + 1 == len(self.net.inputs) else 1, t.count); self.waitack()
        outputs, nodes = self.net.run(got)
        if p & 3:
            for e, (t, data) in enumerate(zip(self.net.nodes, nodes)):
                self.node2(2, 2 if e + 1 == len(nodes) else 1, 10, e, 0.1, t, data if p & 1 else b'')
            self.resp(2, 21, U(1, 0) + B(2, '') + U(3, 1) + U(4, len(nodes)) + F(5, 0.75)); self.waitack()
        for i, t in enumerate(self.net.outputs):
            self.node2(3 if i + 1 == len(self.net.outputs) else 2, 0, 0, i, 0.75, t, outputs[i])
    # ---- memory
    def mread(self, a, n, size):
        o = a - MEM_BASE; k = min(1024, size)
        self.ack(2 if size else 3, k)
        while size:
            c = bytes(MEM[o:o+k]); size -= k
            self.resp(2 if size else 3, 15, U(1, 0) + U(2, k) + U(3, MEM_BASE + o) + B(4, c))
            if size: self.waitack()
            o += k; k = min(1024, size)
    def mwrite(self, a, n, size):
        o = a - MEM_BASE; k = min(1024, size)
        self.ack(1 if size else 3, k)
        while size:
            c = parse(self.l.recv())[4][0]
            MEM[o:o+len(c)] = c; o += len(c); size -= len(c)
            self.ack(1 if size else 3, bsd(c))
    def mcrc(self, a, n, size):
        o = a - MEM_BASE; self.ack(3, bsd(MEM[o:o+size]))

if __name__ == '__main__':
    ap = argparse.ArgumentParser()
    ap.add_argument('--link'); ap.add_argument('--tcp', type=int); ap.add_argument('--framing', default='auto')
    ap.add_argument('--usb', type=int, default=0); ap.add_argument('--version', default='3.1')
    ap.add_argument('--stock', action='store_true'); ap.add_argument('--network')
    ap.add_argument('--flip', type=float, default=0); ap.add_argument('--seed', type=int, default=1)
    ap.add_argument('--delay', type=float, default=0, help='seconds per inference')
    ap.add_argument('--die-after', type=int, default=-1, help='inferences that it answers')
    ap.add_argument('--log')
    a = ap.parse_args()
    log = open(a.log, 'w', buffering=1) if a.log else None
    framing = a.framing if a.framing == 'auto' else int(a.framing)
    if a.tcp is not None:
        listener = socket.create_server(('127.0.0.1', a.tcp))
        print('port', listener.getsockname()[1], flush=True)
        l = Link(None, framing, log, listener)
    else:
        m, s = pty.openpty(); tty.setraw(m); tty.setraw(s)
        if os.path.islink(a.link): os.unlink(a.link)
        os.symlink(os.ttyname(s), a.link)
        print('pty', os.ttyname(s), flush=True)
        l = Link(m, framing, log)
    mj, mn = a.version.split('.')
    Dev(l, int(mj) << 8 | int(mn), a).run_forever()
