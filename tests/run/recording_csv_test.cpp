#include <gtest/gtest.h>

#include "run/recording.h"

namespace lockstep {
namespace {

Result<Recording> read(std::string_view text) {
  return recording_from_csv(text, "x", "x.csv");
}

TEST(RecordingCsv, a_line_is_a_sample_and_a_comment_may_name_the_type) {
  const auto r = read("# made by a tool\n# dtype=uint8, shape lost\r\n1,2, 3\r\n4;5 6\n\n");
  ASSERT_TRUE(r.ok()) << r.error().line();
  const Tensor& t = r->arrays[0].tensor;
  EXPECT_EQ(t.dtype(), DType::u8);
  EXPECT_EQ(t.shape(), (Shape{2, 3}));
  EXPECT_EQ(t.code(5), 6);
}

TEST(RecordingCsv, without_a_type_numbers_are_float32_and_that_is_said) {
  const auto r = read("1.5e1,-2");
  ASSERT_TRUE(r.ok());
  EXPECT_EQ(r->arrays[0].tensor.number(0), 15);
  EXPECT_EQ(r->notes.size(), 1u);
}

TEST(RecordingCsv, errors_name_the_line) {
  const auto word = read("1,2\n3,four\n");
  ASSERT_FALSE(word.ok());
  EXPECT_EQ(word.error().where, "x.csv: line 2");
  EXPECT_EQ(word.error().what, "'four'");
  EXPECT_FALSE(read("1,2\n3\n").ok());
  EXPECT_FALSE(read("").ok());
  EXPECT_FALSE(read("# dtype=int3\n1\n").ok());
  EXPECT_FALSE(read("# dtype=int8\n200\n").ok());
  EXPECT_FALSE(read("# dtype=int8\n1.5\n").ok());
}

TEST(RecordingCsv, a_spreadsheets_heading_and_quotes_are_left_out) {
  for (const char* text : {"logit0,logit1\n1,2\n", "\"a b\";\"c\"\n\"1\";\"2\"\n"}) {
    const auto held = read(text);
    ASSERT_TRUE(held.ok()) << held.error().line();
    EXPECT_EQ(held->arrays.at(0).tensor.shape(), (Shape{1, 2})) << text;
    EXPECT_EQ(held->arrays.at(0).tensor.number(1), 2) << text;
  }
  EXPECT_FALSE(read("logit0,2\n1,2\n").ok());
  EXPECT_FALSE(read("a,b\nc,d\n1,2\n").ok());
}

// A negative number once became a code of uint32 and uint64, which no conversion defines; nor does
// 2^53 + 1 survive as a double.
TEST(RecordingCsv, codes_outside_of_wide_types_are_refused) {
  EXPECT_FALSE(read("# dtype=uint64\n-3,6\n").ok());
  EXPECT_FALSE(read("# dtype=uint64\n1e19\n").ok());
  EXPECT_FALSE(read("# dtype=uint32\n-6\n").ok());
  EXPECT_FALSE(read("# dtype=uint32\n4294967296\n").ok());
  EXPECT_TRUE(read("# dtype=uint32\n4294967295\n").ok());
  EXPECT_FALSE(read("# dtype=int64\n9007199254740993\n").ok());
  EXPECT_FALSE(read("# dtype=int64\n-9223372036854775808\n").ok());
  const auto held = read("# dtype=int64\n-9007199254740991,7\n");
  ASSERT_TRUE(held.ok());
  EXPECT_EQ(held->arrays.at(0).tensor.code(0), -9007199254740991);
  EXPECT_TRUE(read("# dtype=uint64\n0,4294967296\n").ok());
}

}  // namespace
}  // namespace lockstep
