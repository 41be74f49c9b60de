// NAME.json: which tensor stands where, by node.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "emit/work.h"

namespace lockstep {
namespace {

nlohmann::ordered_json tensor_json(const GenerateWork& w, ValueId id) {
  const Value& v = w.graph.value(id);
  nlohmann::ordered_json j{
      {"name", v.name}, {"dtype", name_of(v.dtype)}, {"shape", v.shape}, {"bytes", bytes_of(v)}};
  const auto at = static_cast<std::size_t>(id);
  if (w.layout.turned[at] &&
      !w.layout.inner[at]) {  // the model's shape, and in which order its axes lie
    j["shape"] = w.layout.before->value(id).shape;
    j["order"] = channels_last_order(v.shape.size());
  }
  if (w.layout.inner[at]) j["inner"] = true;
  if (v.quant.quantized())
    j["scale"] = v.quant.scale, j["zero"] = v.quant.zero, j["axis"] = v.quant.axis;
  if (!v.constant) {
    const Place& p = w.place_of(id);
    j["pool"] = w.plan.pools[static_cast<std::size_t>(p.pool)].name;
    j["offset"] = p.offset;
  }
  return j;
}

}  // namespace

std::string network_manifest(const GenerateWork& w) {
  nlohmann::ordered_json j{{"format", "lockstep-network"},
                           {"version", 1},
                           {"name", w.options.name},
                           {"model", w.graph.file()},
                           {"model_hash", w.options.model_hash},
                           {"arithmetic", w.arithmetic.name}};
  for (std::size_t i = 0; i < w.plan.pools.size(); ++i) {
    const Pool& p = w.plan.pools[i];
    nlohmann::ordered_json pool{
        {"name", p.name}, {"symbol", c_identifier(p.name)}, {"bytes", w.plan.used[i]}};
    if (p.base >= 0) pool["base"] = p.base;
    j["pools"].push_back(pool);
  }
  j["activation_bytes"] = w.activation_bytes();
  j["weight_bytes"] = w.constants.bytes();
  if (w.options.weights_apart) j["weights_file"] = w.options.name + "_weights.bin";
  if (!w.library_sources.empty()) {
    j["cmsis_nn"] = {{"folder", std::filesystem::absolute(w.options.cmsis_nn).string()},
                     {"sources", w.library_sources},
                     {"definitions", nlohmann::json::array()}};
    if (w.arithmetic.name == "cmsis-nn-single")
      j["cmsis_nn"]["definitions"].push_back("CMSIS_NN_USE_SINGLE_ROUNDING");
  }
  j["inputs"] = j["outputs"] = j["states"] = j["nodes"] = nlohmann::ordered_json::array();
  for (const State& s : w.graph.states())
    j["states"].push_back({{"in", tensor_json(w, s.in)}, {"out", w.graph.value(s.out).name}});
  for (const ValueId v : w.graph.inputs()) j["inputs"].push_back(tensor_json(w, v));
  for (const ValueId v : w.graph.outputs()) j["outputs"].push_back(tensor_json(w, v));
  for (const NodeWriter& n : w.nodes) {
    nlohmann::ordered_json node{
        {"index", n.id()}, {"name", n.view().node.name}, {"op", n.view().node.op}};
    if (!n.library().empty()) node["library"] = "CMSIS-NN";
    node["inputs"] = nlohmann::ordered_json::array();
    for (const ValueId v : n.view().node.inputs)
      if (v != no_id && !w.graph.value(v).constant) node["inputs"].push_back(w.graph.value(v).name);
    node["outputs"] = nlohmann::ordered_json::array();
    for (const ValueId v : n.view().node.outputs)
      node["outputs"].push_back(v == no_id ? nlohmann::ordered_json() : tensor_json(w, v));
    j["nodes"].push_back(node);
  }
  return j.dump(1) + "\n";
}

}  // namespace lockstep
