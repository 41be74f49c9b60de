// Without the model: a copy has the scale of what it copies, the units that add up one layer's sums
// take their channels from one tensor, and nothing is written over a tensor that nobody has read
#include <algorithm>

#include <fmt/core.h>

#include "npu/audit.h"
#include "npu/provenance.h"
#include "npu/software_moves.h"

namespace lockstep {
namespace {

constexpr const char* recompile = "recompile, and report the compiler's release";

bool meet(const NpuBuffer& a, const NpuBuffer& b) {
  return a.address() < b.base + static_cast<std::uint64_t>(b.end) &&
         b.address() < a.base + static_cast<std::uint64_t>(a.end);
}

bool only_moves(const NpuEpoch& e) {
  if (e.hardware())
    return std::ranges::all_of(e.units,
                               [](const NpuUnit& u) { return u.id.kind == NpuKind::stream; });
  return std::ranges::any_of(e.calls, [](const NpuCall& c) {
    return is_npu_move(c) && c.function.find("Cast") == std::string::npos;
  });
}

// One quantization for the whole tensor, stated on both sides, and not the same.
bool other_scale(const NpuBuffer& a, const NpuBuffer& b) {
  return a.scale.size() == 1 && b.scale.size() == 1 &&
         (std::abs(a.scale[0] - b.scale[0]) > 1e-6 * std::abs(b.scale[0]) || a.zero != b.zero);
}

void check_copies(const NpuSimulator& sim, const NpuMaking& m, std::vector<NpuFinding>& found) {
  const NpuEpoch* e = sim.program().find_epoch(m.epoch);
  if (!e || !only_moves(*e)) return;
  for (const NpuRead& r : m.reads) {
    const bool wrong = !r.kept && !r.tensors.empty() &&
                       std::ranges::all_of(
                           r.tensors, [&](const NpuBuffer* b) { return other_scale(*b, *m.made); });
    if (!wrong) continue;
    found.push_back({"other-tensor", NpuSeverity::error, m.epoch, m.made->name,
                     fmt::format("copies {} of scale {:.6g} as codes of scale {:.6g}",
                                 r.tensors[0]->name, r.tensors[0]->scale[0], m.made->scale[0]),
                     "what reads the copy computes from another tensor", recompile, 255});
    return;
  }
}

// `until`: the epoch that writes over it. An operation that is not known may have read it before.
bool is_read(const std::vector<NpuMaking>& makings, const NpuBuffer& b, int until) {
  return std::ranges::any_of(makings, [&](const NpuMaking& m) {
    if (m.unknown && m.epoch > b.epoch && m.epoch <= until) return true;
    return m.made != &b && std::ranges::any_of(m.reads, [&](const NpuRead& r) {
             return std::ranges::find(r.tensors, &b) != r.tensors.end() ||
                    (r.writer == b.epoch && r.low < b.base + static_cast<std::uint64_t>(b.end) &&
                     b.address() < r.high);
           });
  });
}

// What a convolution's features are read from, also where their zero point is taken off on the way.
const std::vector<NpuRead>* features_of(const NpuProvenance& provenance, const NpuEpochForm& form,
                                        NpuUnitId id) {
  for (int hops = 0; hops < 4; ++hops) {
    const auto link = form.links.find({id, 0});
    if (link == form.links.end()) return nullptr;
    id = link->second.from[0].source.unit;
    if (id.kind == NpuKind::stream) {
      const auto it = provenance.by_stream.find({form.epoch->number, id});
      return it == provenance.by_stream.end() || it->second.empty() ? nullptr : &it->second;
    }
    if (id.kind != NpuKind::arith) return nullptr;
  }
  return nullptr;
}

bool share_a_tensor(const std::vector<NpuRead>& a, const std::vector<NpuRead>& b) {
  return std::ranges::any_of(a, [&](const NpuRead& x) {
    return std::ranges::any_of(b, [&](const NpuRead& y) {
      return x.tensors.empty() || y.tensors.empty() || x.tensors == y.tensors;
    });
  });
}

void check_features(const NpuSimulator& sim, const NpuProvenance& provenance, const NpuLayer& l,
                    std::vector<NpuFinding>& found) {
  const auto form = std::ranges::find_if(
      sim.epochs(), [&](const NpuEpochForm& f) { return f.epoch->number == l.epoch; });
  if (form == sim.epochs().end()) return;
  const std::vector<NpuRead>* first = nullptr;
  for (const NpuUnitId id : l.convs) {
    const std::vector<NpuRead>* reads = features_of(provenance, *form, id);
    if (!reads) continue;
    if (!first) first = reads;
    if (share_a_tensor(*first, *reads)) continue;
    found.push_back(
        {"other-tensor", NpuSeverity::error, l.epoch, l.node,
         fmt::format("{} takes its channels from {}, another unit of the same sums from {}",
                     text_of(id), reads->front().tensors[0]->name, first->front().tensors[0]->name),
         "a part of the sums is of another tensor", recompile, 255});
    return;
  }
}

void check_refused(const NpuSimulator& sim, const NpuProvenance& provenance,
                   std::vector<NpuFinding>& found) {
  for (const auto& [epoch, why] : provenance.refused) {
    const NpuEpoch* e = sim.program().find_epoch(epoch);
    found.push_back(
        {"cannot-run", NpuSeverity::warning, epoch, !e || e->nodes.empty() ? "" : e->nodes[0].first,
         why.what + "; want " + why.want, "what this operation reads and makes is not checked",
         "either a table of the call is wrong, or Lockstep does not know this form of "
         "it: npu compare stops here, too",
         0});
  }
}

}  // namespace

void audit_reads(const NpuSimulator& sim, const NpuProvenance& provenance,
                 const std::vector<NpuLayer>& layers, std::vector<NpuFinding>& found) {
  for (const NpuLayer& l : layers) check_features(sim, provenance, l, found);
  check_refused(sim, provenance, found);
  const std::vector<NpuMaking>& makings = provenance.makings;
  const auto outputs = sim.outputs();
  for (const NpuMaking& m : makings) {
    check_copies(sim, m, found);
    const NpuBuffer& b = *m.made;
    if (m.read_back || std::ranges::find(outputs, m.made) != outputs.end()) continue;
    const auto over = std::ranges::find_if(
        makings, [&](const NpuMaking& o) { return o.epoch > b.epoch && meet(*o.made, b); });
    if (over == makings.end() || is_read(makings, b, over->epoch)) continue;
    found.push_back(
        {"overwritten", NpuSeverity::error, over->epoch, b.name,
         fmt::format("{} of epoch {} is written over before anything has read it", b.name, b.epoch),
         "what was to read it computes from another tensor",
         "two buffers share memory while both live, or a stream reads another tensor: "
         "recompile",
         255});
  }
}

}  // namespace lockstep
