#include "run/recording_json.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace lockstep {
namespace {

class RawDump : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(
        write_file(folder + "/dump.raw", std::string_view("\x01\x02\xff\x00\x01\x02", 6)).ok());
  }
  Result<Recording> read(const std::string& json) {
    return recording_from_raw(json, folder + "/dump.json");
  }
  std::string folder = testing::TempDir();
};

TEST_F(RawDump, tensors_lie_at_their_offsets) {
  const auto r = read(R"({"tensors": [
    {"name": "a", "dtype": "int8", "shape": [1, 3], "scale": 0.5, "zero": -1, "layout": "NHWC", "node": "conv"},
    {"name": "b", "file": "dump.raw", "offset": 3, "dtype": "int16", "shape": [1]}]})");
  ASSERT_TRUE(r.ok()) << r.error().line();
  ASSERT_EQ(r->arrays.size(), 2u);
  EXPECT_EQ(r->arrays[0].tensor.code(2), -1);
  EXPECT_EQ(r->arrays[0].quant, (QuantParams{{0.5}, {-1}, -1}));
  EXPECT_EQ(r->arrays[0].origin.layout, "NHWC");
  EXPECT_EQ(r->arrays[0].origin.node, "conv");
  EXPECT_EQ(r->arrays[1].tensor.code(0), 0x0100);
}

TEST_F(RawDump, big_endian_elements_are_turned) {
  const auto r =
      read(R"({"byte_order": "big", "tensors": [{"name": "b", "dtype": "uint16", "shape": [1]}]})");
  ASSERT_TRUE(r.ok());
  EXPECT_EQ(r->arrays[0].tensor.code(0), 0x0102);
}

TEST_F(RawDump, what_does_not_fit_the_file_is_refused_before_it_is_allocated) {
  for (const char* entry :
       {R"("dtype": "float32", "shape": [1000000000])",
        R"("dtype": "int8", "shape": [3], "offset": 4)",
        R"("dtype": "int8", "shape": [1], "offset": 9223372036854775807)",
        R"("dtype": "int8", "shape": [-1])",
        R"("dtype": "int8", "shape": [1099511627776, 1099511627776])",
        R"("dtype": "int8", "shape": [1], "offset": -1)", R"("dtype": "bits", "shape": [1])",
        R"("dtype": "int8")", R"("dtype": "int8", "shape": [1], "file": "/etc/passwd")",
        R"("dtype": "int8", "shape": [1], "file": "../dump.raw")",
        R"("dtype": "int8", "shape": [1], "scale": 0)",
        R"("dtype": "int8", "shape": [1], "scale": "x")",
        R"("dtype": "int8", "shape": [1], "zero": 1e300, "scale": 1)",
        R"("dtype": "int8", "shape": [1], "file": "absent.raw")"}) {
    const auto r = read(std::string(R"({"tensors": [{"name": "a", )") + entry + "}]}");
    EXPECT_FALSE(r.ok()) << entry;
  }
}

TEST_F(RawDump, text_that_is_not_the_description_is_refused) {
  for (const char* text :
       {"", "[]", "{", "{}", R"({"tensors": 1})", R"({"tensors": [1]})", R"({"tensors": [{}]})",
        R"({"samples": 1.5, "tensors": []})", R"({"byte_order": "middle", "tensors": []})"})
    EXPECT_FALSE(read(text).ok()) << text;
}

}  // namespace
}  // namespace lockstep
