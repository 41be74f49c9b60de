#include "npu/software.h"

#include <algorithm>
#include <cmath>

#include <fmt/core.h>

#include "npu/layout.h"
#include "npu/software_described.h"
#include "npu/software_moves.h"
#include "num/npu_fixed.h"

namespace lockstep {
namespace {

std::string where_of(const NpuProgram& program, const NpuEpoch& epoch) {
  return fmt::format("{}: epoch {}{}", program.file, epoch.number,
                     epoch.nodes.empty() ? "" : " '" + epoch.nodes[0].first + "'");
}

// q = clamp(nearest(acc * (s_in * s_w[k] / s_out)) + zero), acc = bias[k] + sum (x - zero_x) * w:
// the model of the closed library's kernel, 1x1 only (the interchange form says neither strides nor
// pads).
Result<void> conv_integer(const NpuSoftwareIo& io, NpuMemory& memory, NpuCounts& counts,
                          const std::string& where) {
  if (!io.weights || !io.in || !io.out)
    return Error{where,
                 "a software convolution whose tensors are not known",
                 "input, weights and output",
                 {}};
  LOCKSTEP_TRY(const Tensor x, read_buffer(*io.in, memory, where));
  LOCKSTEP_TRY(const Tensor w, read_buffer(*io.weights, memory, where));
  Tensor y(dtype_of(*io.out), plain_shape(*io.out));
  const std::int64_t out = io.out->shape[3], in = io.in->shape[3],
                     area = in > 0 ? count_of(x.shape()) / in : 0;
  if (in < 1 || out < 1 || w.dtype() != DType::i8 || !is_integer(x.dtype()) ||
      !is_integer(y.dtype()))
    return Error{where, "a software convolution of other types", "int8 weights between codes", {}};
  if (w.count() != out * in || y.count() != out * area)
    return Error{where,
                 fmt::format("a software convolution with {} weights for {} x {} channels",
                             w.count(), out, in),
                 "a 1x1 convolution",
                 {}};
  if (io.in->scale.size() != 1 || io.out->scale.size() != 1 ||
      (io.weights->scale.size() != 1 && io.weights->scale.size() != static_cast<std::size_t>(out)))
    return Error{
        where, "a software convolution without scales", "scales of input, weights and output", {}};
  std::vector<std::int64_t> bias(static_cast<std::size_t>(out), 0);
  if (io.bias) {
    LOCKSTEP_TRY(const Tensor b, read_buffer(*io.bias, memory, where));
    if (b.count() != out)
      return Error{where, fmt::format("{} biases", b.count()), fmt::format("{}", out), {}};
    for (std::int64_t k = 0; k < out; ++k) bias[static_cast<std::size_t>(k)] = b.code(k);
  }
  const std::int64_t zx = io.in->zero.empty() ? 0 : io.in->zero[0],
                     zy = io.out->zero.empty() ? 0 : io.out->zero[0];
  const CodeRange range = code_range(y.dtype());
  std::vector<std::int32_t> row(static_cast<std::size_t>(in));
  const auto codes = w.as<std::int8_t>();
  for (std::int64_t p = 0; p < area; ++p) {
    for (std::int64_t c = 0; c < in; ++c)
      row[static_cast<std::size_t>(c)] = static_cast<std::int32_t>(x.code(c * area + p) - zx);
    for (std::int64_t k = 0; k < out; ++k) {
      std::int64_t acc = 0;
      for (std::int64_t c = 0; c < in; ++c)
        acc += row[static_cast<std::size_t>(c)] * codes[static_cast<std::size_t>(k * in + c)];
      const double s_w =
          io.weights->scale[io.weights->scale.size() == 1 ? 0 : static_cast<std::size_t>(k)];
      const double m = io.in->scale[0] * s_w / io.out->scale[0];
      const std::int64_t q =
          npu_nearest(static_cast<double>(acc + bias[static_cast<std::size_t>(k)]) * m) + zy;
      y.set_code(k * area + p, std::clamp(q, range.low, range.high));
    }
  }
  counts.macs += out * in * area;
  counts.inexact.push_back(where +
                           ": CPU convolution by the library's model, at most 1 LSB is claimed");
  return write_buffer(*io.out, y, memory, where);
}

float real_at(const Tensor& x, const NpuBuffer& b, std::int64_t i) {
  if (x.dtype() == DType::f32) return x.as<float>()[static_cast<std::size_t>(i)];
  const float scale = b.scale.empty() ? 1.0f : static_cast<float>(b.scale[0]);
  const std::int64_t zero = b.zero.empty() ? 0 : b.zero[0];
  return static_cast<float>(x.code(i) - zero) * scale;
}

// Rows along the last axis that is longer than one: a map of one place holds its channels as one.
Result<void> softmax(std::vector<float>& v, const Shape& shape, const std::string& where) {
  const auto row = std::find_if(shape.rbegin(), shape.rend(), [](auto n) { return n != 1; });
  const auto n = static_cast<std::size_t>(shape.empty() ? 0 : row == shape.rend() ? 1 : *row);
  if (n == 0 || v.size() % n != 0)
    return Error{where, "a Softmax without a row", "a last axis", {}};
  for (std::size_t r = 0; r < v.size(); r += n) {
    const float most = *std::max_element(v.begin() + static_cast<std::ptrdiff_t>(r),
                                         v.begin() + static_cast<std::ptrdiff_t>(r + n));
    float sum = 0;
    for (std::size_t i = r; i < r + n; ++i) sum += v[i] = std::exp(v[i] - most);
    for (std::size_t i = r; i < r + n; ++i) v[i] /= sum;
  }
  return {};
}

Result<void> float_function(const std::string& op, const NpuSoftwareIo& io, NpuMemory& memory,
                            const std::string& where) {
  if (!io.in || !io.out)
    return Error{where, op + " whose tensors are not known", "an input and an output", {}};
  LOCKSTEP_TRY(const Tensor x, read_buffer(*io.in, memory, where));
  Tensor y(dtype_of(*io.out), plain_shape(*io.out));
  if (x.count() != y.count())
    return Error{
        where, fmt::format("{} of {} into {}", op, x.count(), y.count()), "as many elements", {}};
  std::vector<float> v(static_cast<std::size_t>(x.count()));
  for (std::size_t i = 0; i < v.size(); ++i)
    v[i] = real_at(x, *io.in, static_cast<std::int64_t>(i));
  if (op == "Softmax")
    LOCKSTEP_CHECK(softmax(v, x.shape(), where));
  else
    for (float& f : v) {
      if (op == "Sigmoid")
        f = 1.0f / (1.0f + std::exp(-f));
      else if (op == "Tanh")
        f = std::tanh(f);
      else if (op == "Relu")
        f = std::max(f, 0.0f);
      else if (op != "DequantizeLinear" && op != "QuantizeLinear" && op != "Identity")
        return Error{where,
                     "software operation " + op,
                     "DequantizeLinear, QuantizeLinear, Softmax, Sigmoid, Tanh or Relu",
                     {}};
    }
  if (y.dtype() == DType::f32) {
    std::ranges::copy(v, y.as<float>().begin());
    return write_buffer(*io.out, y, memory, where);
  }
  if (io.out->scale.size() != 1)
    return Error{where, op + " into codes without a scale", "a scale", {}};
  const std::int64_t zero = io.out->zero.empty() ? 0 : io.out->zero[0];
  const CodeRange range = code_range(y.dtype());
  for (std::size_t i = 0; i < v.size(); ++i)
    y.set_code(
        static_cast<std::int64_t>(i),
        std::clamp(
            npu_nearest(static_cast<double>(v[i] / static_cast<float>(io.out->scale[0]))) + zero,
            range.low, range.high));
  return write_buffer(*io.out, y, memory, where);
}

Result<void> run_call(const NpuProgram& program, const NpuEpoch& epoch, const NpuCall& call,
                      NpuMemory& memory, NpuCounts& counts) {
  const std::string where = where_of(program, epoch);
  if (is_npu_move(call)) return run_npu_move(epoch, call, memory, counts, where);
  if (const NpuFields* info = described_call(epoch, call))
    return run_described(*info, call, memory, counts, where);
  LOCKSTEP_TRY(const NpuSoftwareIo io, software_io(program, epoch));
  if (call.function == "ll_sw_forward_conv_integer") return conv_integer(io, memory, counts, where);
  const std::string op = epoch.nodes.empty() ? "" : epoch.nodes[0].second;
  if (call.function == "ll_sw_forward_dequantizelinear")
    return float_function("DequantizeLinear", io, memory, where);
  if (call.function == "ll_sw_forward_quantizelinear")
    return float_function("QuantizeLinear", io, memory, where);
  if (call.function == "ll_sw_forward_softmax") return float_function("Softmax", io, memory, where);
  if (call.function == "ll_sw_forward_activ") return float_function(op, io, memory, where);
  return Error{
      where, "software operation " + call.function, "one that docs/neural-art.md lists", {}};
}

}  // namespace

bool is_cache_call(const NpuCall& call) {
  return call.function.find("_Cache_") != std::string::npos;
}

std::string software_function(const NpuEpoch& epoch) {
  for (const NpuCall& c : epoch.calls)
    if (!is_cache_call(c)) return c.function;
  return "";
}

namespace {

// The tensors that the call's own description names, by their addresses.
std::optional<NpuSoftwareIo> described_io(const NpuProgram& program, const NpuEpoch& epoch) {
  for (const NpuCall& c : epoch.calls) {
    const NpuFields* info = is_cache_call(c) || is_npu_move(c) ? nullptr : described_call(epoch, c);
    if (!info) continue;
    const std::uint64_t from = described_address(*info, "general.input"),
                        to = described_address(*info, "general.output");
    NpuSoftwareIo io;
    for (const NpuBuffer& b : program.buffers) {
      if (b.is_param || b.name.starts_with("SCRATCH_")) continue;
      if (b.address() == to && b.epoch == epoch.number) io.out = &b;
      if (b.address() == from && b.epoch < epoch.number && (!io.in || b.epoch >= io.in->epoch))
        io.in = &b;
    }
    if (io.in && io.out) return io;
  }
  return std::nullopt;
}

}  // namespace

Result<NpuSoftwareIo> software_io(const NpuProgram& program, const NpuEpoch& epoch) {
  if (const auto described = described_io(program, epoch)) return *described;
  NpuSoftwareIo io;
  const std::string where = where_of(program, epoch);
  if (const auto made = program.made_by(epoch.number); !made.empty()) io.out = made.back();
  if (!io.out) return Error{where, "makes no buffer", "an output", {}};
  const std::string node = epoch.nodes.empty() ? "" : epoch.nodes[0].first;
  const bool conv = software_function(epoch) == "ll_sw_forward_conv_integer";
  if (conv) {
    io.weights = program.find_buffer(node + "_weights");
    io.bias = program.find_buffer(node + "_bias");
    if (!io.weights || io.weights->shape.size() != 4 || io.out->shape.size() != 4)
      return Error{where, "no buffer " + node + "_weights", "the convolution's weights", {}};
  }
  for (const NpuBuffer& b : program.buffers) {
    if (b.is_param || b.epoch >= epoch.number || b.name.starts_with("SCRATCH_") ||
        b.type == "DataType_FXP" || !is_whole(b))
      continue;
    const bool fits = conv ? b.shape.size() == 4 && b.shape[3] == io.weights->shape[3] &&
                                 b.count() * io.out->shape[3] == io.out->count() * b.shape[3]
                           : b.count() == io.out->count();
    if (fits && (!io.in || b.epoch >= io.in->epoch)) io.in = &b;
  }
  if (!io.in)
    return Error{where, "no earlier tensor fits " + io.out->name, "an input of its size", {}};
  return io;
}

Result<void> run_software_epoch(const NpuProgram& program, const NpuEpoch& epoch, NpuMemory& memory,
                                NpuCounts& counts) {
  for (const NpuCall& call : epoch.calls)
    if (!is_cache_call(call)) LOCKSTEP_CHECK(run_call(program, epoch, call, memory, counts));
  return {};
}

}  // namespace lockstep
