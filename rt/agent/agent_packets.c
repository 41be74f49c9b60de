#include "agent_packets.h"

#include <string.h>

#include "wire.nanopb.h"

#define SMALL 32u
#define SYNC_BYTE 0xAAu
#define PACKET_MS 1000u  /* silence inside a packet, after which its rest is given up */
#define MESSAGE_MS 5000u /* silence of a host that was asked for the next packet */
#define IDLE_MS \
  200u /* inside a packet, after which its bytes may be those of a host that starts over */
#define CRC_BYTES 6u /* the check field: two bytes of tag, four of CRC-32 */

static size_t header(const lockstep_agent* a) {
  return a->two_byte ? 2u : 1u;
}

uint32_t lockstep_crc32(uint32_t crc, const uint8_t* bytes, size_t size) {
  static const uint32_t quarter[16] = {0x00000000u, 0x1DB71064u, 0x3B6E20C8u, 0x26D930ACu,
                                       0x76DC4190u, 0x6B6B51F4u, 0x4DB26158u, 0x5005713Cu,
                                       0xEDB88320u, 0xF00F9344u, 0xD6D6A3E8u, 0xCB61B38Cu,
                                       0x9B64C2B0u, 0x86D3D2D4u, 0xA00AE278u, 0xBDBDF21Cu};
  crc = ~crc;
  while (size-- > 0) {
    crc ^= *bytes++;
    crc = quarter[crc & 15u] ^ (crc >> 4);
    crc = quarter[crc & 15u] ^ (crc >> 4);
  }
  return ~crc;
}

void lockstep_packets_reset(lockstep_agent* a) {
  a->payload = SMALL;
  a->in_have = a->in_at = a->in_end = 0;
}

static int write_all(lockstep_agent* a, const uint8_t* bytes, size_t size) {
  if (a->board->write(a->board->self, bytes, size) == 0) return 0;
  a->closed = 1;
  return -1;
}

/* Bytes of the packet up to `want`: the first within `wait_ms`, each further one within `next_ms`.
   1: there; 0: silence; negative: closed. */
static int fill(lockstep_agent* a, size_t want, uint32_t wait_ms, uint32_t next_ms) {
  while (a->in_have < want) {
    const long got =
        a->board->read(a->board->self, a->packet_in + a->in_have, want - a->in_have, wait_ms);
    if (got < 0) {
      a->closed = 1;
      return -1;
    }
    if (got == 0) return 0;
    a->in_have += (size_t)got;
    wait_ms = next_ms;
  }
  return 1;
}

/* A whole packet is there: its payload becomes readable. 0 when its header is none. */
static int open_packet(lockstep_agent* a) {
  const uint8_t* p = a->packet_in;
  const size_t n = a->two_byte ? (size_t)(p[0] & 0x7Fu) << 8 | p[1] : (size_t)(p[0] & 0x7Fu);
  a->in_have = 0;
  a->in_at = header(a);
  a->in_end = a->in_at + n;
  return n <= a->payload && (p[0] & 0x80u) == 0;
}

/* What no packet starts with is dropped until the line is quiet, or carries the zeros of a host
 * that looks for packets' ends. */
static void drop_until_quiet(lockstep_agent* a) {
  uint8_t scratch[64];
  size_t zeros = 0;
  long got, i;
  do {
    got = a->board->read(a->board->self, scratch, sizeof scratch, 50);
    for (i = 0; i < got; ++i) zeros = scratch[i] == 0 ? zeros + 1u : 0u;
  } while (got > 0 && zeros < 48u);
  if (got < 0) a->closed = 1;
  lockstep_packets_reset(a);
}

/* Whether the payload of the packet in `packet_in` is a whole SYNC request: only that and no part
 * of a longer message. */
static int is_sync(const lockstep_agent* a, size_t begin, size_t end) {
  lockstep_wire_Request r = lockstep_wire_Request_init_zero;
  pb_istream_t stream;
  if (end <= begin || end - begin > SMALL || begin + (size_t)a->packet_in[begin] + 1u != end)
    return 0;
  stream = pb_istream_from_buffer(a->packet_in + begin + 1u, end - begin - 1u);
  return pb_decode(&stream, lockstep_wire_Request_fields, &r) && r.command == 0 && r.id != 0;
}

/* A host that starts over sends SYNC in a small packet of its own framing, whatever the agent was
   waiting for. When the bytes of the packet begun are that, it becomes the packet. */
static int starts_over(lockstep_agent* a) {
  const size_t h = a->packet_in[0] == 0 ? 2u : 1u, n = a->packet_in[h - 1u];
  if (a->in_have != h + SMALL || n > SMALL || !is_sync(a, h, h + n)) return 0;
  a->two_byte = h == 2u;
  a->payload = SMALL;
  return 1;
}

/* One packet in the form in use: its first byte within `wait_ms`. 1: opened; 0: silence, or what is
 * none; negative: closed. */
static int next_packet(lockstep_agent* a, uint32_t wait_ms) {
  const size_t size = header(a) + a->payload;
  int got = fill(a, size, wait_ms, IDLE_MS);
  if (got == 0 && a->in_have > 0)
    got = starts_over(a)        ? 1
          : a->payload == SMALL ? fill(a, size, PACKET_MS - IDLE_MS, PACKET_MS)
                                : 0;
  if (got > 0 && !a->two_byte && a->packet_in[0] == 0 &&
      a->packet_in[1] != 0) { /* SYNC with the other header, but for its last byte? */
    a->two_byte = is_sync(a, 2, 2u + a->packet_in[1]) != 0;
    if (a->two_byte && fill(a, 2u + SMALL, IDLE_MS, IDLE_MS) < 0) return -1;
  }
  if (got <= 0) return got;
  if (open_packet(a)) return 1;
  drop_until_quiet(a);
  return 0;
}

int lockstep_packets_begin(lockstep_agent* a, uint32_t wait_ms, int idle) {
  int got;
  a->in_at = a->in_end = 0;
  if (idle && a->payload == SMALL) { /* the first byte tells the framing */
    got = fill(a, 1, wait_ms, PACKET_MS);
    if (got <= 0) return got;
    if (a->packet_in[0] > SMALL) {
      drop_until_quiet(a);
      return 0;
    }
    a->two_byte = a->packet_in[0] == 0;
  }
  got = next_packet(a, wait_ms);
  if (got == 0) lockstep_packets_reset(a);
  if (got <= 0) return got;
  if (idle || !is_sync(a, a->in_at, a->in_end)) return 1;
  a->restart = 1;
  return 0;
}

/* nanopb's source: the message's bytes, packet after packet, each asked for with one byte. */
static bool pull(pb_istream_t* stream, pb_byte_t* into, size_t count) {
  lockstep_agent* a = (lockstep_agent*)stream->state;
  while (count > 0) {
    size_t n = a->in_end - a->in_at;
    if (n == 0) {
      const uint8_t ask = SYNC_BYTE;
      if (write_all(a, &ask, 1) != 0 || next_packet(a, MESSAGE_MS) <= 0) {
        a->failed = 1;
        return false;
      }
      if (a->in_end - a->in_at < a->message_left && is_sync(a, a->in_at, a->in_end)) {
        a->failed = a->restart = 1;
        return false;
      }
      continue;
    }
    if (n > count) n = count;
    if (into) memcpy(into, a->packet_in + a->in_at, n);
    if (a->crc_left > 0) {
      const size_t covered = n < a->crc_left ? n : a->crc_left;
      a->crc_in = lockstep_crc32(a->crc_in, a->packet_in + a->in_at, covered);
      a->crc_left -= covered;
    }
    if (into) into += n;
    a->in_at += n;
    a->message_left -= n < a->message_left ? n : a->message_left;
    count -= n;
  }
  return true;
}

int lockstep_packets_decode(lockstep_agent* a, const pb_msgdesc_t* fields, void* message,
                            const bool* has_crc, const uint32_t* crc) {
  pb_istream_t stream;
  uint32_t length = 0;
  bool decoded;
  memset(&stream, 0, sizeof stream);
  stream.callback = &pull;
  stream.state = a;
  stream.bytes_left = SIZE_MAX;
  a->crc_left = 0;
  a->message_left = 0;
  a->failed = 0;
  if (!pb_decode_varint32(&stream, &length)) {
    if (!a->restart) lockstep_packets_reset(a);
    return 0;
  }
  a->message_left = length;
  a->crc_in = 0;
  a->crc_left = length > CRC_BYTES ? length - CRC_BYTES : 0;
  stream.bytes_left = length;
  decoded = pb_decode(&stream, fields, message);
  if (!decoded && !a->failed) { /* swallow the rest: the host sends it all */
    while (stream.bytes_left > 0 && !a->failed) {
      size_t n = stream.bytes_left < 256u ? stream.bytes_left : 256u;
      if (!pb_read(&stream, NULL, n)) break;
    }
  }
  if (a->restart) return 0;
  a->in_at = a->in_end = 0; /* one message per run of packets */
  if (a->failed) {
    lockstep_packets_reset(a);
    return 0;
  }
  if (!decoded) return a->guarded ? 2 : 0;
  if (*has_crc && *crc != a->crc_in) return 2;
  if (a->guarded && !*has_crc) return 2;
  return 1;
}

static int flush(lockstep_agent* a, int last) {
  const size_t h = header(a), n = a->out_end;
  a->packet_out[0] = (uint8_t)(a->two_byte ? n >> 8 : n);
  if (a->two_byte) a->packet_out[1] = (uint8_t)n;
  if (last) a->packet_out[0] |= 0x80u;
  memset(a->packet_out + h + n, 0, a->payload - n);
  a->out_end = 0;
  return write_all(a, a->packet_out, h + a->payload);
}

static int push_bytes(lockstep_agent* a, const uint8_t* bytes, size_t size) {
  while (size > 0) {
    size_t n;
    if (a->out_end == a->payload && flush(a, 0) != 0) return -1;
    n = a->payload - a->out_end;
    if (n > size) n = size;
    memcpy(a->packet_out + header(a) + a->out_end, bytes, n);
    a->out_end += n;
    bytes += n;
    size -= n;
  }
  return 0;
}

static bool push(pb_ostream_t* stream, const pb_byte_t* bytes, size_t size) {
  lockstep_agent* a = (lockstep_agent*)stream->state;
  a->crc_out = lockstep_crc32(a->crc_out, bytes, size);
  return push_bytes(a, bytes, size) == 0;
}

int lockstep_packets_encode(lockstep_agent* a, const pb_msgdesc_t* fields, const void* message) {
  pb_ostream_t stream;
  uint8_t check[CRC_BYTES];
  size_t i;
  memset(&stream, 0, sizeof stream);
  stream.callback = &push;
  stream.state = a;
  stream.max_size = SIZE_MAX;
  a->crc_out = 0;
  a->out_end = 0;
  if (!pb_encode(&stream, fields, message)) return -1;
  check[0] = 0xC5u; /* field 1000, four bytes */
  check[1] = 0x3Eu;
  for (i = 0; i < 4; ++i) check[2 + i] = (uint8_t)(a->crc_out >> (8 * i));
  if (push_bytes(a, check, sizeof check) != 0) return -1;
  if (a->out_end == a->payload && flush(a, 0) != 0)
    return -1; /* a full packet never ends a message: an empty one follows */
  return flush(a, 1);
}
