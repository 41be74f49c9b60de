#include "tool/bench_worker.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

namespace lockstep {
namespace {

// A thread of the process runs, or waits for a processor.
bool runs(pid_t pid) {
  std::error_code none;
  for (const auto& task :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", none)) {
    std::ifstream stat(task.path() / "stat");
    std::string line;
    std::getline(stat, line);
    const std::size_t name_end = line.rfind(')');
    if (name_end != std::string::npos && name_end + 2 < line.size() && line[name_end + 2] == 'R')
      return true;
  }
  return false;
}

}  // namespace

BenchWorker::BenchWorker(BenchWorker&& other) noexcept
    : name_(std::move(other.name_)),
      pid_(std::exchange(other.pid_, -1)),
      to_(std::exchange(other.to_, nullptr)),
      from_(std::exchange(other.from_, nullptr)),
      ready_(other.ready_) {}

BenchWorker::~BenchWorker() {
  if (to_) std::fclose(to_);
  if (from_) std::fclose(from_);
  if (pid_ > 0) ::waitpid(pid_, nullptr, 0);  // it ends with its input
}

Result<BenchWorker> BenchWorker::start(const std::vector<std::string>& arguments) {
  BenchWorker w;
  for (const std::string& a : arguments) w.name_ += (w.name_.empty() ? "" : " ") + a;
  int down[2] = {-1, -1}, up[2] = {-1, -1};
  if (::pipe2(down, O_CLOEXEC) != 0 || ::pipe2(up, O_CLOEXEC) != 0)
    return Error{"bench", std::string("no pipe: ") + std::strerror(errno), "free file descriptors",
                 ""};
  w.pid_ = ::fork();
  if (w.pid_ < 0)
    return Error{"bench", std::string("no process: ") + std::strerror(errno), "room for a worker",
                 ""};
  if (w.pid_ == 0) {
    ::dup2(down[0], 0);
    ::dup2(up[1], 1);
    std::vector<char*> list;
    for (const std::string& a : arguments) list.push_back(const_cast<char*>(a.c_str()));
    list.push_back(nullptr);
    ::execv(list[0], list.data());
    ::_exit(127);
  }
  ::close(down[0]);
  ::close(up[1]);
  w.to_ = ::fdopen(down[1], "w");
  w.from_ = ::fdopen(up[0], "r");
  char line[256] = {};
  if (!std::fgets(line, sizeof line, w.from_) ||
      std::sscanf(line, "ready %lf %lf %ld %ld", &w.ready_.load, &w.ready_.first,
                  &w.ready_.start_kb, &w.ready_.peak_kb) != 4)
    return Error{"bench", "the worker did not start: " + w.name_, "a worker that says 'ready'",
                 "it says why on stderr"};
  return w;
}

void BenchWorker::settle() const {
  for (int looks = 0; looks < 500 && runs(pid_); ++looks) ::usleep(500);
}

Result<std::string> BenchWorker::ask(const std::string& line) {
  std::string answer(4096, '\0');
  if (std::fputs((line + "\n").c_str(), to_) < 0 || std::fflush(to_) != 0 ||
      !std::fgets(answer.data(), static_cast<int>(answer.size()), from_))
    return Error{"bench", "the worker ended: " + name_, "an answer", ""};
  answer.resize(std::strlen(answer.c_str()));
  return answer;
}

Result<double> BenchWorker::time(int calls, const std::string& kind) {
  LOCKSTEP_TRY(const std::string answer,
               ask((kind.empty() ? "" : kind + " ") + std::to_string(calls)));
  double seconds = 0;
  if (std::sscanf(answer.c_str(), "%lf", &seconds) != 1 || !(seconds > 0))
    return Error{"bench", "the worker answered '" + answer + "': " + name_, "seconds", ""};
  return seconds;
}

}  // namespace lockstep
