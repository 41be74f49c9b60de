#pragma once

#include <atomic>
#include <cstring>
#include <deque>
#include <memory>
#include <thread>

#include <gtest/gtest.h>

#include "link/device.h"
#include "link/simulated_line.h"
#include "lockstep_agent.h"
#include "posix/agent_posix.h"

namespace lockstep::test {

// What the agent is told of one tensor, with its storage.
struct AgentTensor {
  std::string name;
  DType dtype = DType::i8;
  std::vector<std::uint32_t> dims;
  double scale = 0;
  std::int32_t zero = 0;
  Bytes bytes = {};

  lockstep_agent_tensor described() {
    std::size_t count = 1;
    for (const std::uint32_t d : dims) count *= d;
    bytes.resize(count * size_of(dtype));
    return {name.c_str(),
            format_of_dtype(dtype),
            static_cast<std::uint32_t>(dims.size()),
            dims.data(),
            static_cast<float>(scale),
            zero,
            bytes.data(),
            static_cast<std::uint32_t>(bytes.size()),
            0};
  }
};

// Lockstep's agent in a thread of this process, on a TCP port or a pty. `compute` fills outputs and
// node tensors from the inputs.
class AgentDevice {
 public:
  struct Network {
    std::string name = "network", signature, compiled = "today", runtime = "lockstep";
    std::deque<AgentTensor> inputs, nodes, outputs;
    std::function<bool(Network&, bool first)> compute;
  };

  explicit AgentDevice(Network network, std::uint32_t payload = 4094, bool pty = false,
                       std::shared_ptr<SimulatedLine> line = nullptr)
      : network_(std::move(network)), line_(std::move(line)) {
    for (AgentTensor& t : network_.inputs) inputs_.push_back(t.described());
    for (AgentTensor& t : network_.outputs) outputs_.push_back(t.described());
    for (AgentTensor& t : network_.nodes) nodes_.push_back(t.described());
    described_ = {network_.name.c_str(),
                  network_.signature.c_str(),
                  network_.compiled.c_str(),
                  network_.runtime.c_str(),
                  1000,
                  static_cast<std::uint32_t>(nodes_.size()),
                  4096,
                  512,
                  1,
                  inputs_.data(),
                  outputs_.data(),
                  inputs_.size(),
                  outputs_.size(),
                  &run,
                  this};
    char name[128] = "";
    if (line_)
      line_->attach(SimulatedLine::device, true);
    else if (pty)
      uri_ =
          lockstep_posix_pty(&link_, name, sizeof name) == 0 ? "serial:" + std::string(name) : "";
    else
      uri_ = "tcp:127.0.0.1:" + std::to_string(lockstep_posix_listen(&link_, 0));
    board_ = {&lockstep_posix_read,
              &lockstep_posix_write,
              &lockstep_posix_microseconds,
              &memory,
              this,
              0x486,
              800000000,
              400000000,
              0x05010000,
              {0, 1000000000, 900000000, 0},
              payload};
    board_.self = &link_;
    if (line_) {
      board_.read = [](void* self, std::uint8_t* into, std::size_t size, std::uint32_t wait) {
        return static_cast<SimulatedLine*>(self)->read(
            SimulatedLine::device, reinterpret_cast<std::byte*>(into), size, Milliseconds(wait));
      };
      board_.write = [](void* self, const std::uint8_t* bytes, std::size_t size) {
        static_cast<SimulatedLine*>(self)->write(SimulatedLine::device,
                                                 reinterpret_cast<const std::byte*>(bytes), size);
        return 0;
      };
      board_.self = line_.get();
    }
    the_memory() = &memory_;
    thread_ = std::thread([this] {
      networks_ = &described_;
      lockstep_agent_init(agent_.get(), &board_, &networks_, 1);
      while (lockstep_agent_serve(agent_.get(), 1000) >= 0) {
      }
    });
  }
  ~AgentDevice() {
    if (line_)
      line_->close();
    else
      lockstep_posix_stop(&link_);
    thread_.join();
    if (!line_) lockstep_posix_close(&link_);
  }

  const std::string& uri() const { return uri_; }
  int runs() const { return runs_; }
  static constexpr std::uint32_t memory_base = 0x34000000;

 private:
  static int run(void* self, int first, lockstep_agent_observer observer, void* context) {
    auto& d = *static_cast<AgentDevice*>(self);
    ++d.runs_;
    if (!d.network_.compute(d.network_, first != 0)) return -1;
    for (std::size_t i = 0; observer && i < d.nodes_.size(); ++i) {
      const lockstep_agent_node node{d.network_.nodes[i].name.c_str(),
                                     static_cast<std::uint32_t>(i),
                                     0,
                                     &d.nodes_[i],
                                     1,
                                     nullptr,
                                     0,
                                     0};
      if (observer(context, &node) != 0) return -1;
    }
    return 0;
  }
  static std::array<std::uint8_t, 65536>*& the_memory() {
    static std::array<std::uint8_t, 65536>* memory = nullptr;
    return memory;
  }
  static void* memory(void*, std::uint32_t address, std::uint32_t size, int) {
    if (address < memory_base || size > 65536 || address - memory_base > 65536 - size)
      return nullptr;
    return the_memory()->data() + (address - memory_base);
  }

  Network network_;
  std::shared_ptr<SimulatedLine> line_;
  std::vector<lockstep_agent_tensor> inputs_, outputs_, nodes_;
  lockstep_agent_network described_{};
  const lockstep_agent_network* networks_ = nullptr;
  lockstep_agent_board board_{};
  lockstep_posix_link link_{};
  std::unique_ptr<lockstep_agent> agent_ = std::make_unique<lockstep_agent>();
  std::array<std::uint8_t, 65536> memory_{};
  std::atomic<int> runs_ = 0;
  std::string uri_;
  std::thread thread_;
};

// uint8 x[1,8,8,3] -> node h (x + 1) -> float y[1,10], sums of every tenth input: what the emulated
// device computes too.
inline AgentDevice::Network sums_network() {
  AgentDevice::Network n;
  n.inputs.push_back({"x", DType::u8, {1, 8, 8, 3}, 1 / 255., 0});
  n.nodes.push_back({"h", DType::u8, {1, 8, 8, 3}, 1 / 255., 0});
  n.outputs.push_back({"y", DType::f32, {1, 10}});
  n.compute = [](AgentDevice::Network& net, bool) {
    float sums[10] = {};
    const Bytes& x = net.inputs[0].bytes;
    for (std::size_t i = 0; i < x.size(); ++i) {
      sums[i % 10] += static_cast<float>(x[i]);
      net.nodes[0].bytes[i] = static_cast<std::byte>(static_cast<int>(x[i]) + 1);
    }
    std::memcpy(net.outputs[0].bytes.data(), sums, sizeof sums);
    return true;
  };
  return n;
}

}  // namespace lockstep::test
