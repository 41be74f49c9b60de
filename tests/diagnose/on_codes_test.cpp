#include "diagnose/on_codes.h"

#include "support/nets.h"

namespace lockstep {
namespace {

// A cause of the chain's last Relu that leaves nothing.
Suspect found(const char* spec, double bits, const std::string& arithmetic = "") {
  const FaultSpec f = (*parse_faults(spec))[0];
  Suspect s;
  Explanation e;
  e.fault = f.fault, e.site = f.node, e.params = f.params, e.spec = spec, e.arithmetic = arithmetic,
  e.bits = bits;
  e.values = e.differing = e.reproduced = 9;
  e.accepted = e.certain = true;
  s.ranked.push_back(std::move(e));
  return s;
}

struct Bench {
  Graph graph = test::relu_chain(3);
  Executor reference = test::executor(graph);
  std::vector<Executor> carriers = {reference};
  std::vector<Sample> none;

  Suspect beside(Suspect kept, const Suspect& left) const {
    const Case c{.reference = reference,
                 .recorded = {none, none, none, StateMode::reset},
                 .tolerance = {},
                 .others = {},
                 .search = {},
                 .carriers = [this]() -> std::span<const Executor> { return carriers; },
                 .model = "m",
                 .target = "t",
                 .input = "",
                 .units = {}};
    Row row;
    row.tensor = "y";
    row.value = graph.find_value("y");
    set_beside(c, row, kept, left);
    return kept;
  }
};

TEST(OnCodes, a_cause_found_on_the_other_side_that_fits_as_well_takes_the_certainty) {
  const Suspect s =
      Bench().beside(found("clamp-lost@r3", 8), found("output-shifted@r3,by=1", 12, "float"));
  EXPECT_FALSE(s.cause()->certain);
  EXPECT_EQ(s.cause()->rivals, std::vector<std::string>{"output-shifted@r3,by=1"});
  ASSERT_EQ(s.ranked.size(), 2u);
  EXPECT_EQ(s.ranked[1].arithmetic, "float");
}

TEST(OnCodes, a_much_longer_cause_of_the_other_side_is_no_rival) {
  const Suspect s =
      Bench().beside(found("clamp-lost@r3", 8), found("output-shifted@r3,by=1", 40, "float"));
  EXPECT_TRUE(s.cause()->certain);
  EXPECT_TRUE(s.cause()->rivals.empty());
}

TEST(OnCodes, the_same_numbers_from_both_sides_are_a_tie) {
  const Suspect s = Bench().beside(found("output-shifted@r3,by=1", 8),
                                   found("operand-shifted@r3,by=1", 9, "float"));
  EXPECT_TRUE(s.cause()->certain);
  EXPECT_EQ(s.cause()->ties, std::vector<std::string>{"operand-shifted@r3,by=1"});
}

TEST(OnCodes, one_cause_found_on_both_sides_is_no_rival_of_itself) {
  const Suspect s = Bench().beside(found("clamp-lost@r3", 8), found("clamp-lost@r3", 8, "float"));
  EXPECT_TRUE(s.cause()->certain);
  EXPECT_TRUE(s.cause()->ties.empty());
  EXPECT_TRUE(s.cause()->rivals.empty());
}

// What it took was not counted where it led nowhere: a file with many such rows took as much again
// for each.
TEST(OnCodes, a_search_that_finds_nothing_still_says_what_it_took) {
  const Bench b;
  const std::vector<Sample> sent = test::random_samples(b.graph, 2),
                            expected = b.reference.run(sent)->samples;
  std::vector<Sample> device;
  for (const Sample& any : test::random_samples(b.graph, 2, 9))
    device.push_back({{"y", any.at("x")}});
  const Recorded recorded{sent, expected, device, StateMode::reset};
  const Case c{.reference = b.reference,
               .recorded = recorded,
               .tolerance = {},
               .others = {},
               .search = {.work = 1e8},
               .carriers = [&b]() -> std::span<const Executor> { return b.carriers; },
               .model = "m",
               .target = "t",
               .input = "",
               .units = {}};
  const auto compared = compare(b.reference, recorded, {}, {});
  ASSERT_TRUE(compared.ok() && compared->first_wrong() >= 0);
  const auto index = static_cast<std::size_t>(compared->first_wrong());
  const Suspect s = search_on_codes(c, compared->rows[index], index, c.search);
  EXPECT_EQ(s.cause(), nullptr);
  EXPECT_GT(s.tried, 10);
  EXPECT_GT(s.work, 0);
}

}  // namespace
}  // namespace lockstep
