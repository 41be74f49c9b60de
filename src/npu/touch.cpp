#include "npu/touch.h"

#include <algorithm>
#include <set>

namespace lockstep {
namespace {

// More bytes than any memory of the device: a stream of a damaged program is followed no further.
constexpr std::int64_t most_bytes = std::int64_t{1} << 26;

// Calls f(address, bytes) for every contiguous piece of a stream, replayed frames once.
template <class F>
void each_piece(const NpuStream& s, F f) {
  std::set<std::int64_t> seen;
  std::int64_t left = most_bytes;
  const std::int64_t by = s.element_bytes(),
                     line = s.line_offset != 0 ? s.line_offset : s.fwidth * s.batch_offset;
  for (std::int64_t n = 0; n < s.frames(); ++n) {
    if (!seen.insert(s.frame_start(n)).second) continue;
    const std::uint64_t base = s.address() + static_cast<std::uint64_t>(s.frame_start(n));
    left -= s.frame_elements() * by;
    if (left < 0) return;
    if (s.raw != 0) {
      f(base, s.frame_elements() * by);
      continue;
    }
    for (std::int64_t y = 0; y < s.fheight; ++y)
      for (std::int64_t x = 0; x < s.fwidth; ++x)
        f(base + static_cast<std::uint64_t>(y * line + x * s.batch_offset), s.batch_depth * by);
  }
}

bool is_view(const NpuBuffer& b) {
  return b.name.find("_inserted_in") != std::string::npos ||
         b.name.find("_copy_in_") != std::string::npos;
}

}  // namespace

NpuWriters::NpuWriters(const NpuProgram& program) {
  constexpr std::uint64_t most = std::uint64_t{1} << 26;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> all;
  for (const NpuBuffer& b : program.buffers)
    if (!b.is_param && b.bytes() > 0)
      all.emplace_back(b.address(), b.base + static_cast<std::uint64_t>(b.end));
  std::ranges::sort(all);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> merged;
  for (const auto& [low, high] : all) {
    if (merged.empty() || low > merged.back().second) merged.emplace_back(low, high);
    merged.back().second = std::max(merged.back().second, high);
  }
  std::uint64_t total = 0;
  for (const auto& [low, high] : merged) total += high - low;
  if (total > most) return;
  for (const auto& [low, high] : merged)
    regions_.push_back({low, std::vector<int>(high - low, nobody)});
  mark_made(program, 0);
}

const int* NpuWriters::at(std::uint64_t address) const {
  for (const Region& r : regions_)
    if (address >= r.base && address - r.base < r.last.size()) return &r.last[address - r.base];
  return nullptr;
}

void NpuWriters::mark(std::uint64_t address, std::int64_t bytes, int epoch) {
  for (Region& r : regions_) {
    const std::uint64_t low = std::max(address, r.base),
                        high = std::min(address + static_cast<std::uint64_t>(bytes),
                                        r.base + r.last.size());
    for (std::uint64_t a = low; a < high; ++a) r.last[a - r.base] = epoch;
  }
}

void NpuWriters::mark_made(const NpuProgram& program, int epoch) {
  for (const NpuBuffer& b : program.buffers)
    if (b.epoch == epoch && !b.is_param && !is_view(b)) mark(b.address(), b.bytes(), epoch);
}

bool NpuTouched::finds_intact(const NpuBuffer& b) const {
  bool any = false;
  const std::uint64_t end = b.base + static_cast<std::uint64_t>(b.end);
  for (const NpuRun& r : runs) {
    if (r.high <= b.address() || r.low >= end) continue;
    if (r.writer != b.epoch) return false;
    any = true;
  }
  return any;
}

NpuTouched touched_by(const NpuStream& stream, const NpuWriters& writers) {
  NpuTouched t;
  each_piece(stream, [&](std::uint64_t address, std::int64_t bytes) {
    const std::uint64_t end = address + static_cast<std::uint64_t>(bytes);
    t.low = std::min(t.low, address), t.high = std::max(t.high, end);
    for (std::uint64_t a = address; a < end; ++a) {
      const int* w = writers.at(a);
      const int writer = w ? *w : NpuWriters::nobody;
      if (NpuRun* last = t.runs.empty() ? nullptr : &t.runs.back();
          last && last->high == a && last->writer == writer && last->known == (w != nullptr))
        ++last->high;
      else
        t.runs.push_back({a, a + 1, writer, w != nullptr});
    }
  });
  return t;
}

NpuUnexplained unexplained_bytes(const NpuProgram& program, const NpuTouched& touched, int epoch) {
  NpuUnexplained u;
  std::vector<const NpuBuffer*> near, intact;
  for (const NpuBuffer& b : program.buffers) {
    const bool apart =
        b.address() >= touched.high || b.base + static_cast<std::uint64_t>(b.end) <= touched.low;
    if (b.is_param || b.epoch >= epoch || apart) continue;
    near.push_back(&b);
    if (touched.finds_intact(b)) intact.push_back(&b);
  }
  for (const NpuRun& r : touched.runs)
    for (std::uint64_t a = r.low; a < r.high; ++a) {
      const auto held = [&](const std::vector<const NpuBuffer*>& among) {
        return std::ranges::find_if(
            among, [&](const NpuBuffer* b) { return b->epoch == r.writer && holds(*b, a); });
      };
      if (r.writer == NpuWriters::nobody) {
        ++u.nobody;
        continue;
      }
      if (held(intact) != intact.end()) continue;
      if (const auto b = held(near); b != near.end()) {
        if (++u.broken == 1) u.damaged = *b;
      } else {
        ++u.stray;
      }
    }
  if (u.damaged)
    for (const NpuRun& r : touched.runs)
      if (r.writer > u.damaged->epoch && holds(*u.damaged, r.low) && (u.by == 0 || r.writer < u.by))
        u.by = r.writer;
  return u;
}

}  // namespace lockstep
