// Problems of boxes that stay: many overlap, many scores are equal.
#include <limits>

#include "support/rt_cases_parts.h"

namespace lockstep::test {
namespace {

// Multiples of 1/steps between the bounds.
Tensor stepped(CaseMaker& m, Shape shape, std::int64_t low, std::int64_t high, float steps) {
  Tensor t(DType::f32, std::move(shape));
  for (float& v : t.as<float>()) v = static_cast<float>(m.from(low, high)) / steps;
  return t;
}

std::optional<KernelCase> suppression(CaseMaker& m) {
  CaseBuilder b("NonMaxSuppression");
  const std::int64_t batch = m.from(1, 2), classes = m.from(1, 3), n = m.from(1, 60);
  b.input(stepped(m, {batch, n, 4}, -3, 9, 3), {}, false);
  Tensor scores = stepped(m, {batch, classes, n}, 0, m.coin() ? 6 : 4000, 7);
  if (m.from(0, 4) == 0)
    scores.as<float>()[static_cast<std::size_t>(m.from(0, scores.count() - 1))] =
        std::numeric_limits<float>::quiet_NaN();
  b.input(std::move(scores), {}, false);
  const auto given = m.from(0, 3);
  if (given > 0) b.input(Tensor::scalar(m.from(1, 70)), {}, true);
  if (given > 1) b.input(stepped(m, {1}, 1, 19, 20), {}, m.coin());
  if (given > 2) b.input(stepped(m, {1}, 0, 5, 7), {}, m.coin());
  b.node().attrs.set("center_point_box", m.from(0, 1));
  return b.finish(DType::i64, {});
}

struct Grid {
  bool codes;
  Tensor of(CaseMaker& m, Shape shape, std::int64_t low, std::int64_t high, float steps) const {
    if (!codes) return stepped(m, std::move(shape), low, high, steps);
    Tensor t(DType::u8, std::move(shape));
    for (auto& v : t.as<std::uint8_t>()) v = static_cast<std::uint8_t>(m.from(low + 40, high + 40));
    return t;
  }
  QuantParams quant(float steps) const {
    return codes ? QuantParams{{static_cast<double>(1 / steps)}, {40}, -1} : QuantParams{};
  }
};

std::optional<KernelCase> detections(CaseMaker& m) {
  CaseBuilder b("DetectionPostProcess");
  const std::int64_t n = m.from(1, 60), classes = m.from(1, 5), background = m.from(0, 1),
                     by_class = m.from(0, 1), few = m.coin() ? 6 : 200;
  const Grid boxes{m.coin()}, scores{m.coin()};
  b.input(boxes.of(m, {1, n, m.from(4, 6)}, -5, 5, 3), boxes.quant(3), false);
  b.input(scores.of(m, {1, n, classes + background}, 0, few, 7), scores.quant(7), false);
  b.input(boxes.of(m, {n, 4}, 0, 9, 4), boxes.quant(4), true);
  Attrs& a = b.node().attrs;
  a.set("max_detections", m.from(1, 20)), a.set("num_classes", classes);
  a.set("use_regular_nms", by_class), a.set("detections_per_class", m.from(1, 12));
  a.set("max_classes_per_detection", by_class == 1 ? m.from(1, 2) : 1);
  a.set("nms_score_threshold", m.coin() ? -1.0 : 0.3);
  a.set("nms_iou_threshold", 0.05 * static_cast<double>(m.from(1, 20)));
  for (const char* name : {"y_scale", "x_scale"}) a.set(name, 10.0);
  for (const char* name : {"h_scale", "w_scale"}) a.set(name, 5.0);
  return b.finish_all({});
}

constexpr RtSource sources[] = {{"suppression", suppression, 3}, {"detections", detections, 3}};

}  // namespace

std::span<const RtSource> rt_detections() {
  return sources;
}

}  // namespace lockstep::test
