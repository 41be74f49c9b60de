// boxes, classes, scores, count = the detections that stay of SSD's encoded boxes, best first:
// box = (y / sy * ah + ay, x / sx * aw + ax) -+ (e^(h / sh) * ah, e^(w / sw) * aw) / 2 (N116)
#include <algorithm>
#include <cmath>
#include <functional>

#include "op/op_codes.h"
#include "op/op_foreign.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"encodings"}, {"scores"}, {"anchors"}};
constexpr Slot outputs[] = {{"boxes"}, {"classes"}, {"best_scores"}, {"count"}};
constexpr AttrSpec attrs[] = {
    {"max_detections", "", "rows of the result"},
    {"max_classes_per_detection", "1", "classes that are named for each box"},
    {"detections_per_class", "100", "with use_regular_nms: boxes that a class keeps at most"},
    {"use_regular_nms", "0", "1: each class by itself; 0: each box by its best class"},
    {"nms_score_threshold", "0", "the least score"},
    {"nms_iou_threshold", "", "boxes that overlap a better one by more fall out"},
    {"num_classes", "", "classes without the background, which comes first when there is one"},
    {"y_scale", "", "divides the encoded y"},
    {"x_scale", "", "divides the encoded x"},
    {"h_scale", "", "divides the encoded height"},
    {"w_scale", "", "divides the encoded width"},
};

bool real_or_u8(const Value& v) {
  return v.dtype == DType::f32 || (v.dtype == DType::u8 && v.quant.quantized());
}

std::int64_t rows_of(const NodeView& n) {
  return std::clamp<std::int64_t>(n.attrs().integer("max_detections", 0), 0, 1 << 20) *
         std::clamp<std::int64_t>(n.attrs().integer("max_classes_per_detection", 1), 1, 1 << 20);
}

constexpr Rule rules[] = {
    {"encodings are [1, n, 4 or more], scores [1, n, classes], anchors [n, 4]",
     [](const NodeView& n) {
       const Shape &e = n.input(0).shape, &s = n.input(1).shape, &a = n.input(2).shape;
       return e.size() == 3 && s.size() == 3 && a.size() == 2 && e[0] == 1 && s[0] == 1 &&
              e[1] == s[1] && e[1] == a[0] && e[2] >= 4 && a[1] == 4;
     }},
    {"encodings and anchors are float32 or uint8 alike, scores float32 or uint8",
     [](const NodeView& n) {
       return real_or_u8(n.input(0)) && real_or_u8(n.input(1)) && real_or_u8(n.input(2)) &&
              n.input(0).dtype == n.input(2).dtype;
     }},
    {"the scores have num_classes columns, or one more for the background",
     [](const NodeView& n) {
       const std::int64_t classes = n.attrs().integer("num_classes", 0),
                          more = n.input(1).shape[2] - classes;
       return classes > 0 && (more == 0 || more == 1);
     }},
    {"max_detections is 1 to 100000, the bound of overlap above 0 and at most 1",
     [](const NodeView& n) {
       const std::int64_t most = n.attrs().integer("max_detections", 0);
       const double bound = n.attrs().real("nms_iou_threshold", 0);
       return most > 0 && most <= 100000 && bound > 0 && bound <= 1 &&
              n.attrs().integer("detections_per_class", 100) > 0;
     }},
    {"max_detections times max_classes_per_detection is at most 1000000",
     [](const NodeView& n) { return rows_of(n) <= 1000000; }},
    {"one class for each detection (the runtime writes over itself with more) unless each class "
     "goes by itself",
     [](const NodeView& n) {
       return n.attrs().integer("use_regular_nms", 0) != 0 ||
              n.attrs().integer("max_classes_per_detection", 1) == 1;
     }},
};
constexpr Foreign from[] = {{Format::tflite, "TFLite_Detection_PostProcess"}};

Result<std::vector<Facts>> infer(const NodeView& n) {
  const std::int64_t rows = rows_of(n);
  return std::vector<Facts>{{DType::f32, {1, rows, 4}, {}},
                            {DType::f32, {1, rows}, {}},
                            {DType::f32, {1, rows}, {}},
                            {DType::f32, {1}, {}}};
}

struct Box {
  float top, left, bottom, right;
};
struct Found {
  std::size_t box, column;
  float score;
};

std::vector<float> reals_of(const Tensor& t, const QuantParams& q) {
  if (t.dtype() == DType::f32) return {t.as<float>().begin(), t.as<float>().end()};
  std::vector<float> out;
  for (std::int64_t i = 0; i < t.count(); ++i)
    out.push_back((static_cast<float>(t.code(i)) - static_cast<float>(q.zero_at(0))) *
                  static_cast<float>(q.scale_at(0)));
  return out;
}

std::vector<Box> decoded(const EvalContext& c) {
  const auto code = reals_of(*c.in[0], c.view.input(0).quant),
             anchor = reals_of(*c.in[2], c.view.input(2).quant);
  const auto scale = [&](const char* name) {
    return static_cast<double>(static_cast<float>(c.view.attrs().real(name, 1)));
  };
  const double sy = scale("y_scale"), sx = scale("x_scale"), sh = scale("h_scale"),
               sw = scale("w_scale");
  const auto width = static_cast<std::size_t>(c.in[0]->shape()[2]);
  std::vector<Box> boxes(anchor.size() / 4);
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    const float *e = code.data() + i * width, *a = anchor.data() + i * 4;
    const auto y = static_cast<float>(double{e[0]} / sy * double{a[2]} + double{a[0]});
    const auto x = static_cast<float>(double{e[1]} / sx * double{a[3]} + double{a[1]});
    const auto half_h = static_cast<float>(0.5 * std::exp(double{e[2]} / sh) * double{a[2]});
    const auto half_w = static_cast<float>(0.5 * std::exp(double{e[3]} / sw) * double{a[3]});
    boxes[i] = {y - half_h, x - half_w, y + half_h, x + half_w};
  }
  return boxes;
}

float overlap(const Box& a, const Box& b) {
  const float area_a = (a.bottom - a.top) * (a.right - a.left),
              area_b = (b.bottom - b.top) * (b.right - b.left);
  if (area_a <= 0 || area_b <= 0) return 0;
  const float height = std::min(a.bottom, b.bottom) - std::max(a.top, b.top);
  const float width = std::min(a.right, b.right) - std::max(a.left, b.left);
  const float common = std::max(height, 0.0f) * std::max(width, 0.0f);
  return common / (area_a + area_b - common);
}

// Boxes best first; of equal scores the first, none that overlaps a better one.
std::vector<std::size_t> kept(const std::vector<Box>& boxes, const std::vector<float>& scores,
                              const NodeView& n, std::size_t most) {
  const auto least = static_cast<float>(n.attrs().real("nms_score_threshold", 0));
  const auto bound = static_cast<float>(n.attrs().real("nms_iou_threshold", 0));
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < scores.size(); ++i)
    if (scores[i] >= least) order.push_back(i);
  std::ranges::stable_sort(order,
                           [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  std::vector<std::size_t> out;
  for (const std::size_t i : order) {
    if (out.size() >= most) break;
    if (std::ranges::none_of(
            out, [&](std::size_t better) { return overlap(boxes[better], boxes[i]) > bound; }))
      out.push_back(i);
  }
  return out;
}

// Each box by its best class.
std::vector<Found> by_best_class(const std::vector<Box>& boxes, std::span<const float> scores,
                                 std::size_t columns, std::size_t first, const NodeView& n) {
  std::vector<float> best(boxes.size());
  std::vector<std::size_t> column(boxes.size());
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    const auto row = scores.subspan(i * columns + first, columns - first);
    column[i] = static_cast<std::size_t>(std::ranges::max_element(row) - row.begin());
    best[i] = row[column[i]];
  }
  std::vector<Found> found;
  for (const std::size_t i :
       kept(boxes, best, n, static_cast<std::size_t>(n.attrs().integer("max_detections", 0))))
    found.push_back({i, column[i], best[i]});
  return found;
}

// Each class by itself; after each class the best of all so far stay, of equal scores the first.
std::vector<Found> by_class(const std::vector<Box>& boxes, std::span<const float> scores,
                            std::size_t columns, std::size_t first, const NodeView& n) {
  const auto most = static_cast<std::size_t>(n.attrs().integer("max_detections", 0));
  const auto of_class = static_cast<std::size_t>(n.attrs().integer("detections_per_class", 100));
  std::vector<Found> found;
  for (std::size_t column = 0; column + first < columns; ++column) {
    std::vector<float> one(boxes.size());
    for (std::size_t i = 0; i < boxes.size(); ++i) one[i] = scores[i * columns + first + column];
    for (const std::size_t i : kept(boxes, one, n, of_class)) found.push_back({i, column, one[i]});
    std::ranges::stable_sort(found, std::greater<>(), &Found::score);
    found.resize(std::min(found.size(), most));
  }
  return found;
}

Result<void> eval(EvalContext& c) {
  const auto boxes = decoded(c);
  for (const Box& b : boxes)
    if (!(b.top <= b.bottom) || !(b.left <= b.right))
      return Error{c.view.where(), "a box whose end lies before its start",
                   "anchors of positive extent", "the runtime refuses it too"};
  const auto scores = reals_of(*c.in[1], c.view.input(1).quant);
  const auto columns = static_cast<std::size_t>(c.in[1]->shape()[2]);
  const std::size_t first =
      columns - static_cast<std::size_t>(c.view.attrs().integer("num_classes", 0));
  const bool regular = c.view.attrs().integer("use_regular_nms", 0) != 0;
  const auto found = regular ? by_class(boxes, scores, columns, first, c.view)
                             : by_best_class(boxes, scores, columns, first, c.view);
  for (Tensor& t : c.out) std::ranges::fill(t.bytes(), std::byte{0});
  for (std::size_t i = 0; i < found.size(); ++i) {
    const Box& b = boxes[found[i].box];
    std::ranges::copy(std::initializer_list<float>{b.top, b.left, b.bottom, b.right},
                      c.out[0].as<float>().begin() + static_cast<std::ptrdiff_t>(4 * i));
    c.out[1].as<float>()[i] = static_cast<float>(found[i].column);
    c.out[2].as<float>()[i] = found[i].score;
  }
  c.out[3].as<float>()[0] = static_cast<float>(found.size());
  return {};
}

}  // namespace

extern constinit const OpDef op_detection_post_process = {
    .name = "DetectionPostProcess",
    .meaning =
        "boxes, classes, scores, count = the detections that stay of SSD's encoded boxes, best "
        "first (of equal scores the earlier class, as in TFLite Micro); rows that stay empty are 0",
    .exact = Exactness::rounding,
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
