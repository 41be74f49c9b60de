// A WHILE whose course is known at import (Keras' GRU, LSTM, RNN and whatever counts), written out
// step by step. One that depends on data is refused by name.
#include "import/import.h"
#include "import/tflite_reader.h"

namespace lockstep {
namespace {

constexpr std::int64_t most_steps = 4096;
constexpr std::size_t most_nodes = 200'000;

}  // namespace

// The constants of subgraph `index` that were made when it was read first: its steps share them.
void TfliteReader::keep_constants(std::int64_t index, const TfliteReader& read) {
  auto& kept = constants_of[index];
  if (!kept.empty()) return;
  kept.assign(read.ids.size(), no_id);
  for (std::size_t i = 0; i < read.ids.size(); ++i) {
    const ValueId id = read.ids[i];
    if (id != no_id && !read.made[i] && graph.value(id).constant &&
        graph.value(id).name.starts_with(read.prefix))
      kept[i] = id;
  }
}

// The outer tensor `to` is what the last step handed on.
Result<void> TfliteReader::hand_on(ValueId from, ValueId to, const std::string& where) {
  Node node;
  node.name = graph.unique_node_name(graph.value(to).name + "/handed_on");
  node.op = "Identity";
  node.inputs = {from};
  node.outputs = {to};
  node.origin = {path, where, where, ""};
  return settle_nodes(graph, graph.add_node(std::move(node)));
}

Result<void> TfliteReader::read_while(const Attrs& options, const std::vector<ValueId>& in,
                                      const std::vector<ValueId>& out, const std::string& where) {
  if (in.size() != out.size() || in.empty())
    return Error{where, std::to_string(out.size()) + " outputs", "as many as inputs, one at least",
                 "the file is damaged"};
  const std::string& first =
      graph.value(out[0]).name;  // of an outer part where a composite hands it on
  const std::string name =
      prefix + "WHILE_" + (first.starts_with(prefix) ? first.substr(prefix.size()) : first);
  std::vector<ValueId> carried = in;
  for (std::int64_t step = 0;; ++step) {
    const std::string stage = name + "/" + std::to_string(step);
    LOCKSTEP_TRY(const auto truth, read_subgraph(options.integer("cond_subgraph_index", 0), carried,
                                                 {}, stage + "/condition", where));
    const Tensor* going =
        truth.size() == 1 && truth[0] != no_id ? graph.value(truth[0]).constant.get() : nullptr;
    if (!going || going->count() != 1)
      return Error{where, "a condition that depends on data",
                   "a number of steps that the file fixes", "such loops cannot be written out"};
    if (going->code(0) == 0) break;
    if (step >= most_steps || graph.so_far().nodes().size() > most_nodes)
      return Error{where, "more than " + std::to_string(step) + " steps",
                   "at most 4096 steps and 200000 operators", ""};
    LOCKSTEP_TRY(carried, read_subgraph(options.integer("body_subgraph_index", 0), carried, {},
                                        stage, where));
    if (carried.size() != out.size())
      return Error{where, "a body of " + std::to_string(carried.size()) + " outputs",
                   std::to_string(out.size()), "the file is damaged"};
    for (const ValueId v : carried)
      if (v == no_id)
        return Error{where, "a body with an absent output", "tensors", "the file is damaged"};
  }
  for (std::size_t i = 0; i < out.size(); ++i) LOCKSTEP_CHECK(hand_on(carried[i], out[i], where));
  return {};
}

}  // namespace lockstep
