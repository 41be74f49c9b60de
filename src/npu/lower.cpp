#include "npu/lower.h"

#include <algorithm>

#include <fmt/core.h>

#include "npu/lower_values.h"
#include "npu/software.h"

namespace lockstep {
namespace {

struct Lowering {
  std::string_view op;
  Result<void> (*lower)(const Node&, NpuValues&);
};
constexpr Lowering lowerings[] = {
    {"Conv", lower_product},
    {"Gemm", lower_product},
    {"Add", lower_pair},
    {"Sub", lower_pair},
    {"Mul", lower_pair},
    {"Transpose", lower_parts},
    {"Slice", lower_parts},
    {"StridedSlice", lower_parts},
    {"Split", lower_parts},
    {"Gather", lower_parts},
    {"Unpack", lower_parts},
    {"Requantize", lower_requantize},
    {"Concat", lower_concat},
    {"MaxPool", lower_pool},
    {"AveragePool", lower_pool},
    {"GlobalMaxPool", lower_pool},
    {"GlobalAveragePool", lower_pool},
    {"ReduceMean", lower_pool},
    {"Reshape", lower_shape},
    {"Flatten", lower_shape},
    {"Squeeze", lower_shape},
    {"Unsqueeze", lower_shape},
    {"Identity", lower_shape},
    {"DequantizeLinear", lower_on_cpu},
    {"Softmax", lower_on_cpu},
    {"Sigmoid", lower_on_cpu},
    {"Tanh", lower_on_cpu},
    {"QuantizeLinear", lower_on_cpu},
    {"Pad", lower_pad},
};

// A quantizer of a network input: the device is handed its codes.
bool takes_input(const Graph& g, const Node& n) {
  return n.op == "QuantizeLinear" && std::ranges::count(g.inputs(), n.inputs[0]) > 0 &&
         g.consumers(n.inputs[0]).size() == 1;
}

Result<void> take_inputs(const Graph& g, NpuValues& values) {
  for (const ValueId id : g.inputs()) {
    if (is_integer(g.value(id).dtype) && !g.value(id).quant.quantized())
      return Error{g.value(id).name, "a network input of whole numbers", "codes or reals",
                   "give it a scale and a zero point, or reals and a QuantizeLinear behind them"};
    const auto readers = g.consumers(id);
    const bool behind = readers.size() == 1 && takes_input(g, g.node(readers[0]));
    if (!behind && !is_integer(g.value(id).dtype))
      return Error{g.value(id).name, "reals that more than a quantizer reads",
                   "codes, or reals that are quantized at once",
                   "let one QuantizeLinear alone read this input"};
    const ValueId held = behind ? g.node(readers[0]).outputs[0] : id;
    if (!g.value(held).shape.empty() && g.value(held).shape[0] != 1 &&
        g.value(held).shape.size() > 2)
      return Error{g.value(held).name, fmt::format("a batch of {}", g.value(held).shape[0]), "1",
                   "export the network with a batch of 1"};
    values.draft().keep(values.make(held, true));
  }
  return {};
}

// Units walk through rows, columns and channels of one map; rank 2 is a row of pixels.
Result<void> check_form(const Graph& g, const Node& n) {
  const auto check = [&](ValueId id) -> Result<void> {
    if (id == no_id || g.value(id).constant) return {};
    const Shape& s = g.value(id).shape;
    if (s.size() > 4)
      return no_npu_form(g, n, fmt::format("{} of {} axes", g.value(id).name, s.size()),
                         "at most four axes");
    if (s.size() > 2 && s[0] != 1)
      return no_npu_form(g, n, fmt::format("{} with a batch of {}", g.value(id).name, s[0]),
                         "a batch of 1");
    return {};
  };
  for (const ValueId in : n.inputs) LOCKSTEP_CHECK(check(in));
  for (const ValueId out : n.outputs) LOCKSTEP_CHECK(check(out));
  return {};
}

const Lowering* lowering_of(const Node& n) {
  const auto it = std::ranges::find(lowerings, n.op, &Lowering::op);
  return it == std::end(lowerings) ? nullptr : it;
}
bool is_on_cpu(const Node& n) {
  const Lowering* l = lowering_of(n);
  return l && l->lower == lower_on_cpu;
}

Result<void> lower_node(const Node& n, NpuValues& values) {
  const Graph& g = values.graph();
  const Lowering* l = lowering_of(n);
  if (!l) return no_npu_form(g, n, "operation " + n.op, "an operation that the rules cover");
  for (const ValueId in : n.inputs)
    if (in != no_id && !g.value(in).constant && !values.has(in))
      return no_npu_form(g, n, "an input that is not in memory", "a tensor of the network");
  const auto computed = [&](ValueId in) { return in != no_id && values.has(in); };
  const bool pair = l->lower == lower_pair;
  if (n.inputs.empty() || !(pair ? std::ranges::any_of(n.inputs, computed) : computed(n.inputs[0])))
    return no_npu_form(g, n, "an operation on constants", "a computed operand");
  LOCKSTEP_CHECK(check_form(g, n));
  return l->lower(n, values);
}

Result<void> name_outputs(const Graph& g, NpuValues& values, std::vector<std::string>* left_out) {
  for (const ValueId out : g.outputs()) {
    if (!values.in_memory(out)) continue;
    const Result<void> named = values.name_output(out);
    if (!named.ok() && !left_out) return named.error();
    if (!named.ok()) left_out->push_back(named.error().line());
  }
  return {};
}

// What the CPU's calls read and write is found by sizes and order: it must be what was meant.
Result<void> check_calls(const NpuProgram& p,
                         const std::vector<std::pair<int, std::string>>& meant) {
  for (const auto& [epoch, from] : meant) {
    LOCKSTEP_TRY(const NpuSoftwareIo io, software_io(p, *p.find_epoch(epoch)));
    if (!io.in || io.in->name != from)
      return Error{p.file,
                   fmt::format("the CPU's epoch {} would be taken to read another tensor than {}",
                               epoch, from),
                   "operations of the CPU at the end", "end the network before this operation"};
  }
  return {};
}

}  // namespace

Result<NpuProgram> lower_to_npu(const Graph& g, const std::string& file,
                                std::vector<std::string>* left_out) {
  NpuDraft draft(file);
  NpuValues values(g, draft);
  if (!g.states().empty())
    return Error{g.file(), "a tensor that lives on between inferences", "a network without state",
                 "export the state as an input and an output of the network"};
  LOCKSTEP_CHECK(take_inputs(g, values));
  std::vector<std::pair<int, int>> read;  // by the CPU's epochs: buffers
  for (const Node& n : g.nodes()) {
    if (takes_input(g, n)) continue;
    const Result<void> done = lower_node(n, values);
    if (!done.ok() && !left_out) return done.error();
    if (!done.ok()) {
      left_out->push_back(done.error().line());
      for (const ValueId in : n.inputs)
        if (in != no_id && values.in_memory(in)) draft.keep(values.held(in).buffer);
      continue;
    }
    if (is_on_cpu(n)) read.emplace_back(draft.epoch(), values.in_file_order(n.inputs[0]).buffer);
  }
  LOCKSTEP_CHECK(name_outputs(g, values, left_out));
  std::vector<std::pair<int, std::string>> meant;  // the same by name
  for (const auto& [epoch, buffer] : read) meant.emplace_back(epoch, draft.buffer(buffer).name);
  LOCKSTEP_TRY(NpuProgram program, std::move(draft).finish());
  if (program.epochs.empty())
    return Error{g.file(),
                 left_out && !left_out->empty() ? left_out->front() : "nothing to compute",
                 "at least one operation that the rules cover",
                 "docs/neural-art.md, \"Constants\", says which these are"};
  LOCKSTEP_CHECK(check_calls(program, meant));
  return program;
}

}  // namespace lockstep
