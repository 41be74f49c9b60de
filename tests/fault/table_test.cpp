#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

// Where a fault was injected by its defaults, and what became of it there.
struct Tried {
  int visible = 0, reproduced = 0;
  std::string missed;
};

void try_site(const FaultDef& fault, const Site& site, const std::vector<Sample>& in, Tried& tried) {
  const Graph& g = site.graph();
  const std::string place = site.node == no_id ? g.value(site.input).name : g.node(site.node).name;
  const Gathered gathered = gather_evidence(site, device(site.reference, std::string(fault.name) + "@" + place, in), in);
  const Best best = best_explanation(fault, site, gathered);
  if (best.counts.differing == 0) return;
  ++tried.visible;
  if (best.counts.left == 0) ++tried.reproduced;
  else tried.missed += " " + place + " (" + std::to_string(best.counts.left) + " of " + std::to_string(best.counts.differing) + " left)";
}

// Every fault, injected by its defaults wherever it applies in four small networks, shows somewhere, and
// wherever it shows its own candidates hold parameters that reproduce every element.
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

INSTANTIATE_TEST_SUITE_P(Faults, Table, ::testing::ValuesIn(fault_table().begin(), fault_table().end()), [](const auto& entry) {
  std::string name(entry.param->name);
  for (char& c : name)
    if (c == '-') c = '_';
  return name;
});

}  // namespace
}  // namespace lockstep::test
