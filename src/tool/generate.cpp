#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include <fmt/core.h>

#include "base/files.h"
#include "base/text.h"
#include "diagnose/session.h"
#include "emit/agent_tables.h"
#include "emit/emit.h"
#include "emit/pools.h"
#include "import/import.h"
#include "op/op.h"
#include "run/generated.h"
#include "target/target_generated.h"
#include "tool/command.h"

namespace lockstep {
namespace {

struct GenerateRequest {
  std::string model, folder, arithmetic, name = "network";
  std::vector<std::string> pools;
  std::string pool_file;
  std::string weights = "arrays", cmsis_nn;
  std::string layout = "fast";
  bool keep_inputs = false, picture = false, count = false, agent = false;
};

// In a folder of its own: the C files beside the network are its alone.
Result<void> write_agent(const GenerateRequest& r, const Generated& g) {
  for (const GeneratedFile& f : g.files) {
    if (f.path != r.name + ".json") continue;
    LOCKSTEP_TRY(const std::string tables, agent_tables(f.text));
    std::error_code ignored;
    std::filesystem::create_directories(r.folder + "/agent", ignored);
    return write_file(r.folder + "/agent/" + r.name + "_agent.c", tables);
  }
  return {};
}

// NAME:BYTES[:SPEED[:ADDRESS[:RIGHTS]]]
Result<Pool> pool_of(const std::string& text) {
  const auto parts = split(text, ':');
  const Error wrong{"--pool " + text, "not a pool", "NAME:BYTES[:SPEED[:ADDRESS[:RIGHTS]]]",
                    "for instance dtcm:131072:2:0x30000000:rw"};
  Pool pool;
  if (parts.size() < 2 || parts.size() > 5 || parts[0].empty()) return wrong;
  std::vector<long long> numbers;
  for (std::size_t i = 1; i < std::min<std::size_t>(parts.size(), 4); ++i) {
    char* end = nullptr;
    numbers.push_back(std::strtoll(parts[i].c_str(), &end, 0));
    if (parts[i].empty() || *end != 0 || numbers.back() < 0) return wrong;
  }
  pool.name = parts[0];
  pool.size = numbers[0];
  if (numbers.size() > 1) pool.speed = static_cast<int>(numbers[1]);
  if (numbers.size() > 2) pool.base = numbers[2];
  if (parts.size() > 4) {
    pool.rights = parts[4];
    // Activations are written and read by the CPU.
    if (pool.rights.find_first_not_of("rwn") != std::string::npos ||
        pool.rights.find("rw") == std::string::npos)
      return wrong;
  }
  return pool;
}

Result<PoolFile> pools_of_file(const std::string& path) {
  if (path.empty()) return PoolFile{};
  LOCKSTEP_TRY(const Bytes bytes, read_file(path, std::uint64_t{1} << 24));
  return read_pools({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path);
}

Result<void> write_all(const GenerateRequest& r, const Generated& g) {
  std::error_code failure;
  std::filesystem::create_directories(r.folder, failure);
  if (failure || !folder_exists(r.folder))
    return Error{"-o " + r.folder, "cannot be made", "a writable folder", ""};
  for (const GeneratedFile& f : g.files)
    LOCKSTEP_CHECK(write_file(r.folder + "/" + f.path, f.text));
  return {};
}

// Products of each node by its name; the generated network has further nodes that only move.
std::map<std::string, std::int64_t> products_of(const Graph& g) {
  std::map<std::string, std::int64_t> macs;
  for (const Node& n : g.nodes())
    if (const OpDef* const op = find_op(n.op); op && op->cost) macs[n.name] = op->cost({g, n}).macs;
  return macs;
}

Result<void> print_count(const GenerateRequest& r, const Executor& executor) {
  const auto samples = generated_inputs(executor.graph(), 1, 42);
  LOCKSTEP_TRY(const InstructionCount count, count_instructions(r.folder, samples[0]));
  auto macs = products_of(executor.graph());
  fmt::print("{:>5}  {:20} {:>12} {:>12} {:>10} {:>7}  {}\n", "node", "op", "instructions",
             "vector", "MACs", "per MAC", "name");
  for (std::size_t i = 0; i < count.nodes.size(); ++i) {
    const auto& n = count.nodes[i];
    const std::int64_t m = macs[n.name];
    fmt::print(
        "{:5}  {:20} {:12} {:12} {:>10} {:>7}  {}\n", i, n.op, n.instructions, n.vector,
        m > 0 ? std::to_string(m) : "",
        m > 0 ? fmt::format("{:.2f}", static_cast<double>(n.instructions) / static_cast<double>(m))
              : "",
        n.name);
  }
  fmt::print("total  {:20} {:12} {:12}  stack {} bytes\n", "", count.instructions, count.vector,
             count.stack);
  return {};
}

// "12 Conv, 1 Softmax"
std::string counts_text(const std::map<std::string, int>& nodes) {
  std::vector<std::string> parts;
  for (const auto& [op, count] : nodes) parts.push_back(std::to_string(count) + " " + op);
  return parts.empty() ? "no node" : join(parts, ", ");
}

Result<void> run(const GenerateRequest& r) {
  LOCKSTEP_TRY(const Graph model, import_model(r.model));
  LOCKSTEP_TRY(
      const Arithmetic* arithmetic,
      arithmetic_for(r.arithmetic.empty() && !r.cmsis_nn.empty() ? "cmsis-nn" : r.arithmetic,
                     model.format(), "--arith"));
  LOCKSTEP_TRY(const Executor executor, Executor::make(model, *arithmetic));
  LOCKSTEP_TRY(const Bytes file, read_file(r.model));
  GenerateOptions options{.name = r.name,
                          .model_hash = content_hash(file),
                          .pools = {},
                          .keep_inputs = r.keep_inputs,
                          .weights_apart = r.weights == "blob",
                          .channels_last = r.layout == "fast",
                          .cmsis_nn = r.cmsis_nn};
  for (const std::string& text : r.pools) {
    LOCKSTEP_TRY(Pool pool, pool_of(text));
    options.pools.push_back(std::move(pool));
  }
  LOCKSTEP_TRY(const PoolFile file_pools, pools_of_file(r.pool_file));
  options.pools.insert(options.pools.end(), file_pools.pools.begin(), file_pools.pools.end());
  LOCKSTEP_TRY(const Generated g, generate(executor, options));
  LOCKSTEP_CHECK(write_all(r, g));
  if (r.agent) LOCKSTEP_CHECK(write_agent(r, g));
  if (r.picture) fmt::print("{}", picture_text(g.plan));
  fmt::print("wrote        {}: {} files, arithmetic {}\n", r.folder, g.files.size(),
             arithmetic->name);
  fmt::print("activations  {} bytes ({} live at most)\nweights      {} bytes\n", g.activation_bytes,
             g.plan.largest_live, g.weight_bytes);
  for (std::size_t i = 0; i < g.plan.pools.size() && g.plan.pools.size() > 1; ++i)
    fmt::print("pool         {}: {} of {} bytes\n", g.plan.pools[i].name, g.plan.used[i],
               g.plan.pools[i].size);
  if (!file_pools.left_out.empty())
    fmt::print("not used     {}\n", join(file_pools.left_out, ", "));
  if (!r.cmsis_nn.empty())
    fmt::print("CMSIS-NN     {}\nown kernels  {}\n", counts_text(g.library_nodes),
               counts_text(g.own_nodes));
  return r.count ? print_count(r, executor) : Result<void>();
}

}  // namespace

void add_generate(CLI::App& app, int& code) {
  auto* command = app.add_subcommand(
      "generate", "C99 for the device, with memory plan and weights; c:DIR and qemu:DIR run it");
  auto r = std::make_shared<GenerateRequest>();
  command->add_option("MODEL,-m,--model", r->model, ".onnx or .tflite")->required();
  command->add_option("-o,--output", r->folder, "the folder to write")->required();
  command->add_option("--arith", r->arithmetic,
                      "the arithmetic to meet to the bit; default by the model's format");
  command->add_option("--name", r->name, "prefix of files and functions");
  command
      ->add_option(
          "--pool", r->pools,
          "NAME:BYTES[:SPEED[:ADDRESS[:RIGHTS]]]: memory for activations, the fastest filled first")
      ->take_all();
  command->add_option("--pools", r->pool_file,
                      ".mpool file: memories with base, size, speed and rights");
  command
      ->add_option("--weights", r->weights,
                   "arrays: in C; blob: in NAME_weights.bin, to be flashed apart, with a check")
      ->check(CLI::IsMember({"arrays", "blob"}));
  command
      ->add_option("--layout", r->layout,
                   "fast: channels last inside, where convolutions on codes gain by it; model: "
                   "every tensor as "
                   "the model has it")
      ->check(CLI::IsMember({"fast", "model"}));
  command->add_option("--cmsis-nn", r->cmsis_nn,
                      "folder of a CMSIS-NN checkout: what it has kernels for is called there "
                      "(arithmetic cmsis-nn, taken where none is named)");
  command->add_flag("--keep-inputs", r->keep_inputs, "input buffers survive the run");
  command->add_flag("--agent", r->agent,
                    "write agent/NAME_agent.c too: the network as rt/agent serves it");
  command->add_flag("--picture", r->picture, "print who lives where and when");
  command->add_flag("--count", r->count,
                    "run it on the emulated Cortex-M55 and print instructions per node");
  command->callback([r, &code] {
    const auto done = run(*r);
    code = done.ok() ? 0 : fail(done.error());
  });
}

}  // namespace lockstep
