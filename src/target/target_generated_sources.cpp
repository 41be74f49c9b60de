// What a compiler is given of a generated network.
#include <algorithm>
#include <filesystem>

#include "base/files.h"
#include "emit/emit.h"
#include "emit/work.h"
#include "target/target_generated.h"

namespace lockstep {
namespace fs = std::filesystem;

namespace {

// The library's files, where it stands, and how it rounds.
Result<void> add_library(const GeneratedNetwork& network, std::vector<std::string>& to) {
  if (network.library_folder.empty()) return {};
  const fs::path folder = network.library_folder;
  for (const std::string& file : network.library_sources) {
    if (!file_exists((folder / file).string()))
      return Error{(folder / file).string(), "no such file",
                   "the checkout of CMSIS-NN that the network was generated for",
                   "generate it again with --cmsis-nn"};
    to.push_back((folder / file).string());
  }
  to.push_back("-I" + (folder / "Include").string());
  for (const std::string& definition : network.library_definitions) to.push_back("-D" + definition);
  return {};
}

}  // namespace

Result<std::vector<std::string>> sources_of(const GeneratedNetwork& network) {
  std::vector<std::string> files;
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(network.folder, failure))
    if (entry.path().extension() == ".c") files.push_back(fs::absolute(entry.path()));
  if (failure || files.empty())
    return Error{network.folder, "no C files", "a folder that lockstep generate wrote", ""};
  std::ranges::sort(files);
  return files;
}

Result<std::vector<std::string>> linked_sources(const GeneratedNetwork& network,
                                                const ScratchFolder& folder) {
  LOCKSTEP_TRY(auto sources, sources_of(network));
  LOCKSTEP_CHECK(add_library(network, sources));
  if (network.has_addresses) sources.push_back("-D" + c_upper(network.name) + "_POOLS_ANYWHERE");
  if (network.weights_file.empty()) return sources;
  const fs::path file = fs::absolute(fs::path(network.folder) / network.weights_file);
  if (!file_exists(file.string()))
    return Error{file.string(), "no such file",
                 "the constants that were generated with the network", "generate it again"};
  const std::string symbol = network.name + "_blob";
  LOCKSTEP_CHECK(
      write_file(folder / "blob.c", "__asm__(\".section .rodata\\n.balign 16\\n.global " + symbol +
                                        "\\n" + symbol + ":\\n.incbin \\\"" + file.string() +
                                        "\\\"\\n.byte 0\\n.text\\n\");\n"));
  sources.push_back(folder / "blob.c");
  return sources;
}

Result<void> write_harness(const ScratchFolder& folder) {
  for (const RuntimeFile& f : runtime_files())
    if (f.path.starts_with("harness/"))
      LOCKSTEP_CHECK(write_file(folder / std::string(f.path.substr(8)), f.text));
  return {};
}

namespace {

// A tensor's bytes and the nodes between which they are needed: -1 stands for before the first.
struct Needed {
  const GeneratedTensor* tensor;
  std::int64_t first, last;
};

std::vector<Needed> needs_of(const GeneratedNetwork& n) {
  const auto end = static_cast<std::int64_t>(n.nodes.size());
  const auto last_of = [&](const std::string& name, std::int64_t from) {
    if (std::ranges::count(n.kept, name) > 0) return end;
    std::int64_t last = from;
    for (std::size_t k = 0; k < n.node_inputs.size(); ++k)
      if (std::ranges::count(n.node_inputs[k], name) > 0)
        last = std::max(last, static_cast<std::int64_t>(k));
    return last;
  };
  std::vector<Needed> needs;
  for (const GeneratedTensor& t : n.inputs) needs.push_back({&t, -1, last_of(t.name, -1)});
  for (const GeneratedTensor& t : n.states) needs.push_back({&t, -1, end});
  for (std::size_t k = 0; k < n.nodes.size(); ++k)
    for (const GeneratedTensor& t : n.nodes[k])
      if (!t.name.empty())
        needs.push_back(
            {&t, static_cast<std::int64_t>(k), last_of(t.name, static_cast<std::int64_t>(k))});
  return needs;
}

}  // namespace

std::string poison_table(const GeneratedNetwork& n) {
  const auto needs = needs_of(n);
  std::string rows;
  for (std::int64_t node = -1; node < static_cast<std::int64_t>(n.nodes.size()); ++node)
    for (std::size_t p = 0; p < n.pools.size(); ++p) {
      std::vector<std::pair<std::int64_t, std::int64_t>> live;
      for (const Needed& need : needs)
        if (need.tensor->pool == static_cast<int>(p) && need.first <= node && need.last > node)
          live.emplace_back(need.tensor->offset, need.tensor->offset + need.tensor->bytes);
      std::ranges::sort(live);
      live.emplace_back(n.pools[p].second, n.pools[p].second);
      std::int64_t at = 0;
      for (const auto& [from, to] : live) {
        if (from > at)
          rows += "  {" + std::to_string(node) + ", " + std::to_string(p) + ", " +
                  std::to_string(at) + ", " + std::to_string(from) + "},\n";
        at = std::max(at, to);
      }
    }
  std::string last;
  for (const auto& outputs : n.nodes) {
    std::size_t o = outputs.size();
    while (o > 1 && outputs[o - 1].name.empty()) --o;
    last += std::to_string(o - 1) + ", ";
  }
  return "static const int last_output[] = {" + last +
         "0};\nstatic const struct { int node, pool; uint32_t from, to; } dead[] = {\n" + rows +
         "  {-2, 0, 0, 0}};\n";
}

}  // namespace lockstep
