#include <gtest/gtest.h>

#include "link/agent_device.h"
#include "link/emulator.h"
#include "link/gdb_server.h"
#include "support/command.h"

namespace lockstep::test {
namespace {

void ready_board(GdbServer& board) {
  board.set_word(0x5602824C, 0x78F);
  board.set_word(0x56028254, 1u << 12);
  board.set_word(0x56028260, 1u << 31);
  board.set_word(0x54024C14, 0x300);
}

TEST(PreflightTool, a_ready_board_is_exit_code_0_and_a_sleeping_bank_1) {
  GdbServer ready(1, [](GdbServer&, int) {});
  ready_board(ready);
  const Ran fine = run_tool("preflight --target gdb:" + ready.address());
  EXPECT_EQ(fine.code, 0) << fine.out << fine.err;
  EXPECT_NE(fine.out.find("0 errors, 0 warnings"), std::string::npos) << fine.out;

  GdbServer asleep(1, [](GdbServer&, int) {});
  ready_board(asleep);
  asleep.set_word(0x52023100, 1u << 20);
  Folder folder;
  const Ran found =
      run_tool("preflight --target gdb:" + asleep.address() + " --json " + folder / "p.json");
  EXPECT_EQ(found.code, 1) << found.out << found.err;
  EXPECT_NE(found.out.find("AXISRAM3 (npuRAM3)"), std::string::npos) << found.out;
  EXPECT_NE(found.out.find("asleep"), std::string::npos) << found.out;
  EXPECT_NE(text_of(folder / "p.json").find("\"lockstep-preflight\""), std::string::npos);
}

TEST(PreflightTool, compares_flash_with_a_file) {
  GdbServer board(1, [](GdbServer&, int) {});
  ready_board(board);
  Folder folder;
  std::string weights;
  for (int i = 0; i < 3000; ++i) {
    weights += static_cast<char>(i * 7);
    board.at(0x70000000 + static_cast<std::uint32_t>(i)) = static_cast<std::uint8_t>(i * 7);
  }
  ASSERT_TRUE(write_file(folder / "weights.bin", std::string_view(weights)).ok());
  const std::string command = "preflight --target gdb:" + board.address() + " --all --contents " +
                              (folder / "weights.bin") + "@0x70000000";
  const Ran equal = run_tool(command);
  EXPECT_EQ(equal.code, 0) << equal.out << equal.err;
  EXPECT_NE(equal.out.find("3000 bytes at 0x70000000 equal the file's"), std::string::npos)
      << equal.out;
  board.at(0x70000000 + 1234) ^= 1;
  const Ran differs = run_tool(command);
  EXPECT_EQ(differs.code, 1) << differs.out << differs.err;
  EXPECT_NE(differs.out.find("differs from the file at byte 1234"), std::string::npos)
      << differs.out;
}

TEST(PreflightTool, asks_through_the_agents_memory_access_and_says_what_it_refuses) {
  AgentDevice agent(sums_network());
  const Ran ran = run_tool("preflight --target " + agent.uri());
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_NE(ran.out.find("cannot be read"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("STM32N6"), std::string::npos) << ran.out;
}

// Twenty-six lines said of thirteen registers, one by one, that one and the same agent does not let
// them be read.
TEST(PreflightTool, registers_that_cannot_be_read_for_one_reason_are_one_answer) {
  AgentDevice agent(sums_network());
  const std::string out = run_tool("preflight --target " + agent.uri()).out;
  const auto lines = [&](const std::string& words) {
    std::size_t count = 0;
    for (std::size_t at = out.find(words); at != out.npos; at = out.find(words, at + 1)) ++count;
    return count;
  };
  EXPECT_EQ(lines("\nunknown "), 1u) << out;
  EXPECT_EQ(lines("let the debugger or the firmware read it"), 1u) << out;
  EXPECT_NE(out.find("AXISRAM1, AXISRAM2"), out.npos) << out;
  EXPECT_NE(out.find("13 unknown"), out.npos) << out;
}

TEST(PreflightTool, says_what_stock_firmware_tells_without_access_to_memory) {
  Emulator board("--stock");
  const Ran ran = run_tool("preflight --all --target " + board.uri());
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  for (const char* words : {"800 MHz, 400 MHz", "1000 MHz, 900 MHz", "npu_freq 1000000000",
                            "this firmware gives no access to memory", "compiled Jan  1 2026"})
    EXPECT_NE(ran.out.find(words), std::string::npos) << words << "\n" << ran.out;
}

TEST(PreflightTool, a_board_that_goes_away_or_refuses_everything_is_exit_code_3) {
  for (const GdbFaults& faults : {GdbFaults{.close_after = 12}, GdbFaults{.forbids_all = true}}) {
    GdbServer board(
        1, [](GdbServer&, int) {}, faults);
    ready_board(board);
    const Ran ran = run_tool("preflight --target gdb:" + board.address());
    EXPECT_EQ(ran.code, 3) << ran.out << ran.err;
    EXPECT_NE(ran.err.find("could not be asked"), std::string::npos) << ran.err;
  }
}

TEST(PreflightTool, a_target_out_of_reach_is_exit_code_3_and_a_wrong_request_2) {
  EXPECT_EQ(run_tool("preflight --target gdb:127.0.0.1:1").code, 3);
  EXPECT_EQ(run_tool("preflight --target nothing").code, 2);
  GdbServer board(1, [](GdbServer&, int) {});
  expect_refused(run_tool("preflight --target gdb:" + board.address() + " --contents weights"),
                 "--contents weights");
  expect_refused(run_tool("preflight --target gdb:" + board.address() + " --net x.json"), "--elf");
}

}  // namespace
}  // namespace lockstep::test
