#pragma once

#include <fstream>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "link/frame.h"
#include "run/executor.h"

namespace lockstep::test {

inline std::string hex_of(std::span<const std::byte> bytes) {
  std::string text;
  for (const std::byte b : bytes) text += fmt::format("{:02x}", static_cast<int>(b));
  return text;
}

inline nlohmann::json desc_of(const Value& v, const std::string& name) {
  nlohmann::json d{{"name", name}, {"dtype", std::string(name_of(v.dtype))}, {"dims", v.shape}};
  if (v.quant.quantized()) d["scale"] = v.quant.scale[0], d["zero"] = v.quant.zero[0];
  return d;
}

// What the reference answers to `samples`, as a file that the emulated device answers from. `nodes`
// are values between that the device shows too.
inline std::string write_network(const std::string& path, const Executor& reference,
                                 std::span<const Sample> samples,
                                 const std::vector<std::string>& nodes = {},
                                 const std::string& signature = "") {
  const Graph& g = reference.graph();
  nlohmann::json net{{"name", "network"},
                     {"signature", signature},
                     {"inputs", nlohmann::json::array()},
                     {"outputs", nlohmann::json::array()},
                     {"nodes", nlohmann::json::array()}};
  std::vector<std::string> names;
  for (const ValueId id : g.inputs()) net["inputs"].push_back(desc_of(g.value(id), ""));
  for (const ValueId id : g.outputs()) {
    net["outputs"].push_back(desc_of(g.value(id), ""));
    names.push_back(g.value(id).name);
  }
  for (const std::string& name : nodes) {
    net["nodes"].push_back(desc_of(g.value(g.find_value(name)), name));
    names.push_back(name);
  }
  const auto capture = reference.run(samples, names);
  for (std::size_t s = 0; capture.ok() && s < samples.size(); ++s) {
    std::uint32_t crc = 0;
    for (const ValueId id : g.inputs())
      crc = crc32_of(samples[s].at(g.value(id).name).bytes(), crc);
    for (const std::string& name : names)
      net["answers"][std::to_string(crc)].push_back(hex_of(capture->samples[s].at(name).bytes()));
  }
  std::ofstream(path) << net.dump();
  return path;
}

}  // namespace lockstep::test
