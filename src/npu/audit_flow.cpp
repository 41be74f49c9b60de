// What each tensor is made of, by the bytes that are read, against the model's graph: every tensor
// that is read must be one that the result depends on, nothing may be left out, and none may stand
// for a later one that is already there
#include <algorithm>
#include <map>
#include <set>

#include <fmt/core.h>

#include "npu/audit.h"
#include "npu/provenance.h"

namespace lockstep {
namespace {

using Values = std::set<ValueId>;

struct Flow {
  const NpuSimulator& sim;
  const Graph& model;
  const NpuMapping& mapping;
  // Of tensors that the model does not have: what they are made of, and the first epoch that works
  // on them.
  struct Inner {
    Values values;
    int since = 0;
  };
  std::map<const NpuBuffer*, Inner> inner = {};
  std::map<ValueId, Values> known = {};  // ancestors, itself among them

  ValueId value_of(const NpuBuffer& b) const {
    const NpuPair* pair = mapping.find(b.name);
    return pair ? model.find_value(pair->value) : no_id;
  }
  const Values& ancestors(ValueId v) {
    const auto it = known.find(v);
    if (it != known.end()) return it->second;
    Values all;
    std::vector<ValueId> open{v};
    while (!open.empty()) {
      const ValueId at = open.back();
      open.pop_back();
      if (!all.insert(at).second || model.value(at).producer == no_id) continue;
      for (const ValueId x : model.node(model.value(at).producer).inputs)
        if (x != no_id && !model.value(x).constant) open.push_back(x);
    }
    return known.emplace(v, std::move(all)).first->second;
  }
  // Told from others of its scale and shape by its place in the order of things alone.
  bool guessed(const NpuBuffer& b) const {
    const NpuPair* pair = mapping.find(b.name);
    if (pair && pair->how.starts_with("as "))
      for (const NpuPair& p : mapping.pairs)
        if (!p.how.starts_with("as ") && "as " + without_copies(p.buffer) == pair->how) pair = &p;
    return pair && (pair->how.ends_with("order") || pair->how.ends_with("sources") ||
                    pair->how.ends_with("left"));
  }
  void add_twins(ValueId id, Values& v) const {
    const Value& of = model.value(id);
    for (ValueId x = 0; x < static_cast<ValueId>(model.values().size()); ++x)
      if (const Value& o = model.value(x); !o.constant && o.dtype == of.dtype &&
                                           o.quant.scale == of.quant.scale &&
                                           count_of(o.shape) == count_of(of.shape))
        v.insert(x);
  }
  // The model's tensors that a read may stand for.
  Values values_of(const NpuRead& r) const {
    Values v;
    for (const NpuBuffer* b : r.tensors)
      if (const ValueId id = value_of(*b); id != no_id) {
        v.insert(id);
        if (guessed(*b)) add_twins(id, v);
      }
    if (!v.empty()) return v;
    for (const NpuBuffer* b : r.tensors)
      if (const auto it = inner.find(b); it != inner.end())
        v.insert(it->second.values.begin(), it->second.values.end());
    return v;
  }
  int since(const NpuMaking& m) const {
    int first = m.epoch;
    for (const NpuRead& r : m.reads)
      for (const NpuBuffer* b : r.tensors)
        if (const auto it = inner.find(b); it != inner.end() && value_of(*b) == no_id)
          first = std::min(first, it->second.since);
    return first;
  }
  bool greatest(ValueId v) const {
    const NodeId n = model.value(v).producer;
    return n != no_id && model.node(n).op == "MaxPool";
  }

  // Tensors of the model that must be read before `v` can be made, where `read` does not hold what
  // depends on them: an input that nothing stands for, or one that an earlier epoch made.
  Values left_out(ValueId v, const Values& read, int epoch) const {
    Values missing, seen;
    std::vector<ValueId> open{v};
    while (!open.empty()) {
      const ValueId at = open.back();
      open.pop_back();
      if (!seen.insert(at).second || read.contains(at) || model.value(at).constant) continue;
      // A greatest value of greatest values may be taken at once.
      if (at != v && !(greatest(at) && greatest(v)) && made_before(at, epoch)) {
        missing.insert(at);
        continue;
      }
      if (model.value(at).producer == no_id) {
        missing.insert(at);
        continue;
      }
      for (const ValueId x : model.node(model.value(at).producer).inputs)
        if (x != no_id) open.push_back(x);
    }
    return missing;
  }
  bool made_before(ValueId v, int epoch) const {
    return std::ranges::any_of(sim.program().buffers, [&](const NpuBuffer& b) {
      return !b.is_param && b.epoch < epoch && value_of(b) == v;
    });
  }

  // The tensor that was wanted where `read` now finds another: who wrote over it, and which it was.
  const NpuBuffer* lost(const Values& wanted, const NpuMaking& m) const {
    for (const NpuBuffer& b : sim.program().buffers) {
      if (b.is_param || b.epoch >= m.epoch || !wanted.contains(value_of(b))) continue;
      for (const NpuRead& r : m.reads)
        if (r.writer > b.epoch && r.low < b.base + static_cast<std::uint64_t>(b.end) &&
            b.address() < r.high)
          return &b;
    }
    return nullptr;
  }
  int writer_over(const NpuBuffer& b, const NpuMaking& m) const {
    int first = 0;
    for (const NpuRead& r : m.reads)
      if (r.writer > b.epoch && r.low < b.base + static_cast<std::uint64_t>(b.end) &&
          b.address() < r.high && (first == 0 || r.writer < first))
        first = r.writer;
    return first;
  }
};

std::string names(const Graph& model, const Values& values) {
  std::string text;
  for (const ValueId v : values) text += (text.empty() ? "" : ", ") + model.value(v).name;
  return text;
}

// What a tensor of the model was found to be made of.
struct Seen {
  Values read, foreign;  // foreign: `of` does not depend on it
  bool unknown = false;  // bytes among it of which nothing is known
};
Seen seen_of(Flow& flow, const NpuMaking& m, ValueId of) {
  Seen seen;
  for (const NpuRead& r : m.reads) {
    const Values values = flow.values_of(r);
    seen.unknown = seen.unknown || values.empty();
    seen.read.insert(values.begin(), values.end());
    if (of != no_id && !r.kept && !values.empty() &&
        std::ranges::none_of(values, [&](ValueId x) { return flow.ancestors(of).contains(x); }))
      seen.foreign.insert(values.begin(), values.end());
  }
  return seen;
}

NpuFinding finding_of(const Flow& flow, const NpuMaking& m, const Seen& seen,
                      const Values& missing) {
  const std::string& of = flow.model.value(flow.value_of(*m.made)).name;
  if (const NpuBuffer* lost = flow.lost(missing, m))
    return {"overwritten",
            NpuSeverity::error,
            flow.writer_over(*lost, m),
            lost->name,
            fmt::format("written over before epoch {} reads it for {}", m.epoch, of),
            fmt::format("epoch {} computes from another tensor", m.epoch),
            "two buffers share memory while both live: recompile, or keep this one in a pool of "
            "its own",
            255};
  std::string what = "reads " + names(flow.model, seen.foreign.empty() ? seen.read : seen.foreign);
  if (!seen.foreign.empty()) what += ", which " + of + " does not depend on";
  if (!missing.empty()) what += "; not read: " + names(flow.model, missing);
  return {"other-tensor",
          NpuSeverity::error,
          m.epoch,
          m.made->name,
          what,
          "computes from another tensor",
          "recompile, and report the compiler's release",
          255};
}

}  // namespace

void audit_flow(const NpuSimulator& sim, const std::vector<NpuMaking>& makings, const Graph& model,
                const NpuMapping& mapping, std::vector<NpuFinding>& found) {
  Flow flow{sim, model, mapping};
  std::set<std::pair<int, ValueId>> said;
  for (const NpuMaking& m : makings) {
    const ValueId v = flow.value_of(*m.made);
    Seen seen = seen_of(flow, m, v);
    if (v == no_id) {
      flow.inner[m.made] = {std::move(seen.read), flow.since(m)};
      continue;
    }
    if (seen.read.empty()) continue;  // nothing is known of what it is made of
    const Values missing = seen.unknown ? Values() : flow.left_out(v, seen.read, flow.since(m));
    if ((seen.foreign.empty() && missing.empty()) || !said.insert({m.epoch, v}).second) continue;
    found.push_back(finding_of(flow, m, seen, missing));
  }
}

}  // namespace lockstep
