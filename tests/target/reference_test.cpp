#include <gtest/gtest.h>

#include "target/target.h"

namespace lockstep {
namespace {

TEST(ReferenceTarget, matches_the_names_of_arithmetics_only) {
  for (const TargetDef* def : target_table()) {
    if (def->name != "reference") continue;
    EXPECT_TRUE(def->matches("float"));
    EXPECT_FALSE(def->matches("flout"));
  }
}

}  // namespace
}  // namespace lockstep
