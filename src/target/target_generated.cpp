#include "target/target_generated.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/text.h"
#include "emit/emit.h"

namespace lockstep {
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

Result<GeneratedTensor> tensor_of(const json& j, const std::string& where,
                                  const GeneratedNetwork& network) {
  GeneratedTensor t;
  if (j.is_null()) return t;
  const auto dtype = dtype_named(j.at("dtype").get<std::string>());
  if (!dtype)
    return Error{where, "element type '" + j.at("dtype").get<std::string>() + "'",
                 "a known element type", ""};
  t.name = j.at("name");
  t.info.dtype = *dtype;
  t.info.shape = j.at("shape").get<Shape>();
  t.info.origin = {where, t.name, "", ""};
  LOCKSTEP_TRY(const std::int64_t count, checked_count(t.info.shape, where));
  t.bytes = count * static_cast<std::int64_t>(size_of(*dtype));
  t.inner = j.value("inner", false);
  if (j.contains("order")) {
    t.order = j.at("order").get<std::vector<std::size_t>>();
    auto axes = t.order;
    std::ranges::sort(axes);
    for (std::size_t d = 0; d < axes.size(); ++d)
      if (axes[d] != d || axes.size() != t.info.shape.size())
        return Error{where, "order of tensor '" + t.name + "'", "each axis once",
                     "generate it again"};
  }
  if (j.contains("scale")) {
    t.info.quant.scale = j.at("scale").get<std::vector<double>>();
    t.info.quant.zero = j.at("zero").get<std::vector<std::int32_t>>();
    t.info.quant.axis = j.at("axis");
  }
  if (j.contains("pool")) {
    for (std::size_t i = 0; i < network.pools.size(); ++i)
      if (network.pools[i].first == j.at("pool")) t.pool = static_cast<int>(i);
    t.offset = j.at("offset");
    if (t.pool < 0 || t.offset < 0 ||
        t.bytes > network.pools[static_cast<std::size_t>(t.pool)].second - t.offset)
      return Error{where, "tensor '" + t.name + "' lies outside its pool", "a place in a pool",
                   "generate it again"};
  }
  return t;
}

Result<std::string> manifest_in(const std::string& folder) {
  std::vector<std::string> found;
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(folder, failure))
    if (entry.path().extension() == ".json") found.push_back(entry.path());
  if (failure) return Error{folder, failure.message(), "a folder that lockstep generate wrote", ""};
  if (found.size() != 1)
    return Error{folder, std::to_string(found.size()) + " .json files",
                 "one manifest, as lockstep generate writes it",
                 "lockstep generate MODEL -o " + folder};
  return found[0];
}

Result<GeneratedNetwork> network_of(const json& j, const std::string& path) {
  if (j.at("format") != "lockstep-network" || j.at("version") != 1)
    return Error{path, "not a manifest of version 1", "format lockstep-network, version 1",
                 "generate it again"};
  GeneratedNetwork n;
  n.folder = fs::path(path).parent_path();
  n.name = j.at("name"), n.model_hash = j.at("model_hash"), n.arithmetic = j.at("arithmetic");
  for (const json& p : j.at("pools")) {
    n.pools.emplace_back(p.at("name"), p.at("bytes"));
    n.has_addresses = n.has_addresses || p.contains("base");
  }
  n.activation_bytes = j.at("activation_bytes");
  n.weight_bytes = j.at("weight_bytes");
  n.weights_file = j.value("weights_file", "");
  if (j.contains("cmsis_nn")) {
    const json& library = j.at("cmsis_nn");
    n.library_folder = library.at("folder");
    n.library_sources = library.at("sources").get<std::vector<std::string>>();
    n.library_definitions = library.at("definitions").get<std::vector<std::string>>();
  }
  for (const json& t : j.at("outputs")) n.kept.push_back(t.at("name"));
  for (const json& state : j.at("states")) {
    LOCKSTEP_TRY(GeneratedTensor tensor, tensor_of(state.at("in"), path, n));
    n.kept.push_back(state.at("out"));
    n.states.push_back(std::move(tensor));
  }
  for (const json& t : j.at("inputs")) {
    LOCKSTEP_TRY(GeneratedTensor tensor, tensor_of(t, path, n));
    n.inputs.push_back(std::move(tensor));
  }
  for (const json& node : j.at("nodes")) {
    std::vector<GeneratedTensor>& outputs = n.nodes.emplace_back();
    n.node_names.push_back(node.at("name"));
    n.node_ops.push_back(node.at("op"));
    n.node_inputs.push_back(node.at("inputs").get<std::vector<std::string>>());
    for (const json& t : node.at("outputs")) {
      LOCKSTEP_TRY(GeneratedTensor tensor, tensor_of(t, path, n));
      outputs.push_back(std::move(tensor));
    }
  }
  return n;
}

}  // namespace

Result<GeneratedNetwork> read_generated(const std::string& folder) {
  LOCKSTEP_TRY(const std::string path, manifest_in(folder));
  LOCKSTEP_TRY(const Bytes bytes, read_file(path, std::uint64_t{1} << 28));
  return generated_from({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path);
}

Result<GeneratedNetwork> generated_from(std::string_view manifest, const std::string& path) {
  try {
    return network_of(json::parse(manifest), path);
  } catch (const json::exception& e) {
    return Error{path, e.what(), "a manifest as lockstep generate writes it", "generate it again"};
  }
}

Result<void> same_model(const GeneratedNetwork& network, const Graph& model) {
  if (network.model_hash.empty() || !file_exists(model.file())) return {};
  LOCKSTEP_TRY(const Bytes bytes, read_file(model.file()));
  const std::string hash = content_hash(bytes);
  if (hash == network.model_hash) return {};
  return Error{network.folder, "generated from another model: hash " + network.model_hash,
               hash + ", that of " + model.file(),
               "lockstep generate " + model.file() + " -o " + network.folder};
}

}  // namespace lockstep
