#include <algorithm>
#include <map>
#include <set>

#include <fmt/core.h>

#include "npu/audit.h"
#include "npu/touch.h"

namespace lockstep {
namespace {

std::string named(const NpuUnit& u) {
  return fmt::format("{} '{}'{}", text_of(u.id), u.name,
                     u.buffer.empty() ? "" : " (" + u.buffer + ")");
}

// Addresses are checked against buffers of the same tensor: the table names each once.
bool same_tensor(const NpuBuffer& b, const std::string& name, const std::string& stem) {
  return b.name == name || without_copies(b.name) == stem;
}

struct Audit {
  const NpuSimulator& sim;
  std::vector<NpuFinding>& found;
  NpuWriters writers;
  std::set<std::string> said;

  void say(std::string rule, NpuSeverity severity, int epoch, std::string where, std::string what,
           std::string consequence, std::string advice) {
    if (!said.insert(rule + std::to_string(epoch) + where).second) return;
    found.push_back({std::move(rule), severity, epoch, std::move(where), std::move(what),
                     std::move(consequence), std::move(advice),
                     severity == NpuSeverity::error ? 255.0 : 0.0});
  }

  void read(const NpuEpochForm& form, const NpuUnit& u, const NpuStream& s) {
    const int epoch = form.epoch->number;
    if (u.buffer == "ATONN_ACCUMULATOR_PORT") return;  // written by the same epoch, frame by frame
    const NpuBuffer* b = buffer_of(sim.program(), u, s, epoch);
    const NpuRegion* region = sim.memory().find(s.address(), 1);
    if (!b && region && region->read_only && !sim.program().find_buffer(u.buffer))
      return;  // weights that no table names
    const NpuTouched touched = touched_by(s, writers);
    const std::uint64_t surplus = s.packed() ? 2 : 0;  // of the last word, dropped by its taker
    if ((u.inferred || u.buffer.empty()) && !(b && b->is_param))
      return read_unnamed(u, touched, surplus, epoch);
    if (!b) return missing(u, s, epoch);
    std::map<int, std::int64_t> by_writer;
    std::int64_t outside = 0;
    for (const NpuRun& r : touched.runs)
      for (std::uint64_t a = r.low; a < r.high; ++a) {
        const bool inside = belongs(*b, a);
        outside += !inside && !(surplus > 0 && a >= b->address() &&
                                a < b->base + static_cast<std::uint64_t>(b->end) + surplus);
        if (r.known && inside) ++by_writer[r.writer];
      }
    const bool several = !says_what(u) || joins(*form.epoch, u);
    if (outside > 0 && !(several && all_whole(touched, epoch)))
      say("outside-its-buffer", NpuSeverity::error, epoch, named(u),
          fmt::format("reads {} bytes outside {}", outside, b->name), "other data enters",
          "an offset, a size or a repetition of the stream is wrong: recompile");
    if (b->is_param) return;
    if (by_writer.contains(NpuWriters::nobody))
      return never(u, by_writer[NpuWriters::nobody], b->name, epoch);
    for (const auto& [writer, bytes] : by_writer)
      if (writer > b->epoch) overwritten(writer, *b, bytes, epoch);
  }

  bool all_whole(const NpuTouched& touched, int epoch) const {
    const NpuUnexplained left = unexplained_bytes(sim.program(), touched, epoch);
    return left.nobody + left.stray + left.broken == 0;
  }
  // Whether the file names a tensor of the tables; a stream over several says another name.
  bool says_what(const NpuUnit& u) const {
    return !u.inferred && !u.buffer.empty() &&
           std::ranges::any_of(sim.program().buffers,
                               [stem = without_copies(u.buffer), &u](const NpuBuffer& b) {
                                 return same_tensor(b, u.buffer, stem);
                               });
  }

  // Of a node that joins or parts tensors: its streams run over several that lie side by side.
  static bool joins(const NpuEpoch& e, const NpuUnit& u) {
    return std::ranges::any_of(e.nodes, [&](const auto& n) {
      return u.name.starts_with(n.first + "_dma_") &&
             (n.second == "Concat" || n.second == "Split" || n.second == "Slice");
    });
  }

  // The file does not say which tensor is meant: each byte must be part of one that its last writer
  // makes and that is found whole, as far as it is read.
  void read_unnamed(const NpuUnit& u, const NpuTouched& touched, std::uint64_t surplus, int epoch) {
    const NpuUnexplained left = unexplained_bytes(sim.program(), touched, epoch);
    if (left.nobody + left.stray + left.broken <= static_cast<std::int64_t>(surplus)) return;
    if (left.nobody > 0)
      never(u, left.nobody, "memory", epoch);
    else if (left.stray > 0 || left.by == 0)
      say("outside-its-buffer", NpuSeverity::error, epoch, named(u),
          fmt::format("reads {} bytes that belong to no tensor", left.stray + left.broken),
          "other data enters",
          "an offset, a size or a repetition of the stream is wrong: recompile");
    else if (left.broken > 0)
      overwritten(left.by, *left.damaged, left.broken, epoch);
  }

  // Of the tensor, or of another output of its node that lies beside it: "Split_36_out_1".
  bool belongs(const NpuBuffer& b, std::uint64_t address) const {
    if (holds(b, address)) return true;
    const std::size_t stem = b.name.find("_out_");
    return stem != std::string::npos &&
           std::ranges::any_of(sim.program().buffers, [&](const NpuBuffer& other) {
             return other.epoch == b.epoch && !other.is_param && holds(other, address) &&
                    other.name.compare(0, stem + 5, b.name, 0, stem + 5) == 0;
           });
  }

  void never(const NpuUnit& u, std::int64_t bytes, const std::string& of, int epoch) {
    say("never-written", NpuSeverity::error, epoch, named(u),
        fmt::format("reads {} bytes of {} that nothing wrote", bytes, of),
        "whatever an earlier inference left there enters",
        "an offset of this stream or of its producer is wrong: recompile");
  }
  void overwritten(int writer, const NpuBuffer& b, std::int64_t bytes, int reader) {
    say("overwritten", NpuSeverity::error, writer, b.name,
        fmt::format("{} bytes written over before epoch {} reads them", bytes, reader),
        fmt::format("epoch {} computes from another tensor", reader),
        "two buffers share memory while both live: recompile, or keep this one in a pool of its "
        "own");
  }

  void missing(const NpuUnit& u, const NpuStream& s, int epoch) {
    say("no-such-buffer", NpuSeverity::error, epoch, named(u),
        fmt::format("0x{:08x} lies in no buffer of that name", s.address()), "other data enters",
        "an address of this stream is wrong: recompile");
  }

  void write(const NpuEpochForm& form, const NpuUnit& u, const NpuStream& s) {
    const int epoch = form.epoch->number;
    const NpuBuffer* b = buffer_of(sim.program(), u, s, epoch + 1);
    const NpuTouched touched = touched_by(s, writers);
    const bool several = u.inferred || u.buffer.empty() || joins(*form.epoch, u);
    std::int64_t outside = 0;
    for (const NpuRun& r : touched.runs) {
      for (std::uint64_t a = r.low; b && a < r.high; ++a)
        outside += !belongs(*b, a) && !(several && made_here(a, epoch));
      writers.mark(r.low, static_cast<std::int64_t>(r.high - r.low), epoch);
    }
    if (!b) return missing(u, s, epoch);
    if (outside > 0)
      say("outside-its-buffer", NpuSeverity::error, epoch, named(u),
          fmt::format("writes {} bytes outside {}", outside, b->name), "other tensors are damaged",
          "an offset, a size or a repetition of the stream is wrong: recompile");
  }
  bool made_here(std::uint64_t address, int epoch) const {
    return std::ranges::any_of(sim.program().buffers, [&](const NpuBuffer& b) {
      return b.epoch == epoch && !b.is_param && holds(b, address);
    });
  }

  void align(const NpuEpochForm& form, const NpuUnit& u, const NpuStream& s) {
    if (s.frame_start(0) == 0 && s.address() % 8 != 0 && (s.writes() || s.raw != 0))
      say("alignment", NpuSeverity::note, form.epoch->number, named(u),
          fmt::format("starts at 0x{:08x}", s.address()), "slower transfers",
          "8-byte aligned buffers");
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
    writers.mark_made(sim.program(), form.epoch->number);
  }

  // Outputs must still be there when the network has finished.
  void outputs() {
    for (const NpuBuffer* b : sim.outputs())
      for (std::int64_t i = 0; i < b->bytes(); ++i)
        if (const int* w = writers.at(b->address() + static_cast<std::uint64_t>(i));
            w && *w != b->epoch)
          return say("overwritten", NpuSeverity::error, *w, b->name, "an output is written over",
                     "the application reads another tensor", "recompile");
  }
};

}  // namespace

const NpuBuffer* buffer_of(const NpuProgram& program, const NpuUnit& unit, const NpuStream& stream,
                           int epoch) {
  const NpuBuffer* latest = nullptr;
  const NpuBuffer* exact = nullptr;  // begins and ends where a dense stream does
  const NpuBuffer* of_name = nullptr;
  bool name_known = false;
  const std::string stem = without_copies(unit.buffer);
  for (const NpuBuffer& b : program.buffers) {
    const bool same = !unit.buffer.empty() && same_tensor(b, unit.buffer, stem);
    name_known = name_known || same;
    if (!holds(b, stream.address()) || (!b.is_param && b.epoch >= epoch) ||
        b.name.starts_with("SCRATCH_"))
      continue;
    if (same && (!of_name || b.epoch >= of_name->epoch)) of_name = &b;
    if (!latest || b.epoch >= latest->epoch) latest = &b;
    const bool dense = stream.raw != 0 && stream.frames() == 1 && b.address() == stream.address() &&
                       b.bytes() == stream.offset_end - stream.offset_start;
    if (dense && (!exact || b.epoch >= exact->epoch)) exact = &b;
  }
  if (name_known) return of_name;
  return exact ? exact : latest;
}

void audit_memory(const NpuSimulator& sim, std::vector<NpuFinding>& found) {
  Audit audit{sim, found, NpuWriters(sim.program()), {}};
  for (const NpuBuffer* b : sim.inputs()) audit.writers.mark(b->address(), b->bytes(), 0);
  for (const NpuEpochForm& form : sim.epochs()) audit.epoch(form);
  audit.outputs();
  for (const NpuBuffer& b : sim.program().buffers) {
    const bool external = b.base >= 0x60000000 && b.base < 0xD0000000 &&
                          !b.is_param;  // above: given by the application
    if (external)
      found.push_back({"spill", NpuSeverity::warning, b.epoch, b.name,
                       fmt::format("{} bytes at 0x{:08x}", b.bytes(), b.address()),
                       "activations cross external memory",
                       "a larger internal pool, or smaller activations", 0});
    if (b.is_param && !sim.memory().find(b.address(), static_cast<std::uint64_t>(b.bytes())))
      found.push_back({"weights-short", NpuSeverity::error, 0, b.name,
                       fmt::format("0x{:08x} .. 0x{:08x} is not in the weights", b.address(),
                                   b.address() + static_cast<std::uint64_t>(b.bytes())),
                       "the layer reads what lies behind",
                       "flash the weights file of this compilation, whole", 255});
  }
}

}  // namespace lockstep
