// Values that a run keeps, or that follow from what it keeps, brought to the order of their shape.
#include <algorithm>
#include <cstring>

#include "base/copy_bytes.h"
#include "run/session_plan.h"
#include "run/sweep.h"

namespace lockstep {

// The bytes of a kept value in the order of its shape, with the slack that kernels may read.
Result<const std::byte*> Session::Plan::codes_of(ValueId v) {
  const BufferId id = kept_buffer(v);
  if (id < 0)
    return Error{g.file(), "'" + g.value(v).name + "' was not kept", "a readable value", ""};
  const ArenaBuffer& b = buffers[static_cast<std::size_t>(id)];
  if (id == shaped[at(v)]) return static_cast<const std::byte*>(b.data);
  if (read_source != v) {
    read_codes.resize(std::max(read_codes.size(), b.bytes + kernel_slack));
    const ChannelAxes a = channel_axes(g.value(v).shape);
    move_channels_last(b.data, read_codes.data(), a.batch, a.positions, a.channels,
                       size_of(g.value(v).dtype));
    read_source = v;
  }
  return static_cast<const std::byte*>(read_codes.data());
}

// What a chain of nodes makes of the codes of its source, element by element; or a Pad alone.
Result<void> Session::Plan::read_chain(ValueId v, const std::byte* codes, std::span<std::byte> to) {
  const ValueId source = read_from(v);
  std::map<ValueId, Tensor> known;
  Tensor& x =
      known.emplace(source, Tensor(g.value(source).dtype, g.value(source).shape)).first->second;
  copy_bytes({codes, x.bytes().size()}, x.bytes().data());
  const bool pads = unpadded[at(v)] != no_id;
  for (const NodeId n :
       pads ? std::vector{g.value(v).producer} : nodes_between(g, fixed, source, v)) {
    std::vector<const Tensor*> in;
    for (const ValueId i : g.node(n).inputs)
      in.push_back(i == no_id ? nullptr : constant(i) ? constant(i) : &known.at(i));
    LOCKSTEP_TRY(std::vector<Tensor> out, evaluate_node(g, n, num, kernels, in));
    known.insert_or_assign(g.node(n).outputs[0], std::move(out[0]));
  }
  copy_bytes(known.at(v).bytes(), to.data());
  return {};
}

// Everything that the node reads beside `source` is constant.
bool Session::Plan::reads_alone(NodeId n, ValueId source) const {
  const auto& inputs = g.node(n).inputs;
  return inputs[0] == source && std::all_of(inputs.begin() + 1, inputs.end(),
                                            [&](ValueId v) { return v == no_id || constant(v); });
}

Result<void> Session::Plan::read(ValueId v, std::span<std::byte> to) {
  const Tensor* t = constant(v);
  if (!t && late[at(v)]) {
    LOCKSTEP_TRY(t, late_constant(v));
  }
  if (t) {
    copy_bytes(t->bytes(), to.data());
    return {};
  }
  const Value& value = g.value(v);
  if (kept[at(v)]) {
    const BufferId id = kept_buffer(v);
    const std::byte* const from = buffers[static_cast<std::size_t>(id)].data;
    if (id == shaped[at(v)]) {
      copy_bytes({from, to.size()}, to.data());
    } else {
      const ChannelAxes a = channel_axes(value.shape);
      move_channels_last(from, to.data(), a.batch, a.positions, a.channels, size_of(value.dtype));
    }
    return {};
  }
  const CodeMap& map = all_maps[at(v)];
  const ValueId source = read_from(v);
  if (source == no_id)
    return Error{g.file(), "'" + value.name + "' was not kept", "a readable value", ""};
  LOCKSTEP_TRY(const std::byte* const codes, codes_of(source));
  const NodeId n = value.producer;
  if (const Kernel* const kernel = kernels.kernel(n);
      kernel && kernel_holds(n) && reads_alone(n, source) &&
      kernel->order != Order::channels_last && kernels.prepared(n)->scratch_bytes(1) == 0) {
    std::vector<const std::byte*> in(g.node(n).inputs.size(), nullptr);
    in[0] = codes;
    std::byte* const out = to.data();
    kernels.prepared(n)->run({in.data(), &out, scratch, workers});
    return {};
  }
  if (unpadded[at(v)] != no_id) return read_chain(v, codes, to);
  const std::int64_t count = count_of(value.shape);
  const std::int64_t channels = map.axis < 0 ? 1 : value.shape[static_cast<std::size_t>(map.axis)];
  auto table = read_tables.find(v);
  if (table == read_tables.end() && channels * 64 <= count)
    table = read_tables.emplace(v, code_table(g, num, fixed, all_maps, v)).first;
  if (table == read_tables.end() || table->second.entries.empty()) return read_chain(v, codes, to);
  std::int64_t run = 1;
  for (std::size_t a = static_cast<std::size_t>(map.axis + 1);
       map.axis >= 0 && a < value.shape.size(); ++a)
    run *= value.shape[a];
  workers.each((count + 4095) / 4096, [&](std::int64_t first, std::int64_t end, int) {
    apply_table(table->second, codes, to.data(), first * 4096,
                std::min(count, end * 4096) - first * 4096, run);
  });
  return {};
}

}  // namespace lockstep
