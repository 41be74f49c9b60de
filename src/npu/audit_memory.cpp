#include <algorithm>
#include <map>
#include <set>

#include <fmt/core.h>

#include "npu/audit.h"
#include "npu/software.h"

namespace lockstep {
namespace {

constexpr int nobody = -1;

// Who wrote each byte last: epoch numbers, 0 the caller, `nobody` nothing.
class Writers {
 public:
  explicit Writers(const NpuMemory& memory) {
    for (const NpuRegion& r : memory.regions())
      last_.push_back({r.base, std::vector<int>(r.bytes.size(), r.read_only ? 0 : nobody)});
  }
  int* at(std::uint64_t address) {
    for (auto& [base, v] : last_)
      if (address >= base && address - base < v.size()) return &v[address - base];
    return nullptr;
  }
  void mark(std::uint64_t address, std::int64_t bytes, int epoch) {
    for (std::int64_t i = 0; i < bytes; ++i)
      if (int* w = at(address + static_cast<std::uint64_t>(i))) *w = epoch;
  }

 private:
  std::vector<std::pair<std::uint64_t, std::vector<int>>> last_;
};

// Calls f(address of element, bytes of it) for every memory word of a stream, replayed frames once.
template <class F>
void each_word(const NpuStream& s, F f) {
  std::set<std::int64_t> seen;
  const std::int64_t by = s.element_bytes(), line = s.line_offset != 0 ? s.line_offset : s.fwidth * s.batch_offset;
  for (std::int64_t n = 0; n < s.frames(); ++n) {
    if (!seen.insert(s.frame_start(n)).second) continue;
    const std::uint64_t base = s.address() + static_cast<std::uint64_t>(s.frame_start(n));
    if (s.raw != 0) {
      for (std::int64_t e = 0; e < s.frame_elements(); ++e) f(base + static_cast<std::uint64_t>(e * by), by);
      continue;
    }
    for (std::int64_t y = 0; y < s.fheight; ++y)
      for (std::int64_t x = 0; x < s.fwidth; ++x)
        for (std::int64_t b = 0; b < s.batch_depth; ++b) f(base + static_cast<std::uint64_t>(y * line + x * s.batch_offset + b * by), by);
  }
}

std::string named(const NpuUnit& u) { return fmt::format("{} '{}'{}", text_of(u.id), u.name, u.buffer.empty() ? "" : " (" + u.buffer + ")"); }

bool holds(const NpuBuffer& b, std::uint64_t address) {
  return address >= b.address() && address < b.base + static_cast<std::uint64_t>(b.end);
}

struct Audit {
  const NpuSimulator& sim;
  std::vector<NpuFinding>& found;
  Writers writers;
  std::set<std::string> said;

  void say(std::string rule, NpuSeverity severity, int epoch, std::string where, std::string what, std::string consequence, std::string advice) {
    if (!said.insert(rule + std::to_string(epoch) + where).second) return;
    found.push_back({std::move(rule), severity, epoch, std::move(where), std::move(what), std::move(consequence), std::move(advice),
                     severity == NpuSeverity::error ? 255.0 : 0.0});
  }

  void read(const NpuEpochForm& form, const NpuUnit& u, const NpuStream& s) {
    const int epoch = form.epoch->number;
    if (u.buffer == "ATONN_ACCUMULATOR_PORT") return;  // written by the same epoch, frame by frame
    const NpuBuffer* b = buffer_of(sim.program(), u, s, epoch);
    const NpuRegion* region = sim.memory().find(s.address(), 1);
    if (!b && region && region->read_only && !sim.program().find_buffer(u.buffer)) return;  // weights that no table names
    if (!b) return missing(u, s, epoch);
    std::map<int, std::int64_t> by_writer;
    std::int64_t outside = 0;
    const bool packed = s.packed();
    each_word(s, [&](std::uint64_t address, std::int64_t bytes) {
      for (std::int64_t i = 0; i < bytes; ++i) {
        const std::uint64_t a = address + static_cast<std::uint64_t>(i);
        const bool inside = holds(*b, a);
        outside += !inside && !(packed && a < b->base + static_cast<std::uint64_t>(b->end) + 2);
        if (int* w = writers.at(a); w && inside) ++by_writer[*w];
      }
    });
    if (outside > 0)
      say("outside-its-buffer", NpuSeverity::error, epoch, named(u), fmt::format("reads {} bytes outside {}", outside, b->name),
          "other data enters", "an offset, a size or a repetition of the stream is wrong: recompile");
    if (b->is_param) return;
    if (by_writer.contains(nobody))
      return say("never-written", NpuSeverity::error, epoch, named(u), fmt::format("reads {} bytes of {} that nothing wrote", by_writer[nobody], b->name),
                 "whatever an earlier inference left there enters", "an offset of this stream or of its producer is wrong: recompile");
    for (const auto& [writer, bytes] : by_writer)
      if (writer > b->epoch)
        say("overwritten", NpuSeverity::error, writer, b->name, fmt::format("{} bytes written over before epoch {} reads them", bytes, epoch),
            fmt::format("epoch {} computes from another tensor", epoch), "two buffers share memory while both live: recompile, or keep this one in a pool of its own");
  }

  void missing(const NpuUnit& u, const NpuStream& s, int epoch) {
    say("no-such-buffer", NpuSeverity::error, epoch, named(u), fmt::format("0x{:08x} lies in no buffer of that name", s.address()),
        "other data enters", "an address of this stream is wrong: recompile");
  }

  void write(const NpuEpochForm& form, const NpuUnit& u, const NpuStream& s) {
    const int epoch = form.epoch->number;
    const NpuBuffer* b = buffer_of(sim.program(), u, s, epoch + 1);
    std::int64_t outside = 0;
    each_word(s, [&](std::uint64_t address, std::int64_t bytes) {
      for (std::int64_t i = 0; i < bytes; ++i) outside += b && !holds(*b, address + static_cast<std::uint64_t>(i));
      writers.mark(address, bytes, epoch);
    });
    if (!b) return missing(u, s, epoch);
    if (outside > 0)
      say("outside-its-buffer", NpuSeverity::error, epoch, named(u), fmt::format("writes {} bytes outside {}", outside, b->name),
          "other tensors are damaged", "an offset, a size or a repetition of the stream is wrong: recompile");
  }

  void align(const NpuEpochForm& form, const NpuUnit& u, const NpuStream& s) {
    if (s.frame_start(0) == 0 && s.address() % 8 != 0 && (s.writes() || s.raw != 0))
      say("alignment", NpuSeverity::note, form.epoch->number, named(u), fmt::format("starts at 0x{:08x}", s.address()), "slower transfers", "8-byte aligned buffers");
  }

  void epoch(const NpuEpochForm& form) {
    for (const NpuUnit& u : form.epoch->units)
      if (const auto* s = form.find<NpuStream>(u.id); s && !s->writes()) read(form, u, *s);
    for (const NpuUnit& u : form.epoch->units)
      if (const auto* s = form.find<NpuStream>(u.id); s) {
        if (s->writes()) write(form, u, *s);
        align(form, u, *s);
      }
    if (form.epoch->hardware()) return;
    for (const NpuBuffer& b : sim.program().buffers)
      if (b.epoch == form.epoch->number && !b.is_param && b.name.find("_inserted_in") == std::string::npos && b.name.find("_copy_in_") == std::string::npos)
        writers.mark(b.address(), b.bytes(), form.epoch->number);
  }

  // Outputs must still be there when the network has finished.
  void outputs() {
    for (const NpuBuffer* b : sim.outputs())
      for (std::int64_t i = 0; i < b->bytes(); ++i)
        if (int* w = writers.at(b->address() + static_cast<std::uint64_t>(i)); w && *w != b->epoch)
          return say("overwritten", NpuSeverity::error, *w, b->name, "an output is written over", "the application reads another tensor", "recompile");
  }
};

// Addresses are checked against buffers of the same tensor: the table names each once.
bool same_tensor(const NpuBuffer& b, const std::string& name, const std::string& stem) { return b.name == name || without_copies(b.name) == stem; }

}  // namespace

const NpuBuffer* buffer_of(const NpuProgram& program, const NpuUnit& unit, const NpuStream& stream, int epoch) {
  const NpuBuffer* latest = nullptr;
  const NpuBuffer* exact = nullptr;  // begins and ends where a dense stream does
  const NpuBuffer* of_name = nullptr;
  bool name_known = false;
  const std::string stem = without_copies(unit.buffer);
  for (const NpuBuffer& b : program.buffers) {
    const bool same = !unit.buffer.empty() && same_tensor(b, unit.buffer, stem);
    name_known = name_known || same;
    if (!holds(b, stream.address()) || (!b.is_param && b.epoch >= epoch) || b.name.starts_with("SCRATCH_")) continue;
    if (same && (!of_name || b.epoch >= of_name->epoch)) of_name = &b;
    if (!latest || b.epoch >= latest->epoch) latest = &b;
    const bool dense = stream.raw != 0 && stream.frames() == 1 && b.address() == stream.address() && b.bytes() == stream.offset_end - stream.offset_start;
    if (dense && (!exact || b.epoch >= exact->epoch)) exact = &b;
  }
  if (name_known) return of_name;
  return exact ? exact : latest;
}

void audit_memory(const NpuSimulator& sim, std::vector<NpuFinding>& found) {
  Audit audit{sim, found, Writers(sim.memory()), {}};
  for (const NpuBuffer* b : sim.inputs()) audit.writers.mark(b->address(), b->bytes(), 0);
  for (const NpuEpochForm& form : sim.epochs()) audit.epoch(form);
  audit.outputs();
  for (const NpuBuffer& b : sim.program().buffers) {
    const bool external = b.base >= 0x60000000 && !b.is_param;
    if (external)
      found.push_back({"spill", NpuSeverity::warning, b.epoch, b.name, fmt::format("{} bytes at 0x{:08x}", b.bytes(), b.address()), "activations cross external memory",
                       "a larger internal pool, or smaller activations", 0});
    if (b.is_param && !sim.memory().find(b.address(), static_cast<std::uint64_t>(b.bytes())))
      found.push_back({"weights-short", NpuSeverity::error, 0, b.name, fmt::format("0x{:08x} .. 0x{:08x} is not in the weights", b.address(), b.address() + static_cast<std::uint64_t>(b.bytes())),
                       "the layer reads what lies behind", "flash the weights file of this compilation, whole", 255});
  }
}

// A cache line of the CPU is 32 bytes. What the accelerator wrote must be invalidated between its
// making (or the start of that epoch, when the CPU does not touch it meanwhile) and the CPU's reading;
// what the CPU wrote must be cleaned before the accelerator reads it.
void audit_cache(const NpuSimulator& sim, std::vector<NpuFinding>& found) {
  struct Range {
    std::uint64_t low, high;
    int epoch;
    bool invalidate;
  };
  std::vector<Range> ranges;
  for (const NpuEpoch& e : sim.program().epochs)
    for (const NpuCall& c : e.calls) {
      if (!is_cache_call(c) || c.arguments.size() < 2) continue;
      const auto address = npu_address(c.arguments[0]);
      const auto size = static_cast<std::uint64_t>(std::max(0LL, std::strtoll(c.arguments[1].c_str(), nullptr, 10)));
      if (address) ranges.push_back({*address / 32 * 32, (*address + size + 31) / 32 * 32, e.number, c.function.find("nvalidate") != std::string::npos});
    }
  const auto uncovered = [&](const NpuBuffer& b, int from, int to, bool invalidate) {
    std::int64_t lines = 0;
    for (std::uint64_t a = b.address() / 32 * 32; a < b.base + static_cast<std::uint64_t>(b.end); a += 32)
      lines += !std::ranges::any_of(ranges, [&](const Range& r) { return r.invalidate == invalidate && r.epoch >= from && r.epoch <= to && a >= r.low && a < r.high; });
    return lines;
  };
  const auto cpu = [](const NpuEpoch& e) { return software_function(e).starts_with("ll_sw_"); };
  for (const NpuEpoch& e : sim.program().epochs) {
    if (!cpu(e)) continue;
    const auto io = software_io(sim.program(), e);
    if (!io.ok()) continue;
    const NpuEpoch* maker = sim.program().find_epoch(io->in->epoch);
    if (maker && !cpu(*maker))
      if (const auto lines = uncovered(*io->in, maker->number, e.number, true); lines > 0)
        found.push_back({"stale-cache", NpuSeverity::error, e.number, io->in->name, fmt::format("{} cache lines are not invalidated between epoch {} and the CPU's reading", lines, maker->number),
                         "the CPU may compute from an earlier inference", "invalidate the range before the software epoch", 255});
    int reader = 0;
    for (const NpuEpochForm& later : sim.epochs())
      for (const NpuUnit& u : later.epoch->units)
        if (const auto* s = later.find<NpuStream>(u.id); s && !s->writes() && later.epoch->number > e.number && reader == 0 && holds(*io->out, s->address()) &&
            buffer_of(sim.program(), u, *s, later.epoch->number) == io->out)
          reader = later.epoch->number;
    if (reader == 0) continue;
    if (const auto lines = uncovered(*io->out, e.number, reader, false); lines > 0)
      found.push_back({"dirty-cache", NpuSeverity::error, e.number, io->out->name, fmt::format("{} cache lines are not cleaned before epoch {} reads them", lines, reader),
                       "the accelerator may read what the CPU has not yet written back", "clean the range at the end of the software epoch", 255});
  }
}

}  // namespace lockstep
