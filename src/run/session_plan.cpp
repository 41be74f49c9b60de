#include "run/session_plan.h"

#include <algorithm>

#include "op/op_move.h"
#include "plan/arena.h"

namespace lockstep {
namespace {

// Nodes whose output is their input under another shape.
bool only_reshapes(const Node& n) {
  return n.op == "Reshape" || n.op == "Flatten" || n.op == "Squeeze" || n.op == "Unsqueeze" ||
         n.op == "Identity";
}

// Moves only axes of one element past others: the bytes stay where they are.
bool keeps_bytes(const Graph& g, const Node& n) {
  if (only_reshapes(n)) return true;
  if (n.op != "Transpose") return false;
  const Shape& s = g.value(n.inputs[0]).shape;
  const auto perm = integers_at({g, n}, 1, "perm");
  if (!perm || perm->size() != s.size()) return false;
  std::int64_t before = -1;
  for (const std::int64_t axis : *perm) {
    if (axis < 0 || axis >= static_cast<std::int64_t>(s.size())) return false;
    if (s[static_cast<std::size_t>(axis)] == 1) continue;
    if (axis < before) return false;
    before = axis;
  }
  return true;
}

bool same_either_way(const Shape& s) {
  const ChannelAxes a = channel_axes(s);
  return a.channels == 1 || a.positions == 1;
}

}  // namespace

ChannelAxes channel_axes(const Shape& s) {
  if (s.size() < 3) return {1, 1, count_of(s)};
  return {s[0], s[1], s[0] * s[1] == 0 ? 0 : count_of(s) / (s[0] * s[1])};
}

BufferId Session::Plan::make_buffer(ValueId v) {
  const Value& value = g.value(v);
  buffers.push_back({v, static_cast<std::size_t>(count_of(value.shape)) * size_of(value.dtype),
                     steps.size(), steps.size(), nullptr});
  return static_cast<BufferId>(buffers.size()) - 1;
}

void Session::Plan::use(SessionStep&& step) {
  for (const auto* list : {&step.in, &step.out})
    for (const BufferId b : *list)
      if (b >= 0) buffers[static_cast<std::size_t>(b)].last = steps.size();
  for (const BufferId b : step.out)
    if (b >= 0)
      buffers[static_cast<std::size_t>(b)].first =
          std::min(buffers[static_cast<std::size_t>(b)].first, steps.size());
  steps.push_back(std::move(step));
}

// The value in the order asked for; moved there when it lies in the other one.
BufferId Session::Plan::in_order(ValueId v, bool channels_last) {
  auto& wanted = channels_last ? last : shaped;
  auto& other = channels_last ? shaped : last;
  if (wanted[at(v)] >= 0) return wanted[at(v)];
  const Value& value = g.value(v);
  if (same_either_way(value.shape)) return wanted[at(v)] = other[at(v)];
  const BufferId to = make_buffer(v);
  wanted[at(v)] = to;
  SessionStep s;
  s.kind = SessionStep::move;
  s.axes = channel_axes(value.shape);
  if (!channels_last) std::swap(s.axes.channels, s.axes.positions);
  s.width = size_of(value.dtype);
  s.in = {other[at(v)]};
  s.out = {to};
  s.name = channels_last ? "to channels last" : "to channels first";
  use(std::move(s));
  return to;
}

// True where y is read in the order of its shape alone and is wider than x: x is moved then.
bool Session::Plan::moves_before(ValueId x, ValueId y) const {
  const Value &from = g.value(x), &to = g.value(y);
  if (size_of(to.dtype) <= size_of(from.dtype) || from.shape != to.shape ||
      same_either_way(to.shape))
    return false;
  bool wanted = std::ranges::count(options.goals, y) > 0;
  for (const NodeId n : g.consumers(y)) {
    const Kernel* const kernel = kernels.kernel(n);
    if (kernel && kernel->order != Order::as_shaped) return false;
    wanted = true;
  }
  return wanted;
}

void Session::Plan::add_table(ValueId v) {
  const CodeMap& map = maps[at(v)];
  SessionStep s;
  s.kind = SessionStep::table;
  s.codes = std::move(tables.at(v));
  const Value& value = g.value(v);
  const bool in_last = lies_last(map.source) && !moves_before(map.source, v);
  const bool shaped_axis = map.axis >= 0 && !(in_last && map.axis == 1);
  // A function that differs along another axis than the channels needs the order of the shape.
  const BufferId in = in_last && !shaped_axis ? any_order(map.source) : in_order(map.source, false);
  const bool out_last = in_last && !shaped_axis;
  s.run = 1;
  if (map.axis >= 0 && shaped_axis)
    for (std::size_t a = static_cast<std::size_t>(map.axis) + 1; a < value.shape.size(); ++a)
      s.run *= value.shape[a];
  s.count = count_of(value.shape);
  s.in = {in};
  s.out = {make_buffer(v)};
  (out_last ? last : shaped)[at(v)] = s.out[0];
  s.node = value.producer;
  s.name = "table";
  use(std::move(s));
}

// `node` is the graph's, or stands for it over another input.
void Session::Plan::add_kernel(NodeId n, const Node& node, const Kernel& kernel,
                               const PreparedKernel& prepared) {
  const bool moves = moves_channels(kernel, {g, node});
  SessionStep s;
  s.kind = SessionStep::kernel;
  s.node = n;
  s.prepared = &prepared;
  s.name = kernel.name;
  // Kernels of any order take the order in which their first operand lies.
  bool want_last = moves;
  if (kernel.order == Order::any)
    for (const ValueId v : node.inputs)
      if (v != no_id && !constant(v))
        want_last |= lies_last(v) && !same_either_way(g.value(v).shape) &&
                     !(node.outputs.size() == 1 && moves_before(v, node.outputs[0]));
  s.channels_last = want_last;
  for (const ValueId v : node.inputs)
    s.in.push_back(
        v == no_id || constant(v) ? -1 : in_order(v, want_last && g.value(v).shape.size() > 2));
  for (const ValueId v : node.outputs) {
    s.out.push_back(v == no_id ? -1 : make_buffer(v));
    if (v != no_id && !given_mark[at(v)])
      (want_last && g.value(v).shape.size() > 2 ? last : shaped)[at(v)] = s.out.back();
  }
  scratch_bytes = std::max(scratch_bytes, prepared.scratch_bytes(options.threads));
  use(std::move(s));
}

// A node by its meaning, or with what hooks make of it.
void Session::Plan::add_eval(NodeId n) {
  const Node& node = g.node(n);
  SessionStep s;
  s.kind = SessionStep::eval;
  s.node = n;
  s.name = find_op(node.op)->name;
  const auto read = [&](ValueId v, bool there) {
    const bool computed = v != no_id && !constant(v) && there;
    s.in.push_back(computed ? in_order(v, false) : -1);
    s.in_tensors.push_back(computed ? Tensor(g.value(v).dtype, g.value(v).shape) : Tensor());
    s.in_values.push_back(computed || (v != no_id && constant(v)) ? v : no_id);
  };
  for (const ValueId v : node.inputs) read(v, true);
  for (const std::size_t hook : hooks_of(n)) {
    s.hooks.push_back({hook, s.in.size(), {}});
    for (const ValueId v : options.hooks[hook].also)
      read(v, v != no_id && (shaped[at(v)] >= 0 || last[at(v)] >= 0));
  }
  for (const ValueId v : node.outputs) {
    s.out.push_back(v == no_id ? -1 : make_buffer(v));
    s.out_tensors.push_back(v == no_id ? Tensor() : Tensor(g.value(v).dtype, g.value(v).shape));
    if (v != no_id && !given_mark[at(v)]) shaped[at(v)] = s.out.back();
  }
  if (!kernels.kernel(n)) evaluated.push_back(n);
  use(std::move(s));
}

Result<void> Session::Plan::add_node(NodeId n) {
  const Node& node = g.node(n);
  bool any = false;
  for (const ValueId v : node.outputs)
    any |= v != no_id && materialized[at(v)] && shaped[at(v)] < 0 && last[at(v)] < 0;
  if (!any) return {};
  const ValueId y = node.outputs[0];  // absent where only later ones are wanted
  const bool mapped = y != no_id && maps[at(y)].source != no_id;
  if (const NodeKernels::Padded* const own = padded[static_cast<std::size_t>(n)]) {
    add_kernel(n, own->node, *own->kernel, *own->prepared);
    return {};
  }
  if (!hooks_of(n).empty() || (kernels.kernel(n) && !kernel_holds(n) && !mapped)) {
    add_eval(n);
    return {};
  }
  if (mapped) {
    add_table(y);
    return {};
  }
  if (keeps_bytes(g, node) && !constant(node.inputs[0])) {
    const bool flat = g.value(node.inputs[0]).shape == g.value(y).shape;
    if (flat && lies_last(node.inputs[0]))
      last[at(y)] = last[at(node.inputs[0])];
    else
      shaped[at(y)] = in_order(node.inputs[0], false);
    return {};
  }
  if (const Kernel* const kernel = kernels.kernel(n))
    add_kernel(n, node, *kernel, *kernels.prepared(n));
  else
    add_eval(n);
  return {};
}

// Rough nanoseconds of one thread: below some thousands, a second one costs more than it brings
// even when it waits for work.
bool Session::Plan::should_share(const SessionStep& s) const {
  double bytes = 0;
  for (const auto* list : {&s.in, &s.out})
    for (const BufferId b : *list)
      if (b >= 0) bytes += static_cast<double>(buffers[static_cast<std::size_t>(b)].bytes);
  double nanoseconds = bytes / 40;
  if (s.node != no_id && s.kind == SessionStep::kernel) {
    const Node& node = g.node(s.node);
    if (const OpDef* const op = find_op(node.op); op->cost) {
      const Value& x = g.value(node.inputs[0]);
      const bool codes = size_of(x.dtype) == 1,
                 depthwise = node.op == "Conv" && x.shape.size() > 2 &&
                             NodeView{g, node}.attrs().integer("group", 1) > 1;
      nanoseconds +=
          static_cast<double>(op->cost({g, node}).macs) / (!codes || depthwise ? 40 : 250);
    }
  }
  return nanoseconds > 2500;
}

void Session::Plan::place() {
  std::vector<LiveRange> ranges;
  for (const ArenaBuffer& b : buffers) ranges.push_back({b.bytes + kernel_slack, b.first, b.last});
  const ArenaPlan plan = plan_arena(ranges, 64);
  const std::size_t values = (plan.bytes + 63) / 64 * 64;
  arena_bytes = values + scratch_bytes + kernel_slack;
  arena.assign(arena_bytes + 64, std::byte{0});
  std::byte* const base =
      arena.data() + (64 - reinterpret_cast<std::uintptr_t>(arena.data()) % 64) % 64;
  for (std::size_t i = 0; i < buffers.size(); ++i) buffers[i].data = base + plan.offsets[i];
  scratch = base + values;
  for (SessionStep& s : steps) {
    for (const BufferId b : s.in)
      s.from.push_back(b < 0 ? nullptr : buffers[static_cast<std::size_t>(b)].data);
    for (const BufferId b : s.out)
      s.to.push_back(b < 0 ? nullptr : buffers[static_cast<std::size_t>(b)].data);
    s.alone = !should_share(s);
    if (s.kind != SessionStep::eval) continue;
    for (std::size_t i = 0; i < s.in_values.size(); ++i) {
      const ValueId v = s.in_values[i];
      s.in_pointers.push_back(v == no_id ? nullptr : constant(v) ? constant(v) : &s.in_tensors[i]);
    }
    const std::size_t own = g.node(s.node).inputs.size();
    for (SessionStep::Hook& hook : s.hooks) {
      hook.in.assign(s.in_pointers.begin(),
                     s.in_pointers.begin() + static_cast<std::ptrdiff_t>(own));
      for (std::size_t i = 0; i < options.hooks[hook.index].also.size(); ++i)
        hook.in.push_back(s.in_pointers[hook.first_also + i]);
    }
  }
}

// Where a kept value lies: in the order of its shape when it is a goal, else as it was made.
BufferId Session::Plan::kept_buffer(ValueId v) const {
  const BufferId a = shaped[at(v)], b = last[at(v)];
  if (a < 0 || b < 0) return std::max(a, b);
  return std::ranges::count(options.goals, v) > 0 ? a : std::min(a, b);
}

Result<void> Session::Plan::build() {
  shaped.assign(g.values().size(), -1);
  last.assign(g.values().size(), -1);
  find_fixed();
  LOCKSTEP_CHECK(find_needed());
  for (const ValueId v : given) shaped[at(v)] = make_buffer(v);
  for (std::size_t n = 0; n < g.nodes().size(); ++n)
    LOCKSTEP_CHECK(add_node(static_cast<NodeId>(n)));
  for (const ValueId v : options.goals)
    if (!constant(v)) in_order(v, false);
  for (const ValueId v : given) buffers[static_cast<std::size_t>(shaped[at(v)])].first = 0;
  // Goals and what is kept stay until the run ends; what is given stays for the next one.
  for (std::size_t i = 0; i < kept.size(); ++i)
    if (const auto v = static_cast<ValueId>(i); kept[i] && !constant(v))
      buffers[static_cast<std::size_t>(kept_buffer(v))].last = steps.size();
  for (const auto* list : {&options.goals, &given})
    for (const ValueId v : *list)
      if (shaped[at(v)] >= 0) buffers[static_cast<std::size_t>(shaped[at(v)])].last = steps.size();
  place();
  return {};
}

}  // namespace lockstep
