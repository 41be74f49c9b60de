// What a stream engine reads or writes, where the file does not say it: the buffer whose bytes it
// touches, at that moment.
#include <algorithm>

#include <fmt/core.h>

#include "npu/network_c.h"
#include "npu/touch.h"

namespace lockstep {
namespace {

bool is_scratch(const NpuBuffer& b) {
  return b.name.starts_with("SCRATCH_");
}

// Of several that fit: the one that holds all that is touched, the latest, the smallest.
const NpuBuffer* better(const NpuBuffer* a, const NpuBuffer& b, const NpuTouched& t) {
  if (!a) return &b;
  const bool whole_a = t.lies_in(*a, 2), whole_b = t.lies_in(b, 2);
  if (whole_a != whole_b) return whole_a ? a : &b;
  if (a->epoch != b.epoch) return a->epoch > b.epoch ? a : &b;
  return b.bytes() < a->bytes() ? &b : a;
}

// Written in this epoch, or found as its maker left it; else whatever was made there last.
const NpuBuffer* touched_buffer(const NpuProgram& p, const NpuStream& s, const NpuTouched& t,
                                int epoch) {
  const NpuBuffer *best = nullptr, *last = nullptr;
  for (const NpuBuffer& b : p.buffers) {
    if (is_scratch(b) || !holds(b, s.address())) continue;
    if (b.is_param) {
      if (!s.writes() && (!best || b.address() == s.address())) best = &b;
      continue;
    }
    if (s.writes() ? b.epoch != epoch : b.epoch >= epoch) continue;
    if (s.writes() || t.finds_intact(b)) best = better(best, b, t);
    if (!last || b.epoch >= last->epoch) last = &b;
  }
  return best ? best : last;
}

// Partial sums that the same epoch writes, frame by frame.
bool reads_partial_sums(const NpuEpoch& e, const NpuUnit& u, const NpuStream& s,
                        const std::vector<NpuStream>& writing) {
  const auto feeds_sums = [&](const NpuLink& l) {
    return l.to.unit.kind == NpuKind::conv && l.to.port == 2 && l.from[0].source.unit == u.id;
  };
  return !s.writes() && std::ranges::any_of(e.links, feeds_sums) &&
         std::ranges::any_of(writing,
                             [&](const NpuStream& w) { return w.address() == s.address(); });
}

void name_streams(const NpuProgram& p, NpuEpoch& e, NpuWriters& writers) {
  std::vector<NpuStream> writing;
  std::vector<std::pair<NpuUnit*, NpuStream>> unnamed;
  for (NpuUnit& u : e.units) {
    if (u.id.kind != NpuKind::stream) continue;
    const auto form = decode_unit(u, "");
    if (!form.ok()) continue;
    const auto& s = std::get<NpuStream>(*form);
    if (s.writes()) writing.push_back(s);
    if (u.buffer.empty()) unnamed.emplace_back(&u, s);
  }
  for (auto& [u, s] : unnamed) {
    u->inferred = true;
    if (reads_partial_sums(e, *u, s, writing))
      u->buffer = "ATONN_ACCUMULATOR_PORT";
    else if (const NpuBuffer* b = touched_buffer(p, s, touched_by(s, writers), e.number))
      u->buffer = b->name;
  }
  for (const NpuStream& s : writing)
    for (const NpuRun& r : touched_by(s, writers).runs)
      writers.mark(r.low, static_cast<std::int64_t>(r.high - r.low), e.number);
  if (!e.hardware()) writers.mark_made(p, e.number);
}

// A convolution without a name of its own takes that of its weights: "Conv2D_17_weights".
void name_convolutions(NpuEpoch& e) {
  for (NpuUnit& u : e.units) {
    if (u.id.kind != NpuKind::conv || u.name.find("_epoch_") == std::string::npos) continue;
    for (const NpuLink& l : e.links)
      if (l.to.unit == u.id && l.to.port == 1)
        for (const NpuUnit& s : e.units)
          if (const std::size_t at = s.buffer.find("_weights");
              s.id == l.from[0].source.unit && at != std::string::npos) {
            u.name = fmt::format("{}_init{}", s.buffer.substr(0, at), e.number);
            if (e.nodes.empty()) e.nodes.emplace_back(s.buffer.substr(0, at), "Conv");
          }
  }
}

}  // namespace

void name_npu_streams(NpuProgram& program) {
  NpuWriters writers(program);
  for (NpuEpoch& e : program.epochs) {
    name_streams(program, e, writers);
    name_convolutions(e);
  }
}

}  // namespace lockstep
