// A fault on a device that computes in another named arithmetic than the reference.
#include "diagnose/under_others.h"

#include "diagnose/session.h"
#include "import/import.h"
#include "run/generated.h"
#include "support/folders.h"

namespace lockstep {
namespace {

// The keyword network of example s3, on a device that computes as Neural-ART does, recorded at its
// output alone.
struct Words {
  Graph model = *import_model(test::source_folder() + "/examples/s3/words_int8.onnx");
  Executor reference = *Executor::make(model, *find_arithmetic("ort")),
           otherwise = *Executor::make(model, *find_arithmetic("neural-art"));
  std::vector<Executor> others = other_arithmetics(model, *find_arithmetic("ort"));
  std::vector<Sample> sent = generated_inputs(model, 8, 5);

  Verdict judged(std::string_view fault) const {
    const std::string wanted[] = {"logits"};
    const auto specs = parse_faults(fault);
    const auto options =
        fault.empty() ? Result<RunOptions>(RunOptions{}) : inject(otherwise, *specs);
    EXPECT_TRUE(options.ok()) << (options.ok() ? "" : options.error().line());
    const auto device = otherwise.run(sent, wanted, *options), expected = reference.run(sent);
    auto v = judge({.reference = reference,
                    .recorded = {sent, expected->samples, device->samples, StateMode::reset},
                    .tolerance = {},
                    .others = [this]() -> std::span<const Executor> { return others; },
                    .search = {.work = 2e9, .first_only = true},
                    .model = "m",
                    .target = "t",
                    .input = ""});
    EXPECT_TRUE(v.ok()) << (v.ok() ? "" : v.error().line());
    return std::move(*v);
  }
};

// A frozen output on a device that rounds otherwise was called a pair of other faults.
TEST(UnderOthers, a_fault_on_a_device_that_rounds_otherwise_is_one_cause_in_its_arithmetic) {
  for (const char* name : {"frozen-output", "input-axes-swapped", "stale-input"}) {
    const Words words;
    const Verdict v =
        words.judged(std::string(name) == "frozen-output" ? "frozen-output@/fc" : name);
    ASSERT_FALSE(v.suspects.empty()) << name;
    const Explanation* cause = v.suspects[0].cause();
    ASSERT_NE(cause, nullptr) << name;
    EXPECT_TRUE(cause->exact()) << name;
    EXPECT_TRUE(cause->also.empty()) << cause->spec;
    EXPECT_EQ(cause->fault->name, name);
    EXPECT_EQ(cause->arithmetic, "neural-art") << name;
    EXPECT_FALSE(cause->certain) << "nothing but the wrong output speaks for that arithmetic";
  }
}

// What was computed for nothing was charged to nobody, and more was spent than allowed.
TEST(UnderOthers, a_search_that_finds_nothing_is_charged_all_the_same) {
  Words words;
  const std::string wanted[] = {"logits"};
  const auto expected = words.reference.run(words.sent);
  auto device = words.otherwise.run(words.sent, wanted)->samples;
  for (std::size_t s = 0; s < device.size(); ++s) {
    Tensor& y = device[s].at("logits");
    for (std::int64_t i = 0; i < y.count(); ++i)
      y.set_number(i, static_cast<double>((s + 3) * (static_cast<std::size_t>(i) + 5) * 7919 % 61));
  }
  double work[2];
  int tried[2];
  for (const bool others : {false, true}) {
    const auto v = judge(
        {.reference = words.reference,
         .recorded = {words.sent, expected->samples, device, StateMode::reset},
         .tolerance = {},
         .others = others ? Others([&]() -> std::span<const Executor> { return words.others; })
                          : Others{},
         .search = {.work = 2e8, .first_only = true},
         .model = "m",
         .target = "t",
         .input = ""});
    ASSERT_TRUE(v.ok()) << v.error().line();
    ASSERT_FALSE(v->suspects.empty()) << v->summary;
    EXPECT_EQ(v->suspects[0].cause(), nullptr);
    work[others] = v->suspects[0].work;
    tried[others] = v->suspects[0].tried;
  }
  EXPECT_GT(work[1], work[0]);
  EXPECT_GT(tried[1], tried[0]);
}

TEST(UnderOthers, a_device_that_only_computes_so_is_healthy) {
  EXPECT_TRUE(Words().judged("").healthy);
}

}  // namespace
}  // namespace lockstep
