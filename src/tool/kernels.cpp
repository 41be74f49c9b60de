#include <CLI/CLI.hpp>

#include <fmt/core.h>

#include "kernel/kernel.h"
#include "tool/command.h"

namespace lockstep {

void add_kernels(CLI::App& app, int& code) {
  auto* command =
      app.add_subcommand("kernels", "lists the kernels, and which of them this processor runs");
  command->callback([&code] {
    for (const Kernel* const kernel : kernel_table()) {
      std::string ops;
      for (const std::string_view op : kernel->ops)
        ops += (ops.empty() ? "" : ", ") + std::string(op);
      fmt::print("{:<22} {:<4} {:<11} {}\n{:<22} {:<4} {:<11} {}\n", kernel->name,
                 runs_here(kernel->isa) && (!kernel->loads || kernel->loads()) ? "here" : "-",
                 name_of(kernel->isa), ops, "", "", "", kernel->meaning);
    }
    fmt::print("{:<22} {:<4} {:<11} every operator's own eval\n", "scalar", "here", "any");
    code = 0;
  });
}

}  // namespace lockstep
