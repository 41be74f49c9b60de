#include "tool/npu_files.h"

#include <algorithm>
#include <filesystem>
#include <memory>

#include <fmt/core.h>

#include "arith/arith.h"
#include "base/files.h"
#include "npu/lower.h"
#include "npu/network_c.h"
#include "npu/npu_model.h"
#include "npu/side_files.h"
#include "run/executor.h"
#include "tool/command.h"

namespace lockstep {
namespace {

struct FileOptions {
  std::string program, model, output;
  bool partial = false, blobs = false;
};

// The interchange form with its constants beside it, or generated C.
Result<void> write_program(NpuProgram program, const FileOptions& o) {
  if (o.output.ends_with(".c")) return write_network_c(program, o.output, o.blobs);
  if (o.blobs) return Error{"--blobs", o.output, "a file of C to write: -o network.c", {}};
  std::string stem = o.output;
  constexpr std::string_view ending = ".program.json";
  if (stem.ends_with(ending)) stem.resize(stem.size() - ending.size());
  const std::string folder = std::filesystem::path(o.output).parent_path().string();
  int n = 0;
  for (NpuImage& image : program.images) {
    image.file = fmt::format("{}.{}.bin", std::filesystem::path(stem).filename().string(), n++);
    LOCKSTEP_CHECK(write_file((std::filesystem::path(folder) / image.file).string(),
                              std::span<const std::byte>(image.bytes)));
  }
  return write_file(stem + std::string(ending), std::string_view(format_npu_json(program)));
}

Result<void> export_program(const FileOptions& o) {
  LOCKSTEP_TRY(NpuProgram program, read_npu_program(o.program));
  LOCKSTEP_TRY(const NpuSideFiles side, read_side_files(o.program));
  complete_program(program, side);
  return write_program(std::move(program), o);
}

// A program of the network by the rules that predict the compiler's.
Result<void> lower(const FileOptions& o) {
  LOCKSTEP_TRY(const Graph model, import_npu_model(o.model));
  LOCKSTEP_TRY(const Executor executor, Executor::make(model, *find_arithmetic("neural-art")));
  std::vector<std::string> left_out;
  LOCKSTEP_TRY(NpuProgram program,
               lower_to_npu(executor.graph(), o.output, o.partial ? &left_out : nullptr));
  program.model = std::filesystem::path(o.model).filename().string();
  const auto hardware = std::ranges::count_if(program.epochs, &NpuEpoch::hardware);
  fmt::print("{} epochs, {} of them of the CPU; {} bytes of constants\n", program.epochs.size(),
             static_cast<std::ptrdiff_t>(program.epochs.size()) - hardware,
             program.images[0].bytes.size());
  for (const std::string& what : left_out) fmt::print("left out  {}\n", what);
  return write_program(std::move(program), o);
}

constexpr const char* where_to = "x.program.json, or network.c for generated C";
constexpr const char* as_blobs = "C whose hardware epochs are blobs of the epoch controller";

}  // namespace

void add_npu_files(CLI::App& npu, int& code) {
  auto o = std::make_shared<FileOptions>();
  const auto finish = [o, &code](CLI::App* command, Result<void> (*run)(const FileOptions&)) {
    command->add_option("-o,--output", o->output, where_to)->required();
    command->add_flag("--blobs", o->blobs, as_blobs);
    command->callback([o, run, &code] {
      const Result<void> done = run(*o);
      code = done.ok() ? 0 : fail(done.error());
    });
  };
  auto* convert = npu.add_subcommand(
      "export", "the program in the interchange form with its constants, or as generated C");
  convert->add_option("PROGRAM", o->program, "network.c or x.program.json")->required();
  finish(convert, export_program);
  auto* make = npu.add_subcommand(
      "lower", "writes a program of a network by the rules that predict the compiler's");
  make->add_option("MODEL", o->model, "the quantized network")->required();
  make->add_flag("--partial", o->partial,
                 "leave out what the rules do not cover, and what follows from it");
  finish(make, lower);
}

}  // namespace lockstep
