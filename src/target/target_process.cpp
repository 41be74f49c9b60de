#include "target/target_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>

#include "base/files.h"

namespace lockstep {
namespace {

Error failed(const ProcessRequest& r, std::string what, std::string hint) {
  return Error{r.arguments[0], std::move(what), "a program that runs to its end", std::move(hint),
               Blame::target};
}

// In the child: redirect, change folder, become the program.
[[noreturn]] void become(const ProcessRequest& r, const std::string& errors,
                         std::vector<char*>& argv) {
  const auto redirect = [](const std::string& path, int flags, int to) {
    const int file = open(path.empty() ? "/dev/null" : path.c_str(), flags, 0600);
    if (file < 0 || dup2(file, to) < 0) _exit(126);
  };
  redirect(r.input, O_RDONLY, 0);
  redirect(r.output, O_WRONLY | O_CREAT | O_TRUNC, 1);
  redirect(errors, O_WRONLY | O_CREAT | O_TRUNC, 2);
  if (!r.folder.empty() && chdir(r.folder.c_str()) != 0) _exit(126);
  execvp(argv[0], argv.data());
  _exit(errno == ENOENT ? 127 : 126);
}

std::string tail_of(const std::string& path) {
  const auto bytes = read_file(path, 1 << 24);
  if (!bytes.ok()) return "";
  std::string text(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  return text.size() > 2000 ? text.substr(text.size() - 2000) : text;
}

}  // namespace

Result<ProcessResult> run_process(const ProcessRequest& r) {
  LOCKSTEP_TRY(const ScratchFolder folder, ScratchFolder::make());
  const std::string errors = folder / "stderr";
  std::vector<std::string> words = r.arguments;
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t child = fork();
  if (child < 0) return failed(r, std::string("cannot be started: ") + std::strerror(errno), "");
  if (child == 0) become(r, errors, argv);
  const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(r.seconds);
  int status = 0;
  while (waitpid(child, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > until) {
      kill(child, SIGKILL);
      waitpid(child, &status, 0);
      return failed(r, "took longer than " + std::to_string(static_cast<int>(r.seconds)) + " s",
                    "");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  if (!WIFEXITED(status))
    return failed(r, "was ended by signal " + std::to_string(WTERMSIG(status)), tail_of(errors));
  if (WEXITSTATUS(status) == 127)
    return failed(r, "is not installed", "scripts/setup oracles installs what targets need");
  return ProcessResult{WEXITSTATUS(status), tail_of(errors)};
}

}  // namespace lockstep
