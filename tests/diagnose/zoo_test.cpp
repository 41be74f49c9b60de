// A slice of the fault zoo (bench/zoo.h): the whole catalogue, perturbations outside it and healthy
// devices on two models. `make zoo` runs it over many models.
#include "zoo.h"

#include "support/folders.h"
#include "support/nets.h"
#include "support/shared.h"

namespace lockstep {
namespace {

struct Shares {
  int visible = 0, first = 0, right = 0, wrong = 0, certain_wrong = 0, healthy = 0;
};

Shares shares_of(const zoo::Score& score, zoo::Level level, bool unknown) {
  Shares s;
  for (std::size_t i = 0; i < score.cases.size(); ++i) {
    const zoo::Outcome& o = score.outcomes[i];
    if (score.cases[i].level != level || (score.cases[i].fault == nullptr) != unknown ||
        !o.visible())
      continue;
    ++s.visible;
    s.first += o.first_right;
    s.right += o.right();
    s.wrong += o.fate == zoo::Fate::wrong;
    s.certain_wrong += o.fate == zoo::Fate::wrong && o.certain;
    s.healthy += o.fate == zoo::Fate::healthy;
    if (!unknown && level == zoo::Level::all && !(o.right() && o.first_right))
      std::printf("  %s: %s%s %s\n", score.cases[i].text().c_str(),
                  zoo::fate_names[static_cast<int>(o.fate)],
                  o.first_right ? "" : ", at another operation,", o.said.c_str());
  }
  return s;
}

zoo::Score score_of(const std::string& path, std::string_view arithmetic) {
  static std::deque<zoo::Animal> animals;
  auto made = zoo::animal(path, arithmetic, 6, 42);
  EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().line());
  animals.push_back(std::move(*made));
  zoo::Plan plan;
  plan.sites = 1;
  plan.unknown = 4;
  zoo::Score score = zoo::run(zoo::cases_of(animals.back(), plan), 2, 2.5e9, false);
  score.pairs = zoo::healthy_pairs(animals.back());
  std::printf("%s: %s\n", path.c_str(), zoo::last_line(score).c_str());
  return score;
}

// What holds on every network. Returns what was seen where only outputs are captured.
Shares expect_the_score(const zoo::Score& score) {
  const Shares all = shares_of(score, zoo::Level::all, false),
               outputs = shares_of(score, zoo::Level::outputs, false);
  const Shares unknown = shares_of(score, zoo::Level::all, true);
  EXPECT_GT(all.visible, 40);
  EXPECT_GT(outputs.visible, 20);
  EXPECT_GE(all.first * 100, all.visible * 99);
  EXPECT_GE(all.right * 100, all.visible * 95);
  EXPECT_EQ(all.certain_wrong, 0);
  EXPECT_EQ(shares_of(score, zoo::Level::half, false).certain_wrong, 0);
  EXPECT_EQ(outputs.certain_wrong, 0);
  EXPECT_GT(unknown.visible, 8);
  EXPECT_LE(unknown.wrong * 100, unknown.visible * 5);
  EXPECT_EQ(unknown.healthy, 0);
  for (const zoo::Level level : {zoo::Level::half, zoo::Level::outputs}) {
    const Shares named = shares_of(score, level, false), strange = shares_of(score, level, true);
    EXPECT_EQ(strange.certain_wrong, 0) << zoo::level_names[static_cast<int>(level)];
    // What stays value by value inside the named arithmetics is a device that no capture of outputs
    // tells from one.
    EXPECT_LE((named.healthy + strange.healthy) * 50, named.visible + strange.visible)
        << zoo::level_names[static_cast<int>(level)];
  }
  for (const zoo::Pair& p : score.pairs)
    EXPECT_FALSE(p.alarm) << p.reference << " against " << p.device << ": " << p.said;
  return outputs;
}

TEST(Zoo, every_fault_of_the_catalogue_is_told_apart_on_three_networks) {
  LOCKSTEP_NEEDS_SHARED();
  for (const auto& [path, arithmetic] :
       {std::pair{test::source_folder() + "/examples/s1/tcn_int8.onnx", "ort"},
        std::pair{test::shared_folder() + "/models/mlperf/ad01_int8.tflite", "tflite-ref"},
        std::pair{test::shared_folder() + "/models/st_zoo/mobility_gmp_wl_24_int8.tflite",
                  "tflite-ref"}}) {
    SCOPED_TRACE(path);
    const Shares outputs = expect_the_score(score_of(path, arithmetic));
    EXPECT_GE(outputs.right * 100, outputs.visible * 70);
  }
}

}  // namespace
}  // namespace lockstep
