#include "fault/fault_nodes.h"

#include <algorithm>
#include <cstring>

#include "fault/fault_input.h"
#include "fault/fault_work.h"

namespace lockstep {
namespace {

std::int64_t differing(const Tensor& a, const Tensor& b) {
  if (a.count() != b.count() || a.dtype() != b.dtype()) return std::max(a.count(), b.count());
  const std::size_t width = size_of(a.dtype());
  std::int64_t n = 0;
  for (std::size_t i = 0; i < a.bytes().size(); i += width)
    n += std::memcmp(a.bytes().data() + i, b.bytes().data() + i, width) != 0;
  return n;
}

bool observed_anywhere(const Evidence& evidence) {
  return std::ranges::any_of(evidence.items,
                             [](const Evidence::Item& i) { return i.observed && i.expected; });
}

// Elements of one run that the replay leaves differing; all where it cannot be replayed.
std::int64_t left_by(const Site& site, const Evidence::Item& item, const Params& params,
                     Result<void> (*replay)(Replay& r)) {
  if (!spend(2 * work_of_element * static_cast<double>(item.expected->count())))
    return item.observed->count();
  std::vector<Tensor> out = {*item.expected};
  Replay r{site,           params,
           item.in,        out,
           item.previous,  item.previous_shown,
           item.first,     item.find,
           item.run,       item.find_before,
           item.find_first};
  return replay(r).ok() ? differing(*item.observed, out[0]) : item.observed->count();
}

bool is_sum(const NodeView& n) {
  if (n.node.op == "ConvTranspose") return n.attrs().integer("group", 1) == 1;
  return n.node.op == "Conv" || n.node.op == "Gemm" || n.node.op == "MatMul";
}

}  // namespace

bool has_weights(const Site& site) {
  return site.node != no_id && is_sum(site.view()) && site.view().constant(1) != nullptr;
}

bool is_coded_sum(const Site& site) {
  if (site.node == no_id || !is_sum(site.view()) || site.view().input_count() < 2) return false;
  const NodeView n = site.view();
  return is_coded(n.input(0)) && is_coded(n.input(1)) && is_coded(n.output(0));
}

bool is_coded_add(const Site& site) {
  if (site.node == no_id) return false;
  const NodeView n = site.view();
  return (n.node.op == "Add" || n.node.op == "Sub") && n.has_input(0) && n.has_input(1) &&
         is_coded(n.input(0)) && is_coded(n.input(1)) && is_coded(n.output(0));
}

bool is_computed(const NodeView& n, std::size_t input) {
  return n.has_input(input) && !n.input(input).constant;
}

std::vector<std::size_t> computed_inputs(const NodeView& n) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < n.input_count(); ++i)
    if (is_computed(n, i)) out.push_back(i);
  return out;
}

Result<std::size_t> operand_of(const Replay& r, double number) {
  const NodeView n = r.site.view();
  const auto i = static_cast<std::size_t>(number < 1 ? 0 : number - 1);
  if (number < 1 || i >= r.in.size() || !r.in[i] || !is_computed(n, i))
    return Error{n.where(), "operand " + std::to_string(static_cast<int>(number)),
                 "a computed operand, counted from 1", ""};
  return i;
}

std::size_t channel_axis(const NodeView& n, const Shape& shape) {
  if (shape.size() < 3) return shape.empty() ? 0 : shape.size() - 1;
  const std::string layout =
      n.attrs().text("layout", n.graph.format() == "tflite" ? "NHWC" : "NCHW");
  return layout == "NHWC" ? shape.size() - 1 : 1;
}

std::int64_t index_along(const Shape& shape, std::size_t axis, std::int64_t i) {
  std::int64_t inner = 1;
  for (std::size_t a = axis + 1; a < shape.size(); ++a) inner *= shape[a];
  return i / inner % shape[axis];
}

std::vector<Params> best_sets(const Site& site, const Evidence& evidence, std::vector<Params> sets,
                              Result<void> (*replay)(Replay& r), std::size_t limit) {
  constexpr std::size_t most_blind = 12, most_equal = 48;
  const Evidence::Item* item = nullptr;  // the run that differs most
  std::int64_t most = 0;
  for (const Evidence::Item& i : evidence.items)
    if (const std::int64_t n = i.observed && i.expected ? differing(*i.observed, *i.expected) : 0;
        n > most) {
      item = &i;
      most = n;
    }
  if (!item) {
    if (observed_anywhere(evidence)) return {};
    if (sets.size() > most_blind)
      sets.resize(most_blind);  // nothing is known of this place: the plainest forms
    return sets;
  }
  std::vector<std::pair<std::int64_t, std::size_t>> left;
  const std::int64_t before = differing(*item->observed, *item->expected);
  for (std::size_t i = 0; i < sets.size(); ++i) {
    if (const std::int64_t now = left_by(site, *item, sets[i], replay); now < before)
      left.emplace_back(now, i);
  }
  std::ranges::sort(left);
  // Those that leave as few as the best on this run are told apart by the others.
  std::size_t equal = 0;
  while (equal < left.size() && equal < most_equal && left[equal].first == left[0].first) ++equal;
  if (equal > 1 && evidence.items.size() > 1) {
    for (std::size_t e = 0; e < equal; ++e)
      for (const Evidence::Item& i : evidence.items)
        if (&i != item && i.observed && i.expected)
          left[e].first += left_by(site, i, sets[left[e].second], replay);
    std::sort(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(equal));
  }
  std::vector<Params> best;
  for (const auto& [count, i] : left)
    if (best.size() < limit) best.push_back(std::move(sets[i]));
  return best;
}

Tensor shifted(const Tensor& x, std::int64_t by) {
  Tensor out(x.dtype(), x.shape());
  const auto width = static_cast<std::int64_t>(size_of(x.dtype())), count = x.count();
  const std::int64_t first = std::max<std::int64_t>(0, -by), end = std::min(count, count - by);
  if (first < end)
    std::memcpy(out.bytes().data() + first * width, x.bytes().data() + (first + by) * width,
                static_cast<std::size_t>((end - first) * width));
  return out;
}

Tensor with_padded_rows(const Tensor& x, std::int64_t multiple, std::int64_t fill) {
  Tensor out(x.dtype(), x.shape());
  const std::int64_t row = x.shape().empty() ? 1 : x.shape().back();
  const std::int64_t stride = row == 0 ? 1 : (row + multiple - 1) / multiple * multiple;
  const std::size_t width = size_of(x.dtype());
  for (std::int64_t i = 0; i < x.count(); ++i) {
    const std::int64_t column = i % stride, from = i / stride * row + column;
    if (column < row)
      std::memcpy(out.bytes().data() + static_cast<std::size_t>(i) * width,
                  x.bytes().data() + static_cast<std::size_t>(from) * width, width);
    else if (is_float(x.dtype()))
      out.set_number(i, static_cast<double>(fill));
    else
      out.set_code(i, fill);
  }
  return out;
}

void swap_bytes(Tensor& x, std::int64_t width) {
  const auto bytes = x.bytes();
  const auto group = static_cast<std::size_t>(width);
  for (std::size_t i = 0; i + group <= bytes.size(); i += group)
    std::ranges::reverse(bytes.subspan(i, group));
}

}  // namespace lockstep
