#include "run/recording_json.h"

#include <gtest/gtest.h>

#include <algorithm>
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

TEST_F(RawDump, bytes_that_no_description_names_are_read_beside_it) {
  const std::filesystem::path own = std::filesystem::path(folder) / "beside";
  std::filesystem::create_directories(own);
  ASSERT_TRUE(write_file((own / "x.raw").string(), std::string_view("\x01\x02", 2)).ok());
  ASSERT_TRUE(write_file((own / "more.bin").string(), std::string_view("\x03", 1)).ok());
  ASSERT_TRUE(write_file((own / "y.bin").string(), std::string_view("\x04\x05", 2)).ok());
  ASSERT_TRUE(write_file((own / "x.json").string(),
                         R"({"tensors": [{"name": "x", "dtype": "int8", "shape": [2]},
    {"name": "z", "file": "more.bin", "dtype": "int8", "shape": [1]}]})")
                  .ok());
  const auto r = read_recording(own.string());
  std::filesystem::remove_all(own);
  ASSERT_TRUE(r.ok()) << r.error().line();
  std::vector<std::string> names;
  for (const RecordedArray& a : r->arrays) names.push_back(a.name);
  std::ranges::sort(names);
  EXPECT_EQ(names, (std::vector<std::string>{"x", "y", "z"}));
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
