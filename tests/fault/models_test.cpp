#include <cstdio>

#include "import/import.h"
#include "support/fault_networks.h"
#include "support/folders.h"
#include "support/shared.h"

namespace lockstep::test {
namespace {

struct Tally {
  int tried = 0, few = 0, visible = 0, reproduced = 0;
  std::string missed;
};

Result<Executor> executor_of(const std::string& path, std::string_view arithmetic) {
  LOCKSTEP_TRY(const Graph graph, import_model(path));
  return Executor::make(graph, *find_arithmetic(arithmetic));
}

// The first, the middle and the last place where the fault applies.
std::vector<Site> some_sites(const Executor& e, const FaultDef& fault) {
  const auto all = sites_of(e, fault);
  if (all.size() <= 3) return all;
  return {all[0], all[all.size() / 2], all.back()};
}

void try_everywhere(const Executor& e, const std::vector<Sample>& in, const FaultDef& fault,
                    Tally& tally) {
  for (const Site& site : some_sites(e, fault)) {
    const std::string place =
        site.node == no_id ? e.graph().value(site.input).name : e.graph().node(site.node).name;
    FaultSpec spec{&fault, place, {}};
    auto options = inject(e, std::span(&spec, 1));
    if (!options.ok()) continue;
    options->state = StateMode::keep;
    auto captured = e.run(in, {}, *options);
    if (!captured.ok()) continue;  // the defaults do not fit this place: said by the fault itself
    ++tally.tried;
    const Gathered gathered = gather_evidence(site, std::move(captured).value(), in);
    const Best best = best_explanation(fault, site, gathered);
    if (best.counts.differing < 4) {  // what two or three values show, many parameters make
      tally.few += best.counts.differing > 0;
      continue;
    }
    ++tally.visible;
    if (best.counts.left == 0)
      ++tally.reproduced;
    else
      tally.missed += "\n  " + std::string(fault.name) + "@" + place + ": " +
                      std::to_string(best.counts.left) + " of " +
                      std::to_string(best.counts.differing) + " left";
  }
}

// Every fault by its defaults in a whole model under its own arithmetic: where it shows, it is
// reproduced.
void expect_all_reproduced(const std::string& path, std::string_view arithmetic) {
  auto e = executor_of(path, arithmetic);
  ASSERT_TRUE(e.ok()) << e.error().line();
  const auto in = random_samples(*e, 2, 9);
  Tally tally;
  for (const FaultDef* fault : fault_table()) try_everywhere(*e, in, *fault, tally);
  std::printf("%s, %s: %d tried, %d show in fewer than 4 values, %d visible, %d reproduced\n",
              path.substr(path.rfind('/') + 1).c_str(), std::string(arithmetic).c_str(),
              tally.tried, tally.few, tally.visible, tally.reproduced);
  EXPECT_GT(tally.visible, 50);
  EXPECT_EQ(tally.reproduced, tally.visible) << tally.missed;
}

TEST(FaultsInModels, residual_network_in_onnxruntimes_arithmetic) {
  expect_all_reproduced(source_folder() + "/examples/s1/tcn_int8.onnx", "ort");
}

TEST(FaultsInModels, keyword_network_in_tflites_arithmetic) {
  LOCKSTEP_NEEDS_SHARED();
  expect_all_reproduced(shared_folder() + "/models/mlperf/kws_ref_model_int8.tflite", "tflite-ref");
}

}  // namespace
}  // namespace lockstep::test
