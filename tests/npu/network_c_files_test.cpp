// A program written as the files of generated C, and read again.
#include <gtest/gtest.h>

#include "base/files.h"
#include "npu/images.h"
#include "npu/lowered_net.h"
#include "npu/lowered_program.h"
#include "npu/lowered_run.h"
#include "npu/network_c.h"
#include "support/temporary.h"

namespace lockstep {
namespace {

Graph two_layers() {
  test::Net n(9);
  const ValueId x = n.input({1, 4, 6, 7});
  const ValueId a = n.conv(x, 8, {3, 3}, {1, 1}, {1, 1, 1, 1}, 1, -20);
  return n.finish(n.conv(a, 12, {1, 1}, {1, 1}, {0, 0, 0, 0}));
}

TEST(NetworkCFiles, structures_and_blobs_are_read_again_with_their_weights) {
  const Graph g = two_layers();
  const NpuProgram p = test::lowered(g);
  for (const bool blobs : {false, true}) {
    const test::TemporaryFolder folder;
    const std::string file = folder / "net.c";
    const auto wrote = write_network_c(p, file, blobs);
    ASSERT_TRUE(wrote.ok()) << wrote.error().line();
    const auto again = read_npu_program(file);
    ASSERT_TRUE(again.ok()) << again.error().line();
    EXPECT_EQ(again->epochs.size(), p.epochs.size());
    ASSERT_FALSE(again->images.empty());
    EXPECT_TRUE(test::errors_in(*again, g).empty());
  }
}

// A blob carries its coefficients itself; structures name them where no memory is.
TEST(NetworkCFiles, what_was_read_from_blobs_keeps_its_coefficients_as_structures) {
  const Graph g = two_layers();
  const test::TemporaryFolder folder;
  ASSERT_TRUE(write_network_c(test::lowered(g), folder / "blobs.c", true).ok());
  const auto read = read_npu_program(folder / "blobs.c");
  ASSERT_TRUE(read.ok()) << read.error().line();
  ASSERT_TRUE(write_network_c(*read, folder / "net.c", false).ok());
  const auto again = read_npu_program(folder / "net.c");
  ASSERT_TRUE(again.ok()) << again.error().line();
  EXPECT_GE(again->images.size(), 3u);  // the weights, and the coefficients of two layers
  EXPECT_TRUE(test::errors_in(*again, g).empty());
  std::int64_t compared = 0;
  EXPECT_EQ(test::differences(g, *again, compared), 0);
  EXPECT_GT(compared, 0);
}

TEST(NetworkCFiles, intel_hex_carries_bytes_across_a_64_kbyte_border) {
  NpuImage image{"w", 0x7017fff5, {}};
  for (int i = 0; i < 100; ++i) image.bytes.push_back(static_cast<std::byte>(3 * i));
  const auto again = parse_intel_hex(format_intel_hex(std::span(&image, 1)), "w.hex");
  ASSERT_TRUE(again.ok()) << again.error().line();
  ASSERT_EQ(again->size(), 1u);
  EXPECT_EQ((*again)[0].base, image.base);
  EXPECT_EQ((*again)[0].bytes, image.bytes);
}

TEST(NetworkCFiles, a_program_without_epochs_is_refused) {
  const test::TemporaryFolder folder;
  const std::string file = folder / "empty.program.json";
  NpuProgram none;
  none.compiler = "atonn 1.1.1-14";
  ASSERT_TRUE(write_file(file, std::string_view(format_npu_json(none))).ok());
  const auto read = read_npu_program(file);
  ASSERT_FALSE(read.ok());
  EXPECT_NE(read.error().line().find("no epochs"), std::string::npos) << read.error().line();
}

}  // namespace
}  // namespace lockstep
