#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "diff/structure.h"
#include "zoo.h"

namespace lockstep::zoo {
namespace {

using Codes = std::function<void(Tensor& y, const Tensor* other, Random& random)>;

void noise(Tensor& y, const Tensor*, Random& random) {
  constexpr std::array shares = {0.01, 0.1, 0.5};
  const double share = shares[static_cast<std::size_t>(random.between(0, 2))];
  const std::int64_t most = random.between(2, 6);
  const CodeRange range = code_range(y.dtype());
  for (std::int64_t i = 0; i < y.count(); ++i)
    if (random.unit() < share)
      y.set_code(i, std::clamp(y.code(i) + random.between(-most, most), range.low, range.high));
}

void random_codes(Tensor& y, const Tensor*, Random& random) {
  const double share = random.unit() < 0.5 ? 0.02 : 0.3;
  const CodeRange range = code_range(y.dtype());
  for (std::int64_t i = 0; i < y.count(); ++i)
    if (random.unit() < share) y.set_code(i, random.between(range.low, range.high));
}

// The elements of one channel change places at random, in the same way in every run.
void permuted_channel(Tensor& y, int axis, Random& random) {
  const Shape& shape = y.shape();
  const auto a = static_cast<std::size_t>(axis < 0 ? 0 : axis);
  const Shape strides = strides_of(shape);
  const std::int64_t channel = shape.empty() ? 0 : random.between(0, shape[a] - 1);
  std::vector<std::int64_t> at;
  for (std::int64_t i = 0; i < y.count(); ++i)
    if (axis < 0 || i / strides[a] % shape[a] == channel) at.push_back(i);
  std::vector<std::int64_t> codes;
  for (const std::int64_t i : at) codes.push_back(y.code(i));
  for (std::size_t i = codes.size(); i > 1; --i)
    std::swap(codes[i - 1],
              codes[static_cast<std::size_t>(random.between(0, static_cast<std::int64_t>(i) - 1))]);
  for (std::size_t i = 0; i < at.size(); ++i) y.set_code(at[i], codes[i]);
}

// Codes pass through a random table that never falls.
void monotone_table(Tensor& y, const Tensor*, Random& random) {
  const CodeRange range = code_range(y.dtype());
  std::vector<double> steps(256);
  for (double& s : steps) s = random.unit() * random.unit();
  const double sum = std::accumulate(steps.begin(), steps.end(), 0.0);
  std::vector<std::int64_t> table(256);
  double level = 0;
  for (std::size_t i = 0; i < 256; ++i) {
    level += steps[i] / sum;
    table[i] = range.low + static_cast<std::int64_t>(std::nearbyint(level * 255));
  }
  for (std::int64_t i = 0; i < y.count(); ++i)
    y.set_code(i, std::clamp(table[static_cast<std::size_t>(y.code(i) - range.low) & 255],
                             range.low, range.high));
}

// A share of another layer's codes is blended in.
void mixed(Tensor& y, const Tensor* other, Random& random) {
  if (!other || other->count() == 0) return;
  const double share = 0.1 + 0.4 * random.unit();
  for (std::int64_t i = 0; i < y.count(); ++i)
    y.set_code(i, static_cast<std::int64_t>(std::nearbyint(
                      (1 - share) * static_cast<double>(y.code(i)) +
                      share * static_cast<double>(other->code(i % other->count())))));
}

}  // namespace

Result<NodeHook> perturb(const Animal& animal, const std::string& name, NodeId node,
                         std::uint64_t seed) {
  const Graph& g = animal.reference.graph();
  const ValueId id = g.node(node).outputs[0];
  if (id == no_id || size_of(g.value(id).dtype) != 1)
    return Error{g.where(g.node(node)), "no codes of 8 bits", "a node that yields some", ""};
  const bool each_run_anew = name == "noise" || name == "random-codes";
  const int axis = channel_axis(g, id);
  auto runs = std::make_shared<std::uint64_t>(0);
  auto change = [=](std::span<const Tensor* const> in, std::span<Tensor> out,
                    auto) -> Result<void> {
    Random random(seed + (each_run_anew ? 7919 * (*runs)++ : 0));
    const Tensor* other = in.empty() || !in[0] || size_of(in[0]->dtype()) != 1 ? nullptr : in[0];
    if (name == "noise")
      noise(out[0], other, random);
    else if (name == "random-codes")
      random_codes(out[0], other, random);
    else if (name == "permuted-channel")
      permuted_channel(out[0], axis, random);
    else if (name == "monotone-table")
      monotone_table(out[0], other, random);
    else
      mixed(out[0], other, random);
    return {};
  };
  return NodeHook{node, std::move(change)};
}

}  // namespace lockstep::zoo
