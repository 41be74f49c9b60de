#include "tool/npu_epochs.h"

#include <fmt/core.h>

#include "npu/map_nodes.h"
#include "npu/software.h"

namespace lockstep {
namespace {

// Why an epoch is no hardware epoch, in a word.
std::string why_software(const NpuEpoch& e) {
  const std::string f = software_function(e);
  return e.hardware()                       ? ""
         : f.starts_with("LL_ATON_LIB_DMA") ? "moved by the library"
         : f.starts_with("ll_sw_")          ? "no unit computes " + f.substr(14)
                                            : "the CPU's";
}

}  // namespace

void print_npu_epochs(const NpuProgram& program, const NpuSideFiles& side,
                      const NpuMapping& mapping, const Graph& model) {
  fmt::print("{:>5}  {:4} {:44} {:40} {:>10}  {}\n", "epoch", "", "nodes", "makes", "cycles", "at");
  for (const NpuEpoch& e : program.epochs) {
    const NpuEpochInfo* info = side.find_epoch(e.number);
    std::string nodes, makes, at;
    for (const auto& [node, kind] : e.nodes) nodes += (nodes.empty() ? "" : ", ") + node;
    const bool named = info && !info->originals.empty();  // else by the tensors that it makes
    for (const std::string& o :
         named ? info->originals : npu_nodes_of(program, e.number, mapping, model))
      nodes += (nodes.empty() ? "" : ", ") + o;
    for (const NpuBuffer* b : program.made_by(e.number)) {
      const NpuPair* pair = mapping.find(b->name);
      makes += (makes.empty() ? "" : ", ") + (pair ? pair->value : b->name);
      std::string pool;
      for (const NpuPool& p : program.pools)
        if (b->address() >= p.base && b->address() < p.base + p.size) pool = p.name + " ";
      at += fmt::format("{}{}0x{:08x}+{}", at.empty() ? "" : ", ", pool, b->address(), b->bytes());
    }
    const std::string why = why_software(e);
    fmt::print("{:5}  {:4} {:44} {:40} {:>10}  {}{}\n", e.number,
               e.hardware() ? info && info->mapping == "EC" ? "EC" : "HW" : "SW", nodes, makes,
               info && info->cycles > 0 ? fmt::format("{}", info->cycles) : "", at,
               why.empty() ? "" : "  because: " + why);
  }
}

}  // namespace lockstep
