// When a cause is shorter than what it explains, and when one that does as much takes its
// certainty.
#include "diagnose/search.h"

#include <array>

#include "diagnose/hypotheses.h"
#include "diagnose/judge.h"
#include "support/fault_networks.h"
#include "support/nets.h"

namespace lockstep {
namespace {

Explanation explanation(std::int64_t values, std::int64_t differing, std::int64_t reproduced,
                        std::int64_t spoiled, double bits) {
  Explanation e;
  e.values = values;
  e.differing = differing;
  e.reproduced = reproduced;
  e.spoiled = spoiled;
  e.bits = bits;
  e.rest_lsb = e.rest() ? 1 : 0;
  return e;
}

constexpr double no_table = 1e30;

TEST(Search, a_cause_must_be_shorter_than_the_list_of_values_it_reproduces) {
  EXPECT_GT(listing_bits(10, 1000), 10 * 7);
  EXPECT_EQ(listing_bits(0, 1000), 0);
  EXPECT_TRUE(carries(explanation(1000, 10, 10, 0, 20), 1, no_table));
  EXPECT_FALSE(carries(explanation(1000, 10, 10, 0, 200), 1, no_table))
      << "a list of places says no more than the values";
  EXPECT_FALSE(carries(explanation(3, 1, 1, 0, 20), 1, no_table)) << "one value is met by chance";
  EXPECT_FALSE(carries(explanation(1000, 10, 10, 0, 20), 1, 16))
      << "a table of one code is shorter still";
}

TEST(Search, what_reproduces_a_part_is_no_cause_unless_the_rest_is_rounding) {
  EXPECT_FALSE(carries(explanation(1000, 900, 750, 0, 10), 1, no_table))
      << "more than a tenth of the values is left";
  EXPECT_TRUE(carries(explanation(1000, 900, 890, 5, 10), 1, no_table))
      << "15 values are one step off";
  Explanation far = explanation(1000, 900, 890, 5, 10);
  far.rest_lsb = 3;
  EXPECT_FALSE(carries(far, 1, no_table));
  EXPECT_FALSE(carries(explanation(1000, 0, 0, 0, 10), 1, no_table));
}

// A network whose input was read as NHWC, recorded at one tensor far inside, `moved` of its 96
// codes by `steps`.
Verdict read_as_nhwc(int moved, int steps) {
  const Executor network = test::picture_network();
  const Graph& g = network.graph();
  const std::string at = g.value(g.node(g.find_node("gemm")).outputs[0]).name;
  const std::vector<Sample> sent = test::random_samples(network, 8, 77);
  const auto specs = parse_faults("input-as-nhwc@" + g.value(g.inputs()[0]).name);
  const auto options = inject(network, *specs);
  const std::string wanted[] = {at};
  std::vector<Sample> device = network.run(sent, wanted, *options)->samples;
  for (int i = 0; i < moved; ++i) {
    Tensor& y = device[static_cast<std::size_t>(i) % 8].at(at);
    const std::int64_t code = y.code(i % 12);
    y.set_code(i % 12, code > 0 ? code - steps : code + steps);
  }
  auto v = judge({.reference = network,
                  .recorded = {sent, network.run(sent)->samples, device, StateMode::reset},
                  .tolerance = {},
                  .others = {},
                  .search = {.work = 2e9},
                  .model = "m",
                  .target = "t",
                  .input = ""});
  EXPECT_TRUE(v.ok()) << (v.ok() ? "" : v.error().line());
  return std::move(*v);
}

TEST(Search, over_several_operations_one_step_in_few_of_many_values_is_left_to_rounding) {
  const Verdict v = read_as_nhwc(5, 1);
  ASSERT_FALSE(v.suspects.empty());
  const Explanation* cause = v.suspects[0].cause();
  ASSERT_NE(cause, nullptr);
  EXPECT_EQ(cause->fault->name, "input-as-nhwc");
  EXPECT_EQ(cause->rest(), 5);
  EXPECT_FALSE(cause->certain);
}

TEST(Search, over_several_operations_larger_remainders_leave_no_cause) {
  EXPECT_EQ(read_as_nhwc(5, 9).suspects[0].cause(), nullptr);
  EXPECT_EQ(read_as_nhwc(24, 1).suspects[0].cause(), nullptr);
}

// The first suspect of a device with this fault, recorded at one node's output alone.
Suspect suspect_of(const Executor& network, std::string_view fault, std::string_view node) {
  const Graph& g = network.graph();
  const std::string at = g.value(g.node(g.find_node(node)).outputs[0]).name;
  const std::vector<Sample> sent = test::random_samples(network, 4, 77);
  const auto specs = parse_faults(fault);
  const auto options = inject(network, *specs);
  const std::string wanted[] = {at};
  const std::vector<Sample> device = network.run(sent, wanted, *options)->samples,
                            expected = network.run(sent)->samples;
  auto v = judge({.reference = network,
                  .recorded = {sent, expected, device, StateMode::reset},
                  .tolerance = {},
                  .others = {},
                  .search = {.work = 2e9, .first_only = true},
                  .model = "m",
                  .target = "t",
                  .input = ""});
  EXPECT_TRUE(v.ok() && !v->suspects.empty()) << fault;
  return v.ok() && !v->suspects.empty() ? v->suspects[0] : Suspect{};
}

TEST(Search, what_no_longer_depends_on_the_inputs_is_laid_to_no_place_for_certain) {
  const Suspect s = suspect_of(test::picture_network(), "codes-clipped@conv1,high=-20", "conv2");
  ASSERT_NE(s.cause(), nullptr);
  EXPECT_TRUE(s.cause()->exact());
  EXPECT_FALSE(s.cause()->certain)
      << s.cause()->spec
      << ": codes clipped in the tensor before, which nobody captured, do the same";
}

TEST(Search, a_cause_at_another_place_of_the_stretch_that_does_the_very_same_takes_the_certainty) {
  const struct {
    const char* fault;
    bool certain;
  } cases[] = {{"memory-asleep@conv1,value=236", false},
               {"output-layout@conv1", false},
               {"frozen-output@conv2", false},
               {"weights-constant@conv2", false},
               {"clamp-lost@conv1", true},
               {"zero-point-ignored@conv1", true},
               {"dilation-lost@conv2", true}};
  for (const auto& [fault, certain] : cases) {
    const Suspect s = suspect_of(test::picture_network(), fault, "conv2");
    ASSERT_NE(s.cause(), nullptr) << fault;
    const bool elsewhere = std::ranges::any_of(s.cause()->ties, [&](const std::string& tie) {
      return tie.find("@" + s.cause()->site) == tie.npos;
    });
    EXPECT_EQ(s.cause()->certain, certain) << fault << ": " << s.cause()->spec;
    EXPECT_EQ(elsewhere, !certain) << fault << ": " << s.cause()->spec;
    if (certain) {
      EXPECT_TRUE(s.cause()->rivals.empty()) << s.cause()->spec;
    }
  }
}

TEST(Search, an_input_of_other_constants_is_named_from_an_inner_tensor_alone) {
  for (const char* spec :
       {"input-normalized-wrongly@x,offset=0,scale=-1", "input-normalized-wrongly@x,statistics=3",
        "input-normalized-wrongly@x,statistics=4", "input-normalized-wrongly@x,statistics=5",
        "input-normalized-wrongly@x,statistics=6", "input-normalized-wrongly@x,statistics=8",
        "stale-input@x,first=1,frozen=0", "stale-input@x,first=1,frozen=1"}) {
    const Suspect s = suspect_of(test::picture_network(), spec, "conv2");
    ASSERT_NE(s.cause(), nullptr) << spec;
    EXPECT_EQ(s.cause()->spec, spec);
    EXPECT_TRUE(s.cause()->exact()) << spec;
  }
}

// The first suspect of a device that computes with `had` of the input "x" where `sent` was sent,
// both recorded.
Suspect suspect_of_input(const Executor& network, const std::vector<Sample>& sent,
                         const std::vector<Sample>& had) {
  std::vector<Sample> device = network.run(had)->samples;
  for (std::size_t s = 0; s < had.size(); ++s) device[s].insert(had[s].begin(), had[s].end());
  auto v = judge({.reference = network,
                  .recorded = {sent, network.run(sent)->samples, device, StateMode::reset},
                  .tolerance = {},
                  .others = {},
                  .search = {.work = 2e9, .first_only = true},
                  .model = "m",
                  .target = "t",
                  .input = ""});
  EXPECT_TRUE(v.ok() && !v->suspects.empty());
  return v.ok() && !v->suspects.empty() ? std::move(v->suspects[0]) : Suspect{};
}

// Pictures [1,3,16,16] of whole counts 0..255, black and white among them; `map` of each count and
// channel, in float32.
template <class Map>
std::vector<Sample> pictures(Map map) {
  std::vector<Sample> samples;
  Random random(9);
  for (int s = 0; s < 3; ++s) {
    Tensor x(DType::f32, {1, 3, 16, 16});
    for (std::int64_t i = 0; i < x.count(); ++i) {
      const auto count = static_cast<float>(i % 5 == 0 ? 0 : random.between(0, 255));
      x.as<float>()[static_cast<std::size_t>(i)] = map(count, i / 256 % 3);
    }
    samples.push_back({{"x", std::move(x)}});
  }
  return samples;
}
float count_itself(float v, std::int64_t) {
  return v;
}
float by_imagenet(float v, std::int64_t channel) {
  constexpr std::array mean = {0.485f, 0.456f, 0.406f}, deviation = {0.229f, 0.224f, 0.225f};
  const auto c = static_cast<std::size_t>(channel);
  return (v / 255.f - mean[c]) / deviation[c];
}

TEST(Search, an_input_of_a_wrong_scale_or_not_quantized_was_not_normalized_wrongly) {
  for (const char* spec : {"input-not-quantized@x", "input-wrong-scale@x,scale=0.0503,zero=3",
                           "requant-truncates@quantize"}) {
    const Suspect s = suspect_of(test::picture_network(), spec, "quantize");
    ASSERT_NE(s.cause(), nullptr) << spec;
    EXPECT_TRUE(s.cause()->exact()) << spec;
    EXPECT_EQ(std::string(spec).substr(0, s.cause()->fault->name.size()), s.cause()->fault->name)
        << s.cause()->spec;
  }
}

TEST(Search, raw_counts_for_a_normalized_input_are_found_with_black_pixels_too) {
  const Executor network = test::input_alone({1, 3, 16, 16});
  const Suspect raw = suspect_of_input(network, pictures(by_imagenet), pictures(count_itself));
  ASSERT_NE(raw.cause(), nullptr);
  EXPECT_EQ(raw.cause()->fault->name, "input-normalized-wrongly");
  EXPECT_TRUE(raw.cause()->exact()) << raw.cause()->spec;
  const Suspect halves =
      suspect_of_input(network, pictures([](float v, std::int64_t) { return v / 255.f; }),
                       pictures([](float v, std::int64_t) { return (v - 127.f) / 128.f; }));
  ASSERT_NE(halves.cause(), nullptr);
  EXPECT_EQ(halves.cause()->fault->name, "input-normalized-wrongly");
  EXPECT_TRUE(halves.cause()->exact()) << halves.cause()->spec;
}

TEST(Search, an_input_that_does_not_depend_on_what_was_sent_was_not_normalized_wrongly) {
  const Executor network = test::input_alone({1, 3, 16, 16});
  const auto constant = [](float, std::int64_t) { return 0.25f; };
  const auto dead_channel = [](float v, std::int64_t c) { return c == 1 ? 0.f : v; };
  for (const auto& had : {pictures(constant), pictures(dead_channel)}) {
    const Suspect s = suspect_of_input(network, pictures(count_itself), had);
    for (const Explanation& e : s.ranked)
      EXPECT_FALSE(e.fault->name == "input-normalized-wrongly" && e.exact()) << e.spec;
  }
}

TEST(Search, products_under_another_scale_than_their_bias_are_named_from_a_later_tensor_alone) {
  const Suspect s = suspect_of(test::picture_network(), "products-rescaled@conv2,k=0.7", "conv3");
  ASSERT_NE(s.cause(), nullptr);
  EXPECT_TRUE(s.cause()->exact()) << s.cause()->spec;
  EXPECT_EQ(s.cause()->fault->name, "products-rescaled") << s.cause()->spec;
}

// Proposals cost as much as replays: one loop of them took minutes that no work was charged for.
TEST(Search, is_charged_for_what_faults_propose_and_ends_by_it) {
  const Executor network = test::picture_network();
  const std::vector<Sample> sent = test::random_samples(network, 4, 77),
                            expected = network.run(sent)->samples;
  const Graph& g = network.graph();
  const std::string noisy = g.value(g.node(g.find_node("conv2")).outputs[0]).name;
  std::vector<Sample> device = expected;
  Random random(3);
  for (Sample& s : device) {
    for (auto it = s.begin(); it != s.end();)
      it = g.value(g.find_value(it->first)).producer > g.find_node("conv2") ? s.erase(it) : ++it;
    for (std::int64_t i = 0; i < s.at(noisy).count(); i += 3)
      s.at(noisy).set_code(i, random.between(-128, 127));
  }
  const Recorded recorded{sent, expected, device, StateMode::reset};
  const auto compared = compare(network, recorded, {}, {});
  ASSERT_TRUE(compared.ok() && compared->first_wrong() >= 0);
  const LocalTest local(network, recorded);
  const auto trial = Trial::make(local, recorded,
                                 compared->rows[static_cast<std::size_t>(compared->first_wrong())]);
  ASSERT_TRUE(trial.ok() && trial->single_node());
  const SearchOptions unbounded{.work = 1e12};
  Hypotheses all(*trial, unbounded);
  all.plain();
  EXPECT_FALSE(all.cut_short());
  const double own = trial->work(trial->sites()[0]);
  EXPECT_GT(all.work(), 4 * own * all.tried()) << "more replays are made to propose than to test";
  const SearchOptions bounded{.work = all.work() / 4};
  Hypotheses few(*trial, bounded);
  few.plain();
  EXPECT_FALSE(all.incomplete());
  EXPECT_TRUE(few.incomplete() || few.cut_short());
  EXPECT_LT(few.work(), all.work() / 2);
}

TEST(Search, inputs_that_were_exchanged_are_named_from_the_output_alone) {
  const Suspect s = suspect_of(test::gate_network(), "inputs-exchanged@a", "mul");
  ASSERT_NE(s.cause(), nullptr);
  EXPECT_EQ(s.cause()->spec, "inputs-exchanged@a");
  EXPECT_EQ(s.cause()->claim, "a and b are fed into each other's place");
}

// Spent work ended the search at all inputs alike without a word, and what was found was called
// certain.
TEST(Search, that_ends_by_its_work_among_faults_of_every_input_is_cut_short) {
  const Executor network = test::gate_network();
  const std::vector<Sample> sent = test::random_samples(network, 4, 77),
                            expected = network.run(sent)->samples;
  const auto specs = parse_faults("input-mirrored,how=2");
  const auto options = inject(network, *specs);
  const Graph& g = network.graph();
  const std::string wanted[] = {g.value(g.node(g.find_node("sum")).outputs[0]).name};
  const std::vector<Sample> device = network.run(sent, wanted, *options)->samples;
  const Recorded recorded{sent, expected, device, StateMode::reset};
  const auto compared = compare(network, recorded, {}, {});
  ASSERT_TRUE(compared.ok() && compared->first_wrong() >= 0);
  const LocalTest local(network, recorded);
  const auto trial = Trial::make(local, recorded,
                                 compared->rows[static_cast<std::size_t>(compared->first_wrong())]);
  ASSERT_TRUE(trial.ok());
  for (const double work : {0.0, 1e12}) {
    const SearchOptions limited{.work = work};
    Hypotheses hypotheses(*trial, limited);
    hypotheses.at_every_input();
    EXPECT_GT(hypotheses.tried(), 0);
    EXPECT_EQ(hypotheses.cut_short(), work == 0);
  }
}

TEST(Search, two_pictures_that_are_both_mirrored_are_one_cause) {
  const Suspect s = suspect_of(test::gate_network(), "input-mirrored,how=2", "sum");
  ASSERT_NE(s.cause(), nullptr);
  EXPECT_EQ(s.cause()->spec, "input-mirrored@a,how=2+input-mirrored@b,how=2");
}

}  // namespace
}  // namespace lockstep
