// y = f(x) for the operations ll_sw_forward_* that work on elements or rows; and which one a call
// is
#include "npu/software_described.h"

#include <cmath>

#include "npu/described_cells.h"

namespace lockstep {
namespace {

using namespace described;

Result<void> dequantize(const Call& c) {
  LOCKSTEP_TRY(const Quant q, quant(c.info, "is", "izp", c.in.extent[3], c.memory, c.where));
  LOCKSTEP_TRY(const auto x, load<std::int64_t>(c.in, c.memory, c.where));
  const auto channels = static_cast<std::size_t>(c.in.extent[3]);
  std::vector<float> y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i)
    y[i] = static_cast<float>(x[i] - q.z(i % channels)) * static_cast<float>(q.s(i % channels));
  return store(c.out, y, c.memory, c.where);
}

Result<void> quantize(const Call& c) {
  LOCKSTEP_TRY(const Quant q, quant(c.info, "os", "ozp", c.out.extent[3], c.memory, c.where));
  LOCKSTEP_TRY(const auto x, load<float>(c.in, c.memory, c.where));
  const auto channels = static_cast<std::size_t>(c.out.extent[3]);
  std::vector<std::int64_t> y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i)
    y[i] = code_of(static_cast<double>(x[i] / static_cast<float>(q.s(i % channels))), 1,
                   q.z(i % channels), c.out);
  return store(c.out, y, c.memory, c.where);
}

// The operand's element that meets element i of the output: axes of extent 1 repeat.
std::size_t broadcast(const Cells& out, const Cells& operand, std::size_t i) {
  std::size_t at = 0, scale = 1, rest = i;
  for (std::size_t a = 4; a-- > 0;) {
    const auto n = static_cast<std::size_t>(out.extent[a]),
               m = static_cast<std::size_t>(operand.extent[a]);
    at += (m == 1 ? 0 : std::min(rest % n, m - 1)) * scale;
    rest /= n, scale *= m;
  }
  return at;
}

Result<void> arith_float(const Call& c, const std::string& type) {
  LOCKSTEP_TRY(const Cells operand, cells(c.info, "operand", c.where));
  LOCKSTEP_TRY(const auto x, load<float>(c.in, c.memory, c.where));
  LOCKSTEP_TRY(const auto z, load<float>(operand, c.memory, c.where));
  std::vector<float> y(static_cast<std::size_t>(c.out.count()));
  for (std::size_t i = 0; i < y.size(); ++i) {
    const float a = x[broadcast(c.out, c.in, i)], b = z[broadcast(c.out, operand, i)];
    if (type == "LL_SW_ARITHADD")
      y[i] = a + b;
    else if (type == "LL_SW_ARITHSUB")
      y[i] = a - b;
    else if (type == "LL_SW_ARITHMUL")
      y[i] = a * b;
    else if (type == "LL_SW_ARITHDIV")
      y[i] = a / b;
    else if (type == "LL_SW_ARITHMIN")
      y[i] = std::min(a, b);
    else if (type == "LL_SW_ARITHMAX")
      y[i] = std::max(a, b);
    else
      return c.wrong("arithmetic " + type, "ADD, SUB, MUL, DIV, MIN or MAX");
  }
  return store(c.out, y, c.memory, c.where);
}

Result<void> activ_float(const Call& c, const std::string& type) {
  LOCKSTEP_TRY(auto y, load<float>(c.in, c.memory, c.where));
  std::vector<float> slope;
  Cells operand;
  if (type == "LL_SW_PRELU") {
    LOCKSTEP_TRY(operand, cells(c.info, "operand", c.where));
    LOCKSTEP_TRY(slope, load<float>(operand, c.memory, c.where));
  }
  for (std::size_t i = 0; i < y.size(); ++i) {
    float& v = y[i];
    if (type == "LL_SW_RELU")
      v = std::max(v, 0.0f);
    else if (type == "LL_SW_PRELU")
      v = v < 0 ? v * slope[broadcast(c.out, operand, i)] : v;
    else if (type == "LL_SW_SIGMOID")
      v = 1.0f / (1.0f + std::exp(-v));
    else if (type == "LL_SW_TANH")
      v = std::tanh(v);
    else
      return c.wrong("activation " + type, "RELU, PRELU, SIGMOID or TANH");
  }
  return store(c.out, y, c.memory, c.where);
}

// Rows along `axis`, counted as [N,C,H,W].
template <class F>
Result<void> rows_along(const Call& c, F each) {
  const std::int64_t axis = number(c.info, "axis", 1);
  constexpr std::size_t place[] = {0, 3, 1, 2};
  if (axis < 0 || axis > 3 || c.in.extent != c.out.extent)
    return c.wrong(fmt::format("axis {}", axis), "0 .. 3 of equal tensors");
  const std::size_t a = place[axis];
  std::size_t inner = 1;
  for (std::size_t k = a + 1; k < 4; ++k) inner *= static_cast<std::size_t>(c.in.extent[k]);
  const auto n = static_cast<std::size_t>(c.in.extent[a]),
             all = static_cast<std::size_t>(c.in.count());
  for (std::size_t o = 0; o < all; o += n * inner)
    for (std::size_t i = 0; i < inner; ++i) each(o + i, inner, n);
  return {};
}

Result<void> softmax_float(const Call& c) {
  LOCKSTEP_TRY(auto v, load<float>(c.in, c.memory, c.where));
  LOCKSTEP_CHECK(rows_along(c, [&](std::size_t first, std::size_t step, std::size_t n) {
    float most = v[first], sum = 0;
    for (std::size_t k = 0; k < n; ++k) most = std::max(most, v[first + k * step]);
    for (std::size_t k = 0; k < n; ++k)
      sum += v[first + k * step] = std::exp(v[first + k * step] - most);
    for (std::size_t k = 0; k < n; ++k) v[first + k * step] /= sum;
  }));
  return store(c.out, v, c.memory, c.where);
}

Result<void> softmax_integer(const Call& c) {
  LOCKSTEP_TRY(const Quant qx, quant(c.info, "is", "izp", c.in.extent[3], c.memory, c.where));
  LOCKSTEP_TRY(const Quant qy, quant(c.info, "os", "ozp", c.out.extent[3], c.memory, c.where));
  LOCKSTEP_TRY(auto v, load<std::int64_t>(c.in, c.memory, c.where));
  std::vector<double> e;
  c.counts.inexact.push_back(c.where + ": CPU Softmax by its formula, at most 1 LSB is claimed");
  LOCKSTEP_CHECK(rows_along(c, [&](std::size_t first, std::size_t step, std::size_t n) {
    std::int64_t most = v[first];
    for (std::size_t k = 0; k < n; ++k) most = std::max(most, v[first + k * step]);
    double sum = 0;
    e.assign(n, 0);
    for (std::size_t k = 0; k < n; ++k)
      sum += e[k] = std::exp(static_cast<double>(v[first + k * step] - most) * qx.s(0));
    for (std::size_t k = 0; k < n; ++k)
      v[first + k * step] = code_of(e[k] / sum, qy.s(0), qy.z(0), c.out);
  }));
  return store(c.out, v, c.memory, c.where);
}

}  // namespace

const NpuFields* described_call(const NpuEpoch& epoch, const NpuCall& call) {
  if (call.arguments.empty()) return nullptr;
  std::string_view name = call.arguments[0];
  while (name.starts_with('&') || name.starts_with(' ')) name.remove_prefix(1);
  const auto it = epoch.tables.find(name);
  return it != epoch.tables.end() && it->second.type.ends_with("_sw_info") &&
                 it->second.rows.size() == 1
             ? &it->second.rows[0]
             : nullptr;
}

std::uint64_t described_address(const NpuFields& info, std::string_view tensor) {
  const std::int64_t at = number(info, std::string(tensor) + ".mem.start_offset");
  return at < 0 ? 0 : static_cast<std::uint64_t>(at);
}

namespace {

constexpr std::string_view known_operations[] = {"ll_sw_forward_activ",
                                                 "ll_sw_forward_arith",
                                                 "ll_sw_forward_conv",
                                                 "ll_sw_forward_conv_integer",
                                                 "ll_sw_forward_dequantizelinear",
                                                 "ll_sw_forward_pool",
                                                 "ll_sw_forward_quantizelinear",
                                                 "ll_sw_forward_resize_integer",
                                                 "ll_sw_forward_softmax",
                                                 "ll_sw_forward_softmax_integer"};

}  // namespace

Result<void> run_described(const NpuFields& info, const NpuCall& call, NpuMemory& memory,
                           NpuCounts& counts, const std::string& where) {
  const std::string type = word(info, "general.type"), &f = call.function;
  if (std::ranges::find(known_operations, f) == std::end(known_operations))
    return Error{where, "software operation " + f, "one that docs/neural-art.md lists", {}};
  LOCKSTEP_TRY(Cells in, cells(info, "general.input", where));
  LOCKSTEP_TRY(Cells out, cells(info, "general.output", where));
  const Call c{info, memory, counts, where, std::move(in), std::move(out)};
  const bool alike = c.in.count() == c.out.count();
  const bool codes_in = f == "ll_sw_forward_dequantizelinear" || f.ends_with("_integer"),
             codes_out = f == "ll_sw_forward_quantizelinear" || f.ends_with("_integer");
  if ((!codes_in && c.in.bytes != 4) || (!codes_out && c.out.bytes != 4))
    return c.wrong(
        fmt::format("{} between elements of {} and {} bytes", f, c.in.bytes, c.out.bytes),
        "floats");
  if (f == "ll_sw_forward_conv_integer") return conv_integer(c);
  if (f == "ll_sw_forward_conv") return conv_float(c);
  if (f == "ll_sw_forward_pool") return pool_float(c, type);
  if (f == "ll_sw_forward_arith") return arith_float(c, type);
  if (f == "ll_sw_forward_resize_integer") return resize_integer(c);
  if (!alike)
    return c.wrong(fmt::format("{} of {} elements into {}", f, c.in.count(), c.out.count()),
                   "as many");
  if (f == "ll_sw_forward_dequantizelinear") return dequantize(c);
  if (f == "ll_sw_forward_quantizelinear") return quantize(c);
  if (f == "ll_sw_forward_activ") return activ_float(c, type);
  if (f == "ll_sw_forward_softmax") return softmax_float(c);
  return softmax_integer(c);
}

}  // namespace lockstep
