// What describes a network to gdb: a c_info.json, a manifest, an ELF file, and damaged ones.
#include <gtest/gtest.h>

#include <random>

#include "target/gdb_bench.h"
#include "target/target_places.h"

namespace lockstep {
namespace {

using test::count;
using Bench = test::GdbBench;

// A c_info.json as its description says, of a network in three epochs; its runtime has start
// functions.
TEST(GdbTarget, reads_the_epochs_of_a_c_info_where_the_next_one_starts) {
  Bench b;
  const auto buffer = [](int id, const std::string& name, int offset) {
    return fmt::format(
        R"({{"id": {}, "name": "{}", "mpool_id": 1, "offset_start": {}, "size_bytes": {}, "nbits": 8, "format": "INT8", "shape": [{}], "is_param": false,
      "qmn": {{"m": 7, "n": 0, "sign": 1}}, "intq": {{"scales": [0.5], "offsets": [-3]}}}})",
        id, name, offset, count, count);
  };
  const std::string text =
      R"({"memory_pools": [{"id": 1, "name": "npuRAM", "address": "822083584", "size_bytes": 65536}], "buffers": [)" +
      buffer(1, "x", 0) + "," + buffer(2, "a", 304) + "," + buffer(3, "b", 0) + "," +
      buffer(4, "y", 304) + R"(, {"id": 9, "name": "weights", "is_param": true}],
      "graphs": [{"name": "network", "nodes": [{"id": 1, "name": "epoch_1", "inputs": [1, 9], "outputs": [2]}, {"id": 2, "name": "epoch_2", "inputs": [2], "outputs": [3]},
      {"id": 3, "name": "epoch_3", "inputs": [3], "outputs": [4]}]}]})";
  ASSERT_TRUE(write_file(b.folder / "network.json", std::string_view(text)).ok());
  const std::vector<test::ElfEntry> symbols = {{"LL_ATON_RT_Main", test::GdbServer::run, 4, true},
                                               {"LL_ATON_Start_EpochBlock_1", 0x3000, 4, true},
                                               {"LL_ATON_Start_EpochBlock_2", 0x3100, 4, true},
                                               {"LL_ATON_Start_EpochBlock_3", 0x3200, 4, true}};
  ASSERT_TRUE(write_file(b.folder / "firmware.elf", test::elf_with(symbols)).ok());
  test::GdbServer server(3, &Bench::compute, {.epochs = {0x3000, 0x3100, 0x3200}});
  b.expect_tensors(b.run(server), {"a", "b", "y"});

  // A pool without an address, a pool too small, and a file of something else.
  std::string small = text;
  small.replace(small.find("65536"), 5, "  400");
  ASSERT_TRUE(write_file(b.folder / "network.json", std::string_view(small)).ok());
  EXPECT_NE(b.run(server).error().what.find("lies outside its pool"), std::string::npos);
  ASSERT_TRUE(
      write_file(
          b.folder / "network.json",
          std::string_view(
              R"({"memory_pools": [{"id": 1, "address": "x", "size_bytes": 1}], "buffers": [], "graphs": [{}]})"))
          .ok());
  EXPECT_EQ(b.run(server).error().blame, Blame::request);
  ASSERT_TRUE(write_file(b.folder / "network.json", std::string_view("{}")).ok());
  EXPECT_NE(b.run(server).error().what.find("describes no network"), std::string::npos);
}

// Bytes of both files changed at random, seeded: a network or an error, never a crash, and never a
// tensor outside of all memory.
TEST(GdbTarget, damaged_descriptions_are_errors_or_networks) {
  Bench b;
  const auto elf = read_file(b.folder / "firmware.elf"),
             json = read_file(b.folder / "network.json");
  ASSERT_TRUE(elf.ok() && json.ok());
  std::mt19937 random(7);
  int read = 0;
  for (int i = 0; i < 1000; ++i) {
    Bytes damaged = i % 2 ? *elf : *json;
    for (unsigned n = 1 + random() % 6; n > 0; --n)
      damaged[random() % damaged.size()] =
          i % 3 == 0 ? static_cast<std::byte>(random())
                     : static_cast<std::byte>("0129-\"[]{},:"[random() % 12]);
    ASSERT_TRUE(write_file(b.folder / (i % 2 ? "damaged.elf" : "damaged.json"), damaged).ok());
    const auto placed =
        place_network(i % 2 ? b.folder / "network.json" : b.folder / "damaged.json",
                      i % 2 ? b.folder / "damaged.elf" : b.folder / "firmware.elf", "");
    if (!placed.ok()) {
      EXPECT_FALSE(placed.error().line().empty());
      continue;
    }
    ++read;
    for (const auto* list : {&placed->inputs, &placed->outputs})
      for (const DeviceTensor& t : *list)
        ASSERT_LE(std::uint64_t{t.address} + t.bytes(), std::uint64_t{1} << 32);
  }
  EXPECT_GT(read, 50);
}

// Every cut of the ELF file is an error or the same symbols, never a crash.
TEST(GdbTarget, a_cut_elf_file_is_an_error) {
  Bench b;
  test::GdbServer server(3, &Bench::compute);
  const auto whole = read_file(b.folder / "firmware.elf");
  ASSERT_TRUE(whole.ok());
  for (std::size_t n = 0; n + 8 < whole->size(); n += 3) {
    ASSERT_TRUE(write_file(b.folder / "firmware.elf", std::span(*whole).first(n)).ok());
    const auto target = open_target(b.uri(server), {b.graph, b.reference.arithmetic()});
    ASSERT_FALSE(target.ok()) << n;
    EXPECT_EQ(target.error().blame, Blame::request) << n;
  }
}

}  // namespace
}  // namespace lockstep
