#include "diagnose/judge.h"

#include "support/nets.h"
#include "target/target.h"

namespace lockstep {
namespace {

// Runs a virtual device on a chain of Relus and judges it; `hidden` tensors are not captured.
struct Bench {
  Graph graph = test::relu_chain(3);
  Executor reference = test::executor(graph);
  std::vector<Sample> sent = test::random_samples(graph, 2);
  std::vector<Sample> expected = reference.run(sent)->samples;
  std::vector<Sample> device;

  Result<Verdict> judged(const std::string& uri, const std::vector<std::string>& hidden = {}) {
    auto target = open_target(uri, {graph, *find_arithmetic("float"), StateMode::reset});
    EXPECT_TRUE(target.ok()) << (target.ok() ? "" : target.error().line());
    device = (*target)->run(sent, {})->samples;
    for (Sample& s : device)
      for (const std::string& name : hidden) s.erase(name);
    return judge({.reference = reference, .recorded = {sent, expected, device, StateMode::reset}, .tolerance = {},
                  .others = {}, .search = {}, .model = "chain.onnx", .target = uri, .input = "x.npz"});
  }
};

TEST(Judge, the_reference_itself_is_healthy) {
  Bench b;
  const auto v = b.judged("float");
  ASSERT_TRUE(v.ok());
  EXPECT_TRUE(v->healthy);
  EXPECT_TRUE(v->suspects.empty());
}

TEST(Judge, an_injected_fault_is_named_at_its_place_with_all_its_values) {
  Bench b;
  const auto v = b.judged("sim:clamp-lost@r1");
  ASSERT_TRUE(v.ok());
  EXPECT_FALSE(v->healthy);
  ASSERT_FALSE(v->suspects.empty());
  EXPECT_EQ(v->comparison.rows[v->suspects[0].row].name, "r1");
  const Explanation* cause = v->suspects[0].cause();
  ASSERT_NE(cause, nullptr);
  EXPECT_EQ(cause->fault->name, "clamp-lost");
  EXPECT_EQ(cause->matching(), cause->values);
  EXPECT_GT(cause->differing, 0);
  EXPECT_EQ(cause->spoiled, 0);
  EXPECT_FALSE(v->advice.empty());
  ASSERT_EQ(v->repairs.size(), 1u);
  EXPECT_DOUBLE_EQ(v->repairs[0].cosine, 1);
}

TEST(Judge, a_fault_that_the_next_operation_hides_is_not_seen_at_the_outputs) {
  Bench b;
  const auto v = b.judged("sim:clamp-lost@r1", {"t1", "t2"});
  ASSERT_TRUE(v.ok());
  EXPECT_TRUE(v->healthy);
}

TEST(Judge, with_outputs_only_the_cause_is_searched_in_the_whole_network) {
  Bench b;
  const auto v = b.judged("sim:clamp-lost@r1+clamp-lost@r2+clamp-lost@r3", {"t1", "t2"});
  ASSERT_TRUE(v.ok());
  EXPECT_FALSE(v->healthy);
  // One lost clamp cannot explain it, the other two would hide it.
  const Explanation* cause = v->suspects.at(0).cause();
  EXPECT_NE(cause ? cause->fault->name : "", "clamp-lost");
  EXPECT_EQ(v->unexplained(), cause == nullptr);
  ASSERT_FALSE(v->suspects[0].ranked.empty());
  EXPECT_GT(v->suspects[0].tried, 3);
}

TEST(Judge, an_input_fault_is_found_at_the_first_operation_that_reads_it) {
  Bench b;
  const auto v = b.judged("sim:input-as-nhwc");
  ASSERT_TRUE(v.ok());
  EXPECT_EQ(v->comparison.rows[v->suspects.at(0).row].name, "r1");
  const Explanation* cause = v->suspects[0].cause();
  ASSERT_NE(cause, nullptr);
  EXPECT_EQ(cause->fault->name, "input-as-nhwc");
  EXPECT_EQ(cause->matching(), cause->values);
}

TEST(Judge, numbers_that_no_fault_makes_are_unexplained_and_say_what_to_record) {
  Bench b;
  auto reference = b.reference.run(b.sent);
  b.device = reference->samples;
  Random random(9);
  for (Sample& s : b.device)
    for (std::int64_t i = 0; i < s.at("t2").count(); ++i) s.at("t2").set_number(i, random.unit());
  const auto v = judge({.reference = b.reference, .recorded = {b.sent, b.expected, b.device, StateMode::reset},
                        .tolerance = {}, .others = {}, .search = {}, .model = "chain.onnx", .target = "c.npz", .input = ""});
  ASSERT_TRUE(v.ok());
  EXPECT_FALSE(v->healthy);
  EXPECT_TRUE(v->unexplained());
  EXPECT_FALSE(v->next.empty());
}

}  // namespace
}  // namespace lockstep
