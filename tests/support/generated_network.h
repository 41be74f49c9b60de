#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "arith/arith.h"
#include "base/files.h"
#include "emit/emit.h"
#include "import/import.h"
#include "run/generated.h"
#include "target/target.h"

namespace lockstep::test {

// A model lowered and generated into a folder, for tests that run it.
struct GeneratedModel {
  Graph model;
  Executor executor;
  Generated generated;
};

inline Result<GeneratedModel> generate_into(const std::string& path, std::string_view arithmetic,
                                            const std::string& folder,
                                            GenerateOptions options = {}) {
  LOCKSTEP_TRY(Graph model, import_model(path));
  LOCKSTEP_TRY(Executor executor, Executor::make(model, *find_arithmetic(arithmetic)));
  LOCKSTEP_TRY(const Bytes bytes, read_file(path));
  options.model_hash = content_hash(bytes);
  LOCKSTEP_TRY(Generated generated, generate(executor, options));
  std::filesystem::create_directories(folder);
  for (const GeneratedFile& f : generated.files)
    LOCKSTEP_CHECK(write_file(folder + "/" + f.path, f.text));
  return GeneratedModel{std::move(model), std::move(executor), std::move(generated)};
}

// How many tensors a target answered, and how many differ from the reference in any byte.
struct Compared {
  int tensors = 0, different = 0;
  std::string first;
};

inline Compared compare(const Capture& reference, const Capture& device) {
  Compared c;
  EXPECT_EQ(reference.samples.size(), device.samples.size());
  for (std::size_t s = 0; s < std::min(reference.samples.size(), device.samples.size()); ++s)
    for (const auto& [name, tensor] : device.samples[s]) {
      const auto it = reference.samples[s].find(name);
      if (it == reference.samples[s].end()) continue;
      ++c.tensors;
      if (std::ranges::equal(it->second.bytes(), tensor.bytes())) continue;
      ++c.different;
      if (c.first.empty()) c.first = name;
    }
  return c;
}

// Runs `samples` seeded inputs on the reference and on the target, and compares every tensor. Every
// output of every node must be there.
inline Compared run_and_compare(const GeneratedModel& m, const std::string& uri, int samples,
                                std::uint64_t seed = 7) {
  const auto inputs = generated_inputs(m.executor.graph(), samples, seed);
  auto target = open_target(uri, {m.model, m.executor.arithmetic()});
  EXPECT_TRUE(target.ok()) << (target.ok() ? "" : target.error().line());
  if (!target.ok()) return {0, 1, "the target"};
  const auto device = (*target)->run(inputs, {});
  EXPECT_TRUE(device.ok()) << (device.ok() ? "" : device.error().line());
  const auto reference = m.executor.run(inputs);
  EXPECT_TRUE(reference.ok());
  if (!device.ok() || !reference.ok()) return {0, 1, "the run"};
  const Compared c = compare(*reference, *device);
  const auto left = without_constant_nodes(m.executor.graph(), *m.executor.arithmetic().numerics);
  EXPECT_TRUE(left.ok());
  int outputs = 0;
  for (const Node& node : left->nodes())
    for (const ValueId v : node.outputs) outputs += v != no_id;
  EXPECT_GE(c.tensors, outputs * samples) << "some tensors were not answered";
  return c;
}

}  // namespace lockstep::test
