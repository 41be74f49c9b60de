// y = f(x) for the operations ll_sw_forward_*, on tensors given by address, extents and strides
#include "npu/software_described.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include <fmt/core.h>

#include "num/npu_fixed.h"

namespace lockstep {
namespace {

std::int64_t number(const NpuFields& info, const std::string& key, std::int64_t none = 0) {
  const auto it = info.find(key);
  return it == info.end() || it->second.is != NpuField::Is::integer ? none : it->second.integer;
}
std::string word(const NpuFields& info, const std::string& key) {
  const auto it = info.find(key);
  return it == info.end() ? std::string() : it->second.name;
}
std::vector<std::int64_t> numbers(const NpuFields& info, const std::string& key) {
  std::vector<std::int64_t> out;
  if (const auto it = info.find(key); it != info.end())
    for (const NpuField& f : it->second.list) out.push_back(f.integer);
  return out;
}

// A tensor in memory, axes batch, rows, columns, channels.
struct Cells {
  std::string name;
  std::uint64_t address = 0;
  std::array<std::int64_t, 4> extent{1, 1, 1, 1}, stride{0, 0, 0, 0};
  std::int64_t bytes = 1;
  bool is_signed = true;

  std::int64_t count() const { return extent[0] * extent[1] * extent[2] * extent[3]; }
  std::int64_t at(std::int64_t b, std::int64_t h, std::int64_t w, std::int64_t c) const {
    return b * stride[0] + h * stride[1] + w * stride[2] + c * stride[3];
  }
};

Result<Cells> cells(const NpuFields& info, const std::string& name, const std::string& where) {
  Cells t;
  t.name = name;
  t.address = described_address(info, name);
  constexpr const char* axes[] = {"b", "h", "w", "c"};
  std::int64_t least = 8, total = 1;
  for (std::size_t a = 0; a < 4; ++a) {
    t.extent[a] = number(info, name + ".dim.tensor_" + axes[a], 1);
    t.stride[a] = number(info, name + ".stride." + axes[a]);
    if (t.extent[a] < 1 || t.extent[a] > (1 << 24) || t.stride[a] < 0 ||
        t.stride[a] > (std::int64_t{1} << 28))
      return Error{
          where,
          fmt::format("{} with an extent of {} and a stride of {}", name, t.extent[a], t.stride[a]),
          "extents from 1",
          {}};
    if (t.stride[a] > 0) least = std::min(least, t.stride[a]);
    if ((total *= t.extent[a]) > (1 << 26))
      return Error{
          where, name + " of more than 2^26 elements", "a network for a microcontroller", {}};
  }
  t.bytes = least;
  t.is_signed = number(info, name + ".format.is_signed") != 0;
  if (t.address == 0) return Error{where, "no address of " + name, "a structure that gives it", {}};
  if (t.bytes != 1 && t.bytes != 2 && t.bytes != 4)
    return Error{
        where, fmt::format("{} with elements of {} bytes", name, t.bytes), "1, 2 or 4", {}};
  return t;
}

// All elements in the order of the axes, as floats (4 bytes) or as codes.
template <class T>
Result<std::vector<T>> load(const Cells& t, const NpuMemory& memory, const std::string& where) {
  std::vector<T> out;
  out.reserve(static_cast<std::size_t>(t.count()));
  for (std::int64_t b = 0; b < t.extent[0]; ++b)
    for (std::int64_t h = 0; h < t.extent[1]; ++h)
      for (std::int64_t w = 0; w < t.extent[2]; ++w)
        for (std::int64_t c = 0; c < t.extent[3]; ++c) {
          LOCKSTEP_TRY(const auto raw,
                       memory.read(t.address + static_cast<std::uint64_t>(t.at(b, h, w, c)),
                                   static_cast<std::uint64_t>(t.bytes), where + ": " + t.name));
          std::uint32_t bits = 0;
          for (std::size_t k = 0; k < raw.size(); ++k)
            bits |= static_cast<std::uint32_t>(raw[k]) << (8 * k);
          if constexpr (std::is_same_v<T, float>) {
            float f = 0;
            std::memcpy(&f, &bits, 4);
            out.push_back(f);
          } else {
            out.push_back(t.is_signed ? npu_wrap(bits, static_cast<int>(t.bytes))
                                      : static_cast<std::int64_t>(bits));
          }
        }
  return out;
}

template <class T>
Result<void> store(const Cells& t, const std::vector<T>& values, NpuMemory& memory,
                   const std::string& where) {
  std::size_t i = 0;
  for (std::int64_t b = 0; b < t.extent[0]; ++b)
    for (std::int64_t h = 0; h < t.extent[1]; ++h)
      for (std::int64_t w = 0; w < t.extent[2]; ++w)
        for (std::int64_t c = 0; c < t.extent[3]; ++c, ++i) {
          std::uint32_t bits = 0;
          if constexpr (std::is_same_v<T, float>)
            std::memcpy(&bits, &values[i], 4);
          else
            bits = static_cast<std::uint32_t>(values[i]);
          std::array<std::uint8_t, 4> raw{};
          for (std::size_t k = 0; k < 4; ++k) raw[k] = static_cast<std::uint8_t>(bits >> (8 * k));
          LOCKSTEP_CHECK(memory.write(t.address + static_cast<std::uint64_t>(t.at(b, h, w, c)),
                                      std::span(raw).first(static_cast<std::size_t>(t.bytes)),
                                      where + ": " + t.name));
        }
  return {};
}

// Scales or zero points, one or one a channel.
struct Quant {
  std::vector<double> scale;
  std::vector<std::int64_t> zero;
  double s(std::size_t k) const { return scale[scale.size() == 1 ? 0 : k]; }
  std::int64_t z(std::size_t k) const { return zero[zero.size() == 1 ? 0 : k]; }
};
Result<Quant> quant(const NpuFields& info, const std::string& scale, const std::string& zero,
                    std::int64_t channels, const NpuMemory& memory, const std::string& where) {
  Quant q;
  const std::int64_t n = number(info, scale + ".dim.num_elem", 1),
                     m = number(info, zero + ".dim.num_elem", 1);
  if ((n != 1 && n != channels) || (m != 1 && m != channels))
    return Error{where,
                 fmt::format("{} scales and {} zero points", n, m),
                 fmt::format("1 or {}", channels),
                 {}};
  const Cells s{scale, described_address(info, scale), {1, 1, 1, n}, {0, 0, 0, 4}, 4, true};
  const Cells z{zero,
                described_address(info, zero),
                {1, 1, 1, m},
                {0, 0, 0, 1},
                1,
                number(info, zero + ".format.is_signed") != 0};
  if (s.address == 0 || z.address == 0)
    return Error{where, "no " + scale + " or " + zero, "scales and zero points", {}};
  LOCKSTEP_TRY(const auto scales, load<float>(s, memory, where));
  for (const float v : scales) {
    if (!(v > 0) || !std::isfinite(v))
      return Error{where, fmt::format("scale {}", v), "a positive number", {}};
    q.scale.push_back(static_cast<double>(v));
  }
  LOCKSTEP_TRY(q.zero, load<std::int64_t>(z, memory, where));
  return q;
}

std::int64_t clamped(std::int64_t code, const Cells& t) {
  return t.is_signed ? npu_saturate(code, static_cast<int>(t.bytes))
                     : std::clamp<std::int64_t>(code, 0, (std::int64_t{1} << (8 * t.bytes)) - 1);
}
std::int64_t code_of(double real, double scale, std::int64_t zero, const Cells& t) {
  return clamped(npu_nearest(std::clamp(real / scale, -4e9, 4e9)) + zero, t);
}

struct Call {
  const NpuFields& info;
  NpuMemory& memory;
  NpuCounts& counts;
  const std::string& where;
  Cells in, out;

  Error wrong(std::string what, std::string want) const {
    return {where, std::move(what), std::move(want), {}};
  }
};

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

struct WindowForm {
  std::int64_t top = 0, left = 0, sh = 1, sw = 1, dh = 1, dw = 1;
};
Result<WindowForm> window_form(const Call& c) {
  const auto pads = numbers(c.info, "pads"), strides = numbers(c.info, "strides"),
             dilations = numbers(c.info, "dilations");
  WindowForm w;
  if (pads.size() == 4) w.top = pads[0], w.left = pads[1];
  if (strides.size() == 2) w.sh = strides[0], w.sw = strides[1];
  if (dilations.size() == 2) w.dh = dilations[0], w.dw = dilations[1];
  if (w.sh < 1 || w.sw < 1 || w.dh < 1 || w.dw < 1 || w.top < 0 || w.left < 0 || w.sh > 64 ||
      w.sw > 64 || w.dh > 4096 || w.dw > 4096 || w.top > 4096 || w.left > 4096)
    return c.wrong("strides, dilations or pads", "positive ones");
  return w;
}

// Sums over windows: sum(oy, ox, k) of x(y, x, c) * w(k, i, j, c); X and W yield by position.
template <class T, class X, class W, class F>
Result<void> convolve(const Call& c, const Cells& weights, X x, W w, F leave) {
  LOCKSTEP_TRY(const WindowForm f, window_form(c));
  const std::int64_t groups = std::max<std::int64_t>(1, number(c.info, "ngroup", 1)),
                     outs = c.out.extent[3], per = weights.extent[3];
  if (weights.extent[0] != outs || outs % groups != 0 || per * groups != c.in.extent[3] ||
      c.in.extent[0] != c.out.extent[0])
    return c.wrong(fmt::format("weights of {} x {} in {} groups for {} to {} channels",
                               weights.extent[0], per, groups, c.in.extent[3], outs),
                   "weights that fit");
  const std::int64_t macs = c.out.count() * per * weights.extent[1] * weights.extent[2];
  if (macs > (std::int64_t{1} << 34))
    return c.wrong("more than 2^34 products", "a network for a microcontroller");
  c.counts.macs += macs;
  for (std::int64_t b = 0; b < c.out.extent[0]; ++b)
    for (std::int64_t oy = 0; oy < c.out.extent[1]; ++oy)
      for (std::int64_t ox = 0; ox < c.out.extent[2]; ++ox)
        for (std::int64_t k = 0; k < outs; ++k) {
          T sum = 0;
          const std::int64_t base = k / (outs / groups) * per;
          for (std::int64_t i = 0; i < weights.extent[1]; ++i)
            for (std::int64_t j = 0; j < weights.extent[2]; ++j) {
              const std::int64_t iy = oy * f.sh + i * f.dh - f.top,
                                 ix = ox * f.sw + j * f.dw - f.left;
              if (iy < 0 || ix < 0 || iy >= c.in.extent[1] || ix >= c.in.extent[2]) continue;
              for (std::int64_t q = 0; q < per; ++q)
                sum += x(((b * c.in.extent[1] + iy) * c.in.extent[2] + ix) * c.in.extent[3] + base +
                         q) *
                       w(((k * weights.extent[1] + i) * weights.extent[2] + j) * per + q);
            }
          leave(static_cast<std::size_t>(
                    ((b * c.out.extent[1] + oy) * c.out.extent[2] + ox) * outs + k),
                static_cast<std::size_t>(k), sum);
        }
  return {};
}

Result<void> conv_integer(const Call& c) {
  LOCKSTEP_TRY(const Cells weights, cells(c.info, "weights", c.where));
  LOCKSTEP_TRY(const Quant qx, quant(c.info, "is", "izp", c.in.extent[3], c.memory, c.where));
  LOCKSTEP_TRY(const Quant qw, quant(c.info, "ws", "wzp", weights.extent[0], c.memory, c.where));
  LOCKSTEP_TRY(const Quant qy, quant(c.info, "os", "ozp", c.out.extent[3], c.memory, c.where));
  LOCKSTEP_TRY(const auto x, load<std::int64_t>(c.in, c.memory, c.where));
  LOCKSTEP_TRY(const auto w, load<std::int64_t>(weights, c.memory, c.where));
  std::vector<std::int64_t> bias(static_cast<std::size_t>(c.out.extent[3]), 0),
      y(static_cast<std::size_t>(c.out.count()));
  if (described_address(c.info, "bias") != 0) {
    LOCKSTEP_TRY(const Cells b, cells(c.info, "bias", c.where));
    LOCKSTEP_TRY(bias, load<std::int64_t>(b, c.memory, c.where));
    if (bias.size() != static_cast<std::size_t>(c.out.extent[3]))
      return c.wrong(fmt::format("{} biases", bias.size()), "one for each output");
  }
  const std::int64_t per = weights.extent[3], one = weights.extent[1] * weights.extent[2] * per;
  const auto feature = [&](std::int64_t i) { return x[static_cast<std::size_t>(i)] - qx.z(0); };
  const auto weight = [&](std::int64_t i) {
    return w[static_cast<std::size_t>(i)] - qw.z(static_cast<std::size_t>(i / one));
  };
  c.counts.inexact.push_back(c.where +
                             ": CPU convolution by the library's model, at most 1 LSB is claimed");
  LOCKSTEP_CHECK(convolve<std::int64_t>(
      c, weights, feature, weight, [&](std::size_t i, std::size_t k, std::int64_t acc) {
        y[i] = code_of(static_cast<double>(acc + bias[k]) * (qx.s(0) * qw.s(k) / qy.s(0)), 1,
                       qy.z(0), c.out);
      }));
  return store(c.out, y, c.memory, c.where);
}

Result<void> conv_float(const Call& c) {
  LOCKSTEP_TRY(const Cells weights, cells(c.info, "weights", c.where));
  LOCKSTEP_TRY(const auto x, load<float>(c.in, c.memory, c.where));
  LOCKSTEP_TRY(const auto w, load<float>(weights, c.memory, c.where));
  std::vector<float> bias(static_cast<std::size_t>(c.out.extent[3]), 0),
      y(static_cast<std::size_t>(c.out.count()));
  if (described_address(c.info, "bias") != 0) {
    LOCKSTEP_TRY(const Cells b, cells(c.info, "bias", c.where));
    LOCKSTEP_TRY(bias, load<float>(b, c.memory, c.where));
    if (bias.size() != static_cast<std::size_t>(c.out.extent[3]))
      return c.wrong(fmt::format("{} biases", bias.size()), "one for each output");
  }
  const auto feature = [&](std::int64_t i) { return x[static_cast<std::size_t>(i)]; };
  const auto weight = [&](std::int64_t i) { return w[static_cast<std::size_t>(i)]; };
  LOCKSTEP_CHECK(
      convolve<float>(c, weights, feature, weight,
                      [&](std::size_t i, std::size_t k, float acc) { y[i] = acc + bias[k]; }));
  return store(c.out, y, c.memory, c.where);
}

Result<void> pool_float(const Call& c, const std::string& type) {
  const bool average = type == "LL_SW_AVGPOOL" || type == "LL_SW_GLOBAL_AVGPOOL";
  if (!average && type != "LL_SW_MAXPOOL" && type != "LL_SW_GLOBAL_MAXPOOL")
    return c.wrong("pooling " + type, "LL_SW_MAXPOOL or LL_SW_AVGPOOL");
  LOCKSTEP_TRY(const WindowForm f, window_form(c));
  auto k = numbers(c.info, "k_shape");
  if (k.size() != 2) k = {c.in.extent[1], c.in.extent[2]};
  if (k[0] < 1 || k[1] < 1 || k[0] > 4096 || k[1] > 4096 || c.in.extent[3] != c.out.extent[3] ||
      c.in.extent[0] != c.out.extent[0])
    return c.wrong(fmt::format("a window of {} x {} for {} to {} channels", k[0], k[1],
                               c.in.extent[3], c.out.extent[3]),
                   "as many channels");
  LOCKSTEP_TRY(const auto x, load<float>(c.in, c.memory, c.where));
  std::vector<float> y;
  for (std::int64_t b = 0; b < c.out.extent[0]; ++b)
    for (std::int64_t oy = 0; oy < c.out.extent[1]; ++oy)
      for (std::int64_t ox = 0; ox < c.out.extent[2]; ++ox)
        for (std::int64_t q = 0; q < c.out.extent[3]; ++q) {
          float sum = 0, most = -INFINITY;
          int n = 0;
          for (std::int64_t i = 0; i < k[0]; ++i)
            for (std::int64_t j = 0; j < k[1]; ++j) {
              const std::int64_t iy = oy * f.sh + i - f.top, ix = ox * f.sw + j - f.left;
              if (iy < 0 || ix < 0 || iy >= c.in.extent[1] || ix >= c.in.extent[2]) continue;
              const float v = x[static_cast<std::size_t>(
                  ((b * c.in.extent[1] + iy) * c.in.extent[2] + ix) * c.in.extent[3] + q)];
              sum += v, most = std::max(most, v), ++n;
            }
          y.push_back(average ? sum / static_cast<float>(std::max(n, 1)) : most);
        }
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

Result<void> run_described(const NpuFields& info, const NpuCall& call, NpuMemory& memory,
                           NpuCounts& counts, const std::string& where) {
  const std::string type = word(info, "general.type"), &f = call.function;
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
  if (!alike)
    return c.wrong(fmt::format("{} of {} elements into {}", f, c.in.count(), c.out.count()),
                   "as many");
  if (f == "ll_sw_forward_dequantizelinear") return dequantize(c);
  if (f == "ll_sw_forward_quantizelinear") return quantize(c);
  if (f == "ll_sw_forward_activ") return activ_float(c, type);
  if (f == "ll_sw_forward_softmax") return softmax_float(c);
  if (f == "ll_sw_forward_softmax_integer") return softmax_integer(c);
  return c.wrong("software operation " + f, "one that docs/neural-art.md lists");
}

}  // namespace lockstep
