#include "diff/realign.h"

#include <algorithm>
#include <cmath>

#include "diff/align.h"

namespace lockstep {
namespace {

constexpr double agree =
    0.9;  // share of elements within a step (reals: a hundredth of their magnitude)
constexpr std::int64_t enough = 8;

bool agrees(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype() || a.count() != b.count() || a.count() < enough) return false;
  std::int64_t near = 0;
  for (std::int64_t i = 0; i < a.count(); ++i) {
    const double x = a.number(i), y = b.number(i);
    near += is_float(a.dtype()) ? std::abs(x - y) <= 0.01 * std::abs(x) : std::abs(x - y) <= 1;
  }
  return static_cast<double>(near) >= agree * static_cast<double>(a.count());
}

// How the bytes would be turned, were they in the other habit; nothing where both are one.
bool other_habit(const Graph& g, const Value& v, ShapeChange& change) {
  const std::size_t rank = v.shape.size();
  if (rank < 3) return false;
  const bool last =
      v.origin.layout.empty() ? g.format() == "tflite" : v.origin.layout.ends_with('C');
  const std::int64_t channels = last ? v.shape[rank - 1] : v.shape[1];
  if (channels <= 1 || count_of(v.shape) == channels * v.shape[0]) return false;
  change.from.clear();
  change.axes.clear();
  change.from.push_back(v.shape[0]);
  change.axes.push_back(0);
  if (last) {  // bytes: N C H W
    change.from.push_back(channels);
    for (std::size_t a = 1; a + 1 < rank; ++a)
      change.from.push_back(v.shape[a]), change.axes.push_back(a + 1);
    change.axes.push_back(1);
  } else {  // bytes: N H W C
    for (std::size_t a = 2; a < rank; ++a) change.from.push_back(v.shape[a]);
    change.from.push_back(channels);
    change.axes.push_back(rank - 1);
    for (std::size_t a = 2; a < rank; ++a) change.axes.push_back(a - 1);
  }
  return true;
}

}  // namespace

std::string realign(const Graph& g, std::span<const Sample> expected, std::vector<Sample>& device) {
  if (device.empty() || expected.empty()) return "";
  std::vector<std::pair<std::string, ShapeChange>> turnable;
  std::size_t as_they_stand = 0, turned = 0;
  for (const auto& [name, tensor] : device[0]) {
    const ValueId id = g.find_value(name);
    const auto right = expected[0].find(name);
    ShapeChange change;
    if (id == no_id || tensor.shape() != g.value(id).shape || !other_habit(g, g.value(id), change))
      continue;
    const bool is_input = std::ranges::count(g.inputs(), id) > 0;
    const bool hit = right != expected[0].end() &&
                     agrees(right->second, reshape(tensor, change, g.value(id).shape));
    const bool stands = right != expected[0].end() && agrees(right->second, tensor);
    if (is_input && !(hit && !stands)) continue;
    as_they_stand += stands && !hit;
    turned += hit && !stands;
    turnable.emplace_back(name, std::move(change));
  }
  if (turned < 2 || turned < 4 * as_they_stand) return "";
  for (Sample& sample : device)
    for (const auto& [name, change] : turnable)
      if (const auto it = sample.find(name); it != sample.end())
        it->second = reshape(it->second, change, it->second.shape());
  return std::to_string(turnable.size()) + " tensors ('" + turnable[0].first +
         "', ...) are recorded with channels " + (g.format() == "tflite" ? "first" : "last") +
         " under the model's shape: turned before comparing";
}

}  // namespace lockstep
