#include "diagnose/decision.h"

#include <gtest/gtest.h>

#include "import/import.h"
#include "support/folders.h"

namespace lockstep {
namespace {

TEST(Decision, is_read_as_written) {
  EXPECT_EQ(parse_decision("top1")->kind, Decision::Kind::top1);
  const auto one = parse_decision("1>0.5"), two = parse_decision("1-0>-2");
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_EQ(one->first, 1);
  EXPECT_EQ(one->second, -1);
  EXPECT_EQ(one->threshold, 0.5);
  EXPECT_EQ(two->second, 0);
  EXPECT_EQ(two->threshold, -2);
  for (const char* bad :
       {"", "top5", "1", "1>", "-1>0", "1-0", "1>x", "1>0.5y", "1-a>2", "1>nan", "1>inf"})
    EXPECT_FALSE(parse_decision(bad).ok()) << bad;
}

DecisionReport decide_for(const std::string& target, const std::string& decision) {
  Request q;
  q.model = test::source_folder() + "/examples/s2/liveness_int8.onnx";
  q.input = test::source_folder() + "/examples/s2/faces.npz";
  q.target = target;
  const auto made = answer(q);
  EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().line());
  auto report = decide(*parse_decision(decision), *made, *import_model(q.model), target);
  EXPECT_TRUE(report.ok()) << (report.ok() ? "" : report.error().line());
  return std::move(*report);
}

TEST(Decision, of_the_reference_itself_never_flips) {
  const DecisionReport r = decide_for("ort", "1-0>0");
  EXPECT_EQ(r.device.samples, 24);
  EXPECT_TRUE(r.device.flips.empty());
  EXPECT_EQ(r.device.mean_shift, 0);
  EXPECT_FALSE(r.outside);
  EXPECT_FALSE(r.arithmetics.empty());
}

TEST(Decision, top1_of_two_elements_is_their_difference_against_zero) {
  const DecisionReport a = decide_for("sim:requant-truncates", "top1"),
                       b = decide_for("sim:requant-truncates", "1-0>0");
  EXPECT_EQ(a.device.flips.size(), b.device.flips.size());
  EXPECT_NEAR(a.device.mean_shift, b.device.mean_shift, 1e-9);
}

TEST(Decision, a_threshold_among_the_margins_flips_samples_and_says_at_which_margin) {
  const DecisionReport r = decide_for("sim:requant-truncates", "1-0>1");
  for (const Flip& f : r.device.flips) EXPECT_LE(f.margin, -r.device.worst_shift);
  EXPECT_GE(r.inside, static_cast<std::int64_t>(r.device.flips.size()));
}

TEST(Decision, wants_elements_that_the_output_has) {
  Request q;
  q.model = test::source_folder() + "/examples/s1/tcn_int8.onnx";
  q.input = test::source_folder() + "/examples/s1/golden.npz";
  q.target = "ort";
  const auto made = answer(q);
  ASSERT_TRUE(made.ok());
  const auto model = import_model(q.model);
  EXPECT_FALSE(decide({}, *made, *model, "ort").ok());  // one element has no top1
  EXPECT_FALSE(decide(*parse_decision("1>0"), *made, *model, "ort").ok());
  EXPECT_TRUE(decide(*parse_decision("0>5"), *made, *model, "ort").ok());
}

}  // namespace
}  // namespace lockstep
