#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "link/elf_bytes.h"
#include "link/gdb_server.h"
#include "run/generated.h"
#include "support/chains.h"
#include "support/temporary.h"
#include "target/target.h"

namespace lockstep::test {

inline constexpr std::uint32_t arena = 0x31000000;
inline constexpr std::int64_t count = 300;

// x -> Relu -> a -> Relu -> b -> Relu -> y
inline Graph gdb_chain() {
  std::vector<Value> values;
  for (const char* name : {"x", "a", "b", "y"}) values.push_back(code_value(name, {1, count}));
  return chain(std::move(values), {{"relu0"}, {"relu1"}, {"relu2"}}, "chain.onnx");
}

inline std::string tensor_text(const std::string& name, int offset) {
  return fmt::format(
      R"({{"name": "{}", "dtype": "int8", "shape": [1, {}], "scale": [0.5], "zero": [-3], "pool": "arena", "offset": {}}})",
      name, count, offset);
}

// x and b share memory, and a and y: a whole run leaves b and y.
struct GdbBench {
  TemporaryFolder folder;
  Graph graph = gdb_chain();
  Executor reference = std::move(Executor::make(graph, *find_arithmetic("ort-noopt"))).value();
  std::vector<Sample> samples = generated_inputs(graph, 3, 5);
  Capture expected = std::move(reference.run(samples)).value();

  explicit GdbBench(bool with_stops = true) {
    const std::string text =
        R"({"format": "lockstep-network", "version": 1, "name": "network", "model_hash": "0",
      "pools": [{"name": "arena", "symbol": "arena", "bytes": 608}], "inputs": [)" +
        tensor_text("x", 0) + R"(], "outputs": [)" + tensor_text("y", 304) +
        R"(], "states": [], "nodes": [{"index": 0, "name": "relu0", "outputs": [)" +
        tensor_text("a", 304) + R"(]}, {"index": 1, "name": "relu1", "outputs": [)" +
        tensor_text("b", 0) + R"(]}, {"index": 2, "name": "relu2", "outputs": [)" +
        tensor_text("y", 304) + "]}]}";
    EXPECT_TRUE(write_file(folder / "network.json", std::string_view(text)).ok());
    std::vector<ElfEntry> symbols = {{"arena", arena, 608, false},
                                     {"network_run", GdbServer::run, 4, true},
                                     {"network_init", GdbServer::init, 4, true}};
    if (with_stops) symbols.push_back({"network_node_done", GdbServer::node_done, 4, true});
    EXPECT_TRUE(write_file(folder / "firmware.elf", elf_with(symbols)).ok());
  }

  static void compute(GdbServer& machine, int node) {
    const std::uint32_t from = arena + (node % 2 ? 304 : 0), to = arena + (node % 2 ? 0 : 304);
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto code = static_cast<std::int8_t>(machine.at(from + i));
      machine.at(to + i) = static_cast<std::uint8_t>(std::max<std::int8_t>(code, -3));
    }
  }

  std::string uri(const GdbServer& server, const std::string& more = "") const {
    return "gdb:" + server.address() + ",net=" + (folder / "network.json") +
           ",elf=" + (folder / "firmware.elf") + more;
  }
  Result<Capture> run(const GdbServer& server, const std::string& more = ",patience=2") {
    auto target = open_target(uri(server, more), {graph, reference.arithmetic()});
    if (!target.ok()) return target.error();
    notes = (*target)->describe().notes;
    return (*target)->run(samples, {});
  }
  void expect_tensors(const Result<Capture>& capture, const std::vector<std::string>& names) {
    ASSERT_TRUE(capture.ok()) << capture.error().line();
    ASSERT_EQ(capture->samples.size(), samples.size());
    for (std::size_t s = 0; s < samples.size(); ++s) {
      EXPECT_EQ(capture->samples[s].size(), names.size());
      for (const std::string& name : names) {
        ASSERT_TRUE(capture->samples[s].contains(name)) << name;
        EXPECT_EQ(capture->samples[s].at(name), expected.samples[s].at(name))
            << name << " of sample " << s;
      }
    }
  }
  std::vector<std::string> notes;
};

}  // namespace lockstep::test
