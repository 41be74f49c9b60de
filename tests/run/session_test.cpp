#include "run/session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "import/import.h"
#include "op/op.h"
#include "run/executor.h"
#include "run/session_cache.h"
#include "support/folders.h"
#include "support/nets.h"
#include "support/sessions.h"

namespace lockstep {
namespace {

using test::feed;
using test::s1;
using test::session;

// Adds 1 to every element of what a node yields.
Result<void> add_one(std::span<const Tensor* const>, std::span<Tensor> out,
                     std::span<const Tensor>) {
  for (std::int64_t i = 0; i < out[0].count(); ++i)
    if (is_float(out[0].dtype()))
      out[0].set_number(i, out[0].number(i) + 1);
    else
      out[0].set_code(i, out[0].code(i) + 1);
  return {};
}

// Every value by the operators' own eval, node by node; `changed` yields one more.
std::map<ValueId, Tensor> by_eval(const Executor& e, const Sample& sample, NodeId changed = no_id) {
  const Graph& g = e.graph();
  std::map<ValueId, Tensor> known;
  for (const ValueId id : g.inputs()) known.emplace(id, sample.at(g.value(id).name));
  for (const Node& node : g.nodes()) {
    std::vector<const Tensor*> in;
    for (const ValueId v : node.inputs)
      in.push_back(v == no_id            ? nullptr
                   : g.value(v).constant ? g.value(v).constant.get()
                                         : &known.at(v));
    std::vector<Tensor> out;
    for (const ValueId v : node.outputs)
      out.push_back(v == no_id ? Tensor() : Tensor(g.value(v).dtype, g.value(v).shape));
    const auto id = static_cast<NodeId>(&node - g.nodes().data());
    const Kernel* const kernel = e.kernels().kernel(id);
    EvalContext context{{g, node}, *e.arithmetic().numerics, in, out};
    if (kernel && kernel->library)  // N6: sums in the library's order
      EXPECT_TRUE(e.kernels().run(id, in, out)) << node.name;
    else
      EXPECT_TRUE(find_op(node.op)->eval(context).ok()) << node.name;
    if (changed != no_id && &node == &g.node(changed)) {
      EXPECT_TRUE(add_one(in, out, {}).ok());
    }
    for (std::size_t i = 0; i < out.size(); ++i)
      if (node.outputs[i] != no_id) known.insert_or_assign(node.outputs[i], std::move(out[i]));
  }
  return known;
}

TEST(Session, every_value_has_the_bytes_of_eval_for_any_number_of_threads) {
  for (const std::string_view arithmetic : {"ort", "ort-noopt", "float"}) {
    const Executor e = s1(arithmetic);
    const Sample sample = test::random_samples(e.graph(), 1, 5)[0];
    const auto want = by_eval(e, sample);
    for (const int threads : {1, 2, 3})
      for (const bool all : {true, false}) {
        const auto s = session(e, all, threads);
        feed(*s, e, sample);
        for (int run = 0; run < 2; ++run) {
          ASSERT_TRUE(s->run().ok());
          for (const auto& [id, tensor] : want) {
            const bool goal = all || std::ranges::count(e.graph().outputs(), id) > 0;
            if (!goal || e.graph().value(id).producer == no_id) continue;
            EXPECT_TRUE(std::ranges::equal(s->value(id), tensor.bytes()))
                << arithmetic << " " << e.graph().value(id).name << ", " << threads << " threads";
          }
        }
      }
  }
}

TEST(Session, every_value_can_be_read_after_a_run_that_computes_only_its_goals) {
  for (const std::string_view arithmetic : {"ort", "ort-noopt", "float"}) {
    const Executor e = s1(arithmetic);
    const Graph& g = e.graph();
    const Sample sample = test::random_samples(g, 1, 6)[0];
    const auto want = by_eval(e, sample);
    Session::Options o;
    o.given.assign(g.inputs().begin(), g.inputs().end());
    o.goals.assign(g.outputs().begin(), g.outputs().end());
    for (const auto& [id, tensor] : want) o.readable.push_back(id);
    auto s = Session::make(g, *e.arithmetic().numerics, e.kernels(), o);
    ASSERT_TRUE(s.ok());
    feed(**s, e, sample);
    for (int run = 0; run < 2; ++run) {
      ASSERT_TRUE((*s)->run().ok());
      for (const auto& [id, tensor] : want) {
        Tensor got(tensor.dtype(), tensor.shape());
        ASSERT_TRUE((*s)->read(id, got.bytes()).ok());
        EXPECT_EQ(got, tensor) << arithmetic << " " << g.value(id).name;
      }
    }
    EXPECT_EQ((*s)->profile().size(), session(e, false, 1)->profile().size()) << arithmetic;
  }
}

TEST(Session, a_changed_node_changes_what_follows_as_eval_says_and_nothing_else) {
  for (const std::string_view arithmetic : {"ort", "float"}) {
    const Executor e = s1(arithmetic);
    const Graph& g = e.graph();
    const auto samples = test::random_samples(g, 2, 7);
    for (std::size_t n = 0; n < g.nodes().size(); ++n) {
      const auto id = static_cast<NodeId>(n);
      RunOptions options;
      options.node_hooks.push_back({id, add_one});
      const auto capture = e.run(samples, {}, options);
      ASSERT_TRUE(capture.ok()) << capture.error().line();
      for (std::size_t s = 0; s < samples.size(); ++s) {
        const auto want = by_eval(e, samples[s], id);
        for (const auto& [name, tensor] : capture->samples[s])
          if (!g.value(g.find_value(name)).constant) {
            EXPECT_EQ(tensor, want.at(g.find_value(name)))
                << arithmetic << " " << g.node(id).name << ": " << name;
          }
      }
    }
  }
}

TEST(Session, known_tensors_replace_what_would_be_computed_wherever_they_stand) {
  for (const std::string_view arithmetic : {"ort", "float"}) {
    const Executor e = s1(arithmetic);
    const Graph& g = e.graph();
    const Sample sample = test::random_samples(g, 1, 8)[0];
    const std::string& output = g.value(g.outputs()[0]).name;
    for (std::size_t n = 0; n < g.nodes().size(); ++n) {
      const auto changed = by_eval(e, sample, static_cast<NodeId>(n));
      const ValueId y = g.nodes()[n].outputs[0];
      Sample known = {{g.value(y).name, changed.at(y)}};
      for (const ValueId id : g.inputs()) known.emplace(g.value(id).name, changed.at(id));
      const auto made = e.run_from(known, std::vector<std::string>{output});
      ASSERT_TRUE(made.ok()) << made.error().line();
      EXPECT_EQ(made->at(output), changed.at(g.outputs()[0]))
          << arithmetic << " " << g.nodes()[n].name;
    }
  }
}

TEST(Session, samples_computed_together_are_those_computed_one_by_one) {
  const Executor e = s1("ort");
  const auto samples = test::random_samples(e.graph(), 9, 9);
  const auto alone = e.run(samples);
  set_default_threads(3);
  const auto together = e.run(samples);
  set_default_threads(1);
  ASSERT_TRUE(alone.ok() && together.ok());
  EXPECT_EQ(alone->samples, together->samples);
}

TEST(Session, values_that_do_not_live_together_share_the_arena) {
  const Executor e = test::executor(test::relu_chain(12));
  EXPECT_LT(session(e, false, 1)->arena_bytes(), session(e, true, 1)->arena_bytes() / 2);
}

}  // namespace
}  // namespace lockstep
