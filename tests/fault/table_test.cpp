#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

// Where a fault was injected by its defaults, and what became of it there.
struct Tried {
  int visible = 0, reproduced = 0;
  std::string missed;
};

void try_site(const FaultDef& fault, const Site& site, const std::vector<Sample>& in,
              Tried& tried) {
  const Graph& g = site.graph();
  const std::string place = site.node == no_id ? g.value(site.input).name : g.node(site.node).name;
  const Gathered gathered =
      gather_evidence(site, device(site.reference, std::string(fault.name) + "@" + place, in), in);
  const Best best = best_explanation(fault, site, gathered);
  if (best.counts.differing == 0) return;
  ++tried.visible;
  if (best.counts.left == 0)
    ++tried.reproduced;
  else
    tried.missed += " " + place + " (" + std::to_string(best.counts.left) + " of " +
                    std::to_string(best.counts.differing) + " left)";
}

// Every fault, injected by its defaults wherever it applies in four small networks, shows
// somewhere, and wherever it shows its own candidates hold parameters that reproduce every element.
class Table : public ::testing::TestWithParam<const FaultDef*> {};

TEST_P(Table, is_visible_and_reproduces_itself) {
  const FaultDef& fault = *GetParam();
  Tried tried;
  for (const Executor& network : fault_networks()) {
    const auto in = random_samples(network, 3, 77);
    for (const Site& site : sites_of(network, fault)) try_site(fault, site, in, tried);
  }
  EXPECT_GT(tried.visible, 0);
  EXPECT_EQ(tried.reproduced, tried.visible) << tried.missed;
}

// A healthy device gives no fault anything to reproduce.
TEST_P(Table, finds_nothing_to_reproduce_on_a_healthy_device) {
  const FaultDef& fault = *GetParam();
  for (const Executor& network : fault_networks()) {
    const auto in = random_samples(network, 3, 77);
    const Capture healthy = reference(network, in);
    for (const Site& site : sites_of(network, fault)) {
      const Gathered gathered = gather_evidence(site, healthy, in);
      for (const Params& params : fault.candidates(site, gathered.evidence)) {
        const Counts counts = explain(fault, site, params, gathered);
        EXPECT_EQ(counts.differing, 0) << fault.name;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Faults, Table,
                         ::testing::ValuesIn(fault_table().begin(), fault_table().end()),
                         [](const auto& entry) {
                           std::string name(entry.param->name);
                           for (char& c : name)
                             if (c == '-') c = '_';
                           return name;
                         });

// What the device shows of each of three runs, by a fault's defaults wherever it applies, against
// what `earlier` says.
void expect_shown(const FaultDef& fault, std::size_t (*earlier)(std::size_t run)) {
  int places = 0;
  for (const Executor& network : fault_networks()) {
    const auto in = random_samples(network, 3, 77);
    const Capture right = reference(network, in);
    for (const Site& site : sites_of(network, fault)) {
      const std::string& y = network.graph().value(site.view().node.outputs[0]).name;
      const Capture shown =
          device(network, std::string(fault.name) + "@" + site.view().node.name, in);
      for (std::size_t run = 0; run < 3; ++run)
        EXPECT_EQ(shown.samples[run].at(y), right.samples[earlier(run)].at(y))
            << fault.name << " " << y;
      ++places;
    }
  }
  EXPECT_GT(places, 4) << fault.name;
}

TEST(Properties, a_fault_that_shows_an_earlier_run_shows_that_run) {
  int of_some_run = 0;
  for (const FaultDef* fault : fault_table()) {
    if (fault->shows == OutputOf::this_run) continue;
    ++of_some_run;
    ASSERT_EQ(fault->stage, Stage::node);
    if (fault->shows == OutputOf::first_run)
      expect_shown(*fault, [](std::size_t) -> std::size_t { return 0; });
    else
      expect_shown(*fault, [](std::size_t run) { return run - (run > 0); });
  }
  EXPECT_EQ(of_some_run, 2);
}

// One number in all weights: no order of them is another one; what computes them otherwise shows.
TEST(Properties, what_orders_weights_has_no_effect_where_all_are_alike) {
  FaultProblem p;
  const ValueId x = p.input("x", DType::i8, {1, 4, 6, 6}, per_tensor(0.05, 3));
  Tensor w(DType::i8, {4, 4, 3, 3});
  for (std::int64_t i = 0; i < w.count(); ++i) w.set_code(i, 85);
  p.node("conv", "Conv", {x, p.constant("w", std::move(w), per_tensor(0.001, 0))}, {},
         per_tensor(0.05, -4));
  const Executor network = p.finish();
  const auto in = random_samples(network, 2, 5);
  int ordering = 0;
  for (const FaultDef* fault : fault_table()) {
    if (!fault->orders_weights) continue;
    ++ordering;
    ASSERT_TRUE(fault->applies(site_at(network, "conv"))) << fault->name;
    const std::string by =
        fault->name == "weights-shifted" ? ",by=0" : "";  // beyond the weights' end lie zeros
    EXPECT_EQ(device(network, std::string(fault->name) + "@conv" + by, in).samples,
              reference(network, in).samples)
        << fault->name;
  }
  EXPECT_EQ(ordering, 3);
  EXPECT_NE(device(network, "weights-constant@conv", in).samples, reference(network, in).samples);
}

// A replay costs more than its node's kernel only at sums of products.
TEST(Properties, what_costs_more_than_a_kernel_applies_to_sums) {
  int slow = 0;
  for (const FaultDef* fault : fault_table()) {
    if (fault->cost == SumCost::kernel) continue;
    ++slow;
    EXPECT_TRUE(fault->applies(site_at(picture_network(), "conv2")) ||
                fault->applies(site_at(picture_network(), "conv1")))
        << fault->name;
    EXPECT_EQ(fault->stage, Stage::node) << fault->name;
  }
  EXPECT_EQ(slow, 7);
}

}  // namespace
}  // namespace lockstep::test
