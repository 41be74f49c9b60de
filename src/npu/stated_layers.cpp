#include "npu/stated_layers.h"

#include <algorithm>
#include <cmath>

#include "npu/operands.h"
#include "num/npu_fixed.h"

namespace lockstep {
namespace {

const NpuEpochForm* form_of(const NpuSimulator& sim, int epoch) {
  const auto it = std::ranges::find_if(
      sim.epochs(), [&](const NpuEpochForm& f) { return f.epoch->number == epoch; });
  return it == sim.epochs().end() ? nullptr : &*it;
}

// The scales of the weights that a convolution takes, by the table of its stream or of its node.
std::vector<double> weight_scales(const NpuOperands& c, const NpuLayer& l) {
  const NpuUnitId from = c.source(l.convs.front(), 1);
  const NpuBuffer* w = c.buffer(from, c.form.epoch->number);
  if (!w || !w->is_param || w->scale.empty()) w = c.sim.program().find_buffer(l.node + "_weights");
  return w && w->is_param ? w->scale : std::vector<double>();
}

// The codes that enter at the features' port, also where their zero point is removed on the way.
double entering(const NpuOperands& c, NpuUnitId id) {
  for (int hops = 0; hops < 4; ++hops) {
    if (const NpuCodes x = c.arriving(id, 0); x.known()) return x.scale;
    const NpuUnitId from = c.source(id, 0);
    const auto* a = c.form.find<NpuArith>(from);
    if (!a || !c.shifts_codes(*a)) return 0;
    id = from;
  }
  return 0;
}

// The scale that a two-operand unit behind `id` gives to its operand: coefficient times output.
double taken_at(const NpuOperands& c, NpuUnitId id) {
  for (const auto& [to, link] : c.form.links) {
    const auto* a = link.from[0].source.unit == id ? c.form.find<NpuArith>(to.unit) : nullptr;
    if (!a || a->dualinput == 0 || a->scalar == 0 || a->inbytes_x != 1 || a->inbytes_y != 1 ||
        a->operation != "ARITH_AFFINE")
      continue;
    const NpuYield out = c.yields(to.unit);
    if (!out.buffer || out.buffer->scale.size() != 1) continue;
    const bool first = to.port == 0;
    const auto coefficient =
        static_cast<double>(std::abs(npu_wrap(first ? a->A_scalar : a->B_scalar, 2)));
    return std::ldexp(coefficient,
                      -static_cast<int>(a->shift_o + (first ? a->Ax_shift : a->By_shift))) *
           out.buffer->scale[0];
  }
  return 0;
}

void state_result(const NpuOperands& c, const NpuLayer& l, ModelLayer& m) {
  const NpuYield y = c.yields(l.stages.back().id);
  if (y.buffer && y.buffer->scale.size() == 1) {
    m.y_scale = y.buffer->scale[0], m.y_zero = y.zero, m.output = y.buffer->name;
    return;
  }
  m.y_scale = taken_at(c, l.stages.back().id);
  m.zero_known = false;
}

ModelLayer state(const NpuSimulator& sim, const NpuLayer& l, std::span<const NpuLayerPair> before) {
  ModelLayer m;
  m.node = l.node, m.bias_known = false;
  const NpuEpochForm *sums = form_of(sim, l.epoch), *codes = form_of(sim, l.codes_epoch);
  if (!sums || !codes || l.stages.empty() || !l.stages.back().ends_in_codes()) return m;
  const NpuOperands in{sim, before, *sums};
  m.w_scale = weight_scales(in, l);
  m.x_scale = entering(in, l.convs.front());
  state_result({sim, before, *codes}, l, m);
  std::size_t n = m.w_scale.size() == 1 ? 1 : m.w_scale.size();
  for (const NpuStage& s : l.stages) n = std::max(n, s.factor.size());
  const bool fits = n <= l.channels() && (m.w_scale.size() == 1 || m.w_scale.size() == n);
  if (!fits || m.w_scale.empty() || m.x_scale <= 0 || m.y_scale <= 0) return m;
  m.out_channels = static_cast<std::int64_t>(n);
  m.kernel_sum.assign(l.kernel_sum.begin(), l.kernel_sum.begin() + m.out_channels);
  m.kernel_squares.assign(l.kernel_squares.begin(), l.kernel_squares.begin() + m.out_channels);
  m.kernel_size.assign(l.kernel_size.begin(), l.kernel_size.begin() + m.out_channels);
  for (const std::int64_t size : m.kernel_size) m.kernel_worst.push_back(127 * size);
  return m;
}

}  // namespace

std::vector<ModelLayer> stated_layers(const NpuSimulator& sim,
                                      const std::vector<NpuLayer>& layers) {
  std::vector<ModelLayer> stated;
  stated.reserve(layers.size());  // pairs point into it
  std::vector<NpuLayerPair> pairs;
  for (const NpuLayer& l : layers) {
    stated.push_back(state(sim, l, pairs));
    if (stated.back().out_channels > 0) pairs.push_back({&l, &stated.back(), nullptr});
  }
  return stated;
}

}  // namespace lockstep
