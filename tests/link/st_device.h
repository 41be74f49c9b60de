#pragma once

#include <map>
#include <thread>

#include "link/protobuf_bytes.h"
#include "link/simulated_line.h"

namespace lockstep::test {

// ST's firmware as the protocol's specification describes it: its receiver has no timeouts, waits
// inside a message for ever and decodes nothing twice. One network: uint8 in0[1,8,8,3] (and float
// in1[1,3] where there are two inputs) -> out0 float[1,10].
class StDevice {
 public:
  struct Habits {
    std::uint32_t version = 0x0302, payload = 0;  // payload: of large packets; 0: none
    std::size_t header = 2, inputs = 1;
    bool npu = true;  // the NPU's firmware shows no tensors of its epochs
    int logs = 2;     // stat lines before an answer that may be long
    bool with_runtime = true;
  };

  StDevice(std::shared_ptr<SimulatedLine> line, Habits habits)
      : line_(std::move(line)), habits_(habits) {
    form_.header = habits.header;
    line_->attach(SimulatedLine::device, true);
    thread_ = std::thread([this] { serve(); });
  }
  ~StDevice() {
    line_->close();
    thread_.join();
  }

 private:
  struct Closed {};
  using Fields = std::multimap<int, Bytes>;  // a number as its eight bytes

  Bytes packet() {
    Bytes p(form_.header + form_.payload);
    for (std::size_t have = 0; have < p.size();) {
      const long n =
          line_->read(SimulatedLine::device, p.data() + have, p.size() - have, std::nullopt);
      if (n < 0) throw Closed{};
      have += static_cast<std::size_t>(n);
    }
    std::size_t n = static_cast<std::size_t>(p[0]) & 0x7F;
    if (form_.header == 2) n = n << 8 | static_cast<std::size_t>(p[1]);
    n = std::min(n, form_.payload);
    const auto from = p.begin() + static_cast<std::ptrdiff_t>(form_.header);
    return {from, from + static_cast<std::ptrdiff_t>(n)};
  }

  std::byte next(Bytes& held, std::size_t& at, bool& begun) {
    while (at == held.size()) {
      if (begun) put(bytes_from({0xAA}));
      begun = true;
      held = packet();
      at = 0;
    }
    return held[at++];
  }

  // One delimited message; nothing when it does not decode.
  std::optional<Fields> message() {
    Bytes held;
    std::size_t at = 0;
    bool begun = false;
    std::uint64_t length = 0;
    for (int shift = 0;; shift += 7) {
      const auto b = static_cast<std::uint64_t>(next(held, at, begun));
      if (shift < 64) length |= (b & 127) << shift;
      if (b < 128) break;
    }
    Bytes m;
    for (; length > 0; --length) m.push_back(next(held, at, begun));
    return decoded(m);
  }

  static std::optional<Fields> decoded(const Bytes& m) {
    Fields fields;
    std::size_t at = 0;
    const auto number_at = [&](std::uint64_t& n) {
      n = 0;
      for (int shift = 0; at < m.size() && shift < 70; shift += 7) {
        const auto b = static_cast<std::uint64_t>(m[at++]);
        n |= shift < 64 ? (b & 127) << shift : 0;
        if (b < 128) return true;
      }
      return false;
    };
    while (at < m.size()) {
      std::uint64_t tag = 0, n = 0;
      if (!number_at(tag) || tag >> 3 == 0) return std::nullopt;
      if ((tag & 7) == 0) {
        if (!number_at(n)) return std::nullopt;
        Bytes value(8);
        std::memcpy(value.data(), &n, 8);
        fields.emplace(static_cast<int>(tag >> 3), value);
      } else if ((tag & 7) == 2) {
        if (!number_at(n) || n > m.size() - at) return std::nullopt;
        fields.emplace(static_cast<int>(tag >> 3),
                       Bytes(m.begin() + static_cast<std::ptrdiff_t>(at),
                             m.begin() + static_cast<std::ptrdiff_t>(at + n)));
        at += n;
      } else if ((tag & 7) == 5 && m.size() - at >= 4) {
        at += 4;
      } else {
        return std::nullopt;
      }
    }
    return fields;
  }

  static std::uint32_t word(const Fields& f, int field) {
    std::uint32_t n = 0;
    if (const auto it = f.find(field); it != f.end() && it->second.size() == 8)
      std::memcpy(&n, it->second.data(), 4);
    return n;
  }
  static bool has(const Fields& f, std::initializer_list<int> fields) {
    return std::ranges::all_of(fields, [&](int k) { return f.contains(k); });
  }

  void put(const Bytes& b) { line_->write(SimulatedLine::device, b.data(), b.size()); }
  void send(std::uint32_t state, int field, const Bytes& payload) {
    put(form_.from_device(answer(id_, state, field, payload)));
  }
  void ack(std::uint32_t state, std::uint32_t param, std::uint32_t error = 0) {
    put(form_.from_device(device_ack(id_, state, param, error)));
  }
  void logs() {
    for (int i = 0; i < habits_.logs; ++i) {
      send(1, 13,
           joined({number(1, 1),
                   text(2, i % 2 ? "s:config:npu_cache:1" : "s:config:npu_freq:1000000000")}));
      (void)message();
    }
  }

  void serve() {
    try {
      for (;;) {
        const auto r = message();
        if (!r || !has(*r, {1, 2, 3, 4, 5}) || r->find(4)->second.size() > 63) continue;
        id_ = word(*r, 1);
        const Bytes& name = r->find(4)->second;
        const std::string called(reinterpret_cast<const char*>(name.data()), name.size());
        switch (word(*r, 2)) {
          case 0:
            send(0, 10,
                 joined({number(1, habits_.version), number(4, 1u | (habits_.payload ? 64u : 0u)),
                         habits_.with_runtime ? number(5, 0x10000u | (habits_.npu ? 4u : 1u))
                                              : Bytes()}));
            break;
          case 1:
            system();
            break;
          case 2:
            form_.payload = 32;
            break;
          case 10:
            describe(word(*r, 3), called);
            break;
          case 11:
            run(word(*r, 3), called);
            break;
          default:
            ack(4, 4, 4);
        }
      }
    } catch (const Closed&) {
    }
  }

  void system() {
    Bytes words;
    for (const std::uint32_t w : {0u, 1000000000u, 900000000u, 0u})
      append(words, number(habits_.header == 2 ? 6 : 5, w));
    send(0, 11,
         joined({number(1, 0x486), number(2, 800000000), number(3, 400000000),
                 number(4, 5u << 24 | 1u << 16 | 3u << 10),
                 habits_.header == 2 ? number(5, habits_.payload) : Bytes(), words}));
    if (habits_.payload) form_.payload = habits_.payload;
  }

  static Bytes desc(const char* name, std::uint32_t format,
                    std::initializer_list<std::uint32_t> dims, std::uint32_t flags) {
    std::uint32_t count = 1;
    Bytes extents;
    for (const std::uint32_t d : dims) {
      count *= d;
      append(extents, number(5, d));
    }
    return joined({text(1, name), number(2, format), number(3, count), number(4, dims.size()),
                   extents, real(6, format == u8 ? 0.5f : 0), number(7, 0), number(8, 0x34000000),
                   number(9, flags)});
  }

  void describe(std::uint32_t index, const std::string& name) {
    if (name.empty() ? index != 0 : name != "network") return ack(4, 4, 4);
    logs();
    Bytes inputs = bytes(11, desc("in0", u8, {1, 8, 8, 3}, 0x401));
    if (habits_.inputs == 2) append(inputs, bytes(11, desc("", f32, {1, 3}, 0x401)));
    send(0, 22,
         joined({text(1, "network"), number(2, 0x10000 | 4), text(3, ""), text(4, "Jan  1 2026"),
                 number(5, 0), number(6, 0), number(7, 0), number(8, 3), number(10, habits_.inputs),
                 inputs, number(12, 1), bytes(13, desc("out0", f32, {1, 10}, 0x402)), number(14, 0),
                 number(16, 0), text(20, "runtime 1.0 9A75EE0C"),
                 habits_.version >= 0x0302 ? joined({real(21, 0.5f), real(22, 1.5f)}) : Bytes()}));
  }

  bool input(std::size_t want, bool last, Bytes& into) {
    const auto d = message();
    if (!d || !has(*d, {1, 2, 3, 4})) return false;
    into = d->find(4)->second;
    if (into.size() != want) {
      ack(4, static_cast<std::uint32_t>(into.size()), 1);
      return false;
    }
    ack(last ? 2 : 1, static_cast<std::uint32_t>(want));
    return message().has_value();
  }

  void run(std::uint32_t mode, const std::string& name) {
    if (!name.empty() && name != "network") return ack(4, 4, 4);
    ack(1, 192);
    Bytes x, x2;
    if (!input(192, habits_.inputs == 1, x) || (habits_.inputs == 2 && !input(12, true, x2)))
      return;
    for (std::uint32_t e = 0; (mode & 6) && e < 3; ++e) node(mode, e);
    send(2, 16, operation("network", 0, 0, 0.75f, 0, {300, 0, 3000, 0, 30, 0, 3330, 0, 2900, 0}));
    float sums[10] = {};
    for (std::size_t i = 0; i < 192; ++i) sums[i % 10] += static_cast<float>(x[i]);
    Bytes out(40);
    std::memcpy(out.data(), sums, 40);
    send(3, 17,
         joined({bytes(1, desc("out0", f32, {1, 10}, 0x102)), bytes(2, data(out, 0x34000000))}));
  }

  void node(std::uint32_t mode, std::uint32_t e) {
    logs();
    const bool with_tensor = e != 1, with_data = with_tensor && (mode & 4) && !habits_.npu;
    const bool last = !habits_.npu && e == 2;
    send(2, 16,
         operation("", (1u | (last ? 2u : 0u) | (with_tensor ? 0u : 4u)) << 24 | (e == 2 ? 2u : 0u),
                   e << 16 | e, 0.1f * static_cast<float>(e + 1), 0x10000, {100, 1000, 10}));
    Bytes contents(with_data ? 16 : 0);
    for (std::size_t i = 0; i < contents.size(); ++i) contents[i] = static_cast<std::byte>(i);
    if (with_tensor)
      send(2, 17,
           joined({bytes(1, desc("", s8, {1, 2, 2, 4}, 4u | 0x100u | (with_data ? 0u : 0x200u))),
                   bytes(2, data(contents, 0x34000000))}));
  }

  static Bytes operation(const char* name, std::uint32_t type, std::uint32_t id, float ms,
                         std::uint32_t counter_type,
                         std::initializer_list<std::uint32_t> counters) {
    Bytes words;
    for (const std::uint32_t w : counters) append(words, number(6, w));
    return joined({text(1, name), number(2, type), number(3, id), real(4, ms),
                   number(5, counter_type), words, number(7, ~0ull), number(8, ~0ull)});
  }

  static constexpr std::uint32_t u8 = 0x00040440, s8 = 0x00840440, f32 = 0x00821040;
  std::shared_ptr<SimulatedLine> line_;
  Habits habits_;
  Packets form_;
  std::uint32_t id_ = 0;
  std::thread thread_;
};

}  // namespace lockstep::test
