#include "npu/epoch.h"

#include <algorithm>
#include <cmath>

#include <fmt/core.h>

#include "npu/chain.h"
#include "npu/flow_turns.h"

namespace lockstep {
namespace {

// Evaluates an epoch from its writing stream engines back to the reading ones. Convolutions that
// hand partial sums to each other, or read back what they wrote the frame before, run together.
template <class T>
class EpochRun {
 public:
  EpochRun(const NpuEpochForm& form, NpuMemory& memory, const NpuRules& rules,
           NpuKernelCache& cache, NpuCounts& counts, std::string where)
      : form_(form),
        memory_(memory),
        rules_(rules),
        cache_(cache),
        counts_(counts),
        where_(std::move(where)) {}

  Result<void> run() {
    std::vector<std::pair<NpuUnitId, NpuFlow<T>>> out;
    for (const auto& [id, unit] : form_.units) {
      const auto* s = std::get_if<NpuStream>(&unit);
      if (!s || !s->writes()) continue;
      LOCKSTEP_TRY(NpuFlow<T> flow, arriving({id, 0}));
      out.emplace_back(id, std::move(flow));
    }
    for (const auto& [id, flow] : out)
      LOCKSTEP_CHECK(write_stream<T>(*form_.find<NpuStream>(id), flow, memory_, who(id)));
    return {};
  }

 private:
  std::string who(NpuUnitId id) const {
    const NpuUnit* raw = form_.raw(id);
    return fmt::format("{}: {} '{}'{}", where_, text_of(id), raw ? raw->name : "",
                       raw && !raw->buffer.empty() ? " (" + raw->buffer + ")" : "");
  }
  Error wrong(NpuUnitId id, std::string what, std::string want) const {
    return {who(id), std::move(what), std::move(want), {}};
  }

  // What a destination receives: frames of its contexts in turn, those of context 0 dropped.
  Result<NpuFlow<T>> arriving(NpuPort to) {
    const auto link = form_.links.find(to);
    if (link == form_.links.end())
      return wrong(to.unit, fmt::format("nothing arrives at port {}", to.port),
                   "a link of the switch");
    const auto& from = link->second.from;
    if (from.size() == 1) {
      if (from[0].context == 0) return wrong(to.unit, "its only context is off", "context 1");
      return leaving(from[0].source.unit);
    }
    if (from[0].frames < 1 || from[1].frames < 1)
      return wrong(to.unit,
                   fmt::format("contexts of {} and {} frames", from[0].frames, from[1].frames),
                   "at least 1 each");
    LOCKSTEP_TRY(const NpuFlow<T> first, leaving(from[0].source.unit));
    if (from[0].source == from[1].source) return in_turn(first, from);
    LOCKSTEP_TRY(const NpuFlow<T> second, leaving(from[1].source.unit));
    return alternating(who(to.unit), first, second, from);
  }

  Result<NpuFlow<T>> leaving(NpuUnitId id) {
    if (const auto it = done_.find(id); it != done_.end()) return it->second;
    if (!running_.insert(id).second)
      return wrong(id, "its input depends on its own output", "links without a cycle");
    const auto& unit = form_.units.at(id);
    if (std::holds_alternative<NpuConv>(unit)) {
      LOCKSTEP_CHECK(run_chain(id));
      running_.erase(id);
      return done_.at(id);
    }
    LOCKSTEP_TRY(NpuFlow<T> flow, std::visit([&](const auto& u) { return compute(id, u); }, unit));
    running_.erase(id);
    return done_.emplace(id, std::move(flow)).first->second;
  }

  Result<NpuFlow<T>> compute(NpuUnitId id, const NpuStream& s) {
    if (s.writes())
      return wrong(id, "it writes memory and feeds a unit", "a reading stream engine");
    return read_stream<T>(s, memory_, who(id));
  }
  Result<NpuFlow<T>> compute(NpuUnitId id, const NpuArith& a) {
    LOCKSTEP_TRY(const NpuFlow<T> x, arriving({id, 0}));
    if (a.operation == "ARITH_CLIP")
      counts_.inexact.push_back(who(id) + ": a clip between A and C by an inferred rule");
    if (a.dualinput == 0) return run_arith<T>(a, x, nullptr, memory_, rules_, who(id));
    LOCKSTEP_TRY(const NpuFlow<T> y, arriving({id, 1}));
    return run_arith<T>(a, x, &y, memory_, rules_, who(id));
  }
  Result<NpuFlow<T>> compute(NpuUnitId id, const NpuPoolUnit& p) {
    LOCKSTEP_TRY(const NpuFlow<T> x, arriving({id, 0}));
    return run_pool<T>(p, x, rules_, who(id));
  }
  Result<NpuFlow<T>> compute(NpuUnitId id, const NpuActiv& v) {
    LOCKSTEP_TRY(const NpuFlow<T> x, arriving({id, 0}));
    return run_activ<T>(v, x, memory_, rules_, counts_, who(id));
  }
  Result<NpuFlow<T>> compute(NpuUnitId id, const NpuConv&) {
    return wrong(id, "outside its chain", "a chain");
  }

  // ---- convolutions
  using Patch = std::conditional_t<std::is_same_v<T, double>, double, std::int16_t>;
  using Sum = std::conditional_t<std::is_same_v<T, double>, double, std::int64_t>;
  struct Link {
    NpuUnitId id;
    const NpuConv* conv;
    NpuFlow<T> features;
    std::shared_ptr<const NpuKernels> kernels;
    std::map<const void*, std::shared_ptr<NpuPatches<Patch>>> patches;
    bool packed = false, raw = false;
    NpuFlow<T> out;
  };

  // Where a convolution's partial sums come from.
  struct Partial {
    enum class From : std::uint8_t {
      nothing,
      previous_unit,
      earlier_frame,
      stream
    } from = From::nothing;
    NpuUnitId unit;   // of previous_unit, earlier_frame
    NpuFlow<T> flow;  // of stream
  };

  // `first` is the unit that takes them.
  Result<void> check_feedback(NpuUnitId reader, NpuUnitId writer, const NpuConv& first,
                              const NpuConv& last) const {
    const NpuStream &r = *form_.find<NpuStream>(reader), &w = *form_.find<NpuStream>(writer);
    if (form_.links.at({writer, 0}).from.size() != 1)
      return wrong(writer, "partial sums of which frames are dropped", "every frame written");
    if (r.frame_elements() != w.frame_elements() || r.nbits_in != w.nbits_out)
      return wrong(reader, "reads partial sums in another shape than they are written",
                   "the same frames");
    if (w.nbits_out < 8 * last.outbytes_o)
      return wrong(writer, "narrower than the partial sums",
                   fmt::format("{} bits", 8 * last.outbytes_o));
    for (std::int64_t f = 1; f < std::min(r.frames(), w.frames()); ++f)
      if (npu_takes_partial(first, f) && r.frame_start(f) != w.frame_start(f - 1))
        return wrong(reader,
                     fmt::format("frame {} is read elsewhere than frame {} was written", f, f - 1),
                     "the same place");
    return {};
  }

  Result<Partial> partial_of(NpuUnitId id, const NpuConv& c, const std::vector<NpuUnitId>& chain) {
    Partial p;
    if (c.accumulate == 0) return p;
    const auto link = form_.links.find({id, 2});
    if (link == form_.links.end()) return p;
    if (link->second.from.size() != 1)
      return wrong(id, "partial sums from two contexts", "one source");
    const NpuUnitId source = link->second.from[0].source.unit;
    if (std::ranges::count(chain, source) > 0) {
      p.unit = source;
      const bool before = std::ranges::find(chain, source) < std::ranges::find(chain, id);
      p.from = before ? Partial::From::previous_unit : Partial::From::earlier_frame;
    } else if (const auto writer = npu_fed_back(form_, source); writer) {
      p.unit = form_.links.at({*writer, 0}).from[0].source.unit;
      p.from = Partial::From::earlier_frame;
      LOCKSTEP_CHECK(check_feedback(source, *writer, c, *form_.find<NpuConv>(p.unit)));
    } else {
      p.from = Partial::From::stream;
      LOCKSTEP_TRY(p.flow, leaving(source));
    }
    return p;
  }

  Result<std::shared_ptr<const NpuKernels>> kernels_of(NpuUnitId id, const NpuConv& c) {
    const auto link = form_.links.find({id, 1});
    if (link == form_.links.end()) return wrong(id, "no kernels arrive", "a link to port 1");
    const NpuUnitId source = link->second.from[0].source.unit;
    const auto* s = form_.find<NpuStream>(source);
    if (!s || link->second.from.size() != 1)
      return wrong(id, "kernels from " + text_of(source), "one stream engine");
    const NpuRegion* region = memory_.find(s->address(), 1);
    const bool constant = region && region->read_only;
    const auto key = std::pair(form_.epoch->number, id.id);
    if (const auto it = cache_.find(key); constant && it != cache_.end()) return it->second;
    LOCKSTEP_TRY(const NpuFlow<std::int32_t> bytes,
                 read_stream<std::int32_t>(*s, memory_, who(source)));
    LOCKSTEP_TRY(NpuKernels ordered, order_kernels(c, bytes, s->packed(), who(id)));
    auto kernels = std::make_shared<const NpuKernels>(std::move(ordered));
    if (constant) cache_[key] = kernels;
    return kernels;
  }

  Result<Link> prepare(NpuUnitId id) {
    Link l{.id = id,
           .conv = form_.find<NpuConv>(id),
           .features = {},
           .kernels = {},
           .patches = {},
           .out = {}};
    LOCKSTEP_TRY(l.features, arriving({id, 0}));
    const auto* s = form_.find<NpuStream>(form_.links.at({id, 0}).from[0].source.unit);
    l.packed = s && s->packed();
    l.raw = s && s->raw != 0;
    if (l.conv->dss2mode != 0) l.features = in_bytes(l.features);
    if (!l.packed) {
      LOCKSTEP_TRY(l.features,
                   l.features.cut(l.conv->fWidth * l.conv->fHeight * l.conv->batchDepth, who(id)));
    }
    LOCKSTEP_TRY(l.kernels, kernels_of(id, *l.conv));
    return l;
  }

  Result<void> run_chain(NpuUnitId id) {
    const std::vector<NpuUnitId> chain = npu_chain_of(form_, id);
    if (std::ranges::count(chain, id) == 0)
      return wrong(id, "outside the chain of its own partial sums", "a chain of convolutions");
    std::vector<Link> links;
    std::vector<Partial> partials;
    for (const NpuUnitId u : chain) {
      LOCKSTEP_TRY(Link l, prepare(u));
      links.push_back(std::move(l));
      LOCKSTEP_TRY(Partial p, partial_of(u, *links.back().conv, chain));
      partials.push_back(std::move(p));
    }
    const NpuConv& head = *links.front().conv;
    const std::size_t frames = links.front().features.frames.size() * npu_repeats_of(head);
    if (frames > (std::size_t{1} << 20))
      return wrong(links.front().id, fmt::format("{} frames", frames), "at most 2^20");
    for (std::size_t f = 0; f < frames; ++f)
      for (std::size_t i = 0; i < links.size(); ++i)
        LOCKSTEP_CHECK(one_frame(links, partials, i, f));
    for (Link& l : links) done_.insert_or_assign(l.id, std::move(l.out));
    return {};
  }

  Result<void> one_frame(std::vector<Link>& links, const std::vector<Partial>& partials,
                         std::size_t i, std::size_t f) {
    Link& l = links[i];
    const NpuConv& c = *l.conv;
    const NpuFrame<T>& features =
        l.features.frames[f / npu_repeats_of(c) % l.features.frames.size()];
    auto& patches = l.patches[features.get()];
    if (!patches) {
      LOCKSTEP_TRY(NpuPatches<Patch> made,
                   (patches_of<T, Patch>(c, *features, l.packed, l.raw, who(l.id))));
      patches = std::make_shared<NpuPatches<Patch>>(std::move(made));
    }
    multiply_patches(*patches, *l.kernels, static_cast<std::int64_t>(f) % l.kernels->sets, sums_);
    counts_.macs += patches->pixels * patches->elements * l.kernels->kernels;
    if (counts_.macs > (std::int64_t{1} << 36))
      return wrong(l.id, "more than 2^36 multiply-accumulates in one inference",
                   "a network for a microcontroller");
    LOCKSTEP_TRY(const std::vector<T>* partial, partial_for(links, partials[i], c, f));
    if (partial) {
      if (partial->size() != sums_.size())
        return wrong(l.id, fmt::format("{} partial sums", partial->size()),
                     fmt::format("{}", sums_.size()));
      const Sum factor = static_cast<Sum>(std::int64_t{1} << c.shift_a);
      for (std::size_t k = 0; k < sums_.size(); ++k)
        sums_[k] += static_cast<Sum>((*partial)[k]) * factor;
    }
    l.out.frames.push_back(leave(c));
    return {};
  }

  // The partial sums that count for frame f; null where they are taken as zero.
  Result<const std::vector<T>*> partial_for(const std::vector<Link>& links, const Partial& p,
                                            const NpuConv& c, std::size_t f) const {
    const std::vector<T>* none = nullptr;
    if (p.from == Partial::From::nothing) return none;
    if (!npu_takes_partial(c, static_cast<std::int64_t>(f))) return none;
    if (p.from == Partial::From::stream) return p.flow.frames[f % p.flow.frames.size()].get();
    const auto l = std::ranges::find(links, p.unit, &Link::id);
    if (l == links.end())
      return Error{where_, "partial sums from outside the chain", "units of one chain", {}};
    if (p.from == Partial::From::previous_unit) return l->out.frames[f].get();
    return f == 0 ? none : l->out.frames[f - 1].get();
  }

  NpuFrame<T> leave(const NpuConv& c) {
    auto out = std::make_shared<std::vector<T>>(sums_.size());
    if constexpr (std::is_same_v<T, double>) {
      for (std::size_t i = 0; i < sums_.size(); ++i)
        (*out)[i] = std::ldexp(sums_[i], -static_cast<int>(c.shift_o));
    } else {
      const int shift = static_cast<int>(c.shift_o), bytes = static_cast<int>(c.outbytes_o);
      const NpuTie tie = c.rounding_o != 0 ? rules_.conv : NpuTie::floor;
      for (std::size_t i = 0; i < sums_.size(); ++i) {
        const std::int64_t s = sums_[i];
        counts_.largest_sum = std::max(counts_.largest_sum, s < 0 ? -s : s);
        const std::int64_t r = shift == 0            ? s
                               : tie == NpuTie::away ? npu_shift_away(s, shift)
                                                     : npu_shift(s, shift, tie);
        const std::int64_t v = c.saturation_o != 0 ? npu_saturate(r, bytes) : npu_wrap(r, bytes);
        counts_.conv_saturated += v != r;
        (*out)[i] = static_cast<T>(v);
      }
    }
    return out;
  }

  const NpuEpochForm& form_;
  NpuMemory& memory_;
  const NpuRules& rules_;
  NpuKernelCache& cache_;
  NpuCounts& counts_;
  std::string where_;
  std::map<NpuUnitId, NpuFlow<T>> done_;
  std::set<NpuUnitId> running_;
  std::vector<Sum> sums_;
};

}  // namespace

Result<void> run_npu_epoch(const NpuEpochForm& form, NpuMemory& memory, const NpuRules& rules,
                           NpuKernelCache& kernels, NpuCounts& counts, const std::string& file) {
  const std::string where = fmt::format("{}: epoch {}", file, form.epoch->number);
  if (rules.exact) return EpochRun<double>(form, memory, rules, kernels, counts, where).run();
  return EpochRun<std::int32_t>(form, memory, rules, kernels, counts, where).run();
}

}  // namespace lockstep
