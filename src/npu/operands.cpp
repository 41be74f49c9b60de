#include "npu/operands.h"

#include <algorithm>

#include "npu/flow.h"
#include "npu/products.h"
#include "num/npu_fixed.h"

namespace lockstep {

const NpuBuffer* NpuOperands::buffer(NpuUnitId id, int epoch) const {
  const auto* s = form.find<NpuStream>(id);
  const NpuUnit* u = form.raw(id);
  return s && u ? buffer_of(sim.program(), *u, *s, epoch) : nullptr;
}

NpuUnitId NpuOperands::source(NpuUnitId id, int port) const {
  const auto it = form.links.find({id, port});
  return it == form.links.end() ? NpuUnitId{NpuKind::recbuf, 9} : it->second.from[0].source.unit;
}

NpuCodes NpuOperands::arriving(NpuUnitId id, int port) const {
  const NpuUnitId from = source(id, port);
  if (from.kind == NpuKind::stream) {
    const NpuBuffer* b = buffer(from, form.epoch->number);
    if (!b || b->scale.size() != 1) return {};
    // The table of products by a constant leaves that constant out of their zero point.
    if (const auto made = npu_product_of(sim, *b); made && made->of->zero.size() == 1)
      return {b->scale[0],
              npu_nearest(made->factor * static_cast<double>(made->of->zero[0]) + made->constant)};
    return {b->scale[0], b->zero.empty() ? 0 : b->zero[0]};
  }
  for (const NpuLayerPair& p : pairs)
    if (p.model && p.model->zero_known && p.layer->codes_epoch == form.epoch->number &&
        !p.layer->stages.empty() && p.layer->stages.back().id == from)
      return {p.model->y_scale, p.model->y_zero};
  return {};
}

bool NpuOperands::subtracts(NpuUnitId id, const NpuBuffer& out) const {
  const NpuUnit* u = form.raw(id);
  const std::string node = u ? u->name.substr(0, u->name.rfind("_init")) : "";
  for (const auto& [name, op] : form.epoch->nodes)
    if (name == node) return op == "Sub";
  return out.name.starts_with("Sub_");
}

const NpuBuffer* NpuOperands::stored(NpuUnitId id) const {
  for (const auto& [to, link] : form.links)
    if (link.from[0].source.unit == id && to.unit.kind == NpuKind::stream)
      return buffer(to.unit, form.epoch->number + 1);
  return nullptr;
}

std::optional<std::int64_t> NpuOperands::shifts_codes(const NpuArith& a) const {
  if (a.operation != "ARITH_AFFINE" || a.dualinput != 0 || a.scalar == 0 || a.outbytes_o != 1 ||
      a.Ax_shift != 0 || a.shift_o < 0 || a.shift_o > 47)
    return {};
  const auto rows = arith_coefficients(a, sim.memory(), "audit");
  const std::int64_t one = std::int64_t{1} << a.shift_o;
  if (!rows.ok() || rows->front().a != one) return {};
  const std::int64_t added = rows->front().c * (std::int64_t{1} << a.C_shift);
  return added % one == 0 ? std::optional(added / one) : std::nullopt;
}

NpuYield NpuOperands::yields(NpuUnitId id) const {
  const auto zero = [](const NpuBuffer& b) { return b.zero.empty() ? 0 : b.zero[0]; };
  if (const NpuBuffer* b = stored(id)) return {b, zero(*b)};
  for (const auto& [to, link] : form.links) {
    const auto* next = link.from[0].source.unit == id ? form.find<NpuArith>(to.unit) : nullptr;
    const auto added = next ? shifts_codes(*next) : std::nullopt;
    const NpuBuffer* b = added ? stored(to.unit) : nullptr;
    if (b) return {b, zero(*b) - *added};
  }
  return {};
}

}  // namespace lockstep
