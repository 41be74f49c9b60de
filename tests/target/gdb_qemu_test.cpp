#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "import/import.h"
#include "link/byte_stream.h"
#include "run/generated.h"
#include "support/folders.h"
#include "support/programs.h"
#include "support/shared.h"
#include "support/temporary.h"
#include "target/target.h"

namespace lockstep {
namespace {

// QEMU's emulated board, halted at reset, its GDB server on a port of this process's own.
class HaltedBoard {
 public:
  explicit HaltedBoard(const std::string& firmware)
      : port_(20000 + static_cast<int>(getpid()) % 20000) {
    child_ = fork();
    if (child_ != 0) return;
    const std::string gdb = "tcp:127.0.0.1:" + std::to_string(port_);
    execlp("qemu-system-arm", "qemu-system-arm", "-M", "mps3-an547", "-display", "none", "-monitor",
           "none", "-serial", "null", "-kernel", firmware.c_str(), "-gdb", gdb.c_str(), "-S",
           nullptr);
    _exit(127);
  }
  ~HaltedBoard() {
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  bool answers() const {
    for (int i = 0; i < 100; ++i) {
      if (open_tcp("127.0.0.1", std::to_string(port_)).ok()) return true;
      std::this_thread::sleep_for(Milliseconds(50));
    }
    return false;
  }

 private:
  int port_;
  pid_t child_ = -1;
};

// Generated C in a firmware that runs it for ever, for the emulated Cortex-M55.
std::string build_firmware(const std::string& model, const test::TemporaryFolder& folder) {
  const std::string net = folder / "net", harness = test::source_folder() + "/rt/harness",
                    own = test::source_folder() + "/tests/link/gdb_firmware.c";
  const std::string compiler =
      "arm-none-eabi-gcc -mcpu=cortex-m55 -mthumb -mfloat-abi=hard -std=gnu99 -O2 "
      "-ffp-contract=off -fno-math-errno -ffunction-sections -I'" +
      net + "' -I'" + harness + "' ";
  const std::string command =
      "'" + test::binary_folder() + "/bin/lockstep' generate '" + model + "' -o '" + net +
      "' >/dev/null && " + compiler + "-include '" + own + "' -c '" + net + "/network.c' -o '" +
      (folder / "network.o") + "' && " + compiler + "-nostartfiles -T '" + harness +
      "/m55.ld' -DLS_FIRMWARE '" + own + "' '" + harness + "/m55.c' '" + (folder / "network.o") +
      "' '" + net + "'/network_weights.c '" + net + "'/ls_*.c -Wl,--gc-sections -lm -o '" +
      (folder / "firmware.elf") + "'";
  return std::system(command.c_str()) == 0 ? folder / "firmware.elf" : "";
}

TEST(GdbTarget, stops_generated_c_on_the_emulated_board_after_every_node) {
  LOCKSTEP_NEEDS_SHARED();
  LOCKSTEP_NEEDS_THE_BOARD();
  for (const char* name :
       {"/models/mlperf/ad01_int8.tflite", "/models/mlperf/kws_ref_model_int8.tflite"}) {
    const std::string model = test::shared_folder() + name;
    const test::TemporaryFolder folder;
    const std::string firmware = build_firmware(model, folder);
    ASSERT_FALSE(firmware.empty()) << name;
    const HaltedBoard board(firmware);
    ASSERT_TRUE(board.answers());
    const auto graph = import_model(model);
    ASSERT_TRUE(graph.ok()) << graph.error().line();
    const auto reference = Executor::make(*graph, *find_arithmetic("tflite-ref"));
    ASSERT_TRUE(reference.ok());
    auto target = open_target(
        "gdb:" + board.address() + ",net=" + (folder / "net") + "/network.json,elf=" + firmware,
        {*graph, reference->arithmetic()});
    ASSERT_TRUE(target.ok()) << target.error().line();
    const auto samples = generated_inputs(*graph, 2, 3);
    const auto capture = (*target)->run(samples, {});
    ASSERT_TRUE(capture.ok()) << capture.error().line();
    const auto expected = reference->run(samples);
    ASSERT_TRUE(expected.ok());
    std::size_t tensors = 0;
    for (std::size_t s = 0; s < samples.size(); ++s)
      for (const auto& [tensor, contents] : capture->samples[s]) {
        ASSERT_TRUE(expected->samples[s].contains(tensor)) << tensor;
        EXPECT_EQ(contents.bytes().size(), expected->samples[s].at(tensor).bytes().size());
        EXPECT_TRUE(std::ranges::equal(contents.bytes(), expected->samples[s].at(tensor).bytes()))
            << name << " " << tensor;
        ++tensors;
      }
    EXPECT_GE(tensors, 2 * graph->nodes().size()) << "every node of both samples";
  }
}

}  // namespace
}  // namespace lockstep
