// A TFLite file with further outputs: the new list of outputs is put behind everything else and the
// subgraph made to point there. No other byte changes.
#include <algorithm>
#include <cstring>
#include <map>

#include "base/text.h"
#include "export/edit.h"
#include "flatbuffers/tflite_generated.h"

namespace lockstep {
namespace {

// The names by which the importer knows the tensors: the file's, with the index where they repeat.
std::vector<std::string> tensor_names(const tfl::SubGraph& main) {
  std::vector<std::string> names;
  std::map<std::string, int> uses;
  for (const tfl::Tensor* t : *main.tensors()) {
    names.push_back(t->name() ? t->name()->str() : "");
    ++uses[names.back()];
  }
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i].empty() || uses[names[i]] > 1) names[i] += "#" + std::to_string(i);
  return names;
}

template <class T>
void append(Bytes& bytes, T number) {
  const auto* begin = reinterpret_cast<const std::byte*>(&number);
  bytes.insert(bytes.end(), begin, begin + sizeof(T));
}

}  // namespace

Result<Bytes> tflite_with_outputs(std::span<const std::byte> model, const Graph& graph,
                                  std::span<const std::string> tensors) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(model.data());
  flatbuffers::Verifier verifier(data, model.size(), 64, 1000000);
  const Error damaged{graph.file(), "not a TFLite model, or a damaged one",
                      "a model with a subgraph that has outputs", ""};
  if (!tfl::VerifyModelBuffer(verifier)) return damaged;
  const auto* graphs = tfl::GetModel(data)->subgraphs();
  if (!graphs || graphs->size() == 0 || !graphs->Get(0)->tensors() || !graphs->Get(0)->outputs())
    return damaged;
  const tfl::SubGraph& main = *graphs->Get(0);
  const std::vector<std::string> names = tensor_names(main);
  std::vector<std::int32_t> outputs(main.outputs()->begin(), main.outputs()->end());
  for (const std::string& name : tensors) {
    const auto it = std::ranges::find(names, name);
    if (it == names.end()) {
      const std::string near = nearest(name, names);
      return Error{graph.file(), "no tensor '" + name + "'",
                   "a tensor of the file's first subgraph",
                   near.empty() ? "" : "did you mean '" + near + "'?"};
    }
    const auto index = static_cast<std::int32_t>(it - names.begin());
    if (std::ranges::find(outputs, index) == outputs.end()) outputs.push_back(index);
  }
  if (outputs.size() == main.outputs()->size()) return Bytes(model.begin(), model.end());
  const auto* table = reinterpret_cast<const std::uint8_t*>(&main);
  std::int32_t back = 0;  // a table begins with the distance back to its list of field offsets
  std::memcpy(&back, table, sizeof back);
  std::uint16_t offset = 0;
  std::memcpy(&offset, table - back + tfl::SubGraph::VT_OUTPUTS, sizeof offset);
  const auto at = static_cast<std::size_t>(table - data) + offset;
  Bytes bytes(model.begin(), model.end());
  while (bytes.size() % 4) bytes.push_back(std::byte{0});
  const auto distance = static_cast<std::uint32_t>(bytes.size() - at);
  std::memcpy(bytes.data() + at, &distance, sizeof distance);
  append(bytes, static_cast<std::uint32_t>(outputs.size()));
  for (const std::int32_t index : outputs) append(bytes, index);
  return bytes;
}

}  // namespace lockstep
