#include "fault/fault_tail.h"

#include <algorithm>

#include "fault/fault_nodes.h"

namespace lockstep {

void fill_tail(Replay& r, std::size_t axis, std::int64_t first, double fill) {
  const NodeView n = r.site.view();
  Tensor& y = r.out[0];
  const bool has_earlier = fill == 2 && r.previous_shown && r.previous_shown->count() == y.count();
  const std::int64_t code = fill == 1 && is_coded(n.output(0)) ? n.output(0).quant.zero_at(0) : 0;
  for (std::int64_t i = 0; i < y.count(); ++i) {
    if (index_along(y.shape(), axis, i) < first) continue;
    if (is_float(y.dtype()))
      y.set_number(i, has_earlier ? r.previous_shown->number(i) : 0);
    else
      y.set_code(i, has_earlier ? r.previous_shown->code(i) : code);
  }
}

std::int64_t first_wrong_along(const Site& site, const Evidence& evidence, std::size_t axis) {
  const Shape& shape = site.view().output(0).shape;
  std::int64_t first = shape[axis];
  for (const Evidence::Item& item : evidence.items) {
    if (!item.observed || !item.expected || item.observed->count() != item.expected->count())
      continue;
    for (std::int64_t i = 0; i < item.observed->count(); ++i)
      if (item.observed->number(i) != item.expected->number(i))
        first = std::min(first, index_along(shape, axis, i));
  }
  return first;
}

}  // namespace lockstep
