#include "npu/map.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include <fmt/core.h>

#include "npu/layout.h"
#include "npu/map_choose.h"

namespace lockstep {
namespace {

Shape without_ones(const Shape& s) {
  Shape out;
  for (const std::int64_t e : s)
    if (e != 1) out.push_back(e);
  return out;
}

bool same_scale(double a, double b) {
  return std::abs(a - b) <= 1e-6 * std::max(std::abs(a), std::abs(b));
}

bool holds_codes(const NpuBuffer& b) {
  return !b.is_param && b.scale.size() == 1 && is_whole(b) &&
         (b.type == "DataType_INT8" || b.type == "DataType_UINT8") &&
         !b.name.starts_with("SCRATCH_");
}

Shape last_of(const Shape& plain) {  // [N,C,H,W] -> [N,H,W,C]
  return plain.size() == 4 ? Shape{plain[0], plain[2], plain[3], plain[1]} : plain;
}

// True when one shape is the other with neighbouring axes joined: the flat order is the same.
bool joins(const Shape& a, const Shape& b) {
  const auto inner = [](const Shape& s) {
    std::vector<std::int64_t> products;
    std::int64_t p = 1;
    for (std::size_t i = s.size(); i-- > 0;) products.push_back(p *= s[i]);
    std::ranges::sort(products);
    return products;
  };
  const auto x = inner(without_ones(a)), y = inner(without_ones(b));
  return std::ranges::includes(x, y) || std::ranges::includes(y, x);
}

// How well the shapes agree: 3 as they are, 2 with channels last, 1 only in flat order, 0 not at
// all: a rearranged copy (SpaceToDepth) holds the tensor's elements in an order of its own.
int agreement(const NpuBuffer& b, const Value& v) {
  const Shape plain = plain_shape(b);
  if (without_ones(plain) == without_ones(v.shape)) return 3;
  if (without_ones(last_of(plain)) == without_ones(v.shape)) return 2;
  return joins(plain, v.shape) ? 1 : 0;
}

bool fits(const NpuBuffer& b, const Value& v) {
  return !v.constant && is_integer(v.dtype) && v.quant.scale.size() == 1 &&
         count_of(v.shape) == b.count() && same_scale(v.quant.scale[0], b.scale[0]) &&
         agreement(b, v) > 0;
}

bool lies_channels_last(const NpuBuffer& b, const Value& v, const Graph& model) {
  const Shape plain = plain_shape(b);
  if (plain.size() != 4) return false;
  const bool as_is = without_ones(plain) == without_ones(v.shape),
             last = without_ones(last_of(plain)) == without_ones(v.shape);
  if (as_is && last) return model.format() == "tflite" && v.shape.size() == 4;
  return last;
}

// The model's tensors that a buffer's epoch reads, as far as they are mapped.
std::vector<ValueId> sources_of(const NpuProgram& program, const NpuBuffer& b,
                                const NpuMapping& map, const Graph& model) {
  std::vector<ValueId> sources;
  const NpuEpoch* epoch = program.find_epoch(b.epoch);
  if (!epoch) return sources;
  for (const NpuUnit& u : epoch->units) {
    const auto dir = u.fields.find("dir");
    const bool reads =
        u.id.kind == NpuKind::stream && (dir == u.fields.end() || dir->second.integer == 0);
    if (!reads || u.buffer.empty() || u.buffer == b.name) continue;
    if (const NpuPair* pair = map.find(u.buffer)) {
      const ValueId id = model.find_value(pair->value);
      if (id != no_id && std::ranges::find(sources, id) == sources.end()) sources.push_back(id);
    }
  }
  return sources;
}

}  // namespace

const NpuPair* NpuMapping::find(std::string_view buffer) const {
  const auto it = std::ranges::find(pairs, buffer, &NpuPair::buffer);
  return it == pairs.end() ? nullptr : &*it;
}

std::string without_copies(std::string_view name) {
  for (;;) {
    std::size_t digits = name.size();
    while (digits > 0 && std::isdigit(static_cast<unsigned char>(name[digits - 1]))) --digits;
    const std::string_view stem = name.substr(0, digits);
    bool cut = false;
    for (const std::string_view tail : {"_copy_in_", "_cp_in_", "_inserted_in", "_inserted_out"})
      if (digits < name.size() && stem.ends_with(tail))
        name = name.substr(0, digits - tail.size()), cut = true;
    if (!cut) return std::string(name);
  }
}

NpuMapping map_npu_buffers(const NpuProgram& program, const Graph& model, const NpuNames& names) {
  NpuMapping map;
  std::vector<const NpuBuffer*> order;
  for (const NpuBuffer& b : program.buffers)
    if (holds_codes(b)) order.push_back(&b);
  std::ranges::stable_sort(order, {}, &NpuBuffer::epoch);
  const NpuTensorChooser chooser(program, order, model);
  for (const NpuBuffer* b : order) {
    const std::string stem = without_copies(b->name);
    if (const auto it = names.find(stem); it != names.end()) {
      if (const ValueId id = model.find_value(it->second);
          id != no_id && count_of(model.value(id).shape) == b->count()) {
        map.pairs.push_back(
            {b->name, it->second, "name", lies_channels_last(*b, model.value(id), model)});
        continue;
      }
    }
    std::vector<const Value*> candidates;
    for (const Value& v : model.values())
      if (fits(*b, v)) candidates.push_back(&v);
    if (candidates.empty()) {
      if (map.find(b->name) || std::ranges::any_of(map.unmapped, [&](const std::string& u) {
            return u.starts_with(b->name + ":");
          }))
        continue;
      map.unmapped.push_back(
          fmt::format("{}: no tensor of {} elements in its order with scale {:.9g}", b->name,
                      b->count(), b->scale[0]));
      continue;
    }
    std::string how;
    int best = 0;
    for (const Value* v : candidates) best = std::max(best, agreement(*b, *v));
    std::erase_if(candidates, [&](const Value* v) { return agreement(*b, *v) < best; });
    const Value* v = chooser.choose(*b, stem, candidates, sources_of(program, *b, map, model), how);
    map.pairs.push_back({b->name, v->name, how, lies_channels_last(*b, *v, model)});
  }
  return map;
}

Result<Tensor> codes_for(const NpuBuffer& b, const NpuPair& pair, const Value& value,
                         const Tensor& codes) {
  if (codes.count() != b.count())
    return Error{"buffer " + b.name,
                 fmt::format("{} codes of {}", codes.count(), value.name),
                 fmt::format("{}", b.count()),
                 {}};
  Tensor out(dtype_of(b), plain_shape(b));
  const std::int64_t shift = (b.zero.empty() ? 0 : b.zero[0]) - value.quant.zero_at(0);
  const Shape plain = plain_shape(b);
  const std::int64_t channels = pair.channels_last ? plain[1] : 1,
                     area = pair.channels_last ? plain[2] * plain[3] : 1;
  for (std::int64_t i = 0; i < out.count(); ++i) {
    const std::int64_t image = channels * area, n = i / image, c = i % image / area, p = i % area;
    const std::int64_t from = pair.channels_last ? n * image + p * channels + c : i;
    out.set_code(i, codes.code(from) + shift);
  }
  return out;
}

}  // namespace lockstep
