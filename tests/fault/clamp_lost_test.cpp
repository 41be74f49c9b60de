#include <gtest/gtest.h>

#include "fault/fault.h"

namespace lockstep {
namespace {

TEST(ClampLost, is_found_by_its_name) { EXPECT_EQ(find_fault("clamp-lost")->stage, Stage::node); }

}  // namespace
}  // namespace lockstep
