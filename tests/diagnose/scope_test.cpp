// Which operations a cause acts on, as the rest of the captures tells; and that a repair undoes it
// at all of them.
#include "diagnose/scope.h"

#include "diagnose/judge.h"
#include "support/nets.h"
#include "support/real_net.h"
#include "target/target.h"

namespace lockstep {
namespace {

struct Bench {
  Graph graph = test::relu_chain(4);
  Executor reference = test::executor(graph);
  std::vector<Sample> sent = test::random_samples(graph, 3);
  std::vector<Sample> expected, device;
  StateMode state = StateMode::reset;

  Verdict judged(const std::string& uri, const std::vector<std::string>& hidden = {}) {
    RunOptions options;
    options.state = state;
    expected = reference.run(sent, {}, options)->samples;
    auto target = open_target(uri, {graph, *find_arithmetic("float"), state});
    EXPECT_TRUE(target.ok()) << (target.ok() ? "" : target.error().line());
    device = (*target)->run(sent, {})->samples;
    for (Sample& s : device)
      for (const std::string& name : hidden) s.erase(name);
    auto v = judge({.reference = reference,
                    .recorded = {sent, expected, device, state},
                    .tolerance = {},
                    .others = {},
                    .search = {},
                    .model = "chain.onnx",
                    .target = uri,
                    .input = "x.npz"});
    EXPECT_TRUE(v.ok()) << (v.ok() ? "" : v.error().line());
    return std::move(*v);
  }
};

// x + s -> s', s' + x -> t' (a state each) -> Neg -> y.
Graph two_states() {
  test::RealNet net({1, 16});
  net.node("first", "Add", {"x", "s"}, "s1")
      .node("second", "Add", {"s1", "t"}, "t1")
      .node("end", "Neg", {"t1"}, "y");
  return std::move(net.state("s", "s1").state("t", "t1")).graph({"x"}, {"y"});
}

TEST(Scope, a_fault_that_other_operations_of_its_kind_would_show_and_do_not_is_of_this_one) {
  Bench b;
  test::RealNet net({1, 64});
  net.node("one", "Relu", {"x"}, "p")
      .node("neg", "Neg", {"x"}, "m")
      .node("two", "Relu", {"m"}, "q");
  b.graph = std::move(net).graph({"x"}, {"p", "q"});
  b.reference = test::executor(b.graph);
  b.sent = test::random_samples(b.graph, 2);
  const Verdict one = b.judged("sim:clamp-lost@one");
  ASSERT_FALSE(one.scopes.empty());
  EXPECT_EQ(one.scopes[0].name, "this operation");
  EXPECT_TRUE(one.scopes[0].settled);
  const Verdict both = b.judged("sim:clamp-lost");
  ASSERT_FALSE(both.scopes.empty());
  EXPECT_EQ(both.scopes[0].sites, (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(both.scopes[0].shown, 2);
  const Verdict half = b.judged("sim:clamp-lost", {"q"});
  ASSERT_FALSE(half.scopes.empty());
  EXPECT_FALSE(half.scopes[0].settled) << "the other Relu was not captured";
  EXPECT_EQ(half.scopes[0].would_settle, std::vector<std::string>{"two"});
}

TEST(Scope, an_operation_between_captured_tensors_is_judged_with_what_lies_around_it) {
  // Boards record codes, and the reference computes reals between them: every such operation was
  // "not judged".
  Bench b;
  test::RealNet net({1, 64});
  net.node("one", "Relu", {"x"}, "p")
      .node("neg", "Neg", {"x"}, "m")
      .node("two", "Relu", {"m"}, "q");
  b.graph = std::move(net).graph({"x"}, {"p", "q"});
  b.reference = test::executor(b.graph);
  b.sent = test::random_samples(b.graph, 2);
  const Verdict v = b.judged("sim:clamp-lost@one", {"m"});
  ASSERT_FALSE(v.scopes.empty());
  EXPECT_EQ(v.scopes[0].name, "this operation");
  EXPECT_TRUE(v.scopes[0].settled);
  ASSERT_EQ(v.scopes.size(), 2u);
  EXPECT_EQ(v.scopes[1].right_sites, std::vector<std::string>{"two"});
}

TEST(Scope,
     another_operation_of_the_wrong_stretch_is_right_where_its_fault_would_show_beside_the_cause) {
  Bench b;
  test::RealNet net({1, 64});
  net.node("one", "Relu", {"x"}, "p")
      .node("neg", "Neg", {"x"}, "m")
      .node("two", "Relu", {"m"}, "q")
      .node("sum", "Add", {"p", "q"}, "y");
  b.graph = std::move(net).graph({"x"}, {"y"});
  b.reference = test::executor(b.graph);
  b.sent = test::random_samples(b.graph, 2);
  const Verdict v = b.judged("sim:clamp-lost@one", {"p", "m", "q"});
  ASSERT_FALSE(v.suspects.empty());
  ASSERT_NE(v.suspects[0].cause(), nullptr);
  EXPECT_EQ(v.suspects[0].cause()->spec, "clamp-lost@one");
  ASSERT_EQ(v.scopes.size(), 2u);
  EXPECT_EQ(v.scopes[0].name, "this operation");
  EXPECT_EQ(v.scopes[1].right_sites, std::vector<std::string>{"two"});
}

TEST(Scope, operations_where_the_fault_would_change_nothing_are_counted_apart) {
  Bench b;  // r2 cuts off what r1 let through; r3 and r4 read nothing negative, with and without
            // their clamp
  const Verdict v = b.judged("sim:clamp-lost@r1");
  ASSERT_EQ(v.scopes.size(), 2u);
  EXPECT_EQ(v.scopes[0].name, "this operation");
  EXPECT_EQ(v.scopes[1].name, "every Relu");
  EXPECT_EQ(v.scopes[1].shown, 1);
  EXPECT_EQ(v.scopes[1].right_sites, std::vector<std::string>{"r2"});
  EXPECT_EQ(v.scopes[1].silent, 2);
}

TEST(Scope, a_state_lost_at_several_operations_is_mended_at_all_of_them) {
  Bench b;
  b.graph = two_states();
  b.reference = test::executor(b.graph);
  b.sent = test::random_samples(b.graph, 4);
  b.state = StateMode::keep;
  const Verdict v = b.judged("sim:state-not-kept");
  ASSERT_FALSE(v.suspects.empty());
  ASSERT_NE(v.suspects[0].cause(), nullptr);
  EXPECT_EQ(v.suspects[0].cause()->fault->name, "state-not-kept");
  ASSERT_FALSE(v.scopes.empty());
  EXPECT_EQ(v.scopes[0].sites, (std::vector<std::string>{"first", "second"}));
  ASSERT_EQ(v.repairs.size(), 1u);
  EXPECT_LT(v.repairs[0].cosine_before, 0.99);
  EXPECT_DOUBLE_EQ(v.repairs[0].cosine, 1);
  EXPECT_EQ(believed(v).size(), 2u);
}

TEST(Scope, families_hold_the_operation_itself_first_and_no_two_are_equal) {
  const Executor chain = test::executor(test::relu_chain(3));
  const auto families = families_of(chain, 1, {0, 1, 2});
  ASSERT_EQ(families.size(), 2u);
  EXPECT_EQ(families[0].nodes, std::vector<NodeId>{1});
  EXPECT_EQ(families[1].name, "every Relu");
}

TEST(Scope, a_program_says_which_operations_share_a_unit) {
  const Executor chain = test::executor(test::relu_chain(4));
  const std::vector<UnitWork> units = {{"ACTIV 0", {"t1", "t2"}}, {"ACTIV 1", {"t3", "y"}}};
  const auto families = families_of(chain, 1, {0, 1, 2, 3}, units);
  ASSERT_EQ(families.size(), 3u);
  EXPECT_EQ(families[1].name, "every operation on ACTIV 0");
  EXPECT_EQ(families[1].nodes, (std::vector<NodeId>{0, 1}));
  EXPECT_EQ(families[2].name, "every Relu");
}

}  // namespace
}  // namespace lockstep
