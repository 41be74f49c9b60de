// JSON of numbers: what once went wrong. What it looks like is tested in recording_text_test.cpp.
#include <gtest/gtest.h>

#include <cmath>

#include "run/recording_text.h"

namespace lockstep {
namespace {

Result<Recording> read(std::string_view text) {
  return recording_from_json_numbers(text, "file", "file.json");
}

// Each object was once a sample of a tensor named after the file: a right device was judged wrong.
TEST(RecordingNumbers, objects_with_a_name_and_data_are_tensors_of_that_name) {
  for (
      const char* text :
      {R"([{"name": "logits_q", "data": [1, 2]}, {"name": "logits", "data": [[0.5, 1]]}])",
       R"([{"name": "logits_q", "values": [1, 2]}, {"name": "logits", "shape": [1, 2], "scale": [0.5], "data": [0.5, 1]}])",
       R"({"outputs": [{"name": "logits_q", "data": [1, 2]}, {"name": "logits", "data": [0.5, 1]}]})"}) {
    const auto r = read(text);
    ASSERT_TRUE(r.ok()) << r.error().line();
    ASSERT_EQ(r->arrays.size(), 2u) << text;
    EXPECT_EQ(r->samples, 0);
    EXPECT_EQ(r->arrays[0].name, "logits_q");
    EXPECT_EQ(r->arrays[0].sample, -1);
    EXPECT_EQ(r->arrays[1].name, "logits");
    EXPECT_EQ(r->arrays[1].tensor.number(0), 0.5);
  }
}

TEST(RecordingNumbers, a_single_object_keeps_its_name) {
  for (const char* text :
       {R"({"name": "logits_q", "data": [1, 2]})", R"([{"name": "logits_q", "data": [1, 2]}])"}) {
    const auto r = read(text);
    ASSERT_TRUE(r.ok()) << r.error().line();
    ASSERT_EQ(r->arrays.size(), 1u);
    EXPECT_EQ(r->arrays[0].name, "logits_q");
  }
}

TEST(RecordingNumbers, a_name_that_comes_again_is_the_next_sample) {
  const auto r = read(
      R"([{"name": "a", "data": [1]}, {"name": "b", "data": [2]}, {"name": "a", "data": [3]}, {"name": "b", "data": [4]}])");
  ASSERT_TRUE(r.ok()) << r.error().line();
  EXPECT_EQ(r->samples, 2);
  ASSERT_EQ(r->arrays.size(), 4u);
  EXPECT_EQ(r->arrays[2].name, "a");
  EXPECT_EQ(r->arrays[2].sample, 1);
  EXPECT_EQ(r->arrays[2].tensor.number(0), 3);
  const auto by_sample = read(
      R"([{"outputs": [{"name": "a", "data": [1]}]}, {"outputs": [{"name": "a", "data": [2]}]}])");
  ASSERT_TRUE(by_sample.ok()) << by_sample.error().line();
  EXPECT_EQ(by_sample->samples, 2);
  EXPECT_EQ(by_sample->arrays[1].sample, 1);
  const auto unordered = read(R"({"s2": {"a": [1]}, "s10": {"a": [2]}})");
  ASSERT_TRUE(unordered.ok()) << unordered.error().line();
  EXPECT_EQ(unordered->samples, 0);
}

TEST(RecordingNumbers, numbers_that_stand_beside_data_are_not_left_out_silently) {
  for (const char* text :
       {R"({"data": [1, 2], "logits": [3]})", R"({"name": "a", "data": [1], "values": [2]})",
        R"([{"name": "a", "data": [1]}, {"b": [2]}])", R"([{"name": "a", "data": "AQI="}])"})
    EXPECT_FALSE(read(text).ok()) << text;
  EXPECT_TRUE(read(R"({"a": {"data": [1, 2], "shape": [1, 2], "dtype": "int8"}})").ok());
}

// Python's json.dumps writes these words: the file was once "not JSON".
TEST(RecordingNumbers, nan_and_infinity_are_read_as_python_writes_them) {
  const auto r = read(
      R"({"logits_q": [NaN, 1, -Infinity, Infinity], "one": NaN, "text": "a \"NaN, b", "NaN": [2]})");
  ASSERT_TRUE(r.ok()) << r.error().line();
  ASSERT_EQ(r->arrays.size(), 3u);
  EXPECT_EQ(r->arrays[0].name, "NaN");
  const Tensor& t = r->arrays[1].tensor;
  ASSERT_EQ(t.count(), 4);
  EXPECT_TRUE(std::isnan(t.number(0)));
  EXPECT_EQ(t.number(1), 1);
  EXPECT_TRUE(std::isinf(t.number(2)) && t.number(2) < 0);
  EXPECT_TRUE(std::isinf(t.number(3)) && t.number(3) > 0);
  EXPECT_TRUE(std::isnan(r->arrays[2].tensor.number(0)));
  for (const char* text : {"[NaNs]", "[1NaN]", "[NaNNaN]", "[- Infinity]"})
    EXPECT_FALSE(read(text).ok()) << text;
}

}  // namespace
}  // namespace lockstep
