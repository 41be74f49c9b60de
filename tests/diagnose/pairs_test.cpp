// Two faults: together at one operation, and each at its own.
#include <set>

#include "diagnose/judge.h"
#include "support/fault_networks.h"

namespace lockstep {
namespace {

struct Bench {
  explicit Bench(std::size_t runs = 3) : sent(test::random_samples(reference, runs)) {}
  Executor reference = test::picture_network();
  std::vector<Sample> sent;
  std::vector<Sample> expected = reference.run(sent)->samples;
  std::vector<Sample> device;

  Result<Verdict> judged(const std::string& faults) {
    const auto specs = parse_faults(faults);
    EXPECT_TRUE(specs.ok());
    const auto options = inject(reference, *specs);
    EXPECT_TRUE(options.ok()) << (options.ok() ? "" : options.error().line());
    device = reference.run(sent, {}, *options)->samples;
    return judge({.reference = reference,
                  .recorded = {sent, expected, device, StateMode::reset},
                  .tolerance = {},
                  .others = {},
                  .search = {},
                  .model = "picture.onnx",
                  .target = faults,
                  .input = "x.npz"});
  }
};

TEST(Pairs, two_faults_at_one_operation_are_named_together) {
  Bench b;
  const auto v = b.judged("operand-rescale@add,k=0.5,operand=2+tail-channels-dropped@add");
  ASSERT_TRUE(v.ok());
  ASSERT_FALSE(v->suspects.empty());
  const Explanation* cause = v->suspects[0].cause();
  ASSERT_NE(cause, nullptr) << v->suspects[0].ranked.size();
  ASSERT_EQ(cause->also.size(), 1u) << cause->spec;
  EXPECT_EQ((std::set{cause->fault->name, cause->also[0].fault->name}),
            (std::set<std::string_view>{"operand-rescale", "tail-channels-dropped"}))
      << cause->spec;
  EXPECT_TRUE(cause->exact());
  EXPECT_NE(cause->claim.find("; and "), std::string::npos);
}

TEST(Pairs, a_fault_whose_output_of_an_earlier_run_is_shown_is_named_with_it) {
  for (const char* earlier : {"stale-output", "frozen-output"}) {
    Bench b;
    const auto v = b.judged("operand-rescale@add,k=0.5,operand=2+" + std::string(earlier) + "@add");
    ASSERT_TRUE(v.ok());
    ASSERT_FALSE(v->suspects.empty()) << earlier;
    const Explanation* cause = v->suspects[0].cause();
    ASSERT_NE(cause, nullptr) << earlier;
    ASSERT_EQ(cause->also.size(), 1u) << cause->spec;
    EXPECT_EQ((std::set{cause->fault->name, cause->also[0].fault->name}),
              (std::set<std::string_view>{"operand-rescale", earlier}))
        << cause->spec;
    EXPECT_TRUE(cause->exact());
  }
}

// It was: the output of the first run, and certain, by the order of a table.
TEST(Pairs, of_two_runs_none_tells_the_first_from_the_one_before) {
  Bench b(2);
  const auto v = b.judged("operand-rescale@add,k=0.5,operand=2+stale-output@add");
  ASSERT_TRUE(v.ok());
  const Explanation* cause = v->suspects.at(0).cause();
  ASSERT_NE(cause, nullptr);
  EXPECT_EQ(cause->spec, "operand-rescale@add,k=0.5,operand=2+stale-output@add");
  EXPECT_FALSE(cause->certain);
  EXPECT_EQ(
      std::ranges::count(cause->rivals, "operand-rescale@add,k=0.5,operand=2+frozen-output@add"),
      1);
}

TEST(Pairs, lines_of_a_faulty_earlier_run_are_named_with_the_fault) {
  Bench b;
  const auto v = b.judged("operand-rescale@add,k=0.5,operand=2+stale-lines@add,share=0.3,seed=3");
  ASSERT_TRUE(v.ok());
  ASSERT_FALSE(v->suspects.empty());
  const Explanation* cause = v->suspects[0].cause();
  ASSERT_NE(cause, nullptr);
  ASSERT_EQ(cause->also.size(), 1u) << cause->spec;
  EXPECT_EQ((std::set{cause->fault->name, cause->also[0].fault->name}),
            (std::set<std::string_view>{"operand-rescale", "stale-lines"}))
      << cause->spec;
}

TEST(Pairs, one_fault_is_not_explained_by_two) {
  Bench b;
  const auto v = b.judged("operand-rescale@add,k=0.5,operand=2");
  ASSERT_TRUE(v.ok());
  const Explanation* cause = v->suspects.at(0).cause();
  ASSERT_NE(cause, nullptr);
  EXPECT_TRUE(cause->also.empty()) << cause->spec;
}

TEST(Pairs, faults_at_two_operations_are_found_at_both) {
  Bench b;
  const auto v = b.judged("zero-point-ignored@conv2+operand-rescale@add,k=0.5,operand=2");
  ASSERT_TRUE(v.ok());
  std::set<std::string> causes;
  for (const Suspect& s : v->suspects)
    if (s.cause()) causes.insert(std::string(s.cause()->fault->name) + "@" + s.cause()->site);
  EXPECT_EQ(causes, (std::set<std::string>{"zero-point-ignored@conv2", "operand-rescale@add"}));
}

}  // namespace
}  // namespace lockstep
