#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "import/import.h"
#include "run/executor.h"
#include "run/generated.h"
#include "run/node_kernels.h"
#include "run/session_cache.h"
#include "support/nets.h"
#include "support/shared.h"

namespace lockstep {
namespace {

Tensor one_more(Tensor t) {
  for (std::int64_t i = 0; i < t.count(); ++i)
    if (is_float(t.dtype()))
      t.set_number(i, t.number(i) + 1);
    else
      t.set_code(i, std::min(t.code(i) + 1, code_range(t.dtype()).high));
  return t;
}

std::vector<std::string> output_names(const Graph& g) {
  std::vector<std::string> names;
  for (const ValueId v : g.outputs()) names.push_back(g.value(v).name);
  return names;
}

// A node that a run computes, at `part` of the list, and its output.
std::optional<std::pair<NodeId, std::string>> node_at(const Executor& e, double part) {
  const auto nodes = e.graph().nodes();
  for (auto n = static_cast<std::size_t>(part * static_cast<double>(nodes.size()));
       n < nodes.size(); ++n) {
    const auto& out = nodes[n].outputs;
    if (out.size() == 1 && out[0] != no_id && !e.kernels().follows_from_constants(out[0]) &&
        (is_float(e.graph().value(out[0]).dtype) || size_of(e.graph().value(out[0]).dtype) == 1))
      return std::pair{static_cast<NodeId>(n), e.graph().value(out[0]).name};
  }
  return {};
}

// Runs the samples apart and together; changes a node in an incremental run, and gives the changed
// tensor to a run from known values.
void check(const Executor& e, const std::string& path) {
  const auto samples = generated_inputs(e.graph(), 4, 3);
  const auto names = output_names(e.graph());
  const auto alone = e.run(samples, names);
  set_default_threads(3);
  const auto together = e.run(samples, names);
  set_default_threads(1);
  ASSERT_TRUE(alone.ok() && together.ok()) << path;
  EXPECT_EQ(alone->samples, together->samples) << path;
  for (const double part : {0.25, 0.5, 0.8}) {
    const auto node = node_at(e, part);
    if (!node) continue;
    RunOptions options;
    options.node_hooks.push_back(
        {node->first, [](auto, std::span<Tensor> out, auto) -> Result<void> {
           out[0] = one_more(out[0]);
           return {};
         }});
    const auto changed = e.run(samples, names, options);
    const auto plain = e.run(samples, std::vector<std::string>{node->second});
    ASSERT_TRUE(changed.ok() && plain.ok()) << path;
    for (std::size_t s = 0; s < samples.size(); ++s) {
      Sample known = samples[s];
      known.insert_or_assign(node->second, one_more(plain->samples[s].at(node->second)));
      const auto from = e.run_from(known, names);
      ASSERT_TRUE(from.ok()) << path << ": " << from.error().line();
      for (const std::string& name : names)
        if (from->contains(name)) {
          EXPECT_EQ(changed->samples[s].at(name), from->at(name))
              << path << " in " << e.arithmetic().name << ", node " << node->second << ": " << name;
        }
    }
  }
}

TEST(SharedModels, samples_together_and_changed_nodes_yield_what_whole_runs_do) {
  LOCKSTEP_NEEDS_SHARED();
  int runs = 0;
  std::vector<std::string> paths;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(test::shared_folder() + "/models"))
    if (entry.is_regular_file() && entry.file_size() < 1200000) paths.push_back(entry.path());
  std::ranges::sort(paths);
  for (const std::string& path : paths) {
    if (!path.ends_with(".onnx") && !path.ends_with(".tflite")) continue;
    const auto graph = import_model(path);
    if (!graph.ok()) continue;
    for (const std::string_view arithmetic :
         {graph->format() == "onnx" ? "ort" : "tflite", "float"}) {
      const auto made = Executor::make(*graph, *find_arithmetic(arithmetic));
      if (!made.ok()) continue;
      check(*made, path);
      ++runs;
    }
  }
  std::printf("%d networks and arithmetics\n", runs);
  EXPECT_GT(runs, 40);
}

}  // namespace
}  // namespace lockstep
