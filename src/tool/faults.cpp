#include <CLI/CLI.hpp>

#include <fmt/core.h>

#include "fault/fault_claim.h"
#include "tool/command.h"

namespace lockstep {

void add_faults(CLI::App& app, int& code) {
  auto* command = app.add_subcommand("faults", "the faults that sim:, inject and diagnose know");
  command->callback([&code] {
    for (const FaultDef* fault : fault_table()) {
      fmt::print("{:24} {}\n", fault->name, claim_outline(*fault));
      for (const ParamSpec& p : fault->params)
        fmt::print("{:24}   {}={:.6g}   {}\n", "", p.name, p.fallback, p.meaning);
    }
    code = 0;
  });
}

}  // namespace lockstep
