#include "npu/provenance.h"

#include <algorithm>
#include <map>

#include "npu/software.h"

namespace lockstep {
namespace {

struct Span {
  std::uint64_t low = 0, high = 0;
  bool meets(const Span& o) const { return low < o.high && o.low < high; }
};
Span span_of(const NpuBuffer& b) {
  return {b.address(), b.base + static_cast<std::uint64_t>(b.end)};
}

bool is_scratch(const NpuBuffer& b) {
  return b.name.starts_with("SCRATCH_");
}

class Makings {
 public:
  explicit Makings(const NpuSimulator& sim)
      : program_(sim.program()), writers_(program_), memory_(sim.memory()) {
    for (const NpuBuffer* b : sim.inputs()) writers_.mark(b->address(), b->bytes(), 0);
    memory_.assume_written();
  }

  void hardware(const NpuEpochForm& form) {
    const int epoch = form.epoch->number;
    std::map<NpuUnitId, std::vector<Span>> written;
    std::map<NpuUnitId, std::vector<NpuRead>> reads;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> pieces;
    for (const auto& [id, unit] : form.units)
      if (const auto* s = std::get_if<NpuStream>(&unit); s && s->writes())
        for (const NpuRun& r : touched_by(*s, writers_).runs) {
          written[id].push_back({r.low, r.high});
          pieces.emplace_back(r.low, r.high);
        }
    const std::vector<Span> all_written = joined(std::move(pieces));
    for (const auto& [id, unit] : form.units)
      if (const auto* s = std::get_if<NpuStream>(&unit); s && !s->writes() && !sums(form, id))
        reads[id] = without_surplus(read_by(touched_by(*s, writers_), epoch), *s);
    for (const auto& [id, all_of_it] : reads) by_stream[{epoch, id}] = all_of_it;
    for (const NpuBuffer* b : program_.made_by(epoch)) {
      NpuMaking making{epoch, b, {}, true, false, false};
      making.read_back = std::ranges::any_of(form.units, [&](const auto& u) {
        const auto* s = std::get_if<NpuStream>(&u.second);
        return s && !s->writes() && holds(*b, s->address()) && sums(form, u.first);
      });
      std::vector<NpuUnitId> makers;
      for (const auto& [id, spans] : written)
        if (std::ranges::any_of(spans, [&](const Span& s) { return s.meets(span_of(*b)); }))
          makers.push_back(id);
      for (const NpuUnitId id : behind(form, makers))
        if (const auto it = reads.find(id); it != reads.end())
          making.reads.insert(making.reads.end(), it->second.begin(), it->second.end());
      if (makers.empty()) note_view(*b);
      add_kept(all_written, making);
      all.push_back(std::move(making));
    }
    std::vector<std::pair<Span, int>> marks;
    for (const auto& [id, spans] : written)
      for (const Span& s : spans) {
        const NpuBuffer* b = goes_on_with(s, epoch);
        marks.emplace_back(s, b ? b->epoch : epoch);
        if (b) join(*b, form, id, reads);
      }
    for (const auto& [s, by] : marks)
      writers_.mark(s.low, static_cast<std::int64_t>(s.high - s.low), by);
  }

  void software(const NpuEpoch& e) {
    NpuCounts counts;
    NpuMemory::Trace trace;
    memory_.set_trace(&trace);
    const auto ran = run_software_epoch(program_, e, memory_, counts);
    memory_.set_trace(nullptr);
    if (!ran.ok()) refused.emplace(e.number, ran.error());
    std::vector<NpuRead> reads;
    for (const Span& s : joined(trace.reads)) {
      const auto more = read_by(runs_of(s), e.number);
      reads.insert(reads.end(), more.begin(), more.end());
    }
    const std::vector<Span> written = joined(trace.writes);
    for (const NpuBuffer* b : program_.made_by(e.number)) {
      const bool here =
          std::ranges::any_of(written, [&](const Span& s) { return s.meets(span_of(*b)); });
      NpuMaking making{e.number, b, here ? reads : std::vector<NpuRead>(), false, false, !ran.ok()};
      if (ran.ok()) add_kept(written, making);
      all.push_back(std::move(making));
    }
    writers_.mark_made(program_, e.number);
  }

  std::vector<NpuMaking> all;
  std::map<std::pair<int, NpuUnitId>, std::vector<NpuRead>> by_stream;
  std::map<int, Error> refused;

 private:
  // Partial sums: memory that the same epoch writes.
  static bool sums(const NpuEpochForm& form, NpuUnitId id) {
    return std::ranges::any_of(form.links, [&](const auto& link) {
      return link.first.unit.kind == NpuKind::conv && link.first.port == 2 &&
             std::ranges::any_of(link.second.from,
                                 [&](const NpuSource& s) { return s.source.unit == id; }) &&
             reads_back(form, id);
    });
  }
  static bool reads_back(const NpuEpochForm& form, NpuUnitId id) {
    const auto* r = form.find<NpuStream>(id);
    return r && std::ranges::any_of(form.units, [&](const auto& u) {
             const auto* w = std::get_if<NpuStream>(&u.second);
             return w && w->writes() && w->address() == r->address();
           });
  }

  // The last word of a packed stream carries up to two bytes that its taker drops.
  static std::vector<NpuRead> without_surplus(std::vector<NpuRead> reads, const NpuStream& s) {
    if (s.packed()) std::erase_if(reads, [](const NpuRead& r) { return r.high - r.low <= 2; });
    return reads;
  }

  // Another name of bytes that stood there before: what reads them reads it, too.
  void note_view(const NpuBuffer& b) {
    if (const int* w = writers_.at(b.address())) views_.emplace_back(&b, *w);
  }

  // A tensor that an earlier epoch began and of which these bytes were still open; null when the
  // epoch makes a tensor of its own there, or writes over one that was complete.
  const NpuBuffer* goes_on_with(const Span& span, int epoch) const {
    const NpuBuffer* latest = nullptr;
    for (const NpuBuffer& b : program_.buffers) {
      if (b.is_param || is_scratch(b) || b.epoch > epoch || !holds(b, span.low)) continue;
      if (b.epoch == epoch) return nullptr;
      if (!latest || b.epoch > latest->epoch) latest = &b;
    }
    const int* writer = latest ? writers_.at(span.low) : nullptr;
    return writer && *writer < latest->epoch ? latest : nullptr;
  }
  void join(const NpuBuffer& b, const NpuEpochForm& form, NpuUnitId writer,
            const std::map<NpuUnitId, std::vector<NpuRead>>& reads) {
    for (NpuMaking& m : all) {
      if (m.made != &b) continue;
      for (const NpuUnitId id : behind(form, {writer}))
        if (const auto it = reads.find(id); it != reads.end())
          m.reads.insert(m.reads.end(), it->second.begin(), it->second.end());
    }
  }

  // Streams that read, behind units of any kind.
  static std::vector<NpuUnitId> behind(const NpuEpochForm& form, std::vector<NpuUnitId> open) {
    for (std::size_t i = 0; i < open.size(); ++i)
      for (const auto& [to, link] : form.links)
        if (to.unit == open[i])
          for (const NpuSource& s : link.from)
            if (s.context != 0 && std::ranges::find(open, s.source.unit) == open.end())
              open.push_back(s.source.unit);
    return open;
  }

  static std::vector<Span> joined(std::vector<std::pair<std::uint64_t, std::uint64_t>> pieces) {
    std::ranges::sort(pieces);
    std::vector<Span> spans;
    for (const auto& [low, high] : pieces) {
      if (spans.empty() || low > spans.back().high) spans.push_back({low, high});
      spans.back().high = std::max(spans.back().high, high);
    }
    return spans;
  }

  // What of the tensor the epoch did not write: it is a view, or another epoch wrote a part of it.
  void add_kept(const std::vector<Span>& written, NpuMaking& making) const {
    std::vector<Span> left;
    const Span whole = span_of(*making.made);
    std::uint64_t at = whole.low;
    for (const Span& w : written) {  // sorted, apart
      if (w.high <= at || w.low >= whole.high) continue;
      if (w.low > at) left.push_back({at, w.low});
      at = w.high;
    }
    if (at < whole.high) left.push_back({at, whole.high});
    for (const Span& s : left)
      for (NpuRead& r : read_by(runs_of(s), making.epoch)) {
        r.kept = true;
        making.reads.push_back(std::move(r));
      }
  }

  NpuTouched runs_of(const Span& span) const {
    NpuTouched t{{}, span.low, span.high};
    for (std::uint64_t a = span.low; a < span.high; ++a) {
      const int* w = writers_.at(a);
      const int writer = w ? *w : NpuWriters::nobody;
      if (t.runs.empty() || t.runs.back().writer != writer || t.runs.back().known != (w != nullptr))
        t.runs.push_back({a, a, writer, w != nullptr});
      t.runs.back().high = a + 1;
    }
    return t;
  }

  std::vector<NpuRead> read_by(const NpuTouched& touched, int epoch) const {
    std::vector<NpuRead> reads;
    for (const NpuRun& r : touched.runs)
      for (std::uint64_t a = r.low; r.known && r.writer != NpuWriters::nobody && a < r.high;) {
        NpuRead read{a, r.high, {}, r.writer};
        for (const NpuBuffer& b : program_.buffers)
          if (!b.is_param && !is_scratch(b) && b.epoch == r.writer && b.epoch < epoch &&
              holds(b, a)) {
            read.tensors.push_back(&b);
            read.high = std::min(read.high, span_of(b).high);
          }
        for (const auto& [b, writer] : views_)
          if (writer == r.writer && b->epoch < epoch && holds(*b, a)) {
            read.tensors.push_back(b);
            read.high = std::min(read.high, span_of(*b).high);
          }
        a = read.high;
        const auto same = std::ranges::find_if(reads, [&](const NpuRead& o) {
          return o.tensors == read.tensors && o.writer == read.writer;
        });
        if (same == reads.end())
          reads.push_back(std::move(read));
        else
          same->low = std::min(same->low, read.low), same->high = std::max(same->high, read.high);
      }
    return reads;
  }

  const NpuProgram& program_;
  NpuWriters writers_;
  NpuMemory memory_;
  std::vector<std::pair<const NpuBuffer*, int>> views_;  // and who wrote their bytes
};

}  // namespace

NpuProvenance npu_provenance(const NpuSimulator& sim) {
  constexpr std::int64_t most = std::int64_t{1} << 26;  // beyond any memory: a damaged table
  for (const NpuBuffer& b : sim.program().buffers)
    if (!b.is_param && b.bytes() > most) return {};
  Makings makings(sim);
  for (const NpuEpochForm& form : sim.epochs())
    form.epoch->hardware() ? makings.hardware(form) : makings.software(*form.epoch);
  return {std::move(makings.all), std::move(makings.by_stream), std::move(makings.refused)};
}

}  // namespace lockstep
