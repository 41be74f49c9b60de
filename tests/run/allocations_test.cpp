#pragma GCC diagnostic ignored "-Wmismatched-new-delete"  // the replaced operators below do match
#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <new>
#include <set>

#include "run/executor.h"
#include "run/generated.h"
#include "support/kernel_case.h"
#include "support/sessions.h"
#include "support/shared.h"

namespace {

std::atomic<long> news{0};

}  // namespace

// Every allocation of the program passes here.
void* operator new(std::size_t bytes) {
  ++news;
  if (void* const p = std::malloc(bytes ? bytes : 1)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept {
  std::free(p);
}
void operator delete(void* p, std::size_t) noexcept {
  std::free(p);
}

namespace lockstep {
namespace {

using test::feed;
using test::s1;
using test::session;

TEST(Allocations, a_run_after_the_first_allocates_nothing) {
  const Executor e = s1("ort");
  for (const bool all : {false, true}) {
    const auto s = session(e, all, 2);
    EXPECT_TRUE(s->evaluated().empty())
        << e.graph().node(s->evaluated()[0]).name << " has no kernel";
    feed(*s, e, test::random_samples(e.graph(), 1)[0]);
    ASSERT_TRUE(s->run().ok());
    const long before = news;
    for (int run = 0; run < 5; ++run) ASSERT_TRUE(s->run().ok());
    EXPECT_EQ(news - before, 0);
  }
}

TEST(Allocations, no_shared_network_of_codes_allocates_after_its_first_run) {
  LOCKSTEP_NEEDS_SHARED();
  int networks = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(test::shared_folder() + "/models")) {
    const std::string path = entry.path().string(), ending = entry.path().extension().string();
    if (path.find("int8") == path.npos || (ending != ".onnx" && ending != ".tflite")) continue;
    const auto graph = import_model(path);
    if (!graph.ok()) continue;
    const bool onnx = graph->format() == "onnx";
    const auto made = Executor::make(*graph, *find_arithmetic(onnx ? "ort" : "tflite"));
    if (!made.ok()) continue;
    const auto s = session(*made, false, 1);
    std::string without;
    for (const NodeId n : s->evaluated()) without += " " + made->graph().node(n).op;
    feed(*s, *made, test::random_samples(made->graph(), 1)[0]);
    ASSERT_TRUE(s->run().ok());
    const long before = news;
    ASSERT_TRUE(s->run().ok());
    EXPECT_EQ(news - before, 0) << path << ", without a kernel:" << without;
    ++networks;
  }
  EXPECT_GT(networks, 10);
}

// How often an operator was run, and how often its run allocated because no kernel took it.
struct Tally {
  int problems = 0, allocating = 0;
};
using Tallies = std::map<std::string, std::map<std::string_view, Tally>>;  // operator, arithmetic

void print(const char* what, const Tallies& tallies) {
  for (const auto& [op, by_arithmetic] : tallies) {
    std::string line;
    for (const auto& [arithmetic, t] : by_arithmetic)
      if (t.allocating > 0)
        line += " " + std::string(arithmetic) + " " + std::to_string(t.allocating) + " of " +
                std::to_string(t.problems);
    if (!line.empty()) std::printf("%s: %s allocates:%s\n", what, op.c_str(), line.c_str());
  }
}

// One generated problem in one arithmetic; nothing where the arithmetic does not compute it.
void tally(const test::KernelCase& problem, const Arithmetic& arithmetic, Tallies& tallies) {
  const Graph& g = problem.graph;
  const NodeView view{g, g.nodes()[0]};
  if (arithmetic.unsupported && !arithmetic.unsupported(view).empty()) return;
  const NodeKernels kernels(g, *arithmetic.numerics);
  Session::Options o;
  o.given.assign(g.inputs().begin(), g.inputs().end());
  o.goals.assign(g.outputs().begin(), g.outputs().end());
  auto made = Session::make(g, *arithmetic.numerics, kernels, o);
  if (!made.ok()) return;
  Session& s = **made;
  for (const ValueId id : s.given())
    std::ranges::copy(problem
                          .tensors[static_cast<std::size_t>(
                              std::ranges::find(view.node.inputs, id) - view.node.inputs.begin())]
                          .bytes(),
                      s.input(id).begin());
  if (!s.run().ok()) return;
  const long before = news;
  ASSERT_TRUE(s.run().ok());
  const long more = news - before;
  const Kernel* const kernel = kernels.kernel(0);
  const bool by_library = kernel && kernel->library;
  const std::string name =
      view.node.op + (by_library ? " by " + std::string(kernel->name) : std::string());
  Tally& t = tallies[name][arithmetic.name];
  ++t.problems;
  t.allocating += more > 0;
  if (s.evaluated().empty() && !by_library) {
    EXPECT_EQ(more, 0) << arithmetic.name << ": " << view.node.op << problem.text;
  }
}

TEST(Allocations, no_generated_problem_that_a_kernel_takes_allocates_after_its_first_run) {
  Tallies tallies;
  std::set<std::string> silent;
  for (const Kernel* const kernel : kernel_table()) {
    std::map<std::string, int> drawn;
    for (std::uint64_t seed = 1; seed <= 40 * kernel->ops.size(); ++seed) {
      const auto problem = test::kernel_case(*kernel, seed);
      if (!problem || ++drawn[problem->graph.nodes()[0].op] > 8) continue;
      for (const Arithmetic* const arithmetic : arith_table())
        tally(*problem, *arithmetic, tallies);
    }
  }
  print("generated", tallies);
  for (const char* const op : {"GRU", "GlobalAveragePool", "LSTM", "RNN"})
    for (const auto& [arithmetic, t] : tallies[op])
      EXPECT_EQ(t.allocating, 0) << op << " in " << arithmetic;
  for (const auto& [op, by_arithmetic] : tallies)
    for (const auto& [arithmetic, t] : by_arithmetic)
      if (t.allocating < t.problems) silent.insert(op);
  for (const Kernel* const kernel : kernel_table()) {
    if (kernel->library || !runs_here(kernel->isa)) continue;
    for (const std::string_view op : kernel->ops)
      if (tallies.contains(std::string(op)))
        EXPECT_TRUE(silent.contains(std::string(op)))
            << op << " of " << kernel->name << " was never run without an allocation";
      else
        std::printf("generated: no problem of %s\n", std::string(op).c_str());
  }
}

// Their weights and indices come with the run: what has no kernel for that is printed.
TEST(Allocations, no_onnx_node_test_that_kernels_take_allocates_after_its_first_run) {
  LOCKSTEP_NEEDS_SHARED();
  Tallies tallies;
  int models = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(test::shared_folder() + "/onnx-node-tests")) {
    if (entry.path().filename() != "model.onnx") continue;
    const auto graph = import_model(entry.path().string());
    if (!graph.ok()) continue;
    const auto made = Executor::make(*graph, *find_arithmetic("ort"));
    if (!made.ok() || made->graph().nodes().empty()) continue;
    const auto s = session(*made, false, 1);
    feed(*s, *made, generated_inputs(made->graph(), 1, 1)[0]);
    if (!s->run().ok()) continue;
    const long before = news;
    ASSERT_TRUE(s->run().ok());
    const bool allocates = news != before;
    ++models;
    if (s->evaluated().empty()) {
      EXPECT_FALSE(allocates) << entry.path();
    }
    for (const Node& node : made->graph().nodes()) {
      Tally& t = tallies[node.op]["ort"];
      ++t.problems;
      t.allocating +=
          allocates &&
          std::ranges::count(s->evaluated(),
                             static_cast<NodeId>(&node - made->graph().nodes().data())) > 0;
    }
  }
  print("onnx-node-tests", tallies);
  EXPECT_GT(models, 200);
}

}  // namespace
}  // namespace lockstep
