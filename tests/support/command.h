#pragma once

#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "support/folders.h"

namespace lockstep::test {

struct Ran {
  int code = -1;  // exit code; -1 when a signal ended it
  std::string out, err;
};

inline std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// A folder of its own for each test, removed with it.
class Folder {
 public:
  Folder() {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    path_ =
        std::filesystem::temp_directory_path() / ("lockstep_" + std::to_string(::getpid()) + "_" +
                                                  info->test_suite_name() + "_" + info->name());
    std::filesystem::create_directories(path_);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string operator/(const std::string& name) const { return path_ / name; }
  std::size_t files() const {
    std::size_t n = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(path_)) ++n;
    return n;
  }

 private:
  std::filesystem::path path_;
};

// Runs the tool as a user would, from the source folder or another, in a pipe.
inline Ran run_tool(const std::string& arguments, const std::string& folder = source_folder()) {
  const auto base =
      std::filesystem::temp_directory_path() / ("lockstep_run_" + std::to_string(::getpid()));
  const std::string out = base.string() + ".out", err = base.string() + ".err";
  const std::string command = "cd '" + folder + "' && '" + binary_folder() + "/bin/lockstep' " +
                              arguments + " >'" + out + "' 2>'" + err + "' </dev/null";
  const int status = std::system(command.c_str());
  Ran ran{WIFEXITED(status) ? WEXITSTATUS(status) : -1, text_of(out), text_of(err)};
  std::filesystem::remove(out);
  std::filesystem::remove(err);
  if (ran.code > 127) ran.code = -1;  // the shell says 128 + signal
  return ran;
}

// A refusal: exit code 2, nothing on standard output, one line that starts with the tool's name.
inline void expect_refused(const Ran& ran, const std::string& about) {
  EXPECT_EQ(ran.code, 2) << ran.out << ran.err;
  EXPECT_EQ(ran.out, "");
  EXPECT_TRUE(ran.err.starts_with("lockstep: ")) << ran.err;
  EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 1) << ran.err;
  EXPECT_NE(ran.err.find(about), std::string::npos) << "want '" << about << "' in: " << ran.err;
}

// Compares with tests/golden/NAME; `--update` on the test's command line rewrites it.
inline void expect_golden(const std::string& text, const std::string& name) {
  const auto path = std::filesystem::path(source_folder()) / "tests/golden" / name;
  for (const std::string& argument : testing::internal::GetArgvs())
    if (argument == "--update") {
      std::filesystem::create_directories(path.parent_path());
      std::ofstream(path, std::ios::binary) << text;
      return;
    }
  EXPECT_EQ(text, text_of(path)) << "differs from " << path
                                 << "; after a wanted change run the test with --update";
}

}  // namespace lockstep::test
