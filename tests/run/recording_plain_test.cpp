#include "run/recording_plain.h"

#include <gtest/gtest.h>

#include "run/recording_text.h"

namespace lockstep {
namespace {

Bytes bytes_of(std::string_view text) {
  Bytes bytes;
  for (const char c : text) bytes.push_back(static_cast<std::byte>(c));
  return bytes;
}

TEST(PlainText, a_byte_order_mark_is_no_part_of_the_first_number) {
  EXPECT_EQ(plain_text(bytes_of("\xef\xbb\xbf-93,4")), "-93,4");
  EXPECT_EQ(plain_text(bytes_of("-93,4")), "-93,4");
  EXPECT_EQ(plain_text({}), "");
}

// PowerShell's ">" writes it.
TEST(PlainText, utf_16_is_read) {
  EXPECT_EQ(plain_text(bytes_of(std::string_view("\xff\xfe-\0"
                                                 "9\0\xe4\0",
                                                 8))),
            "-9?");
  EXPECT_EQ(plain_text(bytes_of(std::string_view("\xfe\xff\0-\0"
                                                 "9",
                                                 6))),
            "-9");
}

TEST(JoinedElements, one_element_a_line) {
  EXPECT_EQ(joined_elements("boot\n  class 0: -93\n  class 1: 4\ndone\n"),
            "boot\nclass: -93 4\ndone\n");
  EXPECT_EQ(joined_elements("I (31) app: out[0] = 1.5\r\nI (32) app: out[1] = -2e3\r\n"),
            "out: 1.5 -2e3\n");
}

TEST(JoinedElements, several_on_a_line_and_one_inference_after_another) {
  EXPECT_EQ(joined_elements("out[0]=1 out[1]=2\nout[0]=3, out[1]=4\n"), "out: 1 2\nout: 3 4\n");
}

TEST(JoinedElements, leave_what_is_no_list_of_elements) {
  for (const char* text :
       {"layer 3: 1 2 3\n", "conv1: 5\n", "out[0] = 5\n", "out[1] = 5\nout[2] = 6\n",
        "00000010: 01 02\n", "const int8_t x[2] = {1, 2};\n", "took 31 ms\n"})
    EXPECT_EQ(joined_elements(text), text);
}

// It was: each element was read again from every one before it, minutes for a line of this length.
TEST(JoinedElements, a_long_line_that_ends_in_words_is_read_once) {
  std::string line;
  for (int i = 0; i < 100'000; ++i) line += "out[" + std::to_string(i) + "]=1 ";
  line += "end!\n";
  EXPECT_EQ(joined_elements(line), line);
  EXPECT_EQ(joined_elements("out[0]=1 gap! out[0]=5 out[1]=6\n"), "out: 5 6\n");
}

// A firmware that prints its classes one by one was captures of another model.
TEST(JoinedElements, are_samples_where_they_begin_again) {
  const auto r = recording_from_text(
      joined_elements("class 0: 1\nclass 1: 2\nclass 0: 3\nclass 1: 4\n"), "uart", "uart.log");
  ASSERT_TRUE(r.ok()) << r.error().line();
  ASSERT_EQ(r->arrays.size(), 2u);
  EXPECT_EQ(r->samples, 2);
  EXPECT_EQ(r->arrays[1].tensor.number(1), 4);
}

}  // namespace
}  // namespace lockstep
