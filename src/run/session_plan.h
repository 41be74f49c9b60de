#pragma once

#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "run/code_map.h"
#include "run/session.h"

namespace lockstep {

// Axis 1 is the channels'; what follows are positions.
struct ChannelAxes {
  std::int64_t batch = 1, channels = 1, positions = 1;
};

ChannelAxes channel_axes(const Shape& s);

// A value in one order: bytes of the arena.
struct ArenaBuffer {
  ValueId value = no_id;
  std::size_t bytes = 0;
  std::size_t first = 0, last = 0;
  std::byte* data = nullptr;
};
using BufferId = int;

struct SessionStep {
  enum Kind : std::uint8_t { kernel, table, move, eval } kind = eval;
  NodeId node = no_id;
  const PreparedKernel* prepared = nullptr;
  CodeTable codes;
  std::int64_t run = 1, count = 0;  // of a table
  ChannelAxes axes;                 // of a move, as read
  std::size_t width = 1;
  bool channels_last = false;          // of a kernel that takes any order
  std::vector<BufferId> in, out;       // -1: constant or absent
  std::vector<const std::byte*> from;  // addresses of `in`, `out`
  std::vector<std::byte*> to;
  std::vector<Tensor> in_tensors, out_tensors;  // of an eval; inputs, then what hooks look at
  bool alone = false;                           // too little work to share
  std::vector<ValueId> in_values;
  std::vector<const Tensor*> in_pointers;
  struct Hook {
    std::size_t index, first_also;
    std::vector<const Tensor*> in;
  };
  std::vector<Hook> hooks;
  std::string_view name;
};

// The steps of a session and where its values lie. session_plan.cpp makes it, session.cpp runs it.
struct Session::Plan {
  Plan(const Graph& graph, const Numerics& numerics, const NodeKernels& node_kernels, Options o)
      : g(graph),
        num(numerics),
        kernels(node_kernels),
        options(std::move(o)),
        workers(options.threads) {}

  const Graph& g;
  const Numerics& num;
  const NodeKernels& kernels;
  Options options;
  Workers workers;
  std::vector<SessionStep> steps;
  std::vector<ArenaBuffer> buffers;
  std::vector<BufferId> shaped, last;  // by value: its buffer in each order, -1 where there is none
  std::vector<ValueId> given;          // of those in the options, what a run reads
  std::vector<const Tensor*> fixed;    // by value: constant whatever is given or changed, else null
  std::vector<char> reached;           // by value: depends on a hook
  std::vector<char> given_mark, kept;
  std::vector<CodeMap> maps;                       // as joined in runs
  std::vector<CodeMap> all_maps;                   // as they may be joined when a value is read
  std::map<ValueId, CodeTable> tables;             // of the values that are made by one
  std::vector<char> materialized;                  // by value: needed as bytes of its own
  std::vector<const NodeKernels::Padded*> padded;  // by node: runs without the Pad before it
  std::vector<ValueId> unpadded;  // by value: what a Pad that is left out reads, else no_id
  std::vector<NodeId> evaluated;
  std::vector<std::byte> arena;
  std::size_t arena_bytes = 0, scratch_bytes = 0;
  std::byte* scratch = nullptr;

  std::vector<char> late;  // by value: follows from constants, made when it is asked for
  std::map<ValueId, Tensor> late_constants;
  std::map<ValueId, CodeTable> read_tables;
  std::vector<std::byte> read_codes;  // codes of `read_source` in the order of its shape
  ValueId read_source = no_id;
  Workers one{1};

  Result<void> build();
  void find_fixed();
  Result<const Tensor*> late_constant(ValueId v);
  Result<void> find_needed();
  Result<void> open_all(std::vector<ValueId> open);
  bool given_when_resumed(ValueId v) const;
  const NodeKernels::Padded* without_pad(NodeId n) const;
  bool kernel_holds(NodeId n) const;
  std::vector<std::size_t> hooks_of(NodeId n) const;
  Result<void> add_node(NodeId n);
  void add_table(ValueId v);
  bool moves_before(ValueId x, ValueId y) const;
  void add_kernel(NodeId n, const Node& node, const Kernel& kernel, const PreparedKernel& prepared);
  void add_eval(NodeId n);
  bool should_share(const SessionStep& s) const;
  BufferId make_buffer(ValueId v);
  BufferId in_order(ValueId v, bool channels_last);
  bool lies_last(ValueId v) const { return last[at(v)] >= 0; }
  BufferId any_order(ValueId v) const { return last[at(v)] >= 0 ? last[at(v)] : shaped[at(v)]; }
  void use(SessionStep&& step);
  void place();
  Result<void> execute(SessionStep& s, const OnHook& on_hook);
  Result<void> evaluate(SessionStep& s, const OnHook& on_hook);
  Result<void> read(ValueId v, std::span<std::byte> to);
  Result<void> read_chain(ValueId v, const std::byte* codes, std::span<std::byte> to);
  ValueId read_from(ValueId v) const {  // of what is not kept
    return unpadded[at(v)] != no_id ? unpadded[at(v)] : all_maps[at(v)].source;
  }
  Result<const std::byte*> codes_of(ValueId v);
  bool reads_alone(NodeId n, ValueId source) const;
  BufferId kept_buffer(ValueId v) const;
  const Tensor* constant(ValueId v) const { return fixed[at(v)]; }
  static std::size_t at(ValueId v) { return static_cast<std::size_t>(v); }
};

}  // namespace lockstep
