// Every command that a README under examples/ shows runs as shown.
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "support/command.h"
#include "support/folders.h"
#include "support/temporary.h"

namespace lockstep {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> commands_in(const fs::path& readme) {
  std::istringstream lines(test::text_of(readme));
  std::vector<std::string> commands;
  bool code = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```"))
      code = !code;
    else if (code && line.starts_with("lockstep "))
      commands.push_back(line.substr(9));
  }
  return commands;
}

TEST(Examples, show_commands_that_run) {
  int seen = 0;
  for (const auto& example : fs::directory_iterator(test::source_folder() + "/examples")) {
    const auto commands = commands_in(example.path() / "README.md");
    const test::TemporaryFolder scratch;
    const std::string copy = scratch / example.path().filename();
    fs::copy(example.path(), copy, fs::copy_options::recursive);
    for (const std::string& command : commands) {
      const std::string shell = "cd '" + copy + "' && '" + test::binary_folder() + "/bin/lockstep' " +
                                command + " >out.txt 2>err.txt </dev/null";
      const int status = std::system(shell.c_str());
      const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
      EXPECT_TRUE(code == 0 || code == 1) << command << "\nexit " << code << "\n"
                                          << test::text_of(copy + "/err.txt");
      EXPECT_NE(test::text_of(copy + "/out.txt"), "") << command;
      ++seen;
    }
  }
  EXPECT_GE(seen, 5);
}

}  // namespace
}  // namespace lockstep
