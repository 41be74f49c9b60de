#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
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

// Generated C and the agent in one firmware for the emulated Cortex-M55.
std::string build_firmware(const std::string& model, const test::TemporaryFolder& folder) {
  const std::string root = test::source_folder(), build = test::binary_folder(),
                    net = folder / "net";
  const std::string command =
      "'" + build + "/bin/lockstep' generate '" + model + "' --agent -o '" + net +
      "' >/dev/null && cd '" + root +
      "' && arm-none-eabi-gcc -mcpu=cortex-m55 -mthumb -mfloat-abi=hard -std=gnu99 -O2 "
      "-ffp-contract=off -fno-math-errno -ffunction-sections -nostartfiles"
      " -DLOCKSTEP_AGENT_PAYLOAD=32 -T rt/harness/m55.ld -Irt/agent -Irt/harness -I'" +
      build + "/nanopb' -I'" + build + "/gen/agent' -I'" + net +
      "' rt/agent/*.c rt/agent/board/an547.c rt/harness/m55.c '" + build + "'/nanopb/pb_*.c '" +
      build + "/gen/agent/wire.nanopb.c' '" + net + "/agent/network_agent.c' '" + net +
      "'/*.c -Wl,--gc-sections -lm -o '" + (folder / "firmware.elf") + "'";
  return std::system(command.c_str()) == 0 ? folder / "firmware.elf" : "";
}

// The board with its UART as a TCP port.
class Board {
 public:
  explicit Board(const std::string& firmware) : port_(40000 + static_cast<int>(getpid()) % 20000) {
    child_ = fork();
    if (child_ != 0) return;
    const std::string uart =
        "tcp:127.0.0.1:" + std::to_string(port_) + ",server=on,wait=off,nodelay=on";
    execlp("qemu-system-arm", "qemu-system-arm", "-M", "mps3-an547", "-display", "none", "-monitor",
           "none", "-serial", uart.c_str(), "-kernel", firmware.c_str(), nullptr);
    _exit(127);
  }
  ~Board() {
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }
  std::string uri() const { return "tcp:127.0.0.1:" + std::to_string(port_); }

 private:
  int port_;
  pid_t child_ = -1;
};

TEST(AgentOnABoard, yields_every_tensor_of_generated_c_over_its_uart) {
  LOCKSTEP_NEEDS_SHARED();
  LOCKSTEP_NEEDS_THE_BOARD();
  if (std::system(("'" + test::source_folder() + "/scripts/nanopb' '" + test::binary_folder() +
                   "/nanopb' >/dev/null 2>&1")
                      .c_str()) != 0)
    LOCKSTEP_CANNOT_RUN("nanopb's sources are not here and cannot be fetched (scripts/nanopb)");
  const std::string model = test::shared_folder() + "/models/mlperf/ad01_int8.tflite";
  const test::TemporaryFolder folder;
  const std::string firmware = build_firmware(model, folder);
  ASSERT_FALSE(firmware.empty());
  const Board board(firmware);
  const auto graph = import_model(model);
  ASSERT_TRUE(graph.ok()) << graph.error().line();
  const auto reference = Executor::make(*graph, *find_arithmetic("tflite-ref"));
  ASSERT_TRUE(reference.ok());
  Result<std::unique_ptr<Target>> target = Error{};
  for (int i = 0; i < 20 && !target.ok(); ++i) {
    std::this_thread::sleep_for(Milliseconds(200));
    target = open_target(board.uri(), {*graph, reference->arithmetic()});
  }
  ASSERT_TRUE(target.ok()) << target.error().line();
  const auto samples = generated_inputs(*graph, 2, 11);
  const auto capture = (*target)->run(samples, {});
  ASSERT_TRUE(capture.ok()) << capture.error().line();
  const auto expected = reference->run(samples);
  ASSERT_TRUE(expected.ok());
  for (std::size_t s = 0; s < samples.size(); ++s) {
    EXPECT_GE(capture->samples[s].size(), graph->nodes().size());
    for (const auto& [tensor, contents] : capture->samples[s]) {
      ASSERT_TRUE(expected->samples[s].contains(tensor)) << tensor;
      EXPECT_TRUE(std::ranges::equal(contents.bytes(), expected->samples[s].at(tensor).bytes()))
          << tensor;
    }
  }
}

}  // namespace
}  // namespace lockstep
