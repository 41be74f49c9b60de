#include "npu/ec_blob.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "npu/network_c.h"
#include "npu/record.h"
#include "npu/small_program.h"
#include "support/shared.h"

namespace lockstep {
namespace {

// The instructions of a published example: labels 1 and 2, a clock bit, an arithmetic unit's
// registers.
TEST(EcBlob, a_published_beginning_reads_as_its_registers) {
  const char* text = R"(
ECBLOB_CONST_SECTION
static const uint64_t _ec_blob_1 [] =
{
  0x00000013ca057a7aUL, 0x0000005d0000003dUL, 0x5c00004200802241UL, 0x1500006008000000UL,
  0x000700005c027c00UL, 0x000040005c070043UL, 0x5c0c00430000ffe0UL, 0x1041204200000000UL,
  0x140003e05c000001UL, 0x0000000c14007fe4UL, 0x0000000000000000UL
};
)";
  const auto blobs = parse_ec_blobs(text, "n_ecblobs.h");
  ASSERT_TRUE(blobs.ok()) << blobs.error().line();
  ASSERT_EQ(blobs->size(), 1u);
  EXPECT_EQ((*blobs)[0].words.size(), 19u);
  EXPECT_EQ((*blobs)[0].words[0], 0x3du);
}

std::string with_blobs_refusal(const std::vector<std::uint32_t>& words) {
  const auto e = decode_ec_blob({"b", words, {}}, "f.h");
  return e.ok() ? "accepted" : e.error().line();
}

TEST(EcBlob, unknown_instructions_missing_operands_and_missing_ends_are_named) {
  EXPECT_NE(with_blobs_refusal({0x0000001eu}).find("opcode 30"), std::string::npos);
  EXPECT_NE(with_blobs_refusal({0x5c027c00u}).find("operands"), std::string::npos);
  EXPECT_NE(with_blobs_refusal({0x0000003du}).find("end"), std::string::npos);
  EXPECT_NE(with_blobs_refusal({12u, 5u}).find("behind the end"), std::string::npos);
  EXPECT_EQ(with_blobs_refusal({0x3du, 12u, 0u}), "accepted");
}

TEST(EcBlob, damaged_arrays_are_named) {
  const auto refusal = [](const std::string& body) {
    const auto b = parse_ec_blobs("static const uint64_t _ec_blob_1[2] = {" + body, "f.h");
    return b.ok() ? std::string("accepted") : b.error().line();
  };
  EXPECT_NE(refusal("0x00000001ca057a7bUL};").find("magic"), std::string::npos);
  EXPECT_NE(refusal("0x00000009ca057a7aUL};").find("announced"), std::string::npos);
  EXPECT_NE(refusal("0x00000001ca057a7aUL, 0x0cUL").find("end"), std::string::npos);
  EXPECT_NE(refusal("0x00000001ca057a7aUL, x};").find("'x'"), std::string::npos);
  EXPECT_EQ(refusal("0x00000001ca057a7aUL, 0x0cUL};"), "accepted");
}

// A relocatable container: one place is the program's input.
TEST(EcBlob, a_container_carries_its_relocations) {
  // header, blob at byte 20, table at 32; from the table: name at 16, places at 20
  const std::vector<std::uint32_t> words = {0xECBF0050, 32, 0,  0, 20, 0xCA057A7A, 1,
                                            12,         1,  16, 1, 20, 0x00006e69, 0};
  const auto b = ec_blob_from(words, "b", "f.h");
  ASSERT_TRUE(b.ok()) << b.error().line();
  ASSERT_EQ(b->relocations.size(), 1u);
  EXPECT_EQ(b->relocations[0].first, "in");
  EXPECT_EQ(b->relocations[0].second, std::vector<std::uint32_t>{0});
}

// An older release puts the table before the blob and has a shorter header.
TEST(EcBlob, containers_of_both_releases_are_opened) {
  const std::vector<std::uint32_t> words = {0xECBF0020, 16, 44, 44,         1, 16, 1, 20,
                                            0x00006e69, 0,  0,  0xCA057A7A, 1, 12, 0};
  const auto b = ec_blob_from(words, "b", "f.h");
  ASSERT_TRUE(b.ok()) << b.error().line();
  ASSERT_EQ(b->relocations.size(), 1u);
  EXPECT_EQ(b->words, std::vector<std::uint32_t>{12});
}

TEST(EcBlob, arrays_that_hold_no_program_are_passed_over) {
  const auto all = parse_ec_blobs(
      "static const uint64_t _ec_blob_od_1[2] = { 0x00000001ca057a7aULL, 0xcUL };\n"
      "static uint64_t _ec_blob_od_1_ptr[3800];\nstatic ECAddr _ec_blob_od_1_prev_base_addrs[1] = "
      "{ 0 };\n",
      "f.h");
  ASSERT_TRUE(all.ok()) << all.error().line();
  ASSERT_EQ(all->size(), 1u);
  EXPECT_EQ(ec_blob_stem("_ec_blob_od_1_address"), ec_blob_stem((*all)[0].name));
}

Result<NpuProgram> through_blobs(const NpuProgram& p) {
  LOCKSTEP_TRY(const NpuEcText text, format_network_c_with_blobs(p, "n_ecblobs.h"));
  const NpuBlobText blobs{"n_ecblobs.h", text.header};
  LOCKSTEP_TRY(NpuProgram again, parse_network_c(text.c, p.file, &blobs));
  for (const NpuImage& i : p.images) again.images.push_back(i);
  return again;
}

// Every element that both make, buffer by buffer; -1 when one of them does not run.
std::int64_t differing(const NpuProgram& a, const NpuProgram& b) {
  auto x = NpuSimulator::make(std::make_shared<const NpuProgram>(a)),
       y = NpuSimulator::make(std::make_shared<const NpuProgram>(b));
  if (!x.ok() || !y.ok())
    return ADD_FAILURE() << (x.ok() ? y.error().line() : x.error().line()), -1;
  Random random(5);
  Sample in;
  for (const NpuBuffer* buffer : x->inputs()) {
    Tensor t(dtype_of(*buffer), plain_shape(*buffer));
    for (std::int64_t i = 0; i < t.count(); ++i)
      t.set_code(i, random.between(dtype_of(*buffer) == DType::u8 ? 0 : -128, 127));
    in.emplace(buffer->name, std::move(t));
  }
  std::map<std::pair<int, std::string>, Tensor> made;
  const auto keep = x->run(in, [&](const NpuEpoch& e, NpuMemory& m) -> Result<void> {
    for (const NpuBuffer* buffer : a.made_by(e.number))
      if (is_whole(*buffer)) {
        LOCKSTEP_TRY(Tensor t, read_buffer(*buffer, m, "test"));
        made.insert_or_assign({e.number, buffer->name}, std::move(t));
      }
    return {};
  });
  std::int64_t differ = 0, compared = 0;
  const auto check = y->run(in, [&](const NpuEpoch& e, NpuMemory& m) -> Result<void> {
    for (const NpuBuffer* buffer : b.made_by(e.number))
      if (is_whole(*buffer)) {
        LOCKSTEP_TRY(const Tensor t, read_buffer(*buffer, m, "test"));
        const Tensor& other = made.at({e.number, buffer->name});
        for (std::int64_t i = 0; i < t.count(); ++i, ++compared)
          differ += t.number(i) != other.number(i);
      }
    return {};
  });
  if (!keep.ok() || !check.ok())
    return ADD_FAILURE() << (keep.ok() ? check.error().line() : keep.error().line()), -1;
  EXPECT_GT(compared, 0);
  return differ;
}

TEST(EcBlob, a_small_program_computes_the_same_through_blobs) {
  const NpuProgram p = test::small_program();
  const auto again = through_blobs(p);
  ASSERT_TRUE(again.ok()) << again.error().line();
  ASSERT_EQ(again->epochs.size(), p.epochs.size());
  EXPECT_EQ(again->epochs[0].units.size(), p.epochs[0].units.size());
  EXPECT_EQ(differing(p, *again), 0);
}

TEST(EcBlob, real_programs_compute_the_same_through_blobs) {
  LOCKSTEP_NEEDS_SHARED();
  for (const char* name : {"yamnet_1024", "stft_tcnn"}) {
    const auto p =
        read_npu_program(test::shared_folder() + "/models/neural-art/" + name + ".program.json");
    ASSERT_TRUE(p.ok());
    const auto again = through_blobs(*p);
    ASSERT_TRUE(again.ok()) << again.error().line();
    EXPECT_EQ(again->epochs.size(), p->epochs.size());
    EXPECT_EQ(differing(*p, *again), 0) << name;
  }
}

TEST(EcBlob, damaged_blobs_never_crash) {
  const auto text = format_ec_blobs(test::small_program());
  ASSERT_TRUE(text.ok()) << text.error().line();
  auto blobs = parse_ec_blobs(text->header, "f.h");
  ASSERT_TRUE(blobs.ok());
  Random random(3);
  int refused = 0;
  for (int round = 0; round < 2000; ++round) {
    EcBlob bad = (*blobs)[0];
    for (int k = 0; k < 2; ++k)
      bad.words[static_cast<std::size_t>(random.between(
          0, static_cast<std::int64_t>(bad.words.size()) - 1))] ^= 1u << random.between(0, 31);
    if (round % 5 == 0)
      bad.words.resize(
          static_cast<std::size_t>(random.between(0, static_cast<std::int64_t>(bad.words.size()))));
    const auto e = decode_ec_blob(bad, "f.h");
    refused += !e.ok();
  }
  EXPECT_GT(refused, 300);
}

}  // namespace
}  // namespace lockstep
