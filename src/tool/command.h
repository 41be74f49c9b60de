#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>

namespace CLI {
class App;
}

namespace lockstep {

struct Error;

// One command of the tool: adds its subcommand to the application; its callback sets the exit code.
struct Command {
  void (*add)(CLI::App& app, int& code);
};
std::span<const Command> commands();  // tool/commands.cpp: one line per command

// `--dim NAME=N`: extents of dimensions that a model leaves open, by name or "input[axis]".
void add_dimensions(CLI::App& command, std::map<std::string, std::int64_t>& dimensions);

// Prints an error to stderr (a block on a terminal, one line in a pipe) and returns its exit code.
int fail(const Error& error);

}  // namespace lockstep
