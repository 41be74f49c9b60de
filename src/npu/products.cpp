#include "npu/products.h"

#include <algorithm>
#include <cmath>

#include "npu/audit.h"
#include "npu/flow.h"

namespace lockstep {
namespace {

using Affine = std::optional<NpuAffine>;

class Products {
 public:
  explicit Products(const NpuSimulator& sim) : sim_(sim) {}

  Affine of_buffer(const NpuBuffer& b, int depth) const {
    if (b.nbits == 8) return NpuAffine{&b, 1, 0};
    if (b.nbits != 16 || depth > 8) return {};
    for (const NpuEpochForm& form : sim_.epochs())
      if (form.epoch->number == b.epoch)
        for (const auto& [to, link] : form.links)
          if (const auto* s = form.find<NpuStream>(to.unit);
              s && s->writes() && s->address() == b.address() && link.from.size() == 1)
            return of_unit(form, link.from[0].source.unit, depth + 1);
    return {};
  }

 private:
  Affine of_unit(const NpuEpochForm& form, NpuUnitId id, int depth) const {
    if (const auto* s = form.find<NpuStream>(id)) {
      const NpuBuffer* b = buffer_of(sim_.program(), *form.raw(id), *s, form.epoch->number);
      return b && !b->is_param && !s->writes() ? of_buffer(*b, depth + 1) : Affine();
    }
    if (const NpuBuffer* codes = stored(form, id)) return NpuAffine{codes, 1, 0};
    const auto* a = form.find<NpuArith>(id);
    if (!a || depth > 8 || a->operation != "ARITH_AFFINE" || a->scalar == 0) return {};
    const auto rows = arith_coefficients(*a, sim_.memory(), "audit");
    if (!rows.ok()) return {};
    const auto scaled = [&](std::int64_t coefficient, std::int64_t own) {
      return std::ldexp(static_cast<double>(coefficient), -static_cast<int>(own + a->shift_o));
    };
    const Affine x = arriving(form, {id, 0}, depth);
    if (!x) return {};
    const NpuCoefficient& k = rows->front();
    const double ax = scaled(k.a, a->Ax_shift), c = scaled(k.c, -a->C_shift);
    if (a->dualinput == 0) return NpuAffine{x->of, ax * x->factor, ax * x->constant + c};
    const Affine y = arriving(form, {id, 1}, depth);
    if (!y || y->of->address() != x->of->address() || y->of->epoch != x->of->epoch) return {};
    const double by = scaled(k.b, a->By_shift);
    return NpuAffine{x->of, ax * x->factor + by * y->factor,
                     ax * x->constant + by * y->constant + c};
  }
  // The codes of a unit that go to memory, too.
  const NpuBuffer* stored(const NpuEpochForm& form, NpuUnitId id) const {
    for (const auto& [to, link] : form.links) {
      const auto* s = form.find<NpuStream>(to.unit);
      if (!s || !s->writes() || s->nbits_out != 8 || link.from[0].source.unit != id) continue;
      const NpuBuffer* b =
          buffer_of(sim_.program(), *form.raw(to.unit), *s, form.epoch->number + 1);
      if (b && b->nbits == 8 && b->epoch == form.epoch->number) return b;
    }
    return nullptr;
  }
  Affine arriving(const NpuEpochForm& form, NpuPort port, int depth) const {
    const auto link = form.links.find(port);
    if (link == form.links.end() || link->second.from.size() != 1) return {};
    return of_unit(form, link->second.from[0].source.unit, depth + 1);
  }

  const NpuSimulator& sim_;
};

}  // namespace

std::optional<NpuAffine> npu_product_of(const NpuSimulator& simulator, const NpuBuffer& product) {
  if (product.nbits != 16 || product.type != "DataType_INT16") return {};
  return Products(simulator).of_buffer(product, 0);
}

}  // namespace lockstep
