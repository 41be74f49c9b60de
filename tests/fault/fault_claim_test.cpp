// What a user reads of a cause: a sentence for each parameter, no numbers that stand for words.
#include "fault/fault_claim.h"

#include <charconv>
#include <map>
#include <set>

#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

// The values that a parameter's meaning spells out: "0: it is absent; 1: ...".
std::vector<double> spelt_out(const ParamSpec& spec) {
  std::vector<double> values;
  const std::string_view m = spec.meaning;
  for (std::size_t at = 0; at < m.size(); ++at) {
    const bool starts = at == 0 || m[at - 1] == ' ';
    double value = 0;
    const auto [end, status] = std::from_chars(m.data() + at, m.data() + m.size(), value);
    if (starts && status == std::errc() && end != m.data() + m.size() && *end == ':')
      values.push_back(value);
  }
  return values;
}

// Parameter sets in which each spelt-out value occurs, the others at their fallbacks or at each
// other spelt-out value.
std::vector<Params> bases(const FaultDef& fault, std::string_view without) {
  std::vector<Params> sets = {{}};
  for (const ParamSpec& other : fault.params)
    if (other.name != without)
      for (const double v : spelt_out(other)) sets.push_back({{std::string(other.name), v}});
  return sets;
}

std::optional<Site> some_site(const std::vector<Executor>& networks, const FaultDef& fault) {
  for (const Executor& network : networks)
    if (const auto sites = sites_of(network, fault); !sites.empty()) return sites[0];
  return std::nullopt;
}

class Claim : public ::testing::TestWithParam<const FaultDef*> {};

TEST_P(Claim, says_every_spelt_out_value_in_words) {
  const FaultDef& fault = *GetParam();
  static const std::vector<Executor> networks = fault_networks();
  const auto site = some_site(networks, fault);
  ASSERT_TRUE(site);
  for (const ParamSpec& spec : fault.params) {
    const auto values = spelt_out(spec);
    for (std::size_t i = 0; i < values.size(); ++i)
      for (std::size_t j = 0; j < i; ++j) {
        bool told = false;
        for (Params base : bases(fault, spec.name)) {
          base[std::string(spec.name)] = values[i];
          const std::string one = claim_text(*site, fault, base);
          base[std::string(spec.name)] = values[j];
          told = told || one != claim_text(*site, fault, base);
        }
        EXPECT_TRUE(told) << fault.name << ": " << spec.name << "=" << values[i] << " reads as "
                          << values[j];
      }
  }
}

TEST_P(Claim, shows_no_braces_no_sentinels_and_no_bare_enumerators) {
  const FaultDef& fault = *GetParam();
  static const std::vector<Executor> networks = fault_networks();
  const auto site = some_site(networks, fault);
  ASSERT_TRUE(site);
  for (const Params& base : bases(fault, "")) {
    const std::string text = claim_text(*site, fault, base);
    EXPECT_EQ(text.find_first_of("{}?|#"), text.npos) << text;
    EXPECT_EQ(text.find("-1"), text.npos) << text;
    EXPECT_EQ(text.find(" 0)"), text.npos) << text;
    EXPECT_EQ(text.find("  "), text.npos) << text;
    EXPECT_FALSE(text.empty() || text.starts_with(' ') || text.ends_with(' ')) << text;
  }
  const std::string outline = claim_outline(fault);
  EXPECT_EQ(outline.find_first_of("?#"), outline.npos) << outline;
}

INSTANTIATE_TEST_SUITE_P(Faults, Claim,
                         ::testing::ValuesIn(fault_table().begin(), fault_table().end()),
                         [](const auto& entry) {
                           std::string name(entry.param->name);
                           for (char& c : name)
                             if (c == '-') c = '_';
                           return name;
                         });

TEST(ClaimText, counts_names_and_nests) {
  const Executor e = picture_network();
  const Site conv = site_at(e, "conv1");
  const auto said = [&](const char* fault, const Params& params) {
    return claim_text(conv, *find_fault(fault), params);
  };
  EXPECT_EQ(said("bias-misread", {}), "the bias is absent");
  EXPECT_EQ(said("bias-misread", {{"how", 4}, {"by", -1}}), "the bias is read 1 channel too early");
  EXPECT_EQ(said("bias-misread", {{"how", 4}, {"by", 2}, {"around", 1}}),
            "the bias is read 2 channels too late, around its end");
  EXPECT_EQ(said("bias-misread", {{"how", 6}, {"k", 0.5}}), "the bias is added 0.5 times");
  EXPECT_EQ(said("weights-transposed", {}), "the weights are read with rows and columns exchanged");
  EXPECT_EQ(said("weights-transposed", {{"stored", 1}}),
            "the weights are stored with rows and columns exchanged");
  EXPECT_EQ(
      said("tail-channels-dropped", {}),
      "the channels behind the last whole group of 8 are not computed: zero bytes stand there");
  const Executor two = gate_network();
  EXPECT_EQ(claim_text(site_at(two, "b"), *find_fault("input-mirrored"), {{"how", 1}}),
            "input b arrives upside down");
  EXPECT_EQ(claim_text(site_at(two, "b"), *find_fault("inputs-exchanged"), {}),
            "b and a are fed into each other's place");
  EXPECT_EQ(said("codes-clipped", {{"high", -53}}),
            "codes above -53 are clipped, where the model does not clip");
}

}  // namespace
}  // namespace lockstep::test
