#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "base/error.h"
#include "kernel/kernel.h"
#include "run/session_cache.h"
#include "tool/bad_request.h"
#include "tool/command.h"

namespace {

// Large blocks are used again instead of being mapped anew, and the first of the heap is mapped in
// pages of 2 MB: most of a small network's load would be the system's clearing of single pages.
void tune_heap() {
  constexpr std::uintptr_t ahead = 64 << 20, huge = 2 << 20;
  ::mallopt(M_MMAP_THRESHOLD, 1 << 30);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
  const auto end = [] { return reinterpret_cast<std::uintptr_t>(::sbrk(0)); };
  const std::uintptr_t before = end();
  void* volatile grown = std::malloc(ahead);
  std::free(grown);
  const std::uintptr_t first = (before + huge - 1) / huge * huge, last = end();
  if (last <= first) return;
  ::madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
  // Nothing is written there: what follows begins in the first of those pages.
  [[maybe_unused]] static void* volatile gap = std::malloc(first - before);
}

}  // namespace

int main(int argc, char** argv) {
  tune_heap();
  CLI::App app{
      "The same numbers on the device as on your PC, and if not: which operation, why, and what to "
      "do."};
  app.name("lockstep");
  app.set_version_flag("--version", LOCKSTEP_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 healthy, or nothing found; 1 a mismatch, a finding, or a gate missed; 2 the "
      "request or a file is wrong;\n"
      "3 the target cannot be reached or broke off; with several targets the worst.");
  int code = 0;
  lockstep::Result<void> machine;
  app.add_option_function<std::vector<std::string>>(
         "--kernel",
         [&](const std::vector<std::string>& names) { machine = lockstep::force_kernels(names); },
         "only these kernels of `lockstep kernels`; scalar: none")
      ->delimiter(',');
  app.add_option_function<int>("--threads", lockstep::set_default_threads,
                               "threads of the reference; results do not depend on it")
      ->check(CLI::Range(1, 256));
  app.parse_complete_callback([&] {
    if (!machine.ok()) throw CLI::RuntimeError(2);
  });
  for (const lockstep::Command& command : lockstep::commands()) command.add(app, code);
  for (CLI::App* command : app.get_subcommands({})) command->fallthrough();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (!machine.ok()) return lockstep::fail(machine.error());
    const std::span<char* const> words(argv, static_cast<std::size_t>(argc));
    if (e.get_exit_code() != 0) return lockstep::fail(lockstep::bad_request(app, e, words));
    if (const auto wrong = lockstep::wrong_word(app, words)) return lockstep::fail(*wrong);
    return app.exit(e);
  } catch (const std::bad_alloc&) {
    return lockstep::fail(
        {"lockstep", "not enough memory for this request", "a smaller model or fewer samples", ""});
  }
  return code;
}
