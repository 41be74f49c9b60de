#include <gtest/gtest.h>

#include "report/report.h"

namespace lockstep {
namespace {

TEST(ShortSpec, keeps_what_is_short_and_counts_what_it_leaves_out) {
  EXPECT_EQ(short_spec("stale-lines@conv,line=3"), "stale-lines@conv,line=3");
  std::string runs = "poison-survives@conv";
  for (int i = 0; i < 40; ++i) runs += ",r" + std::to_string(i) + ".first=0";
  const std::string text = short_spec(runs);
  EXPECT_LT(text.size(), 170u);
  EXPECT_TRUE(text.starts_with("poison-survives@conv,r0.first=0,r1.first=0"));
  const auto shown =
      std::count(text.begin(), text.end(), ',') - 1;  // one stands before "in --json"
  EXPECT_NE(text.find(" and " + std::to_string(40 - shown) + " more parameters, in --json"),
            std::string::npos)
      << text;
}

TEST(ShortSpec, leaves_out_whole_faults_of_several) {
  std::string several = "requant-truncates@one,toward_zero=0";
  for (const char* more : {"two", "three", "four"})
    several += std::string("+requant-truncates@") + more + ",toward_zero=0";
  EXPECT_EQ(short_spec(several),
            "requant-truncates@one,toward_zero=0+requant-truncates@two,toward_zero=0+requant-"
            "truncates@three,toward_zero=0 and 1 more fault, in --json");
}

TEST(SpecsByFault, one_fault_at_many_places_is_one_entry) {
  EXPECT_EQ(
      specs_by_fault({"stale-output@/fc", "frozen-output@/mean,k=1", "stale-output@/flatten",
                      "frozen-output@/mean,k=2", "stale-output@/mean", "stale-output@a,b"}),
      (std::vector<std::string>{"stale-output at any of /fc, /flatten, /mean and 1 more place",
                                "frozen-output@/mean,k=1", "frozen-output@/mean,k=2"}));
}

TEST(SpecsByFault, faults_of_several_sites_are_kept_as_they_are) {
  EXPECT_EQ(specs_by_fault({"a@x,k=1+b@y"}), (std::vector<std::string>{"a@x,k=1+b@y"}));
}

}  // namespace
}  // namespace lockstep
