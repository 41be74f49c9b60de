#include <CLI/CLI.hpp>
#include <memory>

#include <fmt/core.h>

#include "base/files.h"
#include "report/pages.h"
#include "tool/command.h"

namespace lockstep {
namespace {

int write_pages(const std::string& folder) {
  if (!folder_exists(folder))
    return fail({"--write " + folder, "is not a folder", "an existing folder", ""});
  for (const auto& [name, text] : generated_pages()) {
    if (const auto written = write_file(folder + "/" + name, text); !written.ok())
      return fail(written.error());
    fmt::print("wrote     {}/{}\n", folder, name);
  }
  return 0;
}

}  // namespace

void add_docs(CLI::App& app, int& code) {
  auto* command = app.add_subcommand(
      "docs", "writes the pages that list operators, arithmetics, faults, targets, devices");
  auto folder = std::make_shared<std::string>();
  command->add_option("--write", *folder, "the folder, e.g. docs")->required();
  command->callback([folder, &code] { code = write_pages(*folder); });
}

}  // namespace lockstep
