// y' = op(x, weights under other strides, or stored under them): the matrix transposed, its columns
// in HWC order for CHW, two axes changed.
#include <algorithm>

#include "fault/fault_input.h"
#include "fault/fault_weights.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"order",
     "0: rows and columns change places; 1: columns as HWC for CHW; 2: columns as CHW for HWC; 3: "
     "filters and channels change places; 4: height and width do; 5: each row is mirrored; 6: each "
     "column; 7: both",
     0, Takes::up_to(7)},
    {"stored",
     "0: they are read so; 1: they were stored so, and are read in the order of the file: the "
     "inverse",
     0, Takes::flag()},
};

// The picture that a matrix reads flattened: channels first, then height and width; empty when
// unknown.
Shape flattened(const NodeView& n) {
  ValueId id = n.node.inputs[0];
  const std::int64_t depth =
      count_of(n.input(kWeights).shape) / std::max<std::int64_t>(weight_channels(n), 1);
  for (int step = 0; step < 4 && id != no_id; ++step) {
    const Shape& shape = n.graph.value(id).shape;
    if (shape.size() == 4 && shape[1] * shape[2] * shape[3] == depth)
      return {shape[1], shape[2], shape[3]};
    const NodeId producer = n.graph.value(id).producer;
    if (producer == no_id || n.graph.node(producer).inputs.empty()) break;
    id = n.graph.node(producer).inputs[0];
  }
  return {};
}

bool by_rows(const NodeView& n) {
  return n.node.op == "Gemm" && n.attrs().integer("transB", 0) != 0;
}

// The kernel turned around along its rows, its columns, or both; empty where it has one only.
std::vector<std::int64_t> mirrored(const Shape& w, std::size_t rows, bool along_rows,
                                   bool along_columns) {
  if ((along_rows && w[rows + 1] == 1) || (along_columns && w[rows] == 1)) return {};
  const Shape strides = strides_of(w);
  std::vector<std::int64_t> source(static_cast<std::size_t>(count_of(w)));
  for (std::size_t i = 0; i < source.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i);
    source[i] = at;
    for (const std::size_t axis : {rows, rows + 1})
      if (axis == rows ? along_columns : along_rows)
        source[i] += (w[axis] - 1 - 2 * index_along(w, axis, at)) * strides[axis];
  }
  return source;
}

// For every weight element the element that is read in its place; empty where nothing moves.
std::vector<std::int64_t> moved(const NodeView& n, double order) {
  const Shape& w = n.input(kWeights).shape;
  const bool transposed = n.node.op == "ConvTranspose";
  if (n.node.op == "Conv" || transposed) {
    if (order == 1 || order == 2 || w.size() < 4) return {};
    const bool channels_first =
        n.attrs().text("weights", transposed ? "IOHW" : "OIHW").ends_with("HW");
    if (order >= 5)
      return mirrored(w, channels_first ? w.size() - 2 : w.size() - 3, order != 6, order != 5);
    std::vector<std::size_t> axes = {0};
    if (order >= 3) {
      for (std::size_t a = 1; a < w.size(); ++a) axes.push_back(a);
      const std::size_t other = channels_first ? 1 : w.size() - 1,
                        width = channels_first ? w.size() - 1 : w.size() - 2;
      if (order == 3)
        std::swap(axes[0], axes[other]);
      else
        std::swap(axes[width], axes[width - 1]);
    } else if (channels_first) {
      for (std::size_t a = 2; a < w.size(); ++a) axes.push_back(a);
      axes.push_back(1);
    } else {
      axes.push_back(w.size() - 1);
      for (std::size_t a = 1; a + 1 < w.size(); ++a) axes.push_back(a);
    }
    return read_with_order(w, axes);
  }
  if (w.size() != 2) return {};
  if (order == 0) return read_with_order(w, {1, 0});
  const Shape picture = flattened(n);
  if (picture.empty()) return {};
  const auto inner =
      order == 1 ? read_with_order(picture, {1, 2, 0}) : read_with_order(picture, {2, 0, 1});
  if (inner.empty()) return {};
  std::vector<std::int64_t> source(static_cast<std::size_t>(count_of(w)));
  for (std::size_t i = 0; i < source.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i), row = at / w[1], column = at % w[1];
    source[i] = by_rows(n) ? row * w[1] + inner[static_cast<std::size_t>(column)]
                           : inner[static_cast<std::size_t>(row)] * w[1] + column;
  }
  return source;
}

// Whether the inverse moves otherwise: an exchange of two axes of one length is its own.
bool has_inverse(const NodeView& n, double order) {
  const auto source = moved(n, order);
  return inverse(source) != source;
}

bool applies(const Site& site) {
  if (!has_weights(site)) return false;
  for (const double order : {0.0, 1.0, 3.0, 4.0, 5.0, 6.0})
    if (!moved(site.view(), order).empty()) return true;
  return false;
}

Result<void> replay(Replay& r) {
  double order = param(params, r.params, "order");
  for (const double other : {1.0, 3.0, 4.0, 5.0, 6.0})
    if (!r.params.contains("order") && moved(r.site.view(), order).empty()) order = other;
  auto source = moved(r.site.view(), order);
  if (source.empty())
    return Error{r.site.view().where(), "these weights have no such order",
                 "an order that moves something", ""};
  if (param(params, r.params, "stored") != 0) source = inverse(source);
  ChangedNode node(r);
  gather(node.changed(kWeights), source);
  return node.eval_into(r);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  std::vector<Params> sets;
  for (const double order : {0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0})
    if (!moved(site.view(), order).empty()) sets.push_back({{"order", order}});
  for (const double order : {0.0, 1.0, 2.0, 3.0, 4.0})
    if (has_inverse(site.view(), order)) sets.push_back({{"order", order}, {"stored", 1}});
  return best_sets(site, evidence, std::move(sets), replay, 1);
}

}  // namespace

extern constinit const FaultDef fault_weights_transposed = {
    .name = "weights-transposed",
    .claim =
        "the weights are {stored?0:read|:stored} with {order?0:rows and columns "
        "exchanged|1:columns as HWC for "
        "CHW|2:columns as CHW for HWC|3:filters and channels exchanged|4:height and width "
        "exchanged|5:each row mirrored|6:each column mirrored|7:each kernel turned by half}",
    .advice =
        "let the converter place the flatten; do not copy weights by hand between layouts\n"
        "check OIHW against OHWI, and rows against columns of the first matrix behind a flatten",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
    .orders_weights = true,
};

}  // namespace lockstep
