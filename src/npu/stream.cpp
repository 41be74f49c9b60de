// element e of frame f at address + frame_start(f) + y*line + x*batch_offset + b*bytes (raster) or
// e*bytes (raw)
#include <fmt/core.h>

#include "npu/flow.h"

namespace lockstep {
namespace {

// Byte offsets of a frame's memory words, and the bytes that the frame spans.
struct Walk {
  std::vector<std::int64_t> offsets;
  std::int64_t low = 0, high = 0;  // over all offsets, end exclusive
};

Walk walk_of(const NpuStream& s) {
  const std::int64_t by = s.element_bytes();
  Walk w;
  w.offsets.reserve(static_cast<std::size_t>(s.frame_elements()));
  if (s.raw != 0) {
    for (std::int64_t e = 0; e < s.frame_elements(); ++e) w.offsets.push_back(e * by);
  } else {
    const std::int64_t line = s.line_offset != 0 ? s.line_offset : s.fwidth * s.batch_offset;
    for (std::int64_t y = 0; y < s.fheight; ++y)
      for (std::int64_t x = 0; x < s.fwidth; ++x)
        for (std::int64_t b = 0; b < s.batch_depth; ++b)
          w.offsets.push_back(y * line + x * s.batch_offset + b * by);
  }
  w.low = w.high = w.offsets.front();
  for (const std::int64_t o : w.offsets)
    w.low = std::min(w.low, o), w.high = std::max(w.high, o + by);
  return w;
}

// The bytes of one frame as a view: pointers to its first byte and marks, checked against the
// region.
struct View {
  const std::uint8_t* bytes = nullptr;
  const std::uint8_t* written = nullptr;  // null: all written
};

Result<View> view_of(const NpuMemory& memory, std::uint64_t address, const Walk& w,
                     std::int64_t spare, const std::string& who) {
  const std::uint64_t start = address + static_cast<std::uint64_t>(w.low);
  const auto size = static_cast<std::uint64_t>(w.high - w.low - spare);
  const NpuRegion* r = memory.find(start, size);
  if (!r) return outside_memory(memory, start, size, who);
  const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(start - r->base) - w.low;
  return View{r->bytes.data() + at, r->written.empty() ? nullptr : r->written.data() + at};
}

template <class T>
Result<NpuFrame<T>> read_words(const NpuStream& s, const NpuMemory& memory, const Walk& w,
                               std::uint64_t address, const std::string& who) {
  const int by = s.element_bytes();
  LOCKSTEP_TRY(const View v, view_of(memory, address, w, 0, who));
  auto frame = std::make_shared<std::vector<T>>(w.offsets.size());
  // A byte that is not widened leaves the upper bits of the wire 0: a unit that takes one byte
  // reads its sign, a unit that takes two does not.
  const bool bare = by == 1 && s.align_right == 0 && s.nbits_in == s.nbits_out;
  const int drop = s.nbits_unsigned != 0 || bare ? 0 : 64 - 8 * by;
  for (std::size_t i = 0; i < w.offsets.size(); ++i) {
    const std::int64_t o = w.offsets[i];
    std::uint64_t word = 0;
    for (int k = 0; k < by; ++k) {
      if (v.written && !v.written[o + k])
        return never_written(address + static_cast<std::uint64_t>(o + k), who);
      word |= static_cast<std::uint64_t>(v.bytes[o + k]) << (8 * k);
    }
    (*frame)[i] = static_cast<T>(static_cast<std::int64_t>(word << drop) >> drop);
  }
  return NpuFrame<T>(std::move(frame));
}

// Three bytes a word, as they lie. Up to two bytes behind the data travel along and are dropped by
// the unit that takes them: they may lie outside, or never have been written, and read as 0.
template <class T>
Result<NpuFrame<T>> read_packed(const NpuStream& s, const NpuMemory& memory, const Walk& w,
                                std::uint64_t address, const std::string& who) {
  auto view = view_of(memory, address, w, 0, who);
  std::int64_t high = w.high;
  for (std::int64_t spare = 1; !view.ok() && spare <= 2; ++spare)
    view = view_of(memory, address, w, spare, who), high = w.high - spare;
  if (!view.ok()) return view.error();
  auto frame = std::make_shared<std::vector<T>>();
  frame->reserve(3 * w.offsets.size());
  const std::int64_t run = s.raw != 0 ? static_cast<std::int64_t>(w.offsets.size()) : s.batch_depth;
  for (std::size_t i = 0; i < w.offsets.size(); ++i) {
    const bool last = static_cast<std::int64_t>(i) % run == run - 1;
    for (std::int64_t k = 0; k < 3; ++k) {
      const std::int64_t o = w.offsets[i] + k;
      const bool there = o < high && (!view->written || view->written[o]);
      if (!there && !(last && k > 0))
        return never_written(address + static_cast<std::uint64_t>(o), who);
      frame->push_back(there ? static_cast<T>(view->bytes[o]) : T{0});
    }
  }
  return NpuFrame<T>(std::move(frame));
}

}  // namespace

template <class T>
Result<NpuFlow<T>> read_stream(const NpuStream& s, const NpuMemory& memory,
                               const std::string& who) {
  const Walk w = walk_of(s);
  std::map<std::int64_t, NpuFrame<T>> seen;
  NpuFlow<T> flow;
  for (std::int64_t f = 0; f < s.frames(); ++f) {
    const std::int64_t start = s.frame_start(f);
    NpuFrame<T>& frame = seen[start];
    if (!frame) {
      if (static_cast<std::int64_t>(seen.size()) * s.frame_elements() > (std::int64_t{1} << 28))
        return Error{who, "more than 2^28 elements in one stream", "a smaller stream", {}};
      const std::uint64_t address = s.address() + static_cast<std::uint64_t>(start);
      LOCKSTEP_TRY(frame, s.packed() ? read_packed<T>(s, memory, w, address, who)
                                     : read_words<T>(s, memory, w, address, who));
    }
    flow.frames.push_back(frame);
  }
  return flow;
}

namespace {

// Words of three bytes, one element of the flow for each byte.
template <class T>
Result<void> write_packed(const NpuStream& s, const NpuFlow<T>& flow, NpuMemory& memory,
                          const std::string& who) {
  const std::int64_t n = s.frame_elements();
  if (flow.count() != 3 * n * s.frames())
    return Error{who,
                 fmt::format("{} elements arrive", flow.count()),
                 fmt::format("{} frames of {} words of three bytes", s.frames(), n),
                 {}};
  const NpuFrame<T> all = flow.joined();
  const Walk w = walk_of(s);
  std::vector<std::uint8_t> word(3);
  for (std::int64_t f = 0; f < s.frames(); ++f)
    for (std::size_t i = 0; i < w.offsets.size(); ++i) {
      for (std::size_t k = 0; k < 3; ++k)
        word[k] = static_cast<std::uint8_t>(
            static_cast<std::int64_t>((*all)[3 * (static_cast<std::size_t>(f * n) + i) + k]));
      LOCKSTEP_CHECK(memory.write(
          s.address() + static_cast<std::uint64_t>(s.frame_start(f) + w.offsets[i]), word, who));
    }
  return {};
}

}  // namespace

template <class T>
Result<void> write_stream(const NpuStream& s, const NpuFlow<T>& flow, NpuMemory& memory,
                          const std::string& who) {
  const std::int64_t n = s.frame_elements(), by = s.element_bytes();
  if (by == 3) return write_packed(s, flow, memory, who);
  if (flow.count() != n * s.frames())
    return Error{who,
                 fmt::format("{} elements arrive", flow.count()),
                 fmt::format("{} frames of {}", s.frames(), n),
                 {}};
  const NpuFrame<T> all = flow.joined();
  const Walk w = walk_of(s);
  for (std::int64_t f = 0; f < s.frames(); ++f) {
    const std::uint64_t start = s.address() + static_cast<std::uint64_t>(s.frame_start(f) + w.low);
    NpuRegion* r = memory.find(start, static_cast<std::uint64_t>(w.high - w.low));
    if (!r) return outside_memory(memory, start, static_cast<std::uint64_t>(w.high - w.low), who);
    if (r->read_only)
      return Error{who,
                   fmt::format("writes 0x{:08x} in {}", start, r->name),
                   "an address in working memory",
                   {}};
    const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(start - r->base) - w.low;
    const T* data = all->data() + f * n;
    for (std::size_t i = 0; i < w.offsets.size(); ++i) {
      // Fractions of exact mode are cut here: memory holds integers.
      const auto word = static_cast<std::uint64_t>(static_cast<std::int64_t>(data[i]));
      for (std::int64_t k = 0; k < by; ++k) {
        r->bytes[static_cast<std::size_t>(at + w.offsets[i] + k)] =
            static_cast<std::uint8_t>(word >> (8 * k));
        r->written[static_cast<std::size_t>(at + w.offsets[i] + k)] = 1;
      }
    }
  }
  return {};
}

template Result<NpuFlow<std::int32_t>> read_stream(const NpuStream&, const NpuMemory&,
                                                   const std::string&);
template Result<NpuFlow<double>> read_stream(const NpuStream&, const NpuMemory&,
                                             const std::string&);
template Result<void> write_stream(const NpuStream&, const NpuFlow<std::int32_t>&, NpuMemory&,
                                   const std::string&);
template Result<void> write_stream(const NpuStream&, const NpuFlow<double>&, NpuMemory&,
                                   const std::string&);

}  // namespace lockstep
