#include "diagnose/trial.h"

#include "diagnose/search.h"

#include "support/fault_networks.h"
#include "support/nets.h"

namespace lockstep {
namespace {

TEST(Trial, an_infinite_replay_reproduces_no_finite_value) {
  const Graph graph = test::relu_chain(2);
  const Executor reference = test::executor(graph);
  const std::vector<Sample> sent = test::random_samples(graph, 2);
  const std::vector<Sample> expected = reference.run(sent)->samples;
  std::vector<Sample> device = expected;
  for (Sample& s : device) {
    s.erase("t1");
    for (std::int64_t i = 0; i < s.at("y").count(); ++i)
      s.at("y").set_number(i, 3 * s.at("y").number(i) + 1);
  }
  const Recorded recorded{sent, expected, device, StateMode::reset};
  const auto compared = compare(reference, recorded, {}, {});
  ASSERT_TRUE(compared.ok());
  ASSERT_GE(compared->first_wrong(), 0);
  const LocalTest local(reference, recorded);
  const auto trial = Trial::make(local, recorded,
                                 compared->rows[static_cast<std::size_t>(compared->first_wrong())]);
  ASSERT_TRUE(trial.ok());
  const Site input{reference, no_id, graph.inputs()[0]};
  const FaultDef& scaled = *find_fault("input-normalized-wrongly");
  const auto tested =
      trial->test(Step{input, &scaled, {{"scale", 1e300}, {"offset", 0}}}, trial->every());
  ASSERT_TRUE(tested.ok());
  EXPECT_GT(tested->differing, 0);
  EXPECT_EQ(tested->reproduced, 0);
}

TEST(Trial, that_two_things_are_wrong_at_once_is_stated_too) {
  const Graph graph = test::relu_chain(1);
  const Executor reference = test::executor(graph);
  const std::vector<Sample> sent = test::random_samples(graph, 2);
  const std::vector<Sample> expected = reference.run(sent)->samples;
  std::vector<Sample> device = expected;
  for (Sample& s : device)
    for (std::int64_t i = 0; i < s.at("y").count(); ++i) s.at("y").set_number(i, 5);
  const Recorded recorded{sent, expected, device, StateMode::reset};
  const auto compared = compare(reference, recorded, {}, {});
  ASSERT_TRUE(compared.ok());
  ASSERT_GE(compared->first_wrong(), 0);
  const LocalTest local(reference, recorded);
  const auto trial = Trial::make(local, recorded,
                                 compared->rows[static_cast<std::size_t>(compared->first_wrong())]);
  ASSERT_TRUE(trial.ok());
  const Site site = trial->sites()[0];
  const Step one{site, find_fault("clamp-lost"), {}},
      other{site, find_fault("output-shifted"), {{"by", 1}}};
  const std::vector<Step> both = {one, other};
  const auto a = trial->test(one, trial->every()), b = trial->test(other, trial->every()),
             ab = trial->test(both, trial->every());
  ASSERT_TRUE(a.ok() && b.ok() && ab.ok());
  EXPECT_GT(ab->bits, a->bits + b->bits);
}

// Whether a device whose first convolution yields these codes in turn saturates.
bool saturates(std::vector<std::int64_t> codes) {
  const Executor reference = test::picture_network();
  const Graph& g = reference.graph();
  const std::string at = g.value(g.node(g.find_node("conv1")).outputs[0]).name;
  const std::vector<Sample> sent = test::random_samples(g, 2),
                            expected = reference.run(sent)->samples;
  std::vector<Sample> device = expected;
  for (Sample& s : device)
    for (std::int64_t i = 0; i < s.at(at).count(); ++i)
      s.at(at).set_code(i, codes[static_cast<std::size_t>(i) % codes.size()]);
  const Recorded recorded{sent, expected, device, StateMode::reset};
  const auto compared = compare(reference, recorded, {}, {});
  const LocalTest local(reference, recorded);
  const auto trial = Trial::make(local, recorded,
                                 compared->rows[static_cast<std::size_t>(compared->first_wrong())]);
  EXPECT_TRUE(trial.ok());
  return trial->saturates();
}

TEST(Trial, codes_at_the_ends_of_their_range_alone_saturate) {
  EXPECT_TRUE(saturates({127}));
  EXPECT_TRUE(saturates({127, -128, -128}));
  EXPECT_FALSE(saturates({127, -128, 126}));
  EXPECT_FALSE(saturates({0})) << "memory that holds nothing";
}

// A constant that became another constant says what one code says, and no more.
TEST(Trial, a_table_of_the_only_right_code_costs_that_code_alone) {
  const Graph graph = test::relu_chain(1);
  const Executor reference = test::executor(graph);
  for (const double highest : {-1.0, 1.0}) {  // all results are 0, or 0 and one other
    std::vector<Sample> sent = test::random_samples(graph, 2);
    for (Sample& s : sent)
      for (std::int64_t i = 0; i < s.at("x").count(); ++i)
        s.at("x").set_number(i, i % 2 ? -1 : highest);
    const std::vector<Sample> expected = reference.run(sent)->samples;
    std::vector<Sample> device = expected;
    for (Sample& s : device)
      for (std::int64_t i = 0; i < s.at("y").count(); ++i)
        s.at("y").set_number(i, s.at("y").number(i) + 3);
    const Recorded recorded{sent, expected, device, StateMode::reset};
    const auto compared = compare(reference, recorded, {}, {});
    ASSERT_TRUE(compared.ok());
    ASSERT_GE(compared->first_wrong(), 0);
    const LocalTest local(reference, recorded);
    const auto trial = Trial::make(
        local, recorded, compared->rows[static_cast<std::size_t>(compared->first_wrong())]);
    ASSERT_TRUE(trial.ok());
    const double faults = std::log2(static_cast<double>(fault_table().size()));
    EXPECT_DOUBLE_EQ(trial->table_bits() - faults, highest < 0 ? 8 : 32);
  }
}

// Two outputs of other types: the codes, and where they stood.
Graph greatest_codes() {
  GraphBuilder b("top.onnx", "onnx");
  Value x;
  x.name = "x";
  x.shape = {400};
  x.dtype = DType::i8;
  x.quant = QuantParams{{0.1}, {0}};
  const ValueId in = b.add_value(x);
  Value y = x, index;
  y.name = "y";
  y.shape = {6};
  index.name = "index";
  index.shape = {6};
  index.dtype = DType::i64;
  const ValueId codes = b.add_value(y), places = b.add_value(index);
  b.add_input(in);
  Attrs a;
  a.set("k", std::int64_t{6});
  b.add_node({"top", "TopK", std::move(a), {in}, {codes, places}, {}});
  b.add_output(codes);
  b.add_output(places);
  return std::move(b).finish().value();
}

TEST(Trial, a_wrong_second_output_of_another_type_is_no_evidence_about_codes) {
  const Graph graph = greatest_codes();
  const Executor reference = test::executor(graph, "ort-noopt");
  const std::vector<Sample> sent = test::random_samples(graph, 3);
  const std::vector<Sample> expected = reference.run(sent)->samples;
  std::vector<Sample> device = expected;
  for (Sample& s : device) s.at("index").set_number(2, 100000);
  const Recorded recorded{sent, expected, device, StateMode::reset};
  const auto compared = compare(reference, recorded, {}, {});
  ASSERT_TRUE(compared.ok());
  ASSERT_GE(compared->first_wrong(), 0);
  const Row& row = compared->rows[static_cast<std::size_t>(compared->first_wrong())];
  ASSERT_EQ(row.tensor, "index");
  const LocalTest local(reference, recorded);
  const auto trial = Trial::make(local, recorded, row);
  ASSERT_TRUE(trial.ok());
  const Evidence evidence = trial->evidence(trial->sites()[0]);
  ASSERT_EQ(evidence.items.size(), 3);
  for (const Evidence::Item& item : evidence.items) {
    EXPECT_EQ(item.observed, nullptr);
    EXPECT_EQ(item.expected->dtype(), DType::i8);
    if (item.previous) {
      EXPECT_EQ(item.previous->dtype(), DType::i8);
    }
    EXPECT_EQ(item.previous_shown, nullptr);
  }
  const Suspect suspect = search(*trial, 0, {}, {});
  EXPECT_EQ(suspect.cause(), nullptr);
}

}  // namespace
}  // namespace lockstep
