#include "diagnose/trial.h"

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
    for (std::int64_t i = 0; i < s.at("y").count(); ++i) s.at("y").set_number(i, 3 * s.at("y").number(i) + 1);
  }
  const Recorded recorded{sent, expected, device, StateMode::reset};
  const auto compared = compare(reference, recorded, {}, {});
  ASSERT_TRUE(compared.ok());
  ASSERT_GE(compared->first_wrong(), 0);
  const LocalTest local(reference, recorded);
  const auto trial = Trial::make(local, recorded, compared->rows[static_cast<std::size_t>(compared->first_wrong())]);
  ASSERT_TRUE(trial.ok());
  const Site input{reference, no_id, graph.inputs()[0]};
  const FaultDef& scaled = *find_fault("input-normalized-wrongly");
  const auto tested = trial->test(Step{input, &scaled, {{"scale", 1e300}, {"offset", 0}}}, trial->every());
  ASSERT_TRUE(tested.ok());
  EXPECT_GT(tested->differing, 0);
  EXPECT_EQ(tested->reproduced, 0);
}

}  // namespace
}  // namespace lockstep
