#pragma once

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <memory>
#include <variant>

#include "link/frame.h"
#include "link/protobuf_bytes.h"
#include "lockstep_agent.h"

namespace lockstep::test {

inline std::string hex(const Bytes& b) {
  std::string text;
  for (const std::byte x : b) text += fmt::format("{:02x} ", static_cast<int>(x));
  return text;
}

// Both ends of the line: what the host sends and when, what must have come back by then.
class Line {
 public:
  struct Silence {
    std::uint32_t ms;
  };
  struct Expected {
    Bytes bytes;
    const char* what;
  };
  using Step = std::variant<Bytes, Expected, Silence>;

  Packets form;

  explicit Line(std::size_t header = 2, std::uint32_t payload = 0, std::uint32_t runtime = 1) {
    form.header = header;
    for (std::size_t i = 0; i < 3; ++i)
      nodes_[i] = {i == 1 ? "pooled" : "",
                   LOCKSTEP_FORMAT_S8,
                   4,
                   node_dims_.data(),
                   0.25f,
                   -3,
                   node_[i].data(),
                   16,
                   0x34002000};
    input_ = {"in0", LOCKSTEP_FORMAT_U8,  4,   input_dims_.data(), 0.5f,
              7,     input_bytes_.data(), 192, 0x34000000};
    output_ = {"out0", LOCKSTEP_FORMAT_F32,  2,  output_dims_.data(), 0,
               0,      output_bytes_.data(), 40, 0x34001000};
    network_ = {"network",
                "a signature",
                "Jan  1 2026 00:00:00",
                "lockstep 1.0",
                1234,
                2,
                4096,
                512,
                runtime,
                &input_,
                &output_,
                1,
                1,
                &run,
                this};
    board_ = {&read,  &write,    &microseconds, &memory,    this,
              0x486,  800000000, 400000000,     0x05010000, {0, 1000000000, 900000000, 0},
              payload};
    lockstep_agent_init(agent_.get(), &board_, &networks_, 1);
  }

  void host(const Bytes& message) {
    const std::vector<Bytes> packets = form.from_host(message);
    for (std::size_t i = 0; i < packets.size(); ++i) {
      if (i > 0) steps_.push_back(Expected{bytes_from({0xAA}), "the request for a packet"});
      steps_.push_back(packets[i]);
    }
  }
  void raw(const Bytes& b) { steps_.push_back(b); }
  void expect_raw(const Bytes& b, const char* what) { steps_.push_back(Expected{b, what}); }
  // The message, with the check field that other clients skip.
  void device(Bytes message, const char* what) {
    append_crc(message);
    steps_.push_back(Expected{form.from_device(message), what});
  }
  void silence(std::uint32_t ms) { steps_.push_back(Silence{ms}); }

  // The whole conversation; nothing but what was expected came back, and the agent is idle again.
  void play() {
    for (int i = 0; i < 10000 && !failed_; ++i)
      if (lockstep_agent_serve(agent_.get(), 100) == 0 && steps_.empty()) break;
    EXPECT_TRUE(steps_.empty()) << "the agent asks for nothing more";
    EXPECT_EQ(failed_ ? "" : hex(from_device_), "") << "nobody asked for that";
  }

  std::uint32_t now() const { return ms_; }
  int runs() const { return runs_; }
  int firsts() const { return firsts_; }
  const std::array<std::uint8_t, 192>& input() const { return input_bytes_; }
  std::array<std::uint8_t, 8192> memory_{};
  int shown_nodes = 2;
  bool fail_runs = false;

 private:
  static Line& self_of(void* self) { return *static_cast<Line*>(self); }

  static long read(void* self, std::uint8_t* into, std::size_t size, std::uint32_t wait) {
    Line& l = self_of(self);
    if (l.to_device_.empty() && !l.go_on(wait)) return l.failed_ ? -1 : 0;
    std::size_t n = 0;
    for (; n < size && !l.to_device_.empty(); ++n) {
      into[n] = static_cast<std::uint8_t>(l.to_device_.front());
      l.to_device_.pop_front();
    }
    return static_cast<long>(n);
  }

  // What the host does when the agent waits. False: nothing, for that long.
  bool go_on(std::uint32_t wait) {
    while (!steps_.empty()) {
      if (const auto* expected = std::get_if<Expected>(&steps_.front())) {
        const std::size_t n = expected->bytes.size();
        if (from_device_.empty() && waited_ < 20000)
          break;  // an answer that the agent gives after a silence
        if (from_device_.size() < n ||
            !std::equal(expected->bytes.begin(), expected->bytes.end(), from_device_.begin()))
          return fail(expected->what, hex(expected->bytes));
        from_device_.erase(from_device_.begin(),
                           from_device_.begin() + static_cast<std::ptrdiff_t>(n));
        waited_ = 0;
      } else if (!from_device_.empty()) {
        return fail("bytes that nobody asked for", "");
      } else if (auto* silent = std::get_if<Silence>(&steps_.front())) {
        const std::uint32_t part = std::min(wait, silent->ms);
        ms_ += part;
        silent->ms -= part;
        if (silent->ms > 0) return false;
      } else {
        const Bytes& sent = std::get<Bytes>(steps_.front());
        to_device_.insert(to_device_.end(), sent.begin(), sent.end());
        steps_.pop_front();
        return true;
      }
      steps_.pop_front();
    }
    ms_ += wait;
    waited_ += wait;
    return false;
  }

  bool fail(const char* what, const std::string& want) {
    ADD_FAILURE() << what << "\nis   " << hex(from_device_) << "\nwant " << want;
    failed_ = true;
    return false;
  }

  static int write(void* self, const std::uint8_t* bytes, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i)
      self_of(self).from_device_.push_back(static_cast<std::byte>(bytes[i]));
    return 0;
  }
  static std::uint32_t microseconds(void*) { return 0; }
  static void* memory(void* self, std::uint32_t address, std::uint32_t size, int) {
    if (address < 0x34000000 || size > 8192 || address - 0x34000000 > 8192 - size) return nullptr;
    return self_of(self).memory_.data() + (address - 0x34000000);
  }
  static int run(void* self, int first, lockstep_agent_observer observer, void* context) {
    Line& l = self_of(self);
    ++l.runs_;
    l.firsts_ += first;
    for (std::size_t i = 0; i < 40; ++i) l.output_bytes_[i] = static_cast<std::uint8_t>(i);
    if (l.fail_runs) return -1;
    static const std::uint32_t spent[3] = {100, 1000, 10};
    for (int i = 0; observer && i < l.shown_nodes; ++i) {
      for (std::size_t k = 0; k < 16; ++k)
        l.node_[static_cast<std::size_t>(i)][k] =
            static_cast<std::uint8_t>(16 * i + static_cast<int>(k));
      const bool npu = l.network_.runtime_id == 4;
      const lockstep_agent_node node{"",
                                     static_cast<std::uint32_t>(i << 16 | i),
                                     2,
                                     &l.nodes_[static_cast<std::size_t>(i)],
                                     i == 1 ? 2u : 1u,
                                     npu ? spent : nullptr,
                                     npu ? 3u : 0u,
                                     npu ? 0x00010000u : 0u};
      if (observer(context, &node) != 0) return -1;
    }
    return 0;
  }

  std::deque<Step> steps_;
  std::deque<std::byte> to_device_;
  Bytes from_device_;
  std::uint32_t ms_ = 0, waited_ = 0;
  bool failed_ = false;
  int runs_ = 0, firsts_ = 0;
  std::array<std::uint32_t, 4> input_dims_{1, 8, 8, 3}, node_dims_{1, 2, 2, 4};
  std::array<std::uint32_t, 2> output_dims_{1, 10};
  std::array<std::uint8_t, 192> input_bytes_{};
  std::array<std::uint8_t, 40> output_bytes_{};
  std::array<std::array<std::uint8_t, 16>, 3> node_{};
  std::array<lockstep_agent_tensor, 3> nodes_{};
  lockstep_agent_tensor input_{}, output_{};
  lockstep_agent_network network_{};
  const lockstep_agent_network* networks_ = &network_;
  lockstep_agent_board board_{};
  std::unique_ptr<lockstep_agent> agent_ = std::make_unique<lockstep_agent>();
};

inline constexpr std::uint32_t offered =
    1 | 8 | 1u << 16;  // observer, memory; the bit of check fields

inline Bytes sync_answer(std::uint32_t id, std::uint32_t capability = offered,
                         std::uint32_t runtime = 1) {
  return answer(
      id, 0, 10,
      joined({number(1, 0x0301), number(4, capability), number(5, runtime | 1u << 8 | 1u << 16)}));
}

inline void expect_sync(Line& line, std::uint32_t id = 1, std::uint32_t capability = offered) {
  line.host(request(id, 0));
  line.device(sync_answer(id, capability), "the answer to SYNC");
}

inline Bytes desc(const char* name, std::uint32_t format, const std::vector<std::uint32_t>& dims,
                  float scale, std::int32_t zero, std::uint32_t address, std::uint32_t flags) {
  std::uint32_t count = 1;
  Bytes extents;
  for (const std::uint32_t d : dims) {
    count *= d;
    append(extents, number(5, d));
  }
  return joined({text(1, name), number(2, format), number(3, count), number(4, dims.size()),
                 extents, real(6, scale),
                 number(7, static_cast<std::uint64_t>(static_cast<std::int64_t>(zero))),
                 number(8, address), number(9, flags)});
}

inline Bytes tensor(const Bytes& described, std::uint32_t address, const Bytes& contents) {
  return joined({bytes(1, described), bytes(2, data(contents, address))});
}

inline Bytes operation(const char* name, std::uint32_t type, std::uint32_t id,
                       std::uint32_t counter_type, const std::vector<std::uint32_t>& counters) {
  Bytes words;
  for (const std::uint32_t w : counters) append(words, number(6, w));
  return joined({text(1, name), number(2, type), number(3, id), real(4, 0), number(5, counter_type),
                 words, number(7, ~0ull), number(8, ~0ull)});
}

inline Bytes ramp(std::size_t n, int from = 0) {
  Bytes b(n);
  for (std::size_t i = 0; i < n; ++i) b[i] = static_cast<std::byte>(from + static_cast<int>(i));
  return b;
}

inline void upload(Line& line, std::uint32_t id, std::uint32_t mode, const Bytes& input,
                   const char* name = "network", std::uint32_t option = 1) {
  line.host(request(id, 11, mode, name, option));
  line.device(device_ack(id, 1, 192), "how many bytes the input has");
  line.host(data(input));
  line.device(device_ack(id, 2, static_cast<std::uint32_t>(input.size())), "how many it took");
  line.host(host_ack());
}

inline Bytes node_tensor(int node, const char* name, std::uint32_t flags, bool with_data) {
  return tensor(desc(name, LOCKSTEP_FORMAT_S8, {1, 2, 2, 4}, 0.25f, -3, 0x34002000,
                     4 | flags | (with_data ? 0 : 0x200)),
                0x34002000, with_data ? ramp(16, 16 * node) : Bytes());
}

inline void expect_nodes(Line& line, std::uint32_t id, bool with_data) {
  line.device(answer(id, 2, 16, operation("", 1u << 24 | 2, 0, 0, {0, 0})), "the first node");
  line.device(answer(id, 2, 17, node_tensor(0, "", 0x100, with_data)), "its tensor, the last");
  line.device(answer(id, 2, 16, operation("", 1u << 24 | 2, 1u << 16 | 1, 0, {0, 0})),
              "the second node");
  line.device(answer(id, 2, 17, node_tensor(1, "pooled", 0, with_data)),
              "the first of two tensors");
  line.device(answer(id, 2, 17,
                     tensor(desc("", LOCKSTEP_FORMAT_S8, {1, 2, 2, 4}, 0.25f, -3, 0x34002000,
                                 with_data ? 0x104 : 0x304),
                            0x34002000, with_data ? Bytes(16) : Bytes())),
              "the last of two tensors");
}

inline void expect_output(Line& line, std::uint32_t id, bool with_data = true) {
  line.device(answer(id, 2, 16, operation("network", 0, 0, 0, {0, 0})), "the whole inference");
  line.device(answer(id, 3, 17,
                     tensor(desc("out0", LOCKSTEP_FORMAT_F32, {1, 10}, 0, 0, 0x34001000,
                                 2 | 0x100 | (with_data ? 0 : 0x200)),
                            0x34001000, with_data ? ramp(40) : Bytes())),
              "the output");
}

inline Bytes system_answer(std::uint32_t id, std::size_t header, std::uint32_t payload) {
  const std::vector<std::uint32_t> words = {0, 1000000000, 900000000, 0};
  Bytes tail = header == 2 ? number(5, payload) : Bytes();
  for (const std::uint32_t w : words) append(tail, number(header == 2 ? 6 : 5, w));
  return answer(id, 0, 11,
                joined({number(1, 0x486), number(2, 800000000), number(3, 400000000),
                        number(4, 0x05010000), tail}));
}

}  // namespace lockstep::test
