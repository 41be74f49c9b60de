#include "npu/layers.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include <fmt/core.h>

#include "npu/flow.h"
#include "npu/map.h"

namespace lockstep {
namespace {

// "Conv2D_17_ca_pipe_3_init6" -> "Conv2D_17"
std::string node_of(std::string_view unit) {
  if (const auto at = unit.rfind("_init"); at != std::string_view::npos) unit = unit.substr(0, at);
  if (const auto at = unit.find("_ca_pipe_"); at != std::string_view::npos)
    unit = unit.substr(0, at);
  return std::string(unit);
}

// Elements that stand for each channel, where a stream says the same for all places of a channel,
// channel after channel; 0 where it does not.
std::int64_t one_each(const std::vector<std::int32_t>& all, std::size_t channels) {
  if (channels == 0 || all.size() % channels != 0) return 0;
  const std::size_t block = all.size() / channels;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i] != all[i / block * block]) return 0;
  return static_cast<std::int64_t>(block);
}

struct Reader {
  const NpuProgram& program;
  const NpuEpochForm& form;
  const NpuMemory& memory;
  std::string where;

  std::string who(NpuUnitId id) const { return where + ": " + text_of(id); }
  const NpuLink* into(NpuUnitId id, int port) const {
    const auto it = form.links.find({id, port});
    return it == form.links.end() ? nullptr : &it->second;
  }
  std::vector<NpuPort> out_of(NpuUnitId id) const {
    std::vector<NpuPort> to;
    for (const auto& [port, link] : form.links)
      if (std::ranges::any_of(link.from, [&](const NpuSource& s) { return s.source.unit == id; }))
        to.push_back(port);
    return to;
  }
  // Y of a dual unit when it is a constant in the weights; null otherwise.
  const NpuStream* constant_operand(NpuUnitId id) const {
    const NpuLink* link = into(id, 1);
    const auto* s = link ? form.find<NpuStream>(link->from[0].source.unit) : nullptr;
    const NpuRegion* r = s ? memory.find(s->address(), 1) : nullptr;
    return r && r->read_only ? s : nullptr;
  }

  Result<NpuStage> stage(NpuUnitId id, const NpuArith& a, std::size_t channels) const {
    NpuStage s{.id = id, .arith = &a, .factor = {}, .offset = {}, .coefficient = {}};
    const auto down = [&](double v) { return std::ldexp(v, -static_cast<int>(a.shift_o)); };
    const double ax = std::ldexp(1.0, -static_cast<int>(a.Ax_shift)),
                 by = std::ldexp(1.0, -static_cast<int>(a.By_shift));
    const double cs = std::ldexp(1.0, static_cast<int>(a.C_shift));
    if (a.dualinput == 0) {
      LOCKSTEP_TRY(const auto rows, arith_coefficients(a, memory, who(id)));
      for (const NpuCoefficient& k : rows) {
        s.factor.push_back(down(static_cast<double>(k.a) * ax));
        s.offset.push_back(down(static_cast<double>(k.c) * cs));
        s.coefficient.push_back(k.a);
      }
      return s;
    }
    LOCKSTEP_TRY(const auto flow,
                 read_stream<std::int32_t>(*constant_operand(id), memory, who(id)));
    const auto all = flow.joined();
    const NpuCoefficient k{npu_wrap(a.A_scalar, 2), npu_wrap(a.B_scalar, 2),
                           npu_wrap(a.C_scalar, 2)};
    const std::int64_t depth = std::max<std::int64_t>(a.batchDepth, 1),
                       area = std::max<std::int64_t>(a.fWidth * a.fHeight, 1);
    const std::int64_t block = a.fChannels > 0 ? 0 : one_each(*all, channels);
    for (std::int64_t c = 0; c < (block > 0 ? static_cast<std::int64_t>(channels) : a.fChannels);
         ++c) {
      const std::int64_t n = block > 0 ? c * block : c / depth * area * depth + c % depth;
      if (n >= static_cast<std::int64_t>(all->size()))
        return Error{
            who(id), "its constant operand is short", fmt::format("{} channels", a.fChannels), {}};
      const double y = (*all)[static_cast<std::size_t>(n)];
      s.factor.push_back(down(a.operation == "ARITH_MUL" ? y : static_cast<double>(k.a) * ax));
      s.offset.push_back(a.operation == "ARITH_MUL" ? 0
                                                    : down(static_cast<double>(k.b) * y * by +
                                                           static_cast<double>(k.c) * cs));
      s.coefficient.push_back(a.operation == "ARITH_MUL" ? static_cast<std::int64_t>(y) : k.a);
    }
    return s;
  }

  // Adds up the sums of two convolutions that have a part of one kernel each.
  bool joins_parts(NpuUnitId arith) const {
    const NpuLink* link = into(arith, 0);
    const auto parts = link ? npu_joined_sums(form, link->from[0].source.unit) : std::nullopt;
    return parts && parts->joiner == arith;
  }

  // The buffer that a stream engine makes of what leaves `id`; null when none does.
  const NpuBuffer* left_by(NpuUnitId id) const {
    for (const NpuPort& to : out_of(id)) {
      const auto* s = form.find<NpuStream>(to.unit);
      const NpuUnit* u = s && s->writes() ? form.raw(to.unit) : nullptr;
      if (const NpuBuffer* b = u && !u->buffer.empty() ? program.find_buffer(u->buffer) : nullptr)
        return b;
    }
    return nullptr;
  }

  // The arithmetic units behind `id`, until codes come out or another tensor comes in.
  Result<void> follow(NpuUnitId id, NpuLayer& layer) const {
    if (const auto left = npu_left_sums(program, form, id)) id = left->joiner;
    for (;;) {
      const NpuArith* next = nullptr;
      for (const NpuPort& to : out_of(id))
        if (to.port == 0 && to.unit.kind == NpuKind::arith)
          next = form.find<NpuArith>(to.unit), id = to.unit;
      if (next && next->dualinput != 0 && joins_parts(id)) continue;
      if (!next || (next->dualinput != 0 && !constant_operand(id))) return {};
      LOCKSTEP_TRY(NpuStage s, stage(id, *next, layer.channels()));
      layer.stages.push_back(std::move(s));
      layer.codes_epoch = form.epoch->number;
      if (layer.stages.back().ends_in_codes()) return {};
    }
  }
};

Result<void> sum_kernels(const Reader& r, NpuLayer& layer) {
  for (const NpuUnitId id : layer.convs) {
    const auto& c = *r.form.find<NpuConv>(id);
    const NpuLink* link = r.into(id, 1);
    const auto* s = link ? r.form.find<NpuStream>(link->from[0].source.unit) : nullptr;
    if (!s) return Error{r.who(id), "no kernels arrive", "a stream engine at port 1", {}};
    LOCKSTEP_TRY(const auto bytes, read_stream<std::int32_t>(*s, r.memory, r.who(id)));
    LOCKSTEP_TRY(const NpuKernels w, order_kernels(c, bytes, s->packed(), r.who(id)));
    const std::int64_t groups = (w.sets + layer.passes - 1) / layer.passes;
    layer.kernel_sum.resize(static_cast<std::size_t>(groups * w.kernels), 0);
    layer.kernel_squares.resize(layer.kernel_sum.size(), 0);
    layer.kernel_size.resize(layer.kernel_sum.size(), 0);
    for (std::int64_t f = 0; f < w.sets; ++f)
      for (std::int64_t k = 0; k < w.kernels; ++k) {
        const auto out = static_cast<std::size_t>(f / layer.passes * w.kernels + k);
        const std::int16_t* row = w.weights.data() + (f * w.kernels + k) * w.elements;
        layer.kernel_size[out] += w.elements;
        for (std::int64_t i = 0; i < w.elements; ++i)
          layer.kernel_sum[out] += row[i], layer.kernel_squares[out] += row[i] * row[i];
      }
  }
  return {};
}

// The convolutions that hand partial sums on to `last`, itself at the end.
std::vector<NpuUnitId> chain_into(const Reader& r, NpuUnitId last) {
  std::vector<NpuUnitId> chain = {last};
  for (;;) {
    const NpuLink* link = r.into(chain.front(), 2);
    if (!link || r.form.find<NpuConv>(chain.front())->accumulate == 0) return chain;
    const NpuUnitId source = link->from[0].source.unit;
    if (source.kind != NpuKind::conv || std::ranges::count(chain, source) > 0) return chain;
    chain.insert(chain.begin(), source);
  }
}

Result<NpuLayer> layer_of(const Reader& r, NpuUnitId last) {
  NpuLayer layer;
  layer.epoch = layer.codes_epoch = r.form.epoch->number;
  layer.convs = chain_into(r, last);
  if (const auto parts = npu_joined_sums(r.form, last))
    for (const NpuUnitId id : chain_into(r, parts->other))
      layer.convs.push_back(id), layer.parts = 2;
  const auto& first = *r.form.find<NpuConv>(layer.convs.front());
  layer.node = node_of(r.form.raw(layer.convs.front())->name);
  layer.shift = static_cast<int>(r.form.find<NpuConv>(last)->shift_o);
  layer.fsub = first.fsub;
  if (first.accumulate != 0 && first.afilt_mode == "AFILT_MODE_FRAMEZERO")
    layer.passes = static_cast<int>(first.afilt_tot);
  LOCKSTEP_CHECK(sum_kernels(r, layer));
  LOCKSTEP_CHECK(r.follow(last, layer));
  return layer;
}

// Sums, or products of them, that cross memory in 16 bits: the epoch that reads them, by the name
// of the buffer or "<node>_out_0", and scales them goes on.
Result<void> follow_through_memory(const NpuSimulator& simulator, const Reader& from,
                                   NpuLayer& layer) {
  const std::size_t stages = layer.stages.size();
  if (stages > 0 && layer.stages.back().ends_in_codes()) return {};
  const NpuBuffer* left = stages > 0 ? from.left_by(layer.stages.back().id) : nullptr;
  if (stages > 0 && (!left || left->nbits != 16)) return {};
  const std::string name = left ? left->name : layer.node + "_out_0";
  for (const NpuEpochForm& form : simulator.epochs()) {
    if (form.epoch->number <= layer.epoch || layer.stages.size() > stages) continue;
    const Reader r{simulator.program(), form, simulator.memory(),
                   fmt::format("{}: epoch {}", simulator.program().file, form.epoch->number)};
    for (const NpuUnit& u : form.epoch->units)
      if (u.id.kind == NpuKind::stream && without_copies(u.buffer) == name &&
          !form.find<NpuStream>(u.id)->writes())
        LOCKSTEP_CHECK(r.follow(u.id, layer));
  }
  return {};
}

// Sums that an earlier epoch left in memory and this layer goes on with: its kernels belong to it.
void join_earlier(const NpuSimulator& simulator, const Reader& r, std::vector<NpuLayer>& before,
                  NpuLayer& layer) {
  const auto added = npu_left_sums(simulator.program(), r.form, layer.convs.back());
  const NpuLink* link = r.into(layer.convs.front(), 2);
  const bool accumulates =
      link && r.form.find<NpuConv>(layer.convs.front())->accumulate != 0 && !added;
  const auto* s = accumulates ? r.form.find<NpuStream>(link->from[0].source.unit) : nullptr;
  const NpuUnit* u = s && !s->writes() ? r.form.raw(link->from[0].source.unit) : nullptr;
  const NpuBuffer* b = added                     ? added->buffer
                       : u && !u->buffer.empty() ? simulator.program().find_buffer(u->buffer)
                                                 : nullptr;
  if (!b || b->epoch >= layer.epoch) return;
  for (NpuLayer& part : before) {
    const bool other = added && part.node != layer.node;
    if (part.epoch != b->epoch || part.channels() != layer.channels() || !part.stages.empty() ||
        other)
      continue;
    layer.parts += added ? part.parts : 0;
    layer.part_epochs.push_back(part.epoch);
    part.continued = true;
    for (std::size_t k = 0; k < layer.channels(); ++k) {
      layer.kernel_sum[k] += part.kernel_sum[k];
      layer.kernel_squares[k] += part.kernel_squares[k];
      layer.kernel_size[k] += part.kernel_size[k];
    }
  }
}

}  // namespace

std::optional<NpuJoined> npu_joined_sums(const NpuEpochForm& form, NpuUnitId id) {
  for (const auto& [to, link] : form.links) {
    const auto* a = form.find<NpuArith>(to.unit);
    if (!a || a->dualinput == 0 || link.from[0].source.unit != id) continue;
    const auto other = form.links.find({to.unit, 1 - to.port});
    if (other == form.links.end()) continue;
    const NpuUnitId part = other->second.from[0].source.unit;
    const NpuUnit *one = form.raw(id), *two = form.raw(part);
    if (id.kind == NpuKind::conv && part.kind == NpuKind::conv && part != id && one && two &&
        node_of(one->name) == node_of(two->name))
      return NpuJoined{part, to.unit, to.port == 0};
  }
  return std::nullopt;
}

std::optional<NpuLeftSums> npu_left_sums(const NpuProgram& program, const NpuEpochForm& form,
                                         NpuUnitId id) {
  const NpuUnit* one = id.kind == NpuKind::conv ? form.raw(id) : nullptr;
  for (const auto& [to, link] : form.links) {
    const auto* a = form.find<NpuArith>(to.unit);
    if (!one || !a || a->dualinput == 0 || link.from[0].source.unit != id) continue;
    const auto other = form.links.find({to.unit, 1 - to.port});
    if (other == form.links.end()) continue;
    const NpuUnitId from = other->second.from[0].source.unit;
    const NpuUnit* u = form.find<NpuStream>(from) ? form.raw(from) : nullptr;
    const NpuBuffer* b = u && !u->buffer.empty() ? program.find_buffer(u->buffer) : nullptr;
    const NpuEpoch* e = b && !b->is_param && b->epoch < form.epoch->number && b->nbits == 16
                            ? program.find_epoch(b->epoch)
                            : nullptr;
    if (e && std::ranges::any_of(e->units, [&](const NpuUnit& x) {
          return x.id.kind == NpuKind::conv && node_of(x.name) == node_of(one->name);
        }))
      return NpuLeftSums{b, to.unit};
  }
  return std::nullopt;
}

double NpuLayer::multiplier(std::size_t k) const {
  double m = std::ldexp(1.0, -shift);
  for (const NpuStage& s : stages) m *= s.factor_at(k);
  return m;
}

double NpuLayer::offset(std::size_t k) const {
  double b = 0;
  for (const NpuStage& s : stages) b = b * s.factor_at(k) + s.offset_at(k);
  return b;
}

double NpuLayer::last_factor(std::size_t k) const {
  double m = 1;
  for (std::size_t i = 1; i < stages.size(); ++i) m *= stages[i].factor_at(k);
  return m;
}

namespace {

Result<NpuLayer> whole_layer(const NpuSimulator& simulator, const Reader& r,
                             std::vector<NpuLayer>& before, NpuUnitId last) {
  LOCKSTEP_TRY(NpuLayer layer, layer_of(r, last));
  join_earlier(simulator, r, before, layer);
  LOCKSTEP_CHECK(follow_through_memory(simulator, r, layer));
  const auto fits = [&](const NpuStage& s) {
    return s.factor.size() == 1 || s.factor.size() <= layer.channels();
  };
  if (!std::ranges::all_of(layer.stages, fits))
    return Error{r.who(last),
                 "more multipliers than kernels",
                 fmt::format("{} channels", layer.channels()),
                 {}};
  return layer;
}

}  // namespace

Result<std::vector<NpuLayer>> npu_layers(const NpuSimulator& simulator,
                                         std::vector<NpuBrokenLayer>* broken) {
  std::vector<NpuLayer> layers;
  for (const NpuEpochForm& form : simulator.epochs()) {
    const Reader r{simulator.program(), form, simulator.memory(),
                   fmt::format("{}: epoch {}", simulator.program().file, form.epoch->number)};
    for (const auto& [id, unit] : form.units) {
      if (!std::holds_alternative<NpuConv>(unit)) continue;
      const auto to = r.out_of(id);
      const bool last =
          std::ranges::any_of(to, [](const NpuPort& p) { return p.unit.kind != NpuKind::conv; });
      if (!last) continue;
      if (const auto parts = npu_joined_sums(form, id); parts && !parts->first) continue;
      Result<NpuLayer> layer = whole_layer(simulator, r, layers, id);
      if (layer.ok())
        layers.push_back(std::move(layer).value());
      else if (!broken)
        return layer.error();
      else
        broken->push_back({form.epoch->number, node_of(form.raw(id)->name), layer.error()});
    }
  }
  return layers;
}

}  // namespace lockstep
