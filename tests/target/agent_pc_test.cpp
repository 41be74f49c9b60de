#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "import/import.h"
#include "run/generated.h"
#include "support/folders.h"
#include "support/programs.h"
#include "support/temporary.h"
#include "target/target.h"

namespace lockstep {
namespace {

// Generated C and the agent in one program of this machine.
std::string build_board(const std::string& model, const test::TemporaryFolder& folder) {
  const std::string root = test::source_folder(), build = test::binary_folder(),
                    net = folder / "net";
  const std::string command =
      "'" + build + "/bin/lockstep' generate '" + model + "' --agent -o '" + net +
      "' >/dev/null && gcc -std=gnu99 -O2 -ffp-contract=off -Wall -Wextra -Werror -I'" + root +
      "/rt/agent' -I'" + net + "' '" + root + "/rt/agent/posix/board.c' '" + net +
      "/agent/network_agent.c' '" + net + "'/*.c '" + build +
      "/rt/agent/liblockstep_agent.a' -lprotobuf-nanopb -lm -o '" + (folder / "board") + "'";
  return std::system(command.c_str()) == 0 ? folder / "board" : "";
}

class Board {
 public:
  Board(const std::string& program, const char* port) {
    int ends[2];
    if (pipe(ends) != 0) return;
    child_ = fork();
    if (child_ == 0) {
      dup2(ends[1], 1);
      execl(program.c_str(), "board", port, nullptr);
      _exit(127);
    }
    close(ends[1]);
    FILE* said = fdopen(ends[0], "r");
    char word[128] = "";
    if (fscanf(said, "%127s", word) == 1) uri_ = word;
    fclose(said);
  }
  Board(const Board&) = delete;
  Board& operator=(const Board&) = delete;
  ~Board() {
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }
  const std::string& uri() const { return uri_; }

 private:
  pid_t child_ = -1;
  std::string uri_;
};

TEST(AgentOnThisMachine, yields_every_tensor_of_generated_c_over_a_pty_and_over_tcp) {
  LOCKSTEP_NEEDS_PROGRAMS("gcc");
  const test::TemporaryFolder folder;
  const std::string model = test::source_folder() + "/examples/s1/tcn_int8.onnx";
  const std::string program = build_board(model, folder);
  ASSERT_FALSE(program.empty());
  const auto graph = import_model(model);
  ASSERT_TRUE(graph.ok()) << graph.error().line();
  const auto reference = Executor::make(*graph, *find_arithmetic("ort"));
  ASSERT_TRUE(reference.ok());
  const auto samples = generated_inputs(*graph, 2, 11);
  const auto expected = reference->run(samples);
  ASSERT_TRUE(expected.ok());
  for (const char* port : {static_cast<const char*>(nullptr), "0"}) {
    const Board board(program, port);
    auto target = open_target(board.uri(), {*graph, reference->arithmetic()});
    ASSERT_TRUE(target.ok()) << target.error().line();
    const auto capture = (*target)->run(samples, {});
    ASSERT_TRUE(capture.ok()) << capture.error().line();
    for (std::size_t s = 0; s < samples.size(); ++s) {
      EXPECT_GE(capture->samples[s].size(), graph->nodes().size() / 2);
      for (const auto& [tensor, contents] : capture->samples[s]) {
        ASSERT_TRUE(expected->samples[s].contains(tensor)) << tensor;
        EXPECT_TRUE(std::ranges::equal(contents.bytes(), expected->samples[s].at(tensor).bytes()))
            << tensor;
      }
    }
  }
}

}  // namespace
}  // namespace lockstep
