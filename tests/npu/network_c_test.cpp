#include "npu/network_c.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/random.h"
#include "npu/images.h"
#include "npu/simulate.h"
#include "npu/small_program.h"
#include "support/shared.h"

namespace lockstep {
namespace {

// Epochs by the interchange form's own text: every unit, field, link, call and table.
std::string epochs_text(NpuProgram p) {
  p.buffers.clear(), p.images.clear(), p.pools.clear(), p.model.clear();
  return format_npu_json(p);
}

TEST(NetworkC, a_written_program_reads_back_the_same) {
  NpuProgram p = test::small_program();
  p.epochs[0].calls.push_back(
      {"LL_ATON_Cache_MCU_Clean_Range",
       {"((uintptr_t)(ATON_LIB_PHYSICAL_TO_VIRTUAL_ADDR(0x34350000UL + 64)))", "32"}});
  p.pools.push_back({"npuRAM6", test::ram, 448 * 1024, false});
  const auto again = parse_network_c(format_network_c(p), p.file);
  ASSERT_TRUE(again.ok()) << again.error().line();
  EXPECT_EQ(epochs_text(*again), epochs_text(p));
  EXPECT_EQ(again->compiler, p.compiler);
  ASSERT_EQ(again->pools.size(), 1u);
  EXPECT_EQ(again->pools[0].size, 448u * 1024);
  ASSERT_EQ(again->buffers.size(), 2u);
  EXPECT_EQ(again->buffers[0].mem_shape, p.buffers[0].mem_shape);
  EXPECT_EQ(again->buffers[1].zero, p.buffers[1].zero);
}

TEST(NetworkC, real_programs_survive_the_way_through_c) {
  LOCKSTEP_NEEDS_SHARED();
  for (const char* name : {"yamnet_1024", "stft_tcnn"}) {
    auto p =
        read_npu_program(test::shared_folder() + "/models/neural-art/" + name + ".program.json");
    ASSERT_TRUE(p.ok());
    auto again = parse_network_c(format_network_c(*p), p->file);
    ASSERT_TRUE(again.ok()) << again.error().line();
    EXPECT_EQ(epochs_text(*again), epochs_text(*p)) << name;
    for (const NpuBuffer& b : p->buffers) {
      const auto it = std::ranges::find_if(again->buffers, [&](const NpuBuffer& o) {
        return o.name == b.name && o.epoch == b.epoch;
      });
      ASSERT_NE(it, again->buffers.end()) << b.name;
      EXPECT_EQ(it->scale, b.scale) << b.name;
      EXPECT_EQ(it->mem_shape, b.mem_shape) << b.name;
      EXPECT_EQ(it->end, b.end) << b.name;
    }
  }
}

TEST(NetworkC, spellings_of_addresses_pools_and_functions_are_understood) {
  const char* text = R"(
/* AtoNN generated file, ATONN version 1.1.3-8 */
/* index=2 file postfix=AXISRAM5 name=npuRAM5 offset=0x342e0000  absolute_mode size=458752 READ_WRITE THROUGHPUT=HIGH */
#if 0
/* kind=Nothing node=ignored */
#endif
static void LL_ATON_Start_EpochBlock_3_network(const void *epoch_block)
{
  LL_ATON_LIB_UNUSED(epoch_block);
  /* kind=Identity node=Copy_1 */
  static const LL_Streng_TensorInitTypeDef a = { .dir = 0, .raw = 1,
    .addr_base = {(unsigned char *)(0x342e0000UL + 16) /* Equivalent hex address = 0x342e0010UL */}, /* x */
    .offset_end = 8, .frame_tot_cnt = 1, .nbits_in = 8, .nbits_out = 8, };
  LL_Streng_TensorInit(4, &a, 1);
  static const LL_Streng_TensorInitTypeDef b = { .dir = 1, .raw = 1,
    .addr_base = {((unsigned char *)(ATON_LIB_PHYSICAL_TO_VIRTUAL_ADDR(0x342e0000UL + 64)))}, /* y  ca pipe offset=1 */
    .offset_end = 8, .frame_tot_cnt = 1, .nbits_in = 8, .nbits_out = 8, };
  LL_Streng_TensorInit(5, &b, 1);
  static const LL_Switch_InitTypeDef s[] = {
    { LL_Switch_Init_Dest() = ATONN_DSTPORT(STRSWITCH, 0, STRENG, 5, 0), LL_Switch_Init_Source(0) = ATONN_SRCPORT(STRSWITCH, 0, STRENG, 4, 0), LL_Switch_Init_Context(0) = 1, LL_Switch_Init_Frames(0) = 0, }, /* why */
  };
  LL_Switch_Init(s, 1);
}
static void LL_ATON_End_EpochBlock_3_network(const void *epoch_block)
{
  LL_Switch_Deinit(s, 1);
}
)";
  const auto p = parse_network_c(text, "network.c");
  ASSERT_TRUE(p.ok()) << p.error().line();
  EXPECT_EQ(p->compiler, "atonn 1.1.3-8");
  ASSERT_EQ(p->pools.size(), 1u);
  EXPECT_EQ(p->pools[0].base, 0x342e0000u);
  ASSERT_EQ(p->epochs.size(), 1u);
  EXPECT_EQ(p->epochs[0].number, 3);
  ASSERT_EQ(p->epochs[0].units.size(), 2u);
  EXPECT_EQ(p->epochs[0].units[0].buffer, "x");
  EXPECT_EQ(p->epochs[0].units[1].buffer, "");
  EXPECT_EQ(p->epochs[0].units[0].fields.at("addr_base").integer, 0x342e0010);
  EXPECT_EQ(p->epochs[0].units[1].fields.at("addr_base").integer, 0x342e0040);
  EXPECT_EQ(p->epochs[0].links.size(), 1u);
}

TEST(NetworkC, blobs_encryption_and_truncation_are_named) {
  const std::string text = format_network_c(test::small_program());
  const auto refusal = [](const std::string& t) {
    const auto p = parse_network_c(t, "network.c");
    return p.ok() ? std::string("accepted") : p.error().line();
  };
  EXPECT_NE(refusal(text + "static const EpochBlock_ItemTypeDef e[] = { { .flags = "
                           "EpochBlock_Flags_epoch_start | EpochBlock_Flags_blob, }, };")
                .find("_ecblobs.h"),
            std::string::npos);
  EXPECT_NE(refusal(text + "static const EpochBlock_ItemTypeDef e[] = { { .flags = "
                           "EpochBlock_Flags_blob_encrypted, }, };")
                .find("encrypted"),
            std::string::npos);
  EXPECT_NE(refusal("int main(void) { return 0; }").find("EpochBlock"), std::string::npos);
  EXPECT_NE(refusal(text.substr(0, text.size() / 2)), "accepted");
}

// Newer releases leave it to a macro beside each blob whether it is encrypted.
TEST(NetworkC, a_blob_whose_macro_says_that_it_is_not_encrypted_is_read) {
  const auto text = format_network_c_with_blobs(test::small_program(), "network_ecblobs.h");
  ASSERT_TRUE(text.ok()) << text.error().line();
  std::string c = text->c;
  const std::string flag = "EpochBlock_Flags_blob,";
  ASSERT_NE(c.find(flag), std::string::npos);
  c.replace(c.find(flag), flag.size(),
            "EpochBlock_Flags_blob | (LL_ATON_EC_MustDecryptBlob_one ? "
            "EpochBlock_Flags_blob_encrypted : EpochBlock_Flags_NONE),");
  const auto read = [&](const std::string& value) {
    const NpuBlobText header{"network_ecblobs.h",
                             text->header + "#define LL_ATON_EC_MustDecryptBlob_one" + value};
    const auto p = parse_network_c(c, "network.c", &header);
    return p.ok() ? std::string("accepted") : p.error().line();
  };
  EXPECT_EQ(read(" false\n"), "accepted");
  EXPECT_EQ(read(" 0\n"), "accepted");
  EXPECT_NE(read(" true\n").find("encrypted"), std::string::npos);
  EXPECT_NE(read("_other false\n").find("encrypted"), std::string::npos);
}

// Those with relocations stand under a name of their own, beside room for the copy that is run.
TEST(NetworkC, a_blob_beside_room_for_its_copy_is_read) {
  const auto text = format_network_c_with_blobs(test::small_program(), "network_ecblobs.h");
  ASSERT_TRUE(text.ok()) << text.error().line();
  std::string header = text->header;
  const std::size_t at = header.find('[', header.find("uint64_t"));
  ASSERT_NE(at, std::string::npos);
  header.insert(at, "_binary");
  const NpuBlobText blobs{"network_ecblobs.h", header};
  const auto p = parse_network_c(text->c, "network.c", &blobs);
  EXPECT_TRUE(p.ok()) << p.error().line();
}

TEST(NetworkC, damaged_text_never_crashes) {
  const std::string text = format_network_c(test::small_program());
  Random random(11);
  int refused = 0;
  for (int round = 0; round < 600; ++round) {
    std::string bad = text;
    for (int k = 0; k < 4; ++k)
      bad[static_cast<std::size_t>(random.between(0, static_cast<std::int64_t>(bad.size()) - 1))] =
          static_cast<char>(random.between(0, 255));
    if (round % 3 == 0)
      bad.resize(
          static_cast<std::size_t>(random.between(0, static_cast<std::int64_t>(bad.size()))));
    const auto p = parse_network_c(bad, "network.c");
    if (!p.ok())
      ++refused;
    else if (auto sim = NpuSimulator::make(std::make_shared<const NpuProgram>(*p)); !sim.ok())
      ++refused;
  }
  EXPECT_GT(refused, 150);
}

TEST(IntelHex, records_give_bytes_at_their_addresses) {
  const auto image = parse_intel_hex(":020000047018 72\n", "w.hex");
  EXPECT_FALSE(image.ok());
  const auto good =
      parse_intel_hex(":02000004701872\n:04000000010203 04F2\n:00000001FF\n", "w.hex");
  EXPECT_FALSE(good.ok());  // a blank inside a record
  const auto fine = parse_intel_hex(":02000004701872\n:0400000001020304F2\n:00000001FF\n", "w.hex");
  ASSERT_TRUE(fine.ok()) << fine.error().line();
  ASSERT_EQ(fine->size(), 1u);
  EXPECT_EQ((*fine)[0].base, 0x70180000u);
  EXPECT_EQ((*fine)[0].bytes.size(), 4u);
  EXPECT_EQ((*fine)[0].bytes[3], std::byte{4});
  EXPECT_FALSE(parse_intel_hex(":0400000001020304F3\n:00000001FF\n", "w.hex").ok());  // checksum
  EXPECT_FALSE(parse_intel_hex(":0400000001020304F2\n", "w.hex").ok());               // no end
}

TEST(NetworkC, weights_of_another_network_in_the_folder_are_not_taken) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::path(testing::TempDir()) / "npu_two_networks";
  fs::remove_all(folder);
  fs::create_directories(folder);
  const auto put = [&](const char* name, std::size_t bytes) {
    std::ofstream(folder / name) << std::string(bytes, 'w');
  };
  put("od.c", 1), put("reid.c", 1), put("od_atonbuf.xSPI2.bin", 0),
      put("reid_atonbuf.xSPI2.bin", 64);
  NpuProgram p;
  p.file = (folder / "od.c").string();
  NpuBuffer weights;
  weights.name = "w", weights.base = test::flash, weights.end = 16, weights.is_param = true;
  p.buffers.push_back(weights);
  const auto missing = find_npu_images(p, folder.string());
  ASSERT_FALSE(missing.ok());
  EXPECT_NE(missing.error().line().find("od_atonbuf.xSPI2.bin is empty"), std::string::npos)
      << missing.error().line();
  p.file = (folder / "reid.c").string();
  const auto found = find_npu_images(p, folder.string());
  ASSERT_TRUE(found.ok()) << found.error().line();
  ASSERT_EQ(p.images.size(), 1u);
  EXPECT_EQ(p.images[0].bytes.size(), 64u);
  fs::remove_all(folder);
}

TEST(NpuImages, weights_of_a_network_whose_name_begins_with_anothers_are_not_that_ones) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::path(testing::TempDir()) / "npu_one_name_begins_another";
  fs::remove_all(folder);
  fs::create_directories(folder);
  const auto put = [&](const char* name, std::size_t bytes) {
    std::ofstream(folder / name) << std::string(bytes, 'w');
  };
  put("net.c", 1), put("net_b.c", 1), put("net_atonbuf.xSPI2.raw", 48),
      put("net_b_atonbuf.xSPI2.raw", 64);
  for (const auto& [name, bytes] : {std::pair{"net.c", 48u}, std::pair{"net_b.c", 64u}}) {
    NpuProgram p;
    p.file = (folder / name).string();
    p.pools.push_back({"xSPI2", test::flash, 4096, true, "xSPI2"});
    NpuBuffer weights;
    weights.name = "w", weights.base = test::flash, weights.end = 16, weights.is_param = true;
    p.buffers.push_back(weights);
    const auto found = find_npu_images(p, folder.string());
    ASSERT_TRUE(found.ok()) << name << ": " << found.error().line();
    ASSERT_EQ(p.images.size(), 1u) << name;
    EXPECT_EQ(p.images[0].bytes.size(), bytes) << name;
  }
  fs::remove_all(folder);
}

}  // namespace
}  // namespace lockstep
