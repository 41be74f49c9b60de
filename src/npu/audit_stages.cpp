// Original model -> the compiler's optimized graph, layer by layer; and files of one compilation
// among each other.
#include <algorithm>
#include <cmath>

#include <fmt/core.h>

#include "npu/audit.h"
#include "npu/software.h"

namespace lockstep {
namespace {

bool near(double a, double b) {
  return std::abs(a - b) <= 1e-6 * std::max(std::abs(a), std::abs(b));
}

NpuFinding departs(const ModelLayer& l, std::string what) {
  return {"graph-departs",
          NpuSeverity::error,
          0,
          l.node + " (" + l.output + ")",
          std::move(what),
          "the compiler changed what this layer computes before it emitted anything",
          "compile without graph optimizations, and report the compiler's release",
          255};
}

void compare_layer(const ModelLayer& a, const ModelLayer& b, std::vector<NpuFinding>& found) {
  if (!near(a.x_scale, b.x_scale) || a.x_zero != b.x_zero)
    found.push_back(departs(a, fmt::format("input quantized by {:.9g}, {} and by {:.9g}, {}",
                                           a.x_scale, a.x_zero, b.x_scale, b.x_zero)));
  if (!near(a.y_scale, b.y_scale) || a.y_zero != b.y_zero)
    found.push_back(departs(a, fmt::format("output quantized by {:.9g}, {} and by {:.9g}, {}",
                                           a.y_scale, a.y_zero, b.y_scale, b.y_zero)));
  const auto n = static_cast<std::size_t>(a.out_channels);
  for (std::size_t k = 0; k < n; ++k) {
    const double wa = a.w_scale[a.w_scale.size() == 1 ? 0 : k],
                 wb = b.w_scale[b.w_scale.size() == 1 ? 0 : k];
    if (!near(wa, wb))
      return found.push_back(
          departs(a, fmt::format("weight scale of channel {} is {:.9g} and {:.9g}", k, wa, wb)));
    const double ba = a.bias.empty() ? 0 : a.bias[k], bb = b.bias.empty() ? 0 : b.bias[k];
    if (std::abs(ba - bb) > 1)
      return found.push_back(
          departs(a, fmt::format("bias of channel {} is {:.0f} and {:.0f}", k, ba, bb)));
  }
}

}  // namespace

std::vector<NpuFinding> compare_graphs(const Graph& original, const Graph& optimized) {
  std::vector<NpuFinding> found;
  const auto a = model_layers(original), b = model_layers(optimized);
  std::vector<bool> used(b.size(), false);
  for (const ModelLayer& l : a) {
    const auto same = [&](const ModelLayer& o) {
      return l.kernel_sum == o.kernel_sum && l.kernel_squares == o.kernel_squares;
    };
    std::size_t at = b.size();
    for (std::size_t i = 0; i < b.size() && at == b.size(); ++i)
      if (!used[i] && same(b[i])) at = i;
    if (at == b.size()) {
      found.push_back(departs(l, "no layer of the optimized graph has its weights"));
      continue;
    }
    used[at] = true;
    compare_layer(l, b[at], found);
  }
  return found;
}

std::vector<NpuFinding> audit_build(const NpuProgram& program, const NpuSideFiles& side) {
  std::vector<NpuFinding> found;
  const auto mixed = [&](std::string where, std::string what) {
    found.push_back({"mixed-build", NpuSeverity::error, 0, std::move(where), std::move(what),
                     "files of different compilations: the device reads one by the other's layout",
                     "take all files of one compilation, and flash its weights with its program",
                     255});
  };
  for (const NpuBuffer& b : side.buffers)
    for (const NpuBuffer& p : program.buffers) {
      if (p.name != b.name || p.epoch != b.epoch || b.base == 0)
        continue;  // given by the application
      if (p.address() != b.address() || p.bytes() != b.bytes())
        mixed(b.name,
              fmt::format("0x{:08x}, {} bytes in the program and 0x{:08x}, {} bytes in c_info",
                          p.address(), p.bytes(), b.address(), b.bytes()));
      else if (p.scale.size() == 1 && b.scale.size() == 1 && !near(p.scale[0], b.scale[0]))
        mixed(b.name, fmt::format("scale {:.9g} in the program and {:.9g} in c_info", p.scale[0],
                                  b.scale[0]));
    }
  for (const NpuEpochInfo& e : side.epochs) {
    const NpuEpoch* p = program.find_epoch(e.number);
    if (!p || e.mapping.empty()) continue;
    const bool software = e.mapping == "SW", hardware = e.mapping == "HW" || e.mapping == "EC";
    if ((software && p->hardware()) ||
        (hardware && !p->hardware() && !software_function(*p).empty()))
      mixed(fmt::format("epoch {}", e.number),
            fmt::format("{} in the program and {} in its report",
                        p->hardware() ? "a hardware epoch" : "software", e.mapping));
  }
  return found;
}

}  // namespace lockstep
