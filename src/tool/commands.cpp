#include "tool/command.h"

#include <unistd.h>

#include <cstdio>

#include "base/error.h"

namespace lockstep {

void add_inspect(CLI::App& app, int& code);
void add_run(CLI::App& app, int& code);
void add_validate(CLI::App& app, int& code);
void add_diagnose(CLI::App& app, int& code);
void add_inject(CLI::App& app, int& code);
void add_faults(CLI::App& app, int& code);
void add_docs(CLI::App& app, int& code);
void add_npu(CLI::App& app, int& code);
void add_audit(CLI::App& app, int& code);
void add_sensitivity(CLI::App& app, int& code);
void add_expose(CLI::App& app, int& code);
void add_reduce(CLI::App& app, int& code);
void add_generate(CLI::App& app, int& code);
void add_analyze(CLI::App& app, int& code);
void add_preflight(CLI::App& app, int& code);
void add_bench(CLI::App& app, int& code);
void add_kernels(CLI::App& app, int& code);

std::span<const Command> commands() {
  static constexpr Command table[] = {
      {add_inspect}, {add_run},    {add_validate}, {add_diagnose}, {add_sensitivity},
      {add_inject},  {add_expose}, {add_reduce},   {add_faults},   {add_docs},
      {add_npu},     {add_audit},  {add_generate}, {add_analyze},  {add_preflight},
      {add_bench},   {add_kernels}};
  return table;
}

int fail(const Error& error) {
  const std::string text = isatty(2) ? error.block() : error.line();
  std::fprintf(stderr, "lockstep: %s\n", text.c_str());
  return error.blame == Blame::target ? 3 : 2;
}

}  // namespace lockstep
