#include <cmath>

#include "fault/fault_claim.h"
#include "fault/fault_describe.h"
#include "fault/fault_fit.h"
#include "support/fault_problem.h"

namespace lockstep::test {
namespace {

TEST(ParseFaults, reads_name_place_and_parameters) {
  const auto specs = parse_faults("operand-rescale@/block2/add,operand=1,k=0.25");
  ASSERT_TRUE(specs.ok()) << specs.error().line();
  ASSERT_EQ(specs->size(), 1u);
  EXPECT_EQ((*specs)[0].fault, find_fault("operand-rescale"));
  EXPECT_EQ((*specs)[0].node, "/block2/add");
  EXPECT_EQ((*specs)[0].params, (Params{{"operand", 1}, {"k", 0.25}}));
}

TEST(ParseFaults, reads_several_joined_by_plus) {
  const auto specs = parse_faults("stale-output@a+operand-rescale@b,k=1e+1+clamp-lost");
  ASSERT_TRUE(specs.ok()) << specs.error().line();
  ASSERT_EQ(specs->size(), 3u);
  EXPECT_EQ((*specs)[0].node, "a");
  EXPECT_EQ((*specs)[1].params.at("k"), 10);
  EXPECT_EQ((*specs)[2].node, "");
}

TEST(ParseFaults, leaves_commas_semicolons_and_plus_in_node_names) {
  const auto specs = parse_faults("stale-output@model/add+Bias;conv,2/x");
  ASSERT_TRUE(specs.ok()) << specs.error().line();
  ASSERT_EQ(specs->size(), 1u);
  EXPECT_EQ((*specs)[0].node, "model/add+Bias;conv,2/x");
}

TEST(ParseFaults, refuses_what_it_does_not_know_with_the_nearest_name) {
  const auto no_fault = parse_faults("clamp-lots");
  ASSERT_FALSE(no_fault.ok());
  EXPECT_NE(no_fault.error().hint.find("clamp-lost"), std::string::npos);
  const auto no_param = parse_faults("operand-rescale,operant=1");
  ASSERT_FALSE(no_param.ok());
  EXPECT_NE(no_param.error().hint.find("operand"), std::string::npos);
  for (const char* bad :
       {"", "@x", "operand-rescale@", "operand-rescale,k=", "operand-rescale,k=half",
        "operand-rescale,k=nan", "operand-rescale,k=inf", "operand-rescale,k=1e30",
        "operand-rescale,k", "clamp-lost,", "+", "clamp-lost+"})
    EXPECT_FALSE(parse_faults(bad).ok()) << bad;
}

TEST(ParseFaults, refuses_numbers_that_a_parameter_does_not_take) {
  for (const char* bad :
       {"stale-input,frozen=9", "stale-input,frozen=0.5", "stale-input,frozen=-1",
        "output-channels-exchanged,turn=0.5", "output-shifted,by=1.5", "input-mirrored,how=6",
        "torn-output,at=1.5", "lost-bursts,share=-0.1", "memory-asleep,value=256",
        "add-multiplier-wraps,modulus=0", "stale-lines,r0.0.first=0.5"})
    EXPECT_FALSE(parse_faults(bad).ok()) << bad;
  const auto flag = parse_faults("stale-input,frozen=9");
  EXPECT_EQ(flag.error().line().find("--fault stale-input frozen: '9'; want 0 or 1 (0: the input"),
            0u)
      << flag.error().line();
  EXPECT_EQ(parse_faults("output-channels-exchanged,turn=0.5").error().want,
            "a whole number of at most 1e9 in magnitude");
  EXPECT_EQ(parse_faults("input-mirrored,how=6").error().want, "a whole number from 0 to 5");
  for (const char* good : {"stale-input,frozen=1", "output-shifted,by=-3", "torn-output,at=0.5",
                           "result-rescaled,k=0.7", "channels-rescaled,c0.k=0.5,c0.add=-2"})
    EXPECT_TRUE(parse_faults(good).ok()) << good;
}

// What a parameter is, when nobody says, is a number that it takes.
TEST(ParseFaults, take_the_numbers_that_stand_for_those_not_given) {
  for (const FaultDef* fault : fault_table())
    for (const ParamSpec& p : fault->params) {
      const std::string text =
          std::string(fault->name) + "," + std::string(p.name) + "=" + number_text(p.fallback);
      EXPECT_TRUE(parse_faults(text).ok()) << text;
    }
}

TEST(Inject, names_the_nearest_node_when_there_is_none) {
  FaultProblem p;
  p.node("relu_one", "Relu", {p.input("x", DType::i8, {1, 4}, per_tensor(1, 0))});
  const Executor e = p.finish();
  const auto options = inject(e, *parse_faults("stale-output@relu_on"));
  ASSERT_FALSE(options.ok());
  EXPECT_NE(options.error().hint.find("relu_one"), std::string::npos);
  EXPECT_TRUE(inject(e, *parse_faults("stale-output@relu_one:0")).ok())
      << "a tensor's name stands for its node";
}

TEST(DescriptionBits, prefers_defaults_to_plain_numbers_to_fitted_ones_to_stretches) {
  FaultProblem p;
  p.node("sum", "Add",
         {p.input("a", DType::i8, {1, 64}, per_tensor(1, 0)),
          p.input("b", DType::i8, {1, 64}, per_tensor(2, 0))});
  const Executor e = p.finish();
  const Site site{e, 0, no_id};
  const auto bits = [&](const char* fault, const Params& params) {
    return description_bits(site, *find_fault(fault), params);
  };
  EXPECT_LT(bits("tail-channels-dropped", {{"first", 5}, {"fill", 1}}),
            bits("channels-rescaled", {{"c5.k", 0}, {"c6.k", 0}, {"c7.k", 0}}))
      << "which channels are named counts";
  const double own = bits("operand-rescale", {{"operand", 2}, {"k", 0.5}});
  const double plain = bits("operand-rescale", {{"operand", 1}, {"k", 0.25}});
  const double fitted = bits("operand-rescale", {{"operand", 1}, {"k", 0.5313}});
  EXPECT_LT(own, plain);
  EXPECT_LT(plain, fitted);
  EXPECT_LT(fitted,
            bits("stale-lines",
                 {{"r0.0.first", 32}, {"r0.0.count", 32}, {"r1.0.first", 32}, {"r1.0.count", 32}}));
  EXPECT_LT(bits("add-scales-swapped", {}), bits("memory-asleep", {}))
      << "the narrower cause first";
}

TEST(Fit, finds_the_point_that_most_intervals_share) {
  const Interval intervals[] = {{0, 2}, {1, 3}, {1.5, 5}, {7, 9}, {8, 10}};
  const Fit fit = most_agreed(intervals);
  EXPECT_EQ(fit.agreeing, 3);
  EXPECT_EQ(fit.low, 1.5);
  EXPECT_EQ(fit.high, 2);
}

TEST(Fit, snaps_to_the_first_wish_inside_else_to_the_shortest_decimal) {
  const double wishes[] = {0.5, 2};
  EXPECT_EQ(snap(0.49, 0.51, wishes), 0.5);
  EXPECT_EQ(snap(0.6912, 0.7034, wishes), 0.7);
  EXPECT_EQ(snap(0.33329, 0.33334, wishes), 0.3333);
}

TEST(Fit, finds_the_simplest_line_through_every_strip_and_none_where_one_is_missed) {
  std::vector<Strip> strips;
  for (int x = -40; x <= 40; ++x) {
    const double y = std::nearbyint((1.46 * x + 0.3) / 0.5) * 0.5;
    strips.push_back({static_cast<double>(x), y - 0.25, y + 0.25});
  }
  const Line line = simplest_line(strips, {}, {});
  ASSERT_TRUE(line.valid);
  EXPECT_EQ(line.slope, 1.46);
  for (const Strip& s : strips) {
    EXPECT_GE(line.slope * s.x + line.intercept, s.low);
    EXPECT_LE(line.slope * s.x + line.intercept, s.high);
  }
  const double wished[] = {1.4601};
  EXPECT_EQ(simplest_line(strips, wished, {}).slope, 1.4601);
  strips[7].low += 3, strips[7].high += 3;
  EXPECT_FALSE(simplest_line(strips, {}, {}).valid);
}

TEST(Fit, makes_no_line_of_what_does_not_depend_on_x) {
  for (const double half : {0.0, 0.25}) {
    std::vector<Strip> strips;
    for (int x = -40; x <= 40; ++x)
      strips.push_back({static_cast<double>(x), 0.5 - half, 0.5 + half});
    const double wished[] = {1 / 255.0};
    EXPECT_FALSE(simplest_line(strips, wished, {}).valid) << half;
  }
}

TEST(Fit, draws_a_line_through_most_points) {
  std::vector<double> x, y;
  for (int i = 0; i < 100; ++i) x.push_back(i), y.push_back(i % 7 == 0 ? 1000 : 3.0 * i - 4);
  const Line line = fit_line(x, y);
  ASSERT_TRUE(line.valid);
  EXPECT_NEAR(line.slope, 3, 1e-9);
  EXPECT_NEAR(line.intercept, -4, 1e-7);
}

}  // namespace
}  // namespace lockstep::test
