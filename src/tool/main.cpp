#include <malloc.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <new>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "kernel/kernel.h"
#include "run/session_cache.h"
#include "tool/command.h"

namespace {

// A word that is no command, with the nearest one as a hint.
lockstep::Error bad_request(const CLI::App& app, const CLI::ParseError& e, int argc, char** argv) {
  std::string hint = "lockstep --help";
  const std::string word = argc > 1 ? argv[1] : "";
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  const bool known = std::ranges::find(names, word) != names.end();
  if (known) hint = "lockstep " + word + " --help";
  if (!known && !word.empty() && word[0] != '-') {
    const std::string near = lockstep::nearest(word, names);
    return {"lockstep " + word, "no such command", lockstep::join(names, ", "),
            near.empty() ? "" : "did you mean '" + near + "'?"};
  }
  std::string what = e.what();
  for (char& c : what)
    if (c == '\n') c = ' ';
  return {"command line", what, "", hint};
}

}  // namespace

int main(int argc, char** argv) {
  // Large blocks are used again instead of being mapped anew: most of a load's time would be that.
  ::mallopt(M_MMAP_THRESHOLD, 1 << 30);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
  CLI::App app{"The same numbers on the device as on your PC, and if not: which operation, why, and what to do."};
  app.name("lockstep");
  app.set_version_flag("--version", LOCKSTEP_VERSION);
  app.require_subcommand(1);
  int code = 0;
  lockstep::Result<void> machine;
  app.add_option_function<std::vector<std::string>>(
         "--kernel", [&](const std::vector<std::string>& names) { machine = lockstep::force_kernels(names); },
         "only these kernels of `lockstep kernels`; scalar: none")
      ->delimiter(',');
  app.add_option_function<int>("--threads", lockstep::set_default_threads, "threads of the reference; results do not depend on it")
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
    if (e.get_exit_code() == 0) return app.exit(e);
    return lockstep::fail(bad_request(app, e, argc, argv));
  } catch (const std::bad_alloc&) {
    return lockstep::fail({"lockstep", "not enough memory for this request", "a smaller model or fewer samples", ""});
  }
  return code;
}
