#include "npu/map.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <set>

#include <fmt/core.h>

#include "npu/layout.h"
#include "npu/map_choose.h"
#include "npu/map_parts.h"
#include "npu/map_turned.h"

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

// An operand inside of what the compiler makes of one node ("PReLU_20_1_mul_x"): no tensor of the
// model, whatever scale it has.
bool is_part(std::string_view name) {
  const std::string stem = without_copies(name);
  return stem.ends_with("_x") && stem.find("_out_") == std::string::npos;
}

bool holds_codes(const NpuBuffer& b) {
  return !b.is_param && b.scale.size() == 1 && is_whole(b) &&
         (b.type == "DataType_INT8" || b.type == "DataType_UINT8") &&
         !b.name.starts_with("SCRATCH_") && !is_part(b.name);
}

// Memory that a Transpose of the same epoch lays out otherwise: the unit writes what the Transpose
// makes, and the table of its operand tells an order that the bytes never have.
const NpuBuffer* turned_by(const NpuProgram& program, const NpuBuffer& b) {
  bool behind = false;
  for (const NpuBuffer& t : program.buffers) {
    if (&t == &b) behind = true;
    if (behind && &t != &b && t.epoch == b.epoch && !t.is_param && b.epoch > 0 &&
        t.name.starts_with("Transpose_") && t.address() == b.address() && t.bytes() == b.bytes() &&
        without_ones(t.mem_shape) != without_ones(b.mem_shape))
      return &t;
  }
  return nullptr;
}

Shape last_of(Shape plain) {  // [N,C,H,W] -> [N,H,W,C], [N,C,W] -> [N,W,C]
  if (plain.size() > 2) std::rotate(plain.begin() + 1, plain.begin() + 2, plain.end());
  return plain;
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
  if (plain.size() < 3) return false;
  const bool as_is = without_ones(plain) == without_ones(v.shape),
             last = without_ones(last_of(plain)) == without_ones(v.shape);
  if (as_is && last) return model.format() == "tflite" && plain.size() == 4 && v.shape.size() == 4;
  return last;
}

// The stream engines behind the one that writes `b`, through the units between them; all that the
// epoch reads where nothing writes b by name.
struct Behind {
  std::vector<const NpuUnit*> streams;
  bool moves = false;  // one stream, and nothing on the way but units of one operand
};
Behind streams_behind(const NpuEpoch& e, const NpuBuffer& b) {
  const auto writes = [](const NpuUnit& u) {
    const auto dir = u.fields.find("dir");
    return u.id.kind == NpuKind::stream && dir != u.fields.end() && dir->second.integer != 0;
  };
  std::vector<NpuUnitId> open;
  for (const NpuUnit& u : e.units)
    if (writes(u) && u.buffer == b.name) open.push_back(u.id);
  const bool traced = !open.empty();
  for (std::size_t i = 0; i < open.size(); ++i)
    for (const NpuLink& l : e.links)
      if (l.to.unit == open[i])
        for (const NpuSource& s : l.from)
          if (std::ranges::find(open, s.source.unit) == open.end()) open.push_back(s.source.unit);
  Behind behind;
  for (const NpuUnit& u : e.units)
    if (u.id.kind == NpuKind::stream && !writes(u) && !u.buffer.empty() && u.buffer != b.name &&
        (!traced || std::ranges::find(open, u.id) != open.end()))
      behind.streams.push_back(&u);
  behind.moves =
      traced && behind.streams.size() == 1 && std::ranges::all_of(open, [](const NpuUnitId& id) {
        return id.kind == NpuKind::stream || id.kind == NpuKind::arith;
      });
  return behind;
}

// The model's tensors that a buffer is made of, as far as they are mapped; behind sums and products
// of 16 bits that cross memory on the way.
void add_sources(const NpuProgram& program, const NpuBuffer& b, const NpuMapping& map,
                 const Graph& model, int depth, NpuOrigin& origin) {
  std::vector<ValueId>& sources = origin.sources;
  const NpuEpoch* epoch = program.find_epoch(b.epoch);
  if (!epoch || depth > 4) return;
  const Behind behind = streams_behind(*epoch, b);
  origin.moved = depth == 0 && behind.moves;
  for (const NpuUnit* u : behind.streams) {
    if (const NpuPair* pair = map.find(u->buffer)) {
      const ValueId id = model.find_value(pair->value);
      if (id == no_id || std::ranges::find(sources, id) != sources.end()) continue;
      if (sources.empty()) origin.buffer = u->buffer;
      sources.push_back(id);
    } else if (const NpuBuffer* inner = program.find_buffer(u->buffer);
               inner && !inner->is_param && inner->epoch < b.epoch) {
      add_sources(program, *inner, map, model, depth + 1, origin);
    }
  }
}
NpuOrigin origin_of(const NpuProgram& program, const NpuBuffer& b, const NpuMapping& map,
                    const Graph& model) {
  NpuOrigin origin;
  add_sources(program, b, map, model, 0, origin);
  return origin;
}

// Whether the codes are those of another scale than the model's: the compiler requantized them.
bool is_rescaled(const NpuBuffer& b, const Value& v) {
  return is_integer(v.dtype) && v.quant.scale.size() == 1 &&
         !same_scale(v.quant.scale[0], b.scale[0]);
}

// The tensor that a file beside the program names.
const Value* named(const NpuBuffer& b, const std::string& stem, const NpuNames& names,
                   const Graph& model) {
  const auto it = names.find(stem);
  const ValueId id = it == names.end() ? no_id : model.find_value(it->second);
  return id != no_id && count_of(model.value(id).shape) == b.count() ? &model.value(id) : nullptr;
}

// The tensor that a file beside the program names, or whose own name the buffer bears.
const Value* by_name(const NpuBuffer& b, const std::string& stem, const NpuNames& names,
                     const Graph& model) {
  if (const Value* v = named(b, stem, names, model); v && !is_rescaled(b, *v)) return v;
  const ValueId id = model.find_value(stem.substr(0, stem.find("_zero_off_out_")));
  return id != no_id && fits(b, model.value(id)) ? &model.value(id) : nullptr;
}

// The tensor that a file beside the program names where the buffer holds it requantized, and so no
// tensor of the model: whatever else has the buffer's scale and shape.
const Value* requantized(const NpuBuffer& b, const NpuNames& names, const Graph& model) {
  const std::string stem = without_copies(b.name);
  const Value* v = named(b, stem, names, model);
  return v && is_rescaled(b, *v) && !by_name(b, stem, names, model) ? v : nullptr;
}

// Tensors of the buffer's scale and of the best agreement in shape.
std::vector<const Value*> candidates_for(const NpuBuffer& b, const Graph& model) {
  std::vector<const Value*> all;
  int best = 0;
  for (const Value& v : model.values())
    if (fits(b, v)) all.push_back(&v), best = std::max(best, agreement(b, v));
  std::erase_if(all, [&](const Value* v) { return agreement(b, *v) < best; });
  return all;
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

namespace {

// Says why a buffer has no tensor, once where it stands in the program more than once.
void leave_out(const NpuBuffer& b, std::string why, NpuMapping& map) {
  if (!map.find(b.name) && std::ranges::none_of(map.unmapped, [&](const std::string& u) {
        return u.starts_with(b.name + ":");
      }))
    map.unmapped.push_back(fmt::format("{}: {}", b.name, why));
}

// The buffers that may hold a tensor of the model, epoch by epoch.
std::vector<const NpuBuffer*> holding_tensors(const NpuProgram& program, const Graph& model,
                                              const NpuNames& names, NpuMapping& map) {
  std::vector<const NpuBuffer*> order;
  for (const NpuBuffer& b : program.buffers) {
    if (!holds_codes(b)) continue;
    if (const NpuBuffer* t = turned_by(program, b))
      map.unmapped.push_back(fmt::format("{}: its bytes lie as {} has them", b.name, t->name));
    else if (const Value* v = requantized(b, names, model))
      leave_out(b,
                fmt::format("{} in another scale, {:.9g} where the model has {:.9g}", v->name,
                            b.scale[0], v->quant.scale[0]),
                map);
    else
      order.push_back(&b);
  }
  std::ranges::stable_sort(order, {}, &NpuBuffer::epoch);
  return order;
}

}  // namespace

NpuMapping map_npu_buffers(const NpuProgram& program, const Graph& model, const NpuNames& names) {
  NpuMapping map;
  const std::vector<const NpuBuffer*> order = holding_tensors(program, model, names, map);
  NpuTensorChooser chooser(program, order, model);
  std::map<const NpuBuffer*, std::vector<const Value*>> candidates;
  for (const NpuBuffer* b : order) {
    candidates[b] = candidates_for(*b, model);
    if (candidates[b].size() == 1) chooser.learn(without_copies(b->name), *candidates[b][0]);
  }
  std::set<const Value*> claimed;
  std::map<std::string, const Value*> chosen;  // by what the buffer is a copy of
  NpuMoves moves;
  for (const NpuBuffer* b : order) {
    const std::string stem = without_copies(b->name);
    const auto add = [&](const Value& v, std::string how) {
      map.pairs.push_back({b->name, v.name, std::move(how), lies_channels_last(*b, v, model)});
      chosen.emplace(stem, &v);
      if (stem.find("_zero_off_") == std::string::npos) claimed.insert(&v);
    };
    if (const Value* v = by_name(*b, stem, names, model)) {
      add(*v, "name");
      continue;
    }
    const std::vector<const Value*>& all = candidates[b];
    if (all.empty()) {
      leave_out(*b,
                fmt::format("no tensor of {} elements in its order with scale {:.9g}", b->count(),
                            b->scale[0]),
                map);
      continue;
    }
    if (const auto it = chosen.find(stem);
        it != chosen.end() && std::ranges::find(all, it->second) != all.end()) {
      add(*it->second, "as " + stem);
      continue;
    }
    std::string how;
    NpuOrigin origin = origin_of(program, *b, map, model);
    origin.claimed = &claimed;
    const Value* v = chooser.choose(*b, stem, all, origin, how);
    if (how == "moved") moves.emplace(b->name, origin.buffer);
    add(*v, how);
  }
  tell_parts_apart(program, model, moves, map);
  drop_turned(program, map);
  return map;
}

namespace {

// Calls f(element of the buffer's plain order, the same element in the model's).
template <class F>
void each_code(const NpuBuffer& b, const NpuPair& pair, F f) {
  const Shape plain = plain_shape(b);
  const std::int64_t channels = pair.channels_last ? plain[1] : 1,
                     area = pair.channels_last ? b.count() / (plain[0] * channels) : 1,
                     image = channels * area;
  for (std::int64_t i = 0; i < b.count(); ++i) {
    const std::int64_t n = i / image, c = i % image / area, p = i % area;
    f(i, pair.channels_last ? n * image + p * channels + c : i);
  }
}

std::int64_t shift_of(const NpuBuffer& b, const Value& value) {
  return (b.zero.empty() ? 0 : b.zero[0]) - value.quant.zero_at(0);
}

}  // namespace

std::vector<std::int64_t> value_order(const NpuBuffer& b, const NpuPair& pair) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(b.count()));
  each_code(b, pair,
            [&](std::int64_t i, std::int64_t v) { order[static_cast<std::size_t>(i)] = v; });
  return order;
}

Result<Tensor> codes_for(const NpuBuffer& b, const NpuPair& pair, const Value& value,
                         const Tensor& codes) {
  if (codes.count() != b.count())
    return Error{"buffer " + b.name,
                 fmt::format("{} codes of {}", codes.count(), value.name),
                 fmt::format("{}", b.count()),
                 {}};
  Tensor out(dtype_of(b), plain_shape(b));
  const std::int64_t shift = shift_of(b, value);
  each_code(b, pair,
            [&](std::int64_t i, std::int64_t from) { out.set_code(i, codes.code(from) + shift); });
  return out;
}

Tensor model_codes(const NpuBuffer& b, const NpuPair& pair, const Value& value,
                   const Tensor& held) {
  Tensor out(value.dtype, value.shape);
  const std::int64_t shift = shift_of(b, value);
  each_code(b, pair,
            [&](std::int64_t i, std::int64_t to) { out.set_code(to, held.code(i) - shift); });
  return out;
}

}  // namespace lockstep
