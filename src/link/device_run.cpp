#include <algorithm>

#include <fmt/format.h>

#include "link/device_state.h"

namespace lockstep {
namespace {

constexpr std::size_t most_steps = 100000;
namespace mode_bit {
constexpr std::uint32_t io = 1, nodes = 2, tensors = 4;
}
namespace flag {
constexpr std::uint32_t last = 2, without_tensor = 4;  // of an operation
constexpr std::uint32_t last_tensor = 0x100;           // of a tensor
}  // namespace flag

DeviceStep step_of(const wire::Operation& from) {
  return {printable(from.name()),
          from.type(),
          from.id(),
          from.milliseconds(),
          {from.counters().begin(), from.counters().end()},
          {}};
}

// One run of protocol 3.x, message by message.
class Run {
 public:
  Run(Device::State& s, const DeviceNetwork& network) : d_(s.dialogue), network_(network) {}

  Result<DeviceRun> go(std::span<const Bytes> inputs, std::uint32_t param, std::uint32_t option) {
    d_.doing("start of a run of '" + network_.name + "'");
    LOCKSTEP_CHECK(d_.request(command::run, param, network_.name, option));
    LOCKSTEP_TRY(const wire::Answer ready, expect(d_, wire::Answer::kAck, d_.patience().info));
    if (!inputs.empty() && ready.ack().param() != inputs[0].size())
      return d_.broken(fmt::format("the device wants {} bytes of input 1", ready.ack().param()),
                       fmt::format("{} bytes, as it described them", inputs[0].size()));
    for (std::size_t i = 0; i < inputs.size(); ++i)
      LOCKSTEP_CHECK(send_input(inputs[i], i, i + 1 == inputs.size()));
    if (param & (mode_bit::nodes | mode_bit::tensors)) LOCKSTEP_CHECK(read_steps());
    LOCKSTEP_CHECK(read_whole());
    LOCKSTEP_CHECK(read_outputs());
    run_.logs = d_.take_logs();
    return std::move(run_);
  }

 private:
  Result<void> send_input(const Bytes& bytes, std::size_t i, bool last) {
    d_.doing(fmt::format("input {} of '{}'", i + 1, network_.name));
    wire::Data data;
    data.set_type(0);
    data.set_size(static_cast<std::uint32_t>(bytes.size()));
    data.set_address(0);
    data.set_bytes(bytes.data(), bytes.size());
    LOCKSTEP_CHECK(d_.send(data));
    LOCKSTEP_TRY(const wire::Answer taken, expect(d_, wire::Answer::kAck, d_.patience().info));
    if (taken.ack().param() != bytes.size() ||
        taken.state() != (last ? state::processing : state::waiting))
      return d_.broken(fmt::format("the device took {} bytes", taken.ack().param()),
                       fmt::format("{}", bytes.size()), "messages were lost or damaged");
    return d_.acknowledge();
  }

  // Operations with their tensors; the one whose flag byte is 0 is the whole model's, and ends
  // them.
  Result<void> read_steps() {
    for (;;) {
      d_.doing(fmt::format("node {} of '{}'", run_.steps.size() + 1, network_.name));
      LOCKSTEP_TRY(const wire::Answer a,
                   expect(d_, wire::Answer::kOperation, d_.patience().result));
      const std::uint32_t flags = a.operation().type() >> 24;
      if (flags == 0) {
        whole_ = step_of(a.operation());
        have_whole_ = true;
        return {};
      }
      if (run_.steps.size() >= most_steps)
        return d_.broken("nodes without end", fmt::format("at most {}", most_steps));
      DeviceStep step = step_of(a.operation());
      if (!(flags & flag::without_tensor)) LOCKSTEP_CHECK(read_tensors(step.tensors));
      run_.steps.push_back(std::move(step));
      if (flags & flag::last) return {};
    }
  }

  Result<void> read_tensors(std::vector<DeviceTensor>& into) {
    for (bool last = false; !last;) {
      LOCKSTEP_TRY(wire::Answer a, expect(d_, wire::Answer::kTensor, d_.patience().result));
      LOCKSTEP_TRY(DeviceTensor t, tensor_from(a));
      last = (t.flags & flag::last_tensor) != 0;
      into.push_back(std::move(t));
      if (into.size() > 1024) return d_.broken("tensors of one node without end", "at most 1024");
    }
    return {};
  }

  Result<DeviceTensor> tensor_from(wire::Answer& a) {
    wire::Tensor& t = *a.mutable_tensor();
    std::string bytes = std::move(*t.mutable_data()->mutable_bytes());
    if (t.data().size() != bytes.size())
      return d_.broken(fmt::format("tensor '{}' says {} bytes and has {}", t.desc().name(),
                                   t.data().size(), bytes.size()),
                       "as many");
    return tensor_with_data(d_, *t.mutable_desc(), std::move(bytes));
  }

  Result<void> read_whole() {
    d_.doing("result of '" + network_.name + "'");
    if (!have_whole_) {
      LOCKSTEP_TRY(const wire::Answer a,
                   expect(d_, wire::Answer::kOperation, d_.patience().result));
      whole_ = step_of(a.operation());
    }
    run_.whole = std::move(whole_);
    return {};
  }

  Result<void> read_outputs() {
    for (std::size_t i = 0; i < network_.outputs.size(); ++i) {
      d_.doing(fmt::format("output {} of '{}'", i + 1, network_.name));
      LOCKSTEP_TRY(wire::Answer a, expect(d_, wire::Answer::kTensor, d_.patience().result));
      const std::uint32_t at = a.state();
      LOCKSTEP_TRY(DeviceTensor t, tensor_from(a));
      const bool last = i + 1 == network_.outputs.size();
      if (last != (at == state::done))
        return d_.broken(last ? "more outputs than described" : "fewer outputs than described",
                         fmt::format("{}", network_.outputs.size()));
      if (t.data.empty() && t.elements > 0)
        return d_.broken("an output without data", fmt::format("{} bytes", t.bytes()));
      run_.outputs.push_back(std::move(t));
    }
    return {};
  }

  Dialogue& d_;
  const DeviceNetwork& network_;
  DeviceRun run_;
  DeviceStep whole_;
  bool have_whole_ = false;
};

}  // namespace

Result<DeviceRun> Device::run(const DeviceNetwork& network, std::span<const Bytes> inputs,
                              const RunMode& mode) {
  if (state_->info.version >> 8 == 2) return run_v2(*state_, network, inputs, mode);
  std::uint32_t param = mode_bit::io;
  if (state_->info.can(Capability::observer) && (mode.nodes || mode.tensors))
    param |= mode_bit::nodes | (mode.tensors ? mode_bit::tensors : 0);
  return Run(*state_, network).go(inputs, param, mode.first ? 1 : 0);
}

}  // namespace lockstep
