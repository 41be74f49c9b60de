"""Messages and packets of the emulated validation device: protobuf fields, and a link over a pty or a TCP port."""
import os, socket, struct, time

# ---------------------------------------------------------------- wire codec
def vint(n):
    n &= (1 << 64) - 1
    out = bytearray()
    while True:
        b = n & 0x7F
        n >>= 7
        out.append(b | (0x80 if n else 0))
        if not n:
            return bytes(out)
def U(f, n): return vint(f << 3) + vint(n)            # varint field
def B(f, b):
    b = b.encode() if isinstance(b, str) else bytes(b)
    return vint(f << 3 | 2) + vint(len(b)) + b        # length-delimited
def F(f, x): return vint(f << 3 | 5) + struct.pack('<f', x)
def parse(buf):
    """-> dict field -> list of raw values"""
    i, d = 0, {}
    def rv():
        nonlocal i
        s = r = 0
        while True:
            b = buf[i]; i += 1
            r |= (b & 0x7F) << s; s += 7
            if not b & 0x80: return r
    while i < len(buf):
        k = rv(); f, w = k >> 3, k & 7
        if w == 0: v = rv()
        elif w == 2:
            n = rv(); v = bytes(buf[i:i+n]); i += n
        elif w == 5: v = bytes(buf[i:i+4]); i += 4
        elif w == 1: v = bytes(buf[i:i+8]); i += 8
        else: raise ValueError('wire type %d' % w)
        d.setdefault(f, []).append(v)
    return d

# ---------------------------------------------------------------- link
class Link:
    def __init__(self, fd, framing, log, listener=None):
        self.fd, self.framing, self.size, self.log, self.listener = fd, framing, 32, log, listener
        self.auto = framing == 'auto'
        self.pend = b''          # decoded payload bytes of current packet
        self.held = b''
    def read(self, n):
        if not self.listener:
            try: return os.read(self.fd, n)
            except OSError: return b''
        if self.fd is None:
            self.connection, _ = self.listener.accept()
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.fd = self.connection.fileno()
        try: c = os.read(self.fd, n)
        except OSError: c = b''
        if not c:
            self.connection.close(); self.fd = None
        return c
    def raw(self, n):
        while len(self.held) < n:
            c = self.read(1 << 16)
            if not c: time.sleep(0.002)
            self.held += c
        out, self.held = self.held[:n], self.held[n:]
        return out
    def wr(self, b):
        if self.log: self.log.write('D>H %s\n' % b.hex())
        v = memoryview(b)
        try:
            while v: v = v[os.write(self.fd, v):]
        except (OSError, TypeError): pass     # the host is gone
    def packet(self):
        first = self.raw(1)
        if self.framing == 'auto':
            self.framing = 2 if first == b'\0' else 1
        if self.framing == 2:
            b = first + self.raw(1 + self.size); n = (b[0] & 0x7F) << 8 | b[1]; p = b[2:2+n]
        else:
            b = first + self.raw(self.size); n = b[0]; p = b[1:1+n]
        if self.log: self.log.write('H>D %s\n' % b.hex())
        return p
    def byte(self):
        while not self.pend:
            if self.started: self.wr(b'\xAA')      # ask for the next packet
            self.started = True
            self.pend = self.packet()
        c, self.pend = self.pend[0], self.pend[1:]
        return c
    def recv(self):
        """one length-prefixed message from the host"""
        self.pend, self.started = b'', False
        n = s = 0
        while True:
            b = self.byte(); n |= (b & 0x7F) << s; s += 7
            if not b & 0x80: break
        m = bytes(self.byte() for _ in range(n)); self.pend = b''
        return m
    def send(self, m):
        """one (not length-prefixed) message to the host"""
        z = self.size
        full, rest = divmod(len(m), z)
        for i in range(full):
            h = struct.pack('>H', z) if self.framing == 2 else bytes([z])
            self.wr(h + m[i*z:(i+1)*z])
        h = struct.pack('>H', rest | 0x8000) if self.framing == 2 else bytes([rest | 0x80])
        self.wr(h + (m[full*z:]).ljust(z, b'\0'))
