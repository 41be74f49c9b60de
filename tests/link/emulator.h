#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "support/folders.h"

namespace lockstep::test {

// The emulated validation device as a process of its own, on a free TCP port or a pty.
class Emulator {
 public:
  explicit Emulator(const std::string& options = "", const std::string& pty = "") {
    int ends[2];
    if (pipe(ends) != 0) return;
    child_ = fork();
    if (child_ == 0) {
      dup2(ends[1], 1);
      const std::string where = pty.empty() ? "--tcp 0" : "--link '" + pty + "'";
      const char* other = std::getenv("LOCKSTEP_EMULATOR");
      const std::string script =
          other ? other : source_folder() + "/tests/link/validation_device.py";
      const std::string command = "exec python3 '" + script + "' " + where + " " + options;
      execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      _exit(127);
    }
    close(ends[1]);
    out_ = fdopen(ends[0], "r");
    char word[16] = "", rest[256] = "";
    if (fscanf(out_, "%15s %255s", word, rest) == 2)
      uri_ = pty.empty() ? std::string("tcp:127.0.0.1:") + rest : "serial:" + std::string(rest);
  }
  ~Emulator() {
    stop();
    if (out_) fclose(out_);
  }
  Emulator(const Emulator&) = delete;
  Emulator& operator=(const Emulator&) = delete;

  const std::string& uri() const { return uri_; }
  void stop() {
    if (child_ <= 0) return;
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
    child_ = -1;
  }

 private:
  pid_t child_ = -1;
  FILE* out_ = nullptr;
  std::string uri_;
};

}  // namespace lockstep::test
