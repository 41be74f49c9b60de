#include "base/error.h"

#include <gtest/gtest.h>

namespace lockstep {
namespace {

TEST(Error, is_one_line_in_a_pipe_and_a_block_on_a_terminal) {
  const Error e{"m.onnx: Concat 'c1'", "axis 4", "-4 .. 3",
                "counted before the batch axis was added"};
  EXPECT_EQ(e.line(),
            "m.onnx: Concat 'c1': axis 4; want -4 .. 3 (counted before the batch axis was added)");
  EXPECT_EQ(e.block(),
            "m.onnx: Concat 'c1': axis 4\n  want  -4 .. 3\n  hint  counted before the batch axis "
            "was added");
}

TEST(Error, shows_a_newline_or_escape_that_a_user_gave_and_stays_one_line) {
  const Error e{"--arith a\nb", "no such\x1b[31m arithmetic", "one\tof", "say\x7f \"ort\""};
  EXPECT_EQ(e.line(),
            "--arith a\\nb: no such\\x1b[31m arithmetic; want one\\tof (say\\x7f \"ort\")");
  EXPECT_EQ(e.block().find("a\nb"), std::string::npos) << e.block();
  EXPECT_EQ((Error{"größe", "µ", "", ""}.line()), "größe: µ") << "other scripts stay";
}

Result<int> half(int n) {
  if (n % 2) return Error{"half", std::to_string(n), "an even number", ""};
  return n / 2;
}

Result<int> quarter(int n) {
  LOCKSTEP_TRY(const int h, half(n));
  return half(h);
}

TEST(Result, hands_the_first_error_up) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(6).error().what, "3");
  EXPECT_EQ(quarter(5).error().what, "5");
}

}  // namespace
}  // namespace lockstep
