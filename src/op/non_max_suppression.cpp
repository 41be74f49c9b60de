// y = (batch, class, box) of the boxes that stay, best first by class: none overlaps a better one
// by more than the bound (N116)
#include <algorithm>
#include <queue>

#include "base/text.h"
#include "op/op_foreign.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"boxes"},
                           {"scores"},
                           {"most", Slot::optional},
                           {"overlap", Slot::optional},
                           {"least_score", Slot::optional}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"center_point_box", "0", "0: corners (y, x, y, x); 1: centre and extents (x, y, w, h)"}};
constexpr Rule rules[] = {
    {"boxes are float32 [batch, n, 4] and scores float32 [batch, classes, n]",
     [](const NodeView& n) {
       const Shape &b = n.input(0).shape, &s = n.input(1).shape;
       return n.input(0).dtype == DType::f32 && n.input(1).dtype == DType::f32 && b.size() == 3 &&
              s.size() == 3 && b[0] == s[0] && b[1] == s[2] && b[2] == 4;
     }},
    {"the greatest number of boxes of a class is a constant: it decides the shape",
     [](const NodeView& n) {
       return !n.has_input(2) || (n.constant(2) && n.constant(2)->count() == 1);
     }},
    {"the overlap and the least score are one float32 each",
     [](const NodeView& n) {
       const auto one = [&](std::size_t i) {
         return !n.has_input(i) ||
                (n.input(i).dtype == DType::f32 && count_of(n.input(i).shape) == 1);
       };
       return one(3) && one(4);
     }},
};
constexpr Foreign from[] = {{Format::onnx, "NonMaxSuppression"}};

std::int64_t most_of(const NodeView& n) {
  return n.constant(2) ? std::max<std::int64_t>(0, n.constant(2)->code(0)) : 0;
}

// As many rows as can stay at most; rows that stay empty hold -1.
Result<std::vector<Facts>> infer(const NodeView& n) {
  const Shape& s = n.input(1).shape;
  return std::vector<Facts>{{DType::i64, {s[0] * s[1] * std::min(most_of(n), s[2]), 3}, {}}};
}

struct Side {
  float low, high;
};
Side side(const float* box, int axis, bool centre) {  // axis 0: x, 1: y
  if (centre) return {box[axis] - box[2 + axis] / 2, box[axis] + box[2 + axis] / 2};
  const float a = box[1 - axis], b = box[3 - axis];
  return {std::min(a, b), std::max(a, b)};
}

// The intersection over the union exceeds the bound.
bool overlap(const float* a, const float* b, bool centre, float bound) {
  const Side ax = side(a, 0, centre), ay = side(a, 1, centre), bx = side(b, 0, centre),
             by = side(b, 1, centre);
  const float width = std::min(ax.high, bx.high) - std::max(ax.low, bx.low);
  const float height = std::min(ay.high, by.high) - std::max(ay.low, by.low);
  if (!(width > 0) || !(height > 0)) return false;
  const float common = width * height;
  const float area_a = (ax.high - ax.low) * (ay.high - ay.low),
              area_b = (bx.high - bx.low) * (by.high - by.low);
  const float together = area_a + area_b - common;
  if (common <= 0 || area_a <= 0 || area_b <= 0 || together <= 0) return false;
  return common / together > bound;
}

struct Scored {
  float score;
  std::int64_t box;
  bool operator<(const Scored& other) const {
    return score < other.score || (score == other.score && box > other.box);
  }
};

struct Limits {
  std::int64_t most;
  float overlap;
  const Tensor* least_score;  // null: every score counts
  bool centre;
};

// The boxes of one class that stay, of equal scores the first one first. Where a score is not a
// number, the order is that of the runtime's heap.
std::vector<std::int64_t> kept_boxes(const float* boxes, std::span<const float> scores,
                                     const Limits& limits) {
  std::vector<Scored> scored;
  for (std::size_t i = 0; i < scores.size(); ++i)
    if (!limits.least_score || static_cast<double>(scores[i]) > limits.least_score->number(0))
      scored.push_back({scores[i], static_cast<std::int64_t>(i)});
  std::priority_queue<Scored> queue({}, std::move(scored));
  std::vector<std::int64_t> kept;
  for (; !queue.empty() && std::ssize(kept) < limits.most; queue.pop()) {
    const std::int64_t box = queue.top().box;
    const bool free = std::ranges::none_of(kept, [&](std::int64_t better) {
      return overlap(boxes + 4 * better, boxes + 4 * box, limits.centre, limits.overlap);
    });
    if (free) kept.push_back(box);
  }
  return kept;
}

Result<void> eval(EvalContext& c) {
  const Shape& s = c.in[1]->shape();
  const auto given = [&](std::size_t i) { return i < c.in.size() ? c.in[i] : nullptr; };
  const Limits limits{most_of(c.view), given(3) ? static_cast<float>(given(3)->number(0)) : 0.0f,
                      given(4), c.view.attrs().integer("center_point_box", 0) != 0};
  const auto y = c.out[0].as<std::int64_t>();
  std::ranges::fill(y, -1);
  auto at = y.begin();
  for (std::int64_t row = 0; row < s[0] * s[1]; ++row) {
    const float* const boxes = c.in[0]->as<float>().data() + row / s[1] * s[2] * 4;
    const auto scores = c.in[1]->as<float>().subspan(static_cast<std::size_t>(row * s[2]),
                                                     static_cast<std::size_t>(s[2]));
    for (const std::int64_t box : kept_boxes(boxes, scores, limits))
      *at++ = row / s[1], *at++ = row % s[1], *at++ = box;
  }
  return {};
}

}  // namespace

extern constinit const OpDef op_non_max_suppression = {
    .name = "NonMaxSuppression",
    .meaning =
        "y = (batch, class, box) of the boxes that stay, best first by class; shapes are static: "
        "rows that stay empty are -1",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
