// Per line of the CPU's cache (32 bytes): what the accelerator wrote is invalidated before the CPU
// reads it, what the CPU wrote is cleaned before the accelerator reads it
#include <algorithm>

#include <fmt/core.h>

#include "npu/audit.h"
#include "npu/software.h"

namespace lockstep {
namespace {

constexpr std::uint64_t line_bytes = 32;

struct Range {
  std::uint64_t low = 0, high = 0;
  int epoch = 0;
  bool has(std::uint64_t address) const { return address >= low && address < high; }
};

Range lines_of(std::uint64_t address, std::uint64_t size, int epoch) {
  return {address / line_bytes * line_bytes,
          (address + size + line_bytes - 1) / line_bytes * line_bytes, epoch};
}
Range lines_of(const NpuBuffer& b, int epoch) {
  return lines_of(b.address(), static_cast<std::uint64_t>(b.bytes()), epoch);
}

bool on_cpu(const NpuEpoch& e) {
  return software_function(e).starts_with("ll_sw_");
}

struct Caches {
  std::vector<Range> invalidated, cleaned, touched;  // touched: by the CPU

  explicit Caches(const NpuSimulator& sim) {
    for (const NpuEpoch& e : sim.program().epochs) {
      for (const NpuCall& c : e.calls) {
        if (!is_cache_call(c) || c.arguments.size() < 2) continue;
        const auto address = npu_address(c.arguments[0]);
        const long long size = std::strtoll(c.arguments[1].c_str(), nullptr, 0);
        if (!address || size <= 0) continue;
        const Range r = lines_of(*address, static_cast<std::uint64_t>(size), e.number);
        const bool both = c.function.find("lean_Invalidate") != std::string::npos;
        if (both || c.function.find("nvalidate") != std::string::npos) invalidated.push_back(r);
        if (both || c.function.find("nvalidate") == std::string::npos) cleaned.push_back(r);
      }
      if (!on_cpu(e)) continue;
      if (const auto io = software_io(sim.program(), e); io.ok()) {
        touched.push_back(lines_of(*io->in, e.number));
        touched.push_back(lines_of(*io->out, e.number));
      }
    }
  }

  // An invalidation counts until the CPU touches the line again: one before the line is written is
  // as good as one behind, when the CPU stays away meanwhile.
  bool fresh(std::uint64_t line, int made, int read) const {
    return std::ranges::any_of(invalidated, [&](const Range& r) {
      if (!r.has(line) || r.epoch > read) return false;
      return r.epoch >= made || std::ranges::none_of(touched, [&](const Range& t) {
               return t.has(line) && t.epoch >= r.epoch && t.epoch <= made;
             });
    });
  }
  bool written_back(std::uint64_t line, int made, int read) const {
    return std::ranges::any_of(
        cleaned, [&](const Range& r) { return r.has(line) && r.epoch >= made && r.epoch <= read; });
  }
};

template <class F>
std::int64_t count_lines(const NpuBuffer& b, F wrong) {
  const Range all = lines_of(b, 0);
  std::int64_t n = 0;
  for (std::uint64_t a = all.low; a < all.high; a += line_bytes) n += wrong(a) ? 1 : 0;
  return n;
}

// The first later hardware epoch that reads the buffer; 0 when none does.
int reader_of(const NpuSimulator& sim, const NpuBuffer& made, int epoch) {
  for (const NpuEpochForm& later : sim.epochs())
    for (const NpuUnit& u : later.epoch->units) {
      const auto* s = later.find<NpuStream>(u.id);
      if (!s || s->writes() || later.epoch->number <= epoch) continue;
      const bool inside = s->address() >= made.address() &&
                          s->address() < made.base + static_cast<std::uint64_t>(made.end);
      if (inside && buffer_of(sim.program(), u, *s, later.epoch->number) == &made)
        return later.epoch->number;
    }
  return 0;
}

}  // namespace

void audit_cache(const NpuSimulator& sim, std::vector<NpuFinding>& found) {
  const Caches caches(sim);
  for (const NpuEpoch& e : sim.program().epochs) {
    if (!on_cpu(e)) continue;
    const auto io = software_io(sim.program(), e);
    if (!io.ok()) continue;
    const NpuEpoch* maker = sim.program().find_epoch(io->in->epoch);
    if (maker && !on_cpu(*maker))
      if (const auto lines = count_lines(
              *io->in, [&](std::uint64_t a) { return !caches.fresh(a, maker->number, e.number); });
          lines > 0)
        found.push_back(
            {"stale-cache", NpuSeverity::error, e.number, io->in->name,
             fmt::format(
                 "{} cache lines are not invalidated between epoch {} and the CPU's reading", lines,
                 maker->number),
             "the CPU may compute from an earlier inference",
             "invalidate the range before the software epoch", 255});
    const int reader = reader_of(sim, *io->out, e.number);
    if (reader == 0) continue;
    if (const auto lines = count_lines(
            *io->out, [&](std::uint64_t a) { return !caches.written_back(a, e.number, reader); });
        lines > 0)
      found.push_back(
          {"dirty-cache", NpuSeverity::error, e.number, io->out->name,
           fmt::format("{} cache lines are not cleaned before epoch {} reads them", lines, reader),
           "the accelerator may read what the CPU has not yet written back",
           "clean the range at the end of the software epoch", 255});
  }
}

}  // namespace lockstep
