#include "op/op_window.h"

#include "base/text.h"

namespace lockstep {
namespace {

std::vector<std::int64_t> attr_or(const NodeView& n, const char* name, std::size_t count,
                                  std::int64_t fallback) {
  auto v = n.attrs().integers(name);
  if (v.empty()) v.assign(count, fallback);
  return v;
}

Error bad(const NodeView& n, const char* name, const std::vector<std::int64_t>& v,
          std::string want) {
  return Error{n.where(), std::string(name) + " " + shape_text(v), std::move(want), ""};
}

// Pads that make out = ceil(in / stride); the odd one goes to the end unless `lower`. ONNX's
// poolings take them without the dilation, and where the stride leaves gaps they are negative: the
// runtime cuts the input (N40).
void same_pads(Window& w, std::size_t a, const NodeView& n, bool lower) {
  const bool pool = n.node.op.ends_with("Pool") && !w.channels_last;
  const std::int64_t span = (w.kernel[a] - 1) * (pool ? 1 : w.dilations[a]) + 1;
  const std::int64_t out = (w.in[a] + w.strides[a] - 1) / w.strides[a];
  const std::int64_t total = (out - 1) * w.strides[a] + span - w.in[a];
  const std::int64_t pads = pool ? total : std::max<std::int64_t>(0, total);
  w.begin[a] = (lower ? pads + 1 : pads) / 2;  // toward zero
  w.end[a] = pads - w.begin[a];
}

Result<void> set_extent(Window& w, std::size_t a, const NodeView& n, bool beyond) {
  const std::int64_t span = (w.kernel[a] - 1) * w.dilations[a] + 1;
  const std::int64_t room = w.in[a] + w.begin[a] + w.end[a] - span;
  const bool ceils = n.attrs().integer("ceil_mode", 0) != 0;
  if (room < 0 && beyond && room > -2 * w.strides[a])
    return w.out[a] = room > -w.strides[a] ? 1 : 0, Result<void>();
  if (room < 0)
    return Error{
        n.where(),
        "a window of " + std::to_string(span) + " over an extent of " + std::to_string(room + span),
        "a window not larger than the padded input", ""};
  w.out[a] = room / w.strides[a] + 1;
  // With ceil_mode a last window may hang over the end, but must start inside the input or its left
  // pad.
  if (ceils && room % w.strides[a] != 0 && w.out[a] * w.strides[a] < w.in[a] + w.begin[a])
    ++w.out[a];
  return {};
}

}  // namespace

Shape Window::output_shape(std::int64_t c) const {
  Shape shape{batch};
  if (!channels_last) shape.push_back(c);
  for (std::size_t a = 3 - spatial_rank; a < 3; ++a) shape.push_back(out[a]);
  if (channels_last) shape.push_back(c);
  return shape;
}

Result<Window> window_of(const NodeView& n, const Shape& x, const std::vector<std::int64_t>& kernel,
                         bool beyond) {
  if (x.size() < 3 || x.size() > 5)
    return Error{n.where(), "an input of shape " + shape_text(x), "one, two or three spatial axes",
                 ""};
  Window w;
  const std::size_t rank = w.spatial_rank = x.size() - 2;
  w.channels_last = n.attrs().text("layout", "NCHW") == "NHWC";
  w.batch = x[0];
  w.channels = w.channels_last ? x.back() : x[1];
  const auto strides = attr_or(n, "strides", rank, 1), dilations = attr_or(n, "dilations", rank, 1);
  const auto pads = attr_or(n, "pads", 2 * rank, 0);
  if (kernel.size() != rank) return bad(n, "kernel", kernel, std::to_string(rank) + " extents");
  if (strides.size() != rank) return bad(n, "strides", strides, std::to_string(rank) + " numbers");
  if (dilations.size() != rank)
    return bad(n, "dilations", dilations, std::to_string(rank) + " numbers");
  if (pads.size() != 2 * rank) return bad(n, "pads", pads, std::to_string(2 * rank) + " numbers");
  const std::string rule = n.attrs().text("auto_pad", "NOTSET");
  for (std::size_t i = 0; i < rank; ++i) {
    const std::size_t a = 3 - rank + i;
    w.in[a] = x[i + (w.channels_last ? 1 : 2)];
    w.kernel[a] = kernel[i];
    w.strides[a] = strides[i];
    w.dilations[a] = dilations[i];
    w.begin[a] = pads[i];
    w.end[a] = pads[rank + i];
    if (w.kernel[a] < 1) return bad(n, "kernel", kernel, "extents of at least 1");
    if (w.strides[a] < 1 || w.strides[a] > 1 << 20)
      return bad(n, "strides", strides, "numbers from 1 to 2^20");
    if (w.dilations[a] < 1 || w.dilations[a] > 1 << 20)
      return bad(n, "dilations", dilations, "numbers from 1 to 2^20");
    if (w.begin[a] < 0 || w.end[a] < 0 || w.begin[a] > 1 << 20 || w.end[a] > 1 << 20)
      return bad(n, "pads", pads, "numbers from 0 to 2^20");
    if (rule == "VALID") w.begin[a] = w.end[a] = 0;
    if (rule == "SAME_UPPER" || rule == "SAME_LOWER") same_pads(w, a, n, rule == "SAME_LOWER");
    LOCKSTEP_CHECK(set_extent(w, a, n, beyond));
  }
  return w;
}

Result<void> write_out_pads(GraphBuilder& graph, NodeId id,
                            const std::vector<std::int64_t>& kernel) {
  const NodeView view{graph.so_far(), graph.node(id)};
  LOCKSTEP_TRY(const Window w, window_of(view, view.input(0).shape, kernel));
  std::vector<std::int64_t> pads;
  for (const auto& side : {w.begin, w.end})
    pads.insert(pads.end(), side.end() - static_cast<std::ptrdiff_t>(w.spatial_rank), side.end());
  Attrs& attrs = graph.node(id).attrs;
  attrs.set("pads", std::move(pads));
  attrs.values.erase("auto_pad");
  return {};
}

}  // namespace lockstep
