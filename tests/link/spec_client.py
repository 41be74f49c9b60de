#!/usr/bin/env python3
"""A client of the validation protocol 3.x with the habits of ST's Python client, written from the specification alone and
independent of src/link. Prints one line per fact; exit code 0 when every rule that it checks held.

usage: spec_client.py HOST:PORT | /dev/PTY  [--framing 1|2] [--runs N]
Rules: any byte is taken as a request for the next packet; every log is acknowledged; another request id, state or payload than
expected is an error; a tensor after an operation comes within 0.1 s; the byte count of a tensor is elements times item size;
DISCONNECT is followed by closing at once.
"""
import argparse, os, select, socket, struct, sys, termios, time, tty

ITEM = {0x00821040: 4, 0x00840440: 1, 0x00040440: 1, 0x00840840: 2, 0x00040840: 2, 0x00841040: 4, 0x00041040: 4, 0x00842040: 8, 0x00060440: 1}

def vint(n):
    n &= (1 << 64) - 1
    out = b''
    while n > 127: out += bytes([n & 127 | 128]); n >>= 7
    return out + bytes([n])
def U(f, n): return vint(f << 3) + vint(n)
def B(f, b): return vint(f << 3 | 2) + vint(len(b)) + b
def parse(b):
    i, d = 0, {}
    def rv():
        nonlocal i
        r = s = 0
        while True:
            c = b[i]; i += 1; r |= (c & 127) << s; s += 7
            if c < 128: return r
    while i < len(b):
        k = rv(); w = k & 7
        if w == 0: v = rv()
        elif w == 2: n = rv(); v = b[i:i + n]; i += n; assert len(v) == n
        elif w == 5: v = b[i:i + 4]; i += 4
        elif w == 1: v = b[i:i + 8]; i += 8
        else: raise ValueError(w)
        d.setdefault(k >> 3, []).append(v)
    return d

class Client:
    def __init__(self, where, framing):
        if where.startswith('/'):
            self.fd = os.open(where, os.O_RDWR | os.O_NOCTTY); tty.setraw(self.fd); termios.tcflush(self.fd, termios.TCIOFLUSH)
        else:
            host, port = where.rsplit(':', 1)
            self.s = socket.create_connection((host, int(port))); self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1); self.fd = self.s.fileno()
        self.f, self.p, self.id = framing, 32, 0
    def read(self, n, wait):
        out, end = b'', time.monotonic() + wait
        while len(out) < n:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]: raise TimeoutError('%d of %d bytes' % (len(out), n))
            out += os.read(self.fd, n - len(out))
        return out
    def send(self, m):
        m = vint(len(m)) + m
        for i in range(0, len(m), self.p):
            if i: self.read(1, 5)
            c = m[i:i + self.p]
            h = bytes([len(c)]) if self.f == 1 else struct.pack('>H', len(c))
            os.write(self.fd, h + c.ljust(self.p, b'\0'))
    def recv(self, wait):
        m = b''
        while True:
            b = self.read(self.f + self.p, wait)
            n = b[0] & 0x7F if self.f == 1 else (b[0] & 0x7F) << 8 | b[1]
            m += b[self.f:self.f + n]
            if b[0] & 0x80: return m
    def request(self, cmd, param=0, name=b'', opt=0):
        self.id += 1
        self.send(U(1, self.id) + U(2, cmd) + U(3, param) + B(4, name) + U(5, opt))
    def ack(self): self.send(U(1, 0) + U(2, 0))
    def answer(self, wait, state, payload):
        while True:
            d = parse(self.recv(wait))
            assert d[1][0] == self.id, 'request id'
            if 13 in d: assert d[2][0] == 1; self.ack(); continue
            assert d[2][0] in state, 'state %d' % d[2][0]
            for f in payload:
                if f in d: return d[2][0], f, parse(d[f][0])
            raise AssertionError('payload %s' % sorted(d))

def tensor(t):
    desc, data = parse(t[1][0]), parse(t[2][0])
    assert set(desc) >= {1, 2, 3, 4, 6, 7, 8, 9}, sorted(desc)
    n = 1
    for d in desc.get(5, []): n *= d
    assert abs(n - desc[3][0]) <= 3 and len(desc.get(5, [])) == desc[4][0] & 0xFFFFFF
    raw, flags = data[4][0], desc[9][0]
    if raw: assert len(raw) == n * ITEM[desc[2][0] & 0x01FFFFFF], desc[1][0]
    assert data[2][0] == len(raw) and (bool(raw) != bool(flags & 0x200))
    return desc[1][0].decode(), n, raw, flags

def main():
    ap = argparse.ArgumentParser(); ap.add_argument('where'); ap.add_argument('--framing', type=int, default=2); ap.add_argument('--runs', type=int, default=2)
    a = ap.parse_args()
    c = Client(a.where, a.framing)
    c.request(0); _, _, sync = c.answer(0.5, {0}, [10])
    assert sync[1][0] >> 8 == 3 and sync[1][0] & 255 <= 1 and 5 in sync, 'version'
    c.request(1); _, _, info = c.answer(0.5, {0}, [11])
    extra = info.get(5, []) if a.framing == 1 else info.get(6, [])
    if info[1][0] in (0x486, 0x47B): assert len(extra) >= 3, 'extra words'
    if a.framing == 2 and info[5][0]: c.p = info[5][0]
    nets = []
    while True:
        c.request(10, len(nets)); state, f, m = c.answer(5, {0, 4}, [22, 12])
        if f == 12: assert state == 4 and m[2][0] == 4; break
        nets.append(m)
    net = nets[0]
    inputs = [parse(t) for t in net[11]]
    assert len(inputs) == net[10][0] and len(net[13]) == net[12][0] and all(t[9][0] & 1 for t in inputs)
    print('network', net[1][0].decode(), 'inputs', len(inputs), 'packets', c.p, 'framing', c.f)
    for run in range(a.runs):
        for mode in (1, 3, 7, 9 | 0x200):
            c.request(11, mode, net[1][0], 1); _, _, ready = c.answer(1, {1}, [12])
            for i, t in enumerate(inputs):
                item, n = ITEM[t[2][0] & 0x01FFFFFF], t[3][0]
                data = bytes((run + k * 7) & 255 for k in range(item if mode & 0x200 else n * item))
                assert i or ready[1][0] == n * item
                c.send(U(1, 0) + U(2, len(data)) + U(3, 0) + B(4, data))
                _, _, took = c.answer(10, {2} if i + 1 == len(inputs) else {1}, [12])
                assert took[1][0] == len(data) and took[2][0] == 0
                c.ack()
            nodes = 0
            while True:
                _, _, op = c.answer(50, {2}, [16])
                flags = op[2][0] >> 24
                if flags == 0: break
                nodes += 1
                last = bool(flags & 4)
                while not last:
                    _, _, t = c.answer(0.1, {2}, [17])
                    name, n, raw, tf = tensor(t)
                    assert bool(raw) == bool(mode & 4), 'data only where asked for'
                    last = bool(tf & 0x100)
            assert (nodes > 0) == bool(mode & 6)
            for i in range(len(net[13])):
                _, _, t = c.answer(50, {3} if i + 1 == len(net[13]) else {2}, [17])
                name, n, raw, tf = tensor(t)
                assert tf & 2 and bool(tf & 0x100) == (i + 1 == len(net[13])) and bool(raw) != bool(mode & 8)
            print('run', run, 'mode', hex(mode), 'nodes', nodes, 'outputs', len(net[13]))
    c.request(77); state, _, m = c.answer(0.5, {4}, [12]); assert m[2][0] == 4
    c.request(11, 1, b'no such network', 1); state, _, m = c.answer(1, {4}, [12]); assert m[2][0] == 4
    c.request(2)
    print('ok')

main()
