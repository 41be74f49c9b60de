#include <CLI/CLI.hpp>
#include <cstdio>

#include "tool/command.h"

int main(int argc, char** argv) {
  CLI::App app{"The same numbers on the device as on your PC, and if not: which operation, why, and what to do."};
  app.name("lockstep");
  app.require_subcommand(1);
  int code = 0;
  for (const lockstep::Command& command : lockstep::commands()) command.add(app, code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  return code;
}
