#include "npu/software.h"

#include <algorithm>
#include <cmath>

#include <fmt/core.h>

#include "npu/layout.h"
#include "num/npu_fixed.h"

namespace lockstep {
namespace {

std::string where_of(const NpuProgram& program, const NpuEpoch& epoch) {
  return fmt::format("{}: epoch {}{}", program.file, epoch.number, epoch.nodes.empty() ? "" : " '" + epoch.nodes[0].first + "'");
}

// "&table[0]", "table[0]" and "table" all name a table.
std::string table_name(std::string_view argument) {
  while (!argument.empty() && (argument.front() == '&' || argument.front() == ' ')) argument.remove_prefix(1);
  return std::string(argument.substr(0, argument.find('[')));
}

struct Tables {
  const NpuEpoch& epoch;
  std::string where;

  Error missing(const std::string& name) const { return {where, "no table " + name, "the constants of the call", {}}; }
  Result<const NpuTable*> find(std::string_view argument) const {
    const auto it = epoch.tables.find(table_name(argument));
    if (it == epoch.tables.end()) return missing(table_name(argument));
    return &it->second;
  }
  Result<Shape> numbers(std::string_view argument) const {
    LOCKSTEP_TRY(const NpuTable* t, find(argument));
    if (t->values.size() == 1 && t->values[0].is == NpuField::Is::name) return numbers(t->values[0].name);
    Shape out;
    for (const NpuField& f : t->values) out.push_back(f.integer);
    if (out.empty() || out.size() > 8) return missing(table_name(argument));
    return out;
  }
};

std::int64_t cell(const NpuFields& row, std::string_view key) {
  const auto it = row.find(key);
  return it == row.end() ? 0 : it->second.integer;
}

struct Place {
  std::uint64_t address = 0;
  Shape shape;
  std::int64_t bytes = 1;  // of an element
};

Result<Place> place(const Tables& tables, std::string_view argument) {
  LOCKSTEP_TRY(const NpuTable* t, tables.find(argument));
  if (t->rows.empty()) return tables.missing(table_name(argument));
  const NpuFields& row = t->rows[0];
  Place p;
  p.address = static_cast<std::uint64_t>(cell(row, "addr_base") + cell(row, "offset_start"));
  p.bytes = cell(row, "nbits") / 8;
  if (p.bytes < 1 || p.bytes > 4) return Error{tables.where, fmt::format("elements of {} bits", cell(row, "nbits")), "8, 16 or 32", {}};
  const auto shape = row.find("mem_shape") != row.end() ? row.find("mem_shape") : row.find("shape");
  if (shape == row.end()) return tables.missing("shape of " + table_name(argument));
  if (shape->second.is == NpuField::Is::name) {
    LOCKSTEP_TRY(p.shape, tables.numbers(shape->second.name));
  } else {
    for (const NpuField& f : shape->second.list) p.shape.push_back(f.integer);
  }
  LOCKSTEP_TRY([[maybe_unused]] const std::int64_t n, checked_count(p.shape, tables.where));
  return p;
}

// Moves elements: out[i] = in[source(i)] for every element of the output.
template <class F>
Result<void> move(const Place& in, const Place& out, NpuMemory& memory, const std::string& where, F source) {
  const std::int64_t n = count_of(out.shape);
  if (n != count_of(in.shape) || in.bytes != out.bytes)
    return Error{where, fmt::format("{} elements into {}", count_of(in.shape), n), "as many of the same width", {}};
  const auto by = static_cast<std::size_t>(in.bytes);
  LOCKSTEP_TRY(const auto from, memory.read(in.address, static_cast<std::uint64_t>(n) * by, where));
  std::vector<std::uint8_t> to(static_cast<std::size_t>(n) * by);
  for (std::int64_t i = 0; i < n; ++i)
    std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(source(i)) * in.bytes, by, to.begin() + static_cast<std::ptrdiff_t>(i) * in.bytes);
  return memory.write(out.address, to, where);
}

Result<void> transpose(const NpuCall& call, const Tables& tables, NpuMemory& memory) {
  if (call.arguments.size() < 6) return Error{tables.where, "a Transpose without its tables", "six arguments", {}};
  LOCKSTEP_TRY(const Place in, place(tables, call.arguments[0]));
  LOCKSTEP_TRY(const Place out, place(tables, call.arguments[2]));
  LOCKSTEP_TRY(const Shape perm, tables.numbers(call.arguments[5]));
  const std::size_t rank = in.shape.size();
  bool fits = perm.size() == rank && out.shape.size() == rank;
  for (std::size_t a = 0; fits && a < rank; ++a)
    fits = perm[a] >= 0 && perm[a] < static_cast<std::int64_t>(rank) && out.shape[a] == in.shape[static_cast<std::size_t>(perm[a])];
  if (!fits) return Error{tables.where, "a permutation that does not lead from input to output shape", "out[a] = in[perm[a]]", {}};
  const Shape from = strides_of(in.shape), to = strides_of(out.shape);
  return move(in, out, memory, tables.where, [&](std::int64_t i) {
    std::int64_t at = 0;
    for (std::size_t a = 0; a < rank; ++a) at += i / to[a] % out.shape[a] * from[static_cast<std::size_t>(perm[a])];
    return at;
  });
}

// SpaceToDepth on [1,H,W,C]: out[h/bh, w/bw, (dh*bw+dw)*C + c] = in[h,w,c]; DepthToSpace the other way.
Result<void> blocks(const NpuCall& call, const Tables& tables, NpuMemory& memory, bool to_depth) {
  if (call.arguments.size() < 5) return Error{tables.where, "a block move without its tables", "five arguments", {}};
  LOCKSTEP_TRY(const Place in, place(tables, call.arguments[0]));
  LOCKSTEP_TRY(const Place out, place(tables, call.arguments[2]));
  const std::int64_t bh = std::strtoll(call.arguments[3].c_str(), nullptr, 10), bw = std::strtoll(call.arguments[4].c_str(), nullptr, 10);
  const Place &space = to_depth ? in : out, &depth = to_depth ? out : in;
  const bool fits = space.shape.size() == 4 && depth.shape.size() == 4 && bh > 0 && bw > 0 &&
                    depth.shape[1] * bh == space.shape[1] && depth.shape[2] * bw == space.shape[2] &&
                    depth.shape[3] == space.shape[3] * bh * bw && space.shape[0] == 1;
  if (!fits) return Error{tables.where, fmt::format("blocks of {}x{} that do not fit the shapes", bh, bw), "[1,H,W,C] and [1,H/bh,W/bw,bh*bw*C]", {}};
  const std::int64_t width = space.shape[2], channels = space.shape[3];
  const auto depth_at = [&](std::int64_t i) {  // of a space element
    const std::int64_t c = i % channels, w = i / channels % width, h = i / channels / width;
    return ((h / bh) * depth.shape[2] + w / bw) * depth.shape[3] + ((h % bh) * bw + w % bw) * channels + c;
  };
  const auto space_at = [&](std::int64_t i) {  // of a depth element
    const std::int64_t d = i % depth.shape[3], w = i / depth.shape[3] % depth.shape[2], h = i / depth.shape[3] / depth.shape[2];
    const std::int64_t c = d % channels, block = d / channels;
    return ((h * bh + block / bw) * width + w * bw + block % bw) * channels + c;
  };
  if (to_depth) return move(in, out, memory, tables.where, space_at);
  return move(in, out, memory, tables.where, depth_at);
}

// q = clamp(nearest(acc * (s_in * s_w[k] / s_out)) + zero), acc = bias[k] + sum (x - zero_x) * w: the model
// of the closed library's kernel, 1x1 only (the interchange form says neither strides nor pads).
Result<void> conv_integer(const NpuSoftwareIo& io, NpuMemory& memory, NpuCounts& counts, const std::string& where) {
  if (!io.weights || !io.in || !io.out) return Error{where, "a software convolution whose tensors are not known", "input, weights and output", {}};
  LOCKSTEP_TRY(const Tensor x, read_buffer(*io.in, memory, where));
  LOCKSTEP_TRY(const Tensor w, read_buffer(*io.weights, memory, where));
  Tensor y(dtype_of(*io.out), plain_shape(*io.out));
  const std::int64_t out = io.out->shape[3], in = io.in->shape[3], area = in > 0 ? count_of(x.shape()) / in : 0;
  if (in < 1 || out < 1 || w.dtype() != DType::i8 || !is_integer(x.dtype()) || !is_integer(y.dtype()))
    return Error{where, "a software convolution of other types", "int8 weights between codes", {}};
  if (w.count() != out * in || y.count() != out * area)
    return Error{where, fmt::format("a software convolution with {} weights for {} x {} channels", w.count(), out, in), "a 1x1 convolution", {}};
  if (io.in->scale.size() != 1 || io.out->scale.size() != 1 || (io.weights->scale.size() != 1 && io.weights->scale.size() != static_cast<std::size_t>(out)))
    return Error{where, "a software convolution without scales", "scales of input, weights and output", {}};
  std::vector<std::int64_t> bias(static_cast<std::size_t>(out), 0);
  if (io.bias) {
    LOCKSTEP_TRY(const Tensor b, read_buffer(*io.bias, memory, where));
    if (b.count() != out) return Error{where, fmt::format("{} biases", b.count()), fmt::format("{}", out), {}};
    for (std::int64_t k = 0; k < out; ++k) bias[static_cast<std::size_t>(k)] = b.code(k);
  }
  const std::int64_t zx = io.in->zero.empty() ? 0 : io.in->zero[0], zy = io.out->zero.empty() ? 0 : io.out->zero[0];
  const CodeRange range = code_range(y.dtype());
  std::vector<std::int32_t> row(static_cast<std::size_t>(in));
  const auto codes = w.as<std::int8_t>();
  for (std::int64_t p = 0; p < area; ++p) {
    for (std::int64_t c = 0; c < in; ++c) row[static_cast<std::size_t>(c)] = static_cast<std::int32_t>(x.code(c * area + p) - zx);
    for (std::int64_t k = 0; k < out; ++k) {
      std::int64_t acc = 0;
      for (std::int64_t c = 0; c < in; ++c) acc += row[static_cast<std::size_t>(c)] * codes[static_cast<std::size_t>(k * in + c)];
      const double s_w = io.weights->scale[io.weights->scale.size() == 1 ? 0 : static_cast<std::size_t>(k)];
      const double m = io.in->scale[0] * s_w / io.out->scale[0];
      const std::int64_t q = npu_nearest(static_cast<double>(acc + bias[static_cast<std::size_t>(k)]) * m) + zy;
      y.set_code(k * area + p, std::clamp(q, range.low, range.high));
    }
  }
  counts.macs += out * in * area;
  counts.inexact.push_back(where + ": CPU convolution by the library's model, at most 1 LSB is claimed");
  return write_buffer(*io.out, y, memory, where);
}

float real_at(const Tensor& x, const NpuBuffer& b, std::int64_t i) {
  if (x.dtype() == DType::f32) return x.as<float>()[static_cast<std::size_t>(i)];
  const float scale = b.scale.empty() ? 1.0f : static_cast<float>(b.scale[0]);
  const std::int64_t zero = b.zero.empty() ? 0 : b.zero[0];
  return static_cast<float>(x.code(i) - zero) * scale;
}

Result<void> softmax(std::vector<float>& v, const Shape& shape, const std::string& where) {
  const auto n = static_cast<std::size_t>(shape.empty() ? 0 : shape.back() == 1 && shape.size() > 1 ? shape[shape.size() - 2] : shape.back());
  if (n == 0 || v.size() % n != 0) return Error{where, "a Softmax without a row", "a last axis", {}};
  for (std::size_t r = 0; r < v.size(); r += n) {
    const float most = *std::max_element(v.begin() + static_cast<std::ptrdiff_t>(r), v.begin() + static_cast<std::ptrdiff_t>(r + n));
    float sum = 0;
    for (std::size_t i = r; i < r + n; ++i) sum += v[i] = std::exp(v[i] - most);
    for (std::size_t i = r; i < r + n; ++i) v[i] /= sum;
  }
  return {};
}

Result<void> float_function(const std::string& op, const NpuSoftwareIo& io, NpuMemory& memory, const std::string& where) {
  if (!io.in || !io.out) return Error{where, op + " whose tensors are not known", "an input and an output", {}};
  LOCKSTEP_TRY(const Tensor x, read_buffer(*io.in, memory, where));
  Tensor y(dtype_of(*io.out), plain_shape(*io.out));
  if (x.count() != y.count()) return Error{where, fmt::format("{} of {} into {}", op, x.count(), y.count()), "as many elements", {}};
  std::vector<float> v(static_cast<std::size_t>(x.count()));
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = real_at(x, *io.in, static_cast<std::int64_t>(i));
  if (op == "Softmax") LOCKSTEP_CHECK(softmax(v, x.shape(), where));
  else
    for (float& f : v) {
      if (op == "Sigmoid") f = 1.0f / (1.0f + std::exp(-f));
      else if (op == "Tanh") f = std::tanh(f);
      else if (op == "Relu") f = std::max(f, 0.0f);
      else if (op != "DequantizeLinear" && op != "QuantizeLinear" && op != "Identity")
        return Error{where, "software operation " + op, "DequantizeLinear, QuantizeLinear, Softmax, Sigmoid, Tanh or Relu", {}};
    }
  if (y.dtype() == DType::f32) {
    std::ranges::copy(v, y.as<float>().begin());
    return write_buffer(*io.out, y, memory, where);
  }
  if (io.out->scale.size() != 1) return Error{where, op + " into codes without a scale", "a scale", {}};
  const std::int64_t zero = io.out->zero.empty() ? 0 : io.out->zero[0];
  const CodeRange range = code_range(y.dtype());
  for (std::size_t i = 0; i < v.size(); ++i)
    y.set_code(static_cast<std::int64_t>(i),
               std::clamp(npu_nearest(static_cast<double>(v[i] / static_cast<float>(io.out->scale[0]))) + zero, range.low, range.high));
  return write_buffer(*io.out, y, memory, where);
}

Result<void> run_call(const NpuProgram& program, const NpuEpoch& epoch, const NpuCall& call, NpuMemory& memory, NpuCounts& counts) {
  const std::string where = where_of(program, epoch);
  const Tables tables{epoch, where};
  if (call.function == "LL_ATON_LIB_DMA_Transpose") return transpose(call, tables, memory);
  if (call.function == "LL_ATON_LIB_DMA_SpaceToDepth") return blocks(call, tables, memory, true);
  if (call.function == "LL_ATON_LIB_DMA_DepthToSpace") return blocks(call, tables, memory, false);
  LOCKSTEP_TRY(const NpuSoftwareIo io, software_io(program, epoch));
  if (call.function == "ll_sw_forward_conv_integer") return conv_integer(io, memory, counts, where);
  const std::string op = epoch.nodes.empty() ? "" : epoch.nodes[0].second;
  if (call.function == "ll_sw_forward_dequantizelinear") return float_function("DequantizeLinear", io, memory, where);
  if (call.function == "ll_sw_forward_quantizelinear") return float_function("QuantizeLinear", io, memory, where);
  if (call.function == "ll_sw_forward_softmax") return float_function("Softmax", io, memory, where);
  if (call.function == "ll_sw_forward_activ") return float_function(op, io, memory, where);
  return Error{where, "software operation " + call.function, "one that docs/neural-art.md lists", {}};
}

}  // namespace

bool is_cache_call(const NpuCall& call) { return call.function.find("_Cache_") != std::string::npos; }

std::string software_function(const NpuEpoch& epoch) {
  for (const NpuCall& c : epoch.calls)
    if (!is_cache_call(c)) return c.function;
  return "";
}

Result<NpuSoftwareIo> software_io(const NpuProgram& program, const NpuEpoch& epoch) {
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
    if (b.is_param || b.epoch >= epoch.number || b.name.starts_with("SCRATCH_") || b.type == "DataType_FXP" || !is_whole(b)) continue;
    const bool fits = conv ? b.shape.size() == 4 && b.shape[3] == io.weights->shape[3] && b.count() * io.out->shape[3] == io.out->count() * b.shape[3]
                           : b.count() == io.out->count();
    if (fits && (!io.in || b.epoch >= io.in->epoch)) io.in = &b;
  }
  if (!io.in) return Error{where, "no earlier tensor fits " + io.out->name, "an input of its size", {}};
  return io;
}

Result<void> run_software_epoch(const NpuProgram& program, const NpuEpoch& epoch, NpuMemory& memory, NpuCounts& counts) {
  for (const NpuCall& call : epoch.calls)
    if (!is_cache_call(call)) LOCKSTEP_CHECK(run_call(program, epoch, call, memory, counts));
  return {};
}

}  // namespace lockstep
