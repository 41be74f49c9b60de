#include <fmt/format.h>

#include "link/device_state.h"

namespace lockstep {
namespace {

constexpr std::uint32_t with_tensors = 1, times_only = 2;  // modes of a 2.x run
constexpr std::uint32_t output_node = 0, more_of_node = 4;
constexpr std::size_t most_steps = 100000;

wire::ShapeV2 shape_of(const DeviceTensor& t) {
  wire::ShapeV2 s;
  s.set_format(t.format);
  const auto extent = [&](std::size_t i) { return static_cast<std::uint32_t>(t.shape[i]); };
  s.set_batches(extent(0));
  s.set_height(extent(1));
  s.set_width(extent(2));
  s.set_channels(extent(3));
  s.set_scale(static_cast<float>(t.scale));
  s.set_zero(t.zero);
  s.set_address(static_cast<std::int32_t>(t.address));
  return s;
}

// One run of protocol 2.x: every node comes with its tensor and wants an acknowledgement.
class RunV2 {
 public:
  RunV2(Device::State& s, const DeviceNetwork& network) : d_(s.dialogue), network_(network) {}

  Result<DeviceRun> go(std::span<const Bytes> inputs, std::uint32_t param, bool first) {
    d_.doing("start of a run of '" + network_.name + "'");
    LOCKSTEP_CHECK(d_.request(command::run, param, network_.name, first ? 1 : 0));
    LOCKSTEP_TRY(const wire::Answer ready, expect(d_, wire::Answer::kAck, d_.patience().info));
    if (!inputs.empty() &&
        ready.ack().param() != static_cast<std::uint32_t>(network_.inputs[0].elements))
      return d_.broken(fmt::format("the device wants {} elements of input 1", ready.ack().param()),
                       fmt::format("{}, as it described them", network_.inputs[0].elements));
    for (std::size_t i = 0; i < inputs.size(); ++i)
      LOCKSTEP_CHECK(send_input(inputs[i], i, i + 1 == inputs.size()));
    LOCKSTEP_CHECK(read_nodes());
    run_.logs = d_.take_logs();
    return std::move(run_);
  }

 private:
  Result<void> send_input(const Bytes& bytes, std::size_t i, bool last) {
    d_.doing(fmt::format("input {} of '{}'", i + 1, network_.name));
    wire::BufferV2 buffer;
    *buffer.mutable_shape() = shape_of(network_.inputs[i]);
    buffer.set_bytes(bytes.data(), bytes.size());
    LOCKSTEP_CHECK(d_.send(buffer));
    LOCKSTEP_TRY(const wire::Answer taken, expect(d_, wire::Answer::kAck, d_.patience().info));
    if (taken.state() != (last ? state::processing : state::waiting))
      return d_.broken("an acknowledgement out of turn", "", "messages were lost or damaged");
    return d_.acknowledge();
  }

  Result<void> read_nodes() {
    bool more = false;
    for (;;) {
      d_.doing(fmt::format("node {} of '{}'", run_.steps.size() + 1, network_.name));
      LOCKSTEP_TRY(wire::Answer a, d_.answer(d_.patience().result));
      if (a.state() == state::error) {
        d_.set_refused();
        return d_.broken("the device answers " +
                         error_text(a.payload_case() == wire::Answer::kAck ? a.ack().error() : 10));
      }
      if (a.payload_case() == wire::Answer::kReportV2) {
        run_.whole.milliseconds = a.report_v2().milliseconds();
        LOCKSTEP_CHECK(d_.acknowledge());
        continue;
      }
      if (a.payload_case() != wire::Answer::kNodeV2)
        return d_.broken(payload_text(a) + " out of turn", "a node");
      const bool done = a.state() == state::done;
      LOCKSTEP_CHECK(take(a, more));
      if (!done) LOCKSTEP_CHECK(d_.acknowledge());
      if (done) break;
      if (run_.steps.size() + run_.outputs.size() > most_steps)
        return d_.broken("nodes without end", fmt::format("at most {}", most_steps));
    }
    if (run_.outputs.size() != network_.outputs.size())
      return d_.broken(fmt::format("{} outputs", run_.outputs.size()),
                       fmt::format("{}, as described", network_.outputs.size()));
    return {};
  }

  Result<void> take(wire::Answer& a, bool& more) {
    wire::NodeV2& node = *a.mutable_node_v2();
    wire::TensorDesc desc = desc_of_v2(node.buffer().shape(), "");
    std::string bytes = std::move(*node.mutable_buffer()->mutable_bytes());
    const std::uint32_t kind = node.type() >> 16;
    LOCKSTEP_TRY(DeviceTensor t, tensor_with_data(d_, desc, std::move(bytes)));
    if (kind == output_node) {
      if (run_.outputs.size() >= network_.outputs.size())
        return d_.broken("more outputs than described", fmt::format("{}", network_.outputs.size()));
      if (t.data.empty())
        return d_.broken("an output without data", fmt::format("{} bytes", t.bytes()));
      t.name = network_.outputs[run_.outputs.size()].name;
      run_.whole.milliseconds = node.milliseconds();
      run_.outputs.push_back(std::move(t));
      return {};
    }
    if (!more)
      run_.steps.push_back({"", node.type() & 0xFFFF, node.id(), node.milliseconds(), {}, {}});
    run_.steps.back().tensors.push_back(std::move(t));
    more = (kind & more_of_node) != 0;
    return {};
  }

  Dialogue& d_;
  const DeviceNetwork& network_;
  DeviceRun run_;
};

}  // namespace

wire::TensorDesc desc_of_v2(const wire::ShapeV2& s, const std::string& name) {
  wire::TensorDesc d;
  d.set_name(name);
  d.set_format(s.format());
  const std::uint64_t count = std::uint64_t{s.batches()} * s.height() * s.width() * s.channels();
  d.set_size(static_cast<std::uint32_t>(count));
  d.set_rank(4);
  for (const std::uint32_t extent : {s.batches(), s.height(), s.width(), s.channels()})
    d.add_dims(extent);
  d.set_scale(s.scale());
  d.set_zero(s.zero());
  d.set_address(static_cast<std::uint32_t>(s.address()));
  d.set_flags(0);
  return d;
}

Result<DeviceNetwork> network_of_v2(const Dialogue& dialogue, const wire::NetworkInfoV2& from) {
  DeviceNetwork n{printable(from.name()),
                  printable(from.signature()),
                  printable(from.compiled()),
                  printable(from.runtime_text()),
                  from.macc(),
                  from.nodes(),
                  {},
                  {},
                  {},
                  {}};
  if (static_cast<std::uint32_t>(from.inputs_size()) != from.n_inputs() ||
      static_cast<std::uint32_t>(from.outputs_size()) != from.n_outputs())
    return dialogue.broken("a network whose numbers of inputs and outputs are not those described",
                           "as many");
  for (const wire::ShapeV2& s : from.inputs()) {
    LOCKSTEP_TRY(DeviceTensor t, tensor_of(dialogue, desc_of_v2(s, "")));
    n.inputs.push_back(std::move(t));
  }
  for (const wire::ShapeV2& s : from.outputs()) {
    LOCKSTEP_TRY(DeviceTensor t, tensor_of(dialogue, desc_of_v2(s, "")));
    n.outputs.push_back(std::move(t));
  }
  return n;
}

Result<DeviceRun> run_v2(Device::State& s, const DeviceNetwork& network,
                         std::span<const Bytes> inputs, const RunMode& mode) {
  const bool inspects = s.info.can(Capability::observer);
  const std::uint32_t param = !inspects || !(mode.nodes || mode.tensors) ? 0
                              : mode.tensors                             ? with_tensors
                                                                         : times_only;
  return RunV2(s, network).go(inputs, param, mode.first);
}

}  // namespace lockstep
