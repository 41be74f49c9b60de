#include "op/op_conv_transpose.h"

#include "base/text.h"

namespace lockstep {
namespace {

using Axes = TransposedWindow::Axes;

Result<Axes> three(const NodeView& n, const char* name, std::vector<std::int64_t> list,
                   std::size_t rank, std::int64_t fallback, std::int64_t least) {
  if (list.empty()) list.assign(rank, fallback);
  Axes axes;
  axes.fill(fallback);
  if (list.size() != rank)
    return Error{n.where(), std::string(name) + " " + shape_text(list),
                 std::to_string(rank) + " numbers", ""};
  for (std::size_t i = 0; i < rank; ++i) {
    if (list[i] < least || list[i] > (1 << 20))
      return Error{n.where(), std::string(name) + " " + shape_text(list), "numbers up to 2^20", ""};
    axes[3 - rank + i] = list[i];
  }
  return axes;
}

}  // namespace

Result<TransposedWindow> transposed_window_of(const NodeView& n) {
  const Shape &x = n.input(0).shape, &w = n.input(1).shape;
  const Attrs& a = n.attrs();
  if (x.size() < 3 || x.size() > 5 || w.size() != x.size())
    return Error{n.where(), "x " + shape_text(x) + ", w " + shape_text(w),
                 "as many axes on both, one to three spatial", ""};
  TransposedWindow p;
  const std::size_t rank = p.rank = x.size() - 2;
  p.channels_last = a.text("layout", "NCHW") == "NHWC";
  p.filters_first = a.text("weights", "IOHW") == "OHWI";
  p.batch = x[0];
  p.group = a.integer("group", 1);
  const std::int64_t all = p.channels_last ? x.back() : x[1];
  const auto spatial = [&](const Shape& s, std::size_t first) {
    return std::vector<std::int64_t>(s.begin() + static_cast<std::ptrdiff_t>(first),
                                     s.begin() + static_cast<std::ptrdiff_t>(first + rank));
  };
  if (p.group < 1 || all % p.group != 0 || (p.filters_first && p.group != 1) ||
      (p.filters_first ? w.back() : w[0]) != all)
    return Error{n.where(),
                 std::to_string(all) + " channels, group " + std::to_string(p.group) +
                     ", weights " + shape_text(w),
                 "weights of as many input channels, a multiple of group", ""};
  p.channels = all / p.group;
  p.filters = p.filters_first ? w[0] : w[1];
  LOCKSTEP_TRY(p.in, three(n, "x", spatial(x, p.channels_last ? 1 : 2), rank, 1, 1));
  LOCKSTEP_TRY(p.kernel, three(n, "kernel", spatial(w, p.filters_first ? 1 : 2), rank, 1, 1));
  LOCKSTEP_TRY(p.strides, three(n, "strides", a.integers("strides"), rank, 1, 1));
  LOCKSTEP_TRY(p.dilations, three(n, "dilations", a.integers("dilations"), rank, 1, 1));
  auto pads = a.integers("pads", std::vector<std::int64_t>(2 * rank, 0));
  if (pads.size() != 2 * rank)
    return Error{n.where(), "pads " + shape_text(pads), std::to_string(2 * rank) + " numbers", ""};
  pads.resize(rank);
  LOCKSTEP_TRY(p.begin, three(n, "pads", pads, rank, 0, 0));
  LOCKSTEP_TRY(p.out, three(n, "shape", a.integers("shape"), rank, 1, 1));
  return p;
}

}  // namespace lockstep
