#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "arith/arith.h"
#include "base/random.h"
#include "ir/graph.h"
#include "run/executor.h"

namespace lockstep::test {

// x [1,4,6,6] f32 -> Relu "r1" -> Relu "r2" -> Relu "r3" -> y: the smallest chain with an inside.
inline Graph relu_chain(int length = 3) {
  GraphBuilder b("chain", "onnx");
  const auto value = [&](const std::string& name) {
    Value v;
    v.name = name;
    v.shape = {1, 4, 6, 6};
    return b.add_value(v);
  };
  ValueId last = value("x");
  b.add_input(last);
  for (int i = 1; i <= length; ++i) {
    Node node;
    node.name = "r" + std::to_string(i);
    node.op = "Relu";
    node.inputs = {last};
    last = value(i == length ? "y" : "t" + std::to_string(i));
    node.outputs = {last};
    b.add_node(node);
  }
  b.add_output(last);
  auto graph = std::move(b).finish();
  EXPECT_TRUE(graph.ok()) << (graph.ok() ? "" : graph.error().line());
  return std::move(graph).value();
}

// Seeded numbers in -2..2 for every input.
inline std::vector<Sample> random_samples(const Graph& g, int count, std::uint64_t seed = 1) {
  std::vector<Sample> samples(static_cast<std::size_t>(count));
  Random random(seed);
  for (Sample& sample : samples)
    for (const ValueId id : g.inputs()) {
      const Value& v = g.value(id);
      Tensor t(v.dtype, v.shape);
      for (std::int64_t i = 0; i < t.count(); ++i)
        if (v.dtype == DType::f32)
          t.set_number(i, random.unit() * 4 - 2);
        else
          t.set_code(i, random.between(code_range(v.dtype).low, code_range(v.dtype).high));
      sample.emplace(v.name, std::move(t));
    }
  return samples;
}

inline Executor executor(const Graph& g, std::string_view arithmetic = "float") {
  auto made = Executor::make(g, *find_arithmetic(arithmetic));
  EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().line());
  return std::move(made).value();
}

}  // namespace lockstep::test
