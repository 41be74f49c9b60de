// Which values a planned run must have as bytes, and which follow from those.
#include <algorithm>

#include "run/session_plan.h"

namespace lockstep {

// What follows from constants alone stays constant unless it is given or a hook changes it.
void Session::Plan::find_fixed() {
  const auto all = kernels.constants();
  fixed.assign(all.begin(), all.end());
  given_mark.assign(g.values().size(), 0);
  reached.assign(g.values().size(), 0);
  std::vector<char> varies(g.values().size(), 0);
  for (const ValueId v : options.given) given_mark[at(v)] = varies[at(v)] = 1;
  for (const Node& n : g.nodes()) {
    const bool hooked = !hooks_of(static_cast<NodeId>(&n - g.nodes().data())).empty();
    bool from_hook = hooked, from_varied = hooked;
    for (const ValueId v : n.inputs)
      if (v != no_id) from_hook |= reached[at(v)], from_varied |= varies[at(v)];
    for (const ValueId v : n.outputs)
      if (v != no_id && !given_mark[at(v)]) reached[at(v)] = from_hook, varies[at(v)] = from_varied;
  }
  for (std::size_t v = 0; v < fixed.size(); ++v)
    if (varies[v]) fixed[v] = nullptr;
  late.assign(g.values().size(), 0);
  for (std::size_t v = 0; v < late.size(); ++v)
    late[v] = !varies[v] && !fixed[v] && kernels.follows_from_constants(static_cast<ValueId>(v));
}

Result<const Tensor*> Session::Plan::late_constant(ValueId v) {
  if (const auto it = late_constants.find(v); it != late_constants.end()) return &it->second;
  LOCKSTEP_TRY(Tensor made, kernels.folded(v));
  return &late_constants.emplace(v, std::move(made)).first->second;
}

std::vector<std::size_t> Session::Plan::hooks_of(NodeId n) const {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < options.hooks.size(); ++i)
    if (options.hooks[i].node == n) found.push_back(i);
  return found;
}

// Kernels were made ready with constants that must still be those.
bool Session::Plan::kernel_holds(NodeId n) const {
  return std::ranges::all_of(g.node(n).inputs, [&](ValueId v) {
    return v == no_id || late[at(v)] || fixed[at(v)] == kernels.constants()[at(v)];
  });
}

// Unchanged values are written by the caller; where a table makes one, what the table reads.
bool Session::Plan::given_when_resumed(ValueId v) const {
  return options.resumed && !reached[at(v)] && all_maps[at(v)].source == no_id;
}

// The convolution over its Pad's input, where nothing else of this session needs the Pad's result
// as bytes. Who only reads it after a run has it made then.
const NodeKernels::Padded* Session::Plan::without_pad(NodeId n) const {
  const Node& conv = g.node(n);
  if (conv.op != "Conv" || conv.inputs[0] == no_id) return nullptr;
  const ValueId v = conv.inputs[0];
  const NodeId pad = g.value(v).producer;
  if (pad == no_id || g.node(pad).op != "Pad") return nullptr;
  if (constant(v) || late[at(v)] || given_mark[at(v)] || given_when_resumed(v)) return nullptr;
  if (std::ranges::count(options.goals, v) > 0 || g.consumers(v).size() != 1) return nullptr;
  for (const Hook& hook : options.hooks)
    if (hook.node == n || hook.node == pad || std::ranges::count(hook.also, v) > 0) return nullptr;
  return kernel_holds(n) && kernel_holds(pad) ? kernels.padded(n) : nullptr;
}

// Marks what must exist as bytes so that `open` does: what nodes read that are no part of a table.
Result<void> Session::Plan::open_all(std::vector<ValueId> open) {
  while (!open.empty()) {
    const ValueId v = open.back();
    open.pop_back();
    if (materialized[at(v)] || constant(v)) continue;
    if (late[at(v)]) {
      LOCKSTEP_TRY(fixed[at(v)], late_constant(v));
      continue;
    }
    materialized[at(v)] = 1;
    if (given_mark[at(v)] || given_when_resumed(v)) {
      given_mark[at(v)] = 1;
      given.push_back(v);
      continue;
    }
    const NodeId producer = g.value(v).producer;
    if (producer == no_id)
      return Error{g.file(), "'" + g.value(v).name + "' has no contents", "every input", ""};
    CodeMap& map = maps[at(v)];
    if (map.source != no_id) {
      CodeTable table = code_table(g, num, fixed, maps, v);
      if (!table.entries.empty()) {
        tables.emplace(v, std::move(table));
        open.push_back(map.source);
        continue;
      }
      map.source = no_id;  // an operator refuses 256 codes: computed node by node
    }
    const NodeKernels::Padded* const own = without_pad(producer);
    if (own) {
      padded[static_cast<std::size_t>(producer)] = own;
      unpadded[at(g.node(producer).inputs[0])] = own->node.inputs[0];
    }
    for (const ValueId in : own ? own->node.inputs : g.node(producer).inputs)
      if (in != no_id) open.push_back(in);
    for (const std::size_t hook : hooks_of(producer))
      for (const ValueId in : options.hooks[hook].also)
        if (in != no_id && (given_mark[at(in)] || g.value(in).producer < producer))
          open.push_back(in);
  }
  return {};
}

Result<void> Session::Plan::find_needed() {
  std::vector<ValueId> stops = options.given;
  for (const Hook& hook : options.hooks)
    for (const ValueId v : g.node(hook.node).outputs)
      if (v != no_id) stops.push_back(v);
  all_maps = code_maps(g, fixed, stops);
  maps = all_maps;
  // Reals are made from codes faster by the kernel than by a table of words.
  for (const Node& n : g.nodes())
    if (n.op == "DequantizeLinear" && maps[at(n.outputs[0])].source != no_id &&
        kernel_holds(g.value(n.outputs[0]).producer) &&
        kernels.kernel(g.value(n.outputs[0]).producer))
      maps[at(n.outputs[0])].source = no_id;
  materialized.assign(g.values().size(), 0);
  kept.assign(g.values().size(), 0);
  padded.assign(g.nodes().size(), nullptr);
  unpadded.assign(g.values().size(), no_id);
  LOCKSTEP_CHECK(open_all(options.goals));
  // The last first: what it is made from exists then.
  std::vector<ValueId> wanted = options.readable;
  std::ranges::sort(wanted, std::greater<>{}, [&](ValueId v) { return g.value(v).producer; });
  for (const ValueId v : wanted) {
    if (late[at(v)]) continue;
    // Codes are kept where they are made; reals that follow from codes are made again when read.
    const bool stays = materialized[at(v)] && size_of(g.value(v).dtype) == 1;
    const ValueId source = stays ? no_id : read_from(v);
    const ValueId needed = source == no_id ? v : source;
    kept[at(needed)] = 1;
    LOCKSTEP_CHECK(open_all({needed}));
  }
  return {};
}

}  // namespace lockstep
