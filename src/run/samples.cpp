#include "base/text.h"
#include "run/executor.h"

#include <cmath>
#include <cstring>

namespace lockstep {
namespace {

std::string input_list(const Graph& graph) {
  std::string text;
  for (const ValueId id : graph.inputs()) {
    const Value& v = graph.value(id);
    text += (text.empty() ? "'" : ", '") + v.name + "' " + std::string(name_of(v.dtype)) +
            shape_text(v.shape);
  }
  return text;
}

// How many samples an array holds for an input; 0 when it does not fit.
std::int64_t samples_in(const Value& input, const Tensor& array) {
  const std::int64_t one = count_of(input.shape);
  if (one == 0 || array.count() == 0 || array.count() % one != 0) return 0;
  const auto& in = input.shape;
  const auto& x = array.shape();
  if (x == in) return 1;
  const std::int64_t n = array.count() / one;
  if (x.size() == in.size() && !in.empty() && x[0] == n * in[0] &&
      std::equal(x.begin() + 1, x.end(), in.begin() + 1))
    return n;
  if (x.size() == in.size() + 1 && x[0] == n && std::equal(x.begin() + 1, x.end(), in.begin()))
    return n;
  return 0;
}

Result<void> check_numbers(const Tensor& array, const std::string& where, const std::string& name) {
  if (array.dtype() != DType::f32) return {};
  const auto x = array.as<float>();
  for (std::size_t i = 0; i < x.size(); ++i)
    if (!std::isfinite(x[i]))
      return Error{where,
                   "input '" + name + "' holds " + (std::isnan(x[i]) ? "NaN" : "infinity") +
                       " at element " + std::to_string(i),
                   "finite numbers", "the preprocessing divided by zero or read past its data"};
  return {};
}

Tensor slice(const Tensor& array, const Value& input, std::int64_t index) {
  Tensor one(input.dtype, input.shape);
  const std::size_t bytes = one.bytes().size();
  std::memcpy(one.bytes().data(), array.bytes().data() + static_cast<std::size_t>(index) * bytes,
              bytes);
  return one;
}

}  // namespace

Result<std::vector<Sample>> samples_from(const Graph& graph, const Sample& arrays,
                                         const std::string& where) {
  std::vector<Sample> samples;
  for (const ValueId id : graph.inputs()) {
    const Value& input = graph.value(id);
    auto it = arrays.find(input.name);
    if (it == arrays.end() && arrays.size() == 1 && graph.inputs().size() == 1) it = arrays.begin();
    if (it == arrays.end())
      return Error{where, "no array named '" + input.name + "'", input_list(graph), ""};
    const Tensor& array = it->second;
    const std::int64_t n = samples_in(input, array);
    if (array.dtype() != input.dtype || n == 0)
      return Error{
          where,
          "array '" + it->first + "' is " + std::string(name_of(array.dtype())) +
              shape_text(array.shape()),
          std::string(name_of(input.dtype)) + shape_text(input.shape) + " or a batch of such", ""};
    LOCKSTEP_CHECK(check_numbers(array, where, it->first));
    if (!samples.empty() && static_cast<std::int64_t>(samples.size()) != n)
      return Error{where, "array '" + it->first + "' holds " + std::to_string(n) + " samples",
                   std::to_string(samples.size()) + " as the inputs before it", ""};
    samples.resize(static_cast<std::size_t>(n));
    for (std::int64_t s = 0; s < n; ++s)
      samples[static_cast<std::size_t>(s)].emplace(input.name, slice(array, input, s));
  }
  return samples;
}

}  // namespace lockstep
