// Generated C, compiled with this machine's compiler and run here.
#include <cstdlib>

#include "base/files.h"
#include "target/target_compiled.h"

namespace lockstep {
namespace {

Result<void> build(const GeneratedNetwork& network, const ScratchFolder& work, bool poison,
                   const std::string& uri) {
  LOCKSTEP_CHECK(write_harness(work));
  LOCKSTEP_TRY(const auto sources, linked_sources(network, work));
  const char* chosen = std::getenv("CC");
  std::vector<std::string> arguments{chosen && *chosen ? chosen : "cc",
                                     "-std=c99",
                                     "-O2",
                                     "-ffp-contract=off",
                                     "-I" + network.folder,
                                     "-I" + work.path(),
                                     "-DNETWORK_HEADER=\"" + network.name + ".h\"",
                                     "-DNETWORK_NAME=" + network.name,
                                     work / "main.c",
                                     work / "host.c"};
  if (poison) {
    LOCKSTEP_CHECK(write_file(work / "poison.h", poison_table(network)));
    arguments.push_back("-DLS_POISON");
  }
  arguments.insert(arguments.end(), sources.begin(), sources.end());
  arguments.insert(arguments.end(), {"-lm", "-o", work / "network"});
  LOCKSTEP_TRY(const ProcessResult done, run_process({.arguments = arguments,
                                                      .folder = "",
                                                      .input = "",
                                                      .output = "",
                                                      .seconds = compile_seconds}));
  if (done.code == 0) return {};
  return Error{uri, "does not compile", "C99 as lockstep generate writes it", done.errors,
               Blame::target};
}

Result<void> execute(const ScratchFolder& work, const std::string& uri) {
  LOCKSTEP_TRY(const ProcessResult done, run_process({.arguments = {work / "network"},
                                                      .folder = "",
                                                      .input = work / "in.bin",
                                                      .output = work / "out.bin"}));
  if (done.code == 0) return {};
  return Error{uri, "ended with code " + std::to_string(done.code), "code 0", done.errors,
               Blame::target};
}

constexpr CompiledKind kind = {
    .scheme = "c:",
    .option = ",poison=on",
    .device = "generated C on this machine",
    .build = build,
    .execute = execute,
};

}  // namespace

extern constinit const TargetDef target_c = {
    .name = "c",
    .syntax = "c:DIR[,poison=on]",
    .meaning =
        "generated C, compiled and run on this machine; with poison, dead bytes are overwritten "
        "after each node",
    .matches = [](std::string_view uri) { return uri.starts_with("c:"); },
    .open = [](std::string_view uri,
               const TargetContext& context) { return open_compiled(kind, uri, context); },
};

}  // namespace lockstep
