#include "base/files.h"
#include "import/import.h"
#include "import/tflite_reader.h"

namespace lockstep {
namespace {

Result<void> read_io(const TfliteReader& reader) {
  LOCKSTEP_TRY(const auto in, reader.operands(reader.main.inputs(), reader.path + ": inputs"));
  LOCKSTEP_TRY(const auto out, reader.operands(reader.main.outputs(), reader.path + ": outputs"));
  for (const ValueId v : in) {
    if (v == no_id || reader.graph.value(v).constant)
      return Error{reader.path, "an input that is absent or constant", "inputs without contents",
                   "the file is damaged"};
    reader.graph.add_input(v);
  }
  for (const ValueId v : out) {
    if (v == no_id)
      return Error{reader.path, "an absent output", "outputs that are tensors",
                   "the file is damaged"};
    reader.graph.add_output(v);
  }
  return {};
}

}  // namespace

Result<Graph> import_tflite(const std::string& path, const ImportOptions& options) {
  if (!options.dimensions.empty())
    return Error{"--dim " + options.dimensions.begin()->first,
                 path + " leaves no such dimension open", "no --dim: all extents are in the file",
                 ""};
  LOCKSTEP_TRY(const Bytes bytes, read_file(path));
  return import_tflite_bytes(bytes, path);
}

Result<Graph> import_tflite_bytes(std::span<const std::byte> bytes, const std::string& path) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  flatbuffers::Verifier verifier(data, bytes.size(), 64, 1000000);
  if (bytes.size() < 8 || !tfl::VerifyModelBuffer(verifier))
    return Error{path, "a damaged TFLite file of " + std::to_string(bytes.size()) + " bytes",
                 "a whole flatbuffer",
                 "an offset points outside the file: it is cut off or altered"};
  const tfl::Model& model = *tfl::GetModel(data);
  if (!model.subgraphs() || model.subgraphs()->size() == 0)
    return Error{path, "no subgraph", "at least one", ""};
  const tfl::SubGraph& main = *model.subgraphs()->Get(0);
  if (!main.tensors() || !main.operators())
    return Error{path, "a subgraph without tensors or operators", "both", ""};
  GraphBuilder graph(path, "tflite");
  TfliteVariables variables;
  TfliteCalls called;
  TfliteReader reader{path, bytes, model, main, graph, variables, called};
  LOCKSTEP_CHECK(reader.read_tensors());
  LOCKSTEP_CHECK(read_io(reader));
  LOCKSTEP_CHECK(reader.read_operators());
  LOCKSTEP_CHECK(variables.finish(path, graph));
  return std::move(graph).finish();
}

}  // namespace lockstep
