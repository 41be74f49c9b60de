#pragma once

#include <gtest/gtest.h>

#include <algorithm>

#include "import/import.h"
#include "run/session.h"
#include "support/folders.h"
#include "support/nets.h"

namespace lockstep::test {

// The network of the first example, and sessions over any network.
inline Executor s1(std::string_view arithmetic) {
  auto graph = import_model(source_folder() + "/examples/s1/tcn_int8.onnx");
  EXPECT_TRUE(graph.ok());
  return executor(*graph, arithmetic);
}

inline std::unique_ptr<Session> session(const Executor& e, bool all, int threads) {
  const Graph& g = e.graph();
  Session::Options o;
  o.given.assign(g.inputs().begin(), g.inputs().end());
  o.goals.assign(g.outputs().begin(), g.outputs().end());
  if (all)
    for (std::size_t v = 0; v < g.values().size(); ++v)
      if (g.values()[v].producer != no_id) o.goals.push_back(static_cast<ValueId>(v));
  o.threads = threads;
  auto made = Session::make(g, *e.arithmetic().numerics, e.kernels(), o);
  EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().line());
  return std::move(made).value();
}

inline void feed(Session& s, const Executor& e, const Sample& sample) {
  for (const ValueId id : e.graph().inputs())
    std::ranges::copy(sample.at(e.graph().value(id).name).bytes(), s.input(id).begin());
}

}  // namespace lockstep::test
