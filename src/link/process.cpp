#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>

#include <fmt/format.h>

#include "base/text.h"
#include "link/descriptor_stream.h"

namespace lockstep {
namespace {

// Ends the program with the stream: politely, then for good.
class ProcessStream : public DescriptorStream {
 public:
  ProcessStream(int descriptor, pid_t child, std::string name)
      : DescriptorStream(descriptor, std::move(name)), child_(child) {}

  ~ProcessStream() override {
    shutdown(descriptor(), SHUT_RDWR);
    kill(child_, SIGTERM);
    for (int i = 0; i < 50; ++i) {
      if (waitpid(child_, nullptr, WNOHANG) != 0) return;
      std::this_thread::sleep_for(Milliseconds(10));
    }
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }

 private:
  pid_t child_;
};

[[noreturn]] void become(const std::vector<std::string>& command, int descriptor) {
  dup2(descriptor, 0);
  dup2(descriptor, 1);
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  _exit(127);
}

}  // namespace

Result<std::unique_ptr<ByteStream>> open_process(const std::vector<std::string>& command) {
  const std::string name = "process:" + join(command, " ");
  if (command.empty() || command[0].empty())
    return Error{name, "names no program", "process:PROGRAM ARGUMENT...", ""};
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return link_error(name, fmt::format("no connection to a program: {}", std::strerror(errno)));
  const pid_t child = fork();
  if (child < 0) {
    close(ends[0]);
    close(ends[1]);
    return link_error(name, fmt::format("cannot be started: {}", std::strerror(errno)));
  }
  if (child == 0) become(command, ends[1]);
  close(ends[1]);
  return std::unique_ptr<ByteStream>(std::make_unique<ProcessStream>(ends[0], child, name));
}

}  // namespace lockstep
