#include "emit/pools.h"

#include <gtest/gtest.h>

#include "support/folders.h"
#include "support/generated_network.h"
#include "support/temporary.h"

namespace lockstep {
namespace {

constexpr std::string_view board = R"({"memory": {"mempools": [
  {"name": "cpuRAM", "fname": "AXISRAM1", "prop": {"rights": "ACC_WRITE", "throughput": "MID", "latency": "MID"},
   "offset": {"value": "0x34064000", "magnitude": "BYTES"}, "size": {"value": "624", "magnitude": "KBYTES"}},
  {"name": "npuRAM5", "prop": {"rights": "ACC_WRITE", "throughput": "HIGH", "latency": "LOW", "alignment": 32},
   "offset": {"value": "0x342e0000", "magnitude": "BYTES"}, "size": {"value": 8, "magnitude": "KBYTES"}},
  {"name": "hyperRAM", "prop": {"rights": "ACC_WRITE", "throughput": "LOW", "latency": "HIGH"},
   "offset": {"value": "0x90000000"}, "size": {"value": "0", "magnitude": "MBYTES"}},
  {"name": "octoFlash", "prop": {"rights": "ACC_READ", "throughput": "MID", "latency": "HIGH"},
   "offset": {"value": "0x71000000"}, "size": {"value": "61", "magnitude": "MBYTES"}}]}})";

TEST(Pools, base_size_speed_rights_and_alignment_are_read_and_what_cannot_be_used_is_named) {
  const auto file = read_pools(board, "a.mpool");
  ASSERT_TRUE(file.ok()) << file.error().line();
  ASSERT_EQ(file->pools.size(), 2u);
  EXPECT_EQ(file->pools[0].name, "cpuRAM");
  EXPECT_EQ(file->pools[0].base, 0x34064000);
  EXPECT_EQ(file->pools[0].size, 624 * 1024);
  EXPECT_EQ(file->pools[1].size, 8 * 1024);
  EXPECT_EQ(file->pools[1].alignment, 32);
  EXPECT_GT(file->pools[1].speed, file->pools[0].speed);
  EXPECT_EQ(file->left_out,
            (std::vector<std::string>{"hyperRAM (no bytes)", "octoFlash (read only)"}));
}

TEST(Pools, damaged_files_are_refused_by_what_is_wrong) {
  const auto said = [](std::string_view text) {
    const auto file = read_pools(text, "a.mpool");
    return file.ok() ? "" : file.error().what;
  };
  EXPECT_EQ(said("nonsense"), "no list of mempools");
  EXPECT_EQ(said("{\"memory\": {\"mempools\": []}}"), "no list of mempools");
  EXPECT_EQ(said("{\"mempools\": [{\"size\": 4}]}"), "mempools[0] has no name");
  EXPECT_EQ(said("{\"mempools\": [{\"name\": \"a\"}]}"), "mempools[0] 'a' has no size");
  EXPECT_EQ(
      said("{\"mempools\": [{\"name\": \"a\", \"size\": 64, \"prop\": {\"alignment\": 24}}]}"),
      "mempools[0] 'a' is aligned to 24");
  EXPECT_EQ(said("{\"mempools\": [{\"name\": \"a\", \"size\": -4}]}"),
            "mempools[0] 'a' has no size");
  EXPECT_EQ(
      said("{\"mempools\": [{\"name\": \"a b\", \"size\": 4}, {\"name\": \"A-B\", \"size\": 4}]}"),
      "two pools named 'A-B'");
  EXPECT_EQ(said("{\"mempools\": [{\"name\": \"a\", \"size\": 64, \"offset\": 256}, "
                 "{\"name\": \"b\", \"size\": 64, \"offset\": 300}]}"),
            "pools 'a' and 'b' share bytes");
  EXPECT_EQ(said("{\"mempools\": [{\"name\": \"a\", \"size\": 4, \"rights\": \"ACC_READ\"}]}"),
            "no pool that can be written");
}

TEST(Pools, a_network_in_several_fixed_pools_equals_the_reference_with_dead_bytes_poisoned) {
  const auto file = read_pools(board, "a.mpool");
  ASSERT_TRUE(file.ok());
  const std::string path = test::source_folder() + "/tests/oracle/networks/mobile-int8.tflite";
  const test::TemporaryFolder folder;
  GenerateOptions options;
  options.pools = file->pools;
  options.pools[1].size = 1024;  // less than the network needs
  const auto made = test::generate_into(path, "tflite-ref", folder / "net", options);
  ASSERT_TRUE(made.ok()) << made.error().line();
  EXPECT_EQ(overlap_of(made->generated.plan), "");
  EXPECT_GT(made->generated.plan.used[0], 0);
  EXPECT_GT(made->generated.plan.used[1], 0);
  EXPECT_LE(made->generated.plan.used[1], 1024);
  const test::Compared compared =
      test::run_and_compare(*made, "c:" + (folder / "net") + ",poison=on", 1);
  EXPECT_EQ(compared.different, 0) << "first: " << compared.first;
}

}  // namespace
}  // namespace lockstep
