#include "run/recording_bytes.h"

#include <gtest/gtest.h>

#include "support/chains.h"
#include "support/nets.h"

namespace lockstep {
namespace {

Bytes bytes_of(std::size_t n) {
  return Bytes(n, std::byte{1});
}

// in (float [1,3]) -> QuantizeLinear -> "codes" -> DequantizeLinear -> out (float)
Graph rim() {
  return test::chain(
      {test::real_value("in", {1, 3}), test::code_value("codes", {1, 3}, 0),
       test::real_value("out", {1, 3})},
      {{"QuantizeLinear", "QuantizeLinear"}, {"DequantizeLinear", "DequantizeLinear"}});
}

Result<Capture> capture(const std::string& name, std::size_t size, std::int64_t samples) {
  Recording r;
  r.source = "dump.bin";
  r.arrays.push_back(recorded_bytes(name, bytes_of(size)));
  return capture_from(r, rim(), samples);
}

TEST(RecordingBytes, the_size_says_type_and_samples) {
  const auto reals = capture("out", 24, 2), codes = capture("out", 6, 2),
             open = capture("codes", 9, 0);
  ASSERT_TRUE(reals.ok() && codes.ok() && open.ok());
  EXPECT_EQ(reals->infos.at("out").dtype, DType::f32);
  EXPECT_EQ(codes->infos.at("out").dtype, DType::i8);
  EXPECT_EQ(open->samples.size(), 3u);
}

TEST(RecordingBytes, a_single_file_of_any_name_is_the_only_output) {
  const auto c = capture("memory_at_0x34200000", 12, 1);
  ASSERT_TRUE(c.ok()) << c.error().line();
  EXPECT_TRUE(c->infos.contains("out"));
}

TEST(RecordingBytes, sizes_that_fit_nothing_are_refused) {
  const auto c = capture("out", 13, 2);
  ASSERT_FALSE(c.ok());
  EXPECT_NE(c.error().what.find("13 bytes"), std::string::npos) << c.error().line();
  EXPECT_FALSE(capture("out", 0, 1).ok());
}

TEST(RecordingBytes, escaped_names_of_arrays_are_the_models) {
  Recording r;
  r.source = "dump.npz";
  Tensor t(DType::f32, {2, 3});
  r.arrays.push_back({"%6Fut", t, {}, {}, -1});
  const auto c = capture_from(r, rim());
  ASSERT_TRUE(c.ok());
  EXPECT_TRUE(c->infos.contains("out"));
}

}  // namespace
}  // namespace lockstep
