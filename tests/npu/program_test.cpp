#include "npu/program.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "npu/small_program.h"

namespace lockstep {
namespace {

TEST(NpuProgramJson, writing_and_reading_gives_the_same_program) {
  NpuProgram p = test::small_program();
  p.pools.push_back({"npuRAM6", test::ram, 448 * 1024, false});
  p.epochs[0].calls.push_back({"LL_ATON_Cache_MCU_Clean_Range", {"(0x34350000UL + 64)", "32"}});
  p.epochs[0].tables["t"] = {"uint32_t", {NpuField::of(1), NpuField::of(3)}, {}};
  const std::string text = format_npu_json(p);
  const auto again = parse_npu_json(text, p.file);
  ASSERT_TRUE(again.ok()) << again.error().line();
  EXPECT_EQ(format_npu_json(*again), text);
  EXPECT_EQ(again->epochs[0].units.size(), p.epochs[0].units.size());
  EXPECT_EQ(again->epochs[0].units[4].fields, p.epochs[0].units[4].fields);
  EXPECT_EQ(again->buffers[1].zero, p.buffers[1].zero);
}

TEST(NpuProgramJson, names_what_is_wrong) {
  const auto refusal = [](std::string_view text) {
    const auto p = parse_npu_json(text, "a.json");
    return p.ok() ? std::string("accepted") : p.error().line();
  };
  EXPECT_NE(refusal("{").find("not JSON"), std::string::npos);
  EXPECT_NE(refusal("{}").find("neural-art-program"), std::string::npos);
  EXPECT_NE(refusal(R"({"format":"neural-art-program","version":2})").find("version 2"),
            std::string::npos);
  const std::string head = R"({"format":"neural-art-program","version":1,"buffers":[],"epochs":)";
  EXPECT_NE(refusal(head + R"([{"number":1,"units":[{"unit":"WARP","fields":{}}]}]})").find("WARP"),
            std::string::npos);
  EXPECT_NE(refusal(head + R"([{"number":1},{"number":1}]})").find("epoch 1 after 1"),
            std::string::npos);
  EXPECT_NE(refusal(head + R"([{"number":"x"}]})").find("number"), std::string::npos);
  EXPECT_NE(
      refusal(
          R"({"format":"neural-art-program","version":1,"epochs":[],"weights":{"file":"../../secret","base":0},"buffers":[]})")
          .find("beside"),
      std::string::npos);
  EXPECT_NE(
      refusal(
          R"({"format":"neural-art-program","version":1,"epochs":[],"buffers":[{"name":"b","mem_shape":[99999999,99999999]}]})"),
      "accepted");
}

TEST(NpuProgramJson, damaged_text_never_crashes) {
  const std::string text = format_npu_json(test::small_program());
  Random random(7);
  int refused = 0;
  for (int round = 0; round < 400; ++round) {
    std::string bad = text;
    for (int k = 0; k < 3; ++k)
      bad[static_cast<std::size_t>(random.between(0, static_cast<std::int64_t>(bad.size()) - 1))] =
          static_cast<char>(random.between(0, 255));
    if (round % 4 == 0)
      bad.resize(
          static_cast<std::size_t>(random.between(0, static_cast<std::int64_t>(bad.size()))));
    refused += !parse_npu_json(bad, "a.json").ok();
  }
  EXPECT_GT(refused, 100);
}

TEST(NpuProgram, addresses_are_read_from_source_text) {
  EXPECT_EQ(npu_address("((uintptr_t)(ATON_LIB_PHYSICAL_TO_VIRTUAL_ADDR(0x34350000UL + 49152)))"),
            0x34350000u + 49152);
  EXPECT_EQ(npu_address("(unsigned char *)(0x70180000UL)"), 0x70180000u);
  EXPECT_FALSE(npu_address("user_buffer"));
}

}  // namespace
}  // namespace lockstep
