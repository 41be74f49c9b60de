// Operators that call other subgraphs of the file: a composite runs as its decomposition, an IF as
// both branches, of which one is chosen, a WHILE step by step (tflite_while.cpp).
#include <algorithm>

#include "import/tflite_options.h"
#include "import/tflite_reader.h"

namespace lockstep {
namespace {

constexpr int deepest = 16;
// A thousand steps of a large recurrent layer read some 200,000. Calls inside calls multiply, and
// need not leave a node each.
constexpr std::size_t most_read = 1'000'000;

}  // namespace

bool TfliteReader::calls(std::string_view name) {
  return name == "STABLEHLO_COMPOSITE" || name == "IF" || name == "WHILE";
}

// Reads subgraph `index` with `given` as its inputs. Where `wanted` is not empty its outputs are
// those values, else new ones; they are returned.
Result<std::vector<ValueId>> TfliteReader::read_subgraph(std::int64_t index,
                                                         std::span<const ValueId> given,
                                                         std::span<const ValueId> wanted,
                                                         const std::string& name,
                                                         const std::string& where) {
  if (index <= 0 || index >= static_cast<std::int64_t>(model.subgraphs()->size()) ||
      depth >= deepest)
    return Error{where, "subgraph " + std::to_string(index),
                 "another one of the " + std::to_string(model.subgraphs()->size()) + " in the file",
                 "the file is damaged"};
  const tfl::SubGraph& sub = *model.subgraphs()->Get(static_cast<flatbuffers::uoffset_t>(index));
  if (!sub.tensors() || !sub.operators() || !sub.inputs() || !sub.outputs() ||
      sub.inputs()->size() != given.size() ||
      (!wanted.empty() && sub.outputs()->size() != wanted.size()))
    return Error{where, "a subgraph of other operands", std::to_string(given.size()) + " inputs",
                 "the file is damaged"};
  called.read += 1 + sub.tensors()->size() + sub.operators()->size();
  if (called.read > most_read)
    return Error{
        where, "calls that read more than " + std::to_string(most_read) + " tensors and operators",
        "fewer", "loops inside loops multiply"};
  TfliteReader reader{path, bytes, model, sub, graph, variables, called, name + "/", depth + 1};
  reader.ids.assign(sub.tensors()->size(), no_id);
  const auto place = [&](std::int32_t t, ValueId id) {
    const bool fits = t >= 0 && static_cast<std::size_t>(t) < reader.ids.size() &&
                      reader.ids[static_cast<std::size_t>(t)] == no_id;
    if (fits) reader.ids[static_cast<std::size_t>(t)] = id;
    return fits;
  };
  for (flatbuffers::uoffset_t i = 0; i < sub.inputs()->size(); ++i)
    if (!place(sub.inputs()->Get(i), given[i]))
      return Error{where, "operands of the subgraph", "different tensors", "the file is damaged"};
  for (flatbuffers::uoffset_t i = 0; i < wanted.size(); ++i)
    if (!place(sub.outputs()->Get(i), wanted[i]))
      return Error{where, "a subgraph that hands an operand through", "outputs that it computes",
                   "not read"};
  if (const auto kept = constants_of.find(index); kept != constants_of.end())
    for (std::size_t i = 0; i < reader.ids.size(); ++i)
      if (kept->second[i] != no_id && reader.ids[i] == no_id) reader.ids[i] = kept->second[i];
  LOCKSTEP_CHECK(reader.read_tensors());
  LOCKSTEP_CHECK(reader.read_operators());
  if (wanted.empty()) keep_constants(index, reader);
  return reader.operands(sub.outputs(), where);
}

// Both branches are computed: they have no effect but their outputs.
Result<void> TfliteReader::read_if(const Attrs& options, const std::vector<ValueId>& in,
                                   const std::vector<ValueId>& out, const std::string& where) {
  const std::span<const ValueId> given(in.begin() + 1, in.end());
  const std::string name = "IF_" + graph.value(out[0]).name;
  const auto branch = [&](const char* which) {
    return read_subgraph(options.integer(std::string(which) + "_subgraph_index", 0), given, {},
                         name + "/" + which, where);
  };
  LOCKSTEP_TRY(const auto yes, branch("then"));
  LOCKSTEP_TRY(const auto no, branch("else"));
  if (yes.size() != out.size() || no.size() != out.size())
    return Error{where, "branches of other outputs", std::to_string(out.size()),
                 "the file is damaged"};
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (graph.value(yes[i]).shape != graph.value(no[i]).shape ||
        graph.value(yes[i]).dtype != graph.value(no[i]).dtype)
      return Error{where, "branches whose outputs differ in shape or type", "outputs alike",
                   "shapes are static here"};
    ForeignNode choose;
    choose.format = Format::tflite;
    choose.op = "SELECT_V2";
    choose.version = 1;
    choose.name = graph.unique_node_name(name);
    choose.where = where;
    choose.inputs = {in[0], yes[i], no[i]};
    choose.outputs = {out[i]};
    LOCKSTEP_CHECK(add_foreign(choose, where));
  }
  return {};
}

Result<void> TfliteReader::read_call(const tfl::Operator& op, std::string_view name,
                                     const std::string& where) {
  LOCKSTEP_TRY(const auto in, operands(op.inputs(), where));
  LOCKSTEP_TRY(const auto out, operands(op.outputs(), where));
  for (const ValueId v : in)
    if (v == no_id)
      return Error{where, "an absent operand", "operands that are there", "the file is damaged"};
  for (const ValueId v : out)
    if (v == no_id || graph.value(v).producer != no_id || graph.value(v).constant)
      return Error{where, "an output that is made twice, or absent", "one maker for each tensor",
                   "the file is damaged"};
  const Attrs options = tflite_options(op);
  if (name == "IF") {
    if (in.empty() || out.empty())
      return Error{where, "no condition or no output", "both", "the file is damaged"};
    return read_if(options, in, out, where);
  }
  if (name == "WHILE") return read_while(options, in, out, where);
  if (out.empty()) return Error{where, "no output", "one at least", "the file is damaged"};
  const std::string inside = options.text("name", "composite") + "_" + graph.value(out[0]).name;
  LOCKSTEP_CHECK(
      read_subgraph(options.integer("decomposition_subgraph_index", 0), in, out, inside, where));
  return {};
}

}  // namespace lockstep
