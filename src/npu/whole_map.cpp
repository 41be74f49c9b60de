#include "npu/whole_map.h"

#include <algorithm>

namespace lockstep {

bool npu_over_the_map(const Graph& g, const Node& n) {
  if (g.value(n.inputs[0]).shape.size() != 4) return false;
  std::vector<std::int64_t> axes = n.attrs.integers("axes");
  if (n.inputs.size() > 1 && n.inputs[1] != no_id) {
    const Tensor* given = g.value(n.inputs[1]).constant.get();
    if (!given) return false;
    for (std::int64_t i = 0; i < given->count(); ++i) axes.push_back(given->code(i));
  }
  for (std::int64_t& a : axes) a += a < 0 ? 4 : 0;
  std::ranges::sort(axes);
  const std::int64_t first = g.format() == "tflite" ? 1 : 2;  // channels last, channels first
  return axes == std::vector<std::int64_t>{first, first + 1};
}

}  // namespace lockstep
