// Copies must yield the tensor that they copy; calls of the library must name places of the tensors
// that they name; a table of constants must be read from its first byte on
#include <algorithm>
#include <map>
#include <set>

#include <fmt/core.h>

#include "base/random.h"
#include "npu/audit.h"
#include "npu/layout.h"
#include "npu/map.h"
#include "npu/software.h"
#include "npu/touch.h"

namespace lockstep {
namespace {

constexpr const char* recompile = "recompile, and report the compiler's release";

bool only_streams(const NpuEpochForm& form) {
  return !form.units.empty() && std::ranges::all_of(form.units, [](const auto& u) {
    return u.first.kind == NpuKind::stream;
  });
}

// The one buffer on each side of an epoch that only moves bytes; null when there are several.
struct Copy {
  const NpuBuffer *from = nullptr, *to = nullptr;
};
Copy copy_of(const NpuSimulator& sim, const NpuEpochForm& form) {
  const int epoch = form.epoch->number;
  std::set<const NpuBuffer*> in, out;
  for (const NpuUnit& u : form.epoch->units)
    if (const auto* s = form.find<NpuStream>(u.id)) {
      // Two tables may give one place two names: the one that the epoch itself makes counts.
      const NpuBuffer* b = buffer_of(sim.program(), u, *s, s->writes() ? epoch + 1 : epoch);
      if (b) (s->writes() ? out : in).insert(b);
    }
  return in.size() == 1 && out.size() == 1 ? Copy{*in.begin(), *out.begin()} : Copy{};
}

// Elements of a copy that are not where the layouts of both buffers put them; -1: not to be told.
std::int64_t misplaced(const NpuSimulator& sim, const NpuEpochForm& form, const Copy& c) {
  if (!c.from || !is_whole(*c.from) || !is_whole(*c.to) ||
      plain_shape(*c.from) != plain_shape(*c.to) || c.from->nbits != c.to->nbits)
    return -1;
  NpuMemory memory = sim.memory();
  Random random(1);
  Tensor x(dtype_of(*c.from), plain_shape(*c.from));
  for (std::byte& b : x.bytes()) b = static_cast<std::byte>(random.between(0, 255));
  if (!write_buffer(*c.from, x, memory, "audit").ok()) return -1;
  NpuKernelCache kernels;
  NpuCounts counts;
  if (!run_npu_epoch(form, memory, {}, kernels, counts, "audit").ok()) return -1;
  const auto y = read_buffer(*c.to, memory, "audit");
  if (!y.ok()) return x.count();
  const auto by = static_cast<std::int64_t>(size_of(x.dtype()));
  std::int64_t wrong = 0;
  for (std::int64_t i = 0; i < x.count(); ++i)
    wrong += !std::equal(x.bytes().begin() + i * by, x.bytes().begin() + (i + 1) * by,
                         y->bytes().begin() + i * by);
  return wrong;
}

void check_copy(const NpuSimulator& sim, const NpuEpochForm& form, std::vector<NpuFinding>& found) {
  if (!only_streams(form)) return;
  const Copy c = copy_of(sim, form);
  const std::int64_t wrong = misplaced(sim, form, c);
  if (wrong > 0)
    found.push_back(
        {"copy-wrong", NpuSeverity::error, form.epoch->number, c.to->name,
         fmt::format("{} of {} elements are not those of {}", wrong, c.to->count(), c.from->name),
         "what reads the copy computes from other elements", recompile, 255});
}

std::string unquoted(std::string name) {
  std::erase(name, '"');
  return name;
}

// A row of a call's table against the tensors of that name: of an earlier epoch for what is read,
// of this one for what is made. `whole`: the call takes a tensor from its first byte on.
struct Row {
  const NpuFields& fields;
  bool made, whole;
};
void check_row(const NpuProgram& p, int epoch, const Row& row, std::vector<NpuFinding>& found) {
  const auto name = row.fields.find("name");
  if (name == row.fields.end()) return;
  const auto number = [&](const char* key) {
    const auto it = row.fields.find(key);
    return it == row.fields.end() ? 0 : it->second.integer;
  };
  const auto address = static_cast<std::uint64_t>(number("addr_base") + number("offset_start"));
  const std::string wanted = unquoted(name->second.name), stem = without_copies(wanted);
  bool known = false;
  for (const NpuBuffer& b : p.buffers) {
    const bool then = row.made ? b.epoch == epoch : b.epoch < epoch;
    if (b.is_param || !then || without_copies(b.name) != stem) continue;
    if (row.whole ? b.address() == address : holds(b, address)) return;
    known = true;
  }
  if (known)
    found.push_back(
        {"no-such-buffer", NpuSeverity::error, epoch, wanted,
         fmt::format("the call takes it to lie at 0x{:08x}, where no tensor of that name does",
                     address),
         row.made ? "what reads it finds other data" : "other data enters", recompile, 255});
}

void check_calls(const NpuProgram& p, const NpuEpoch& e, std::vector<NpuFinding>& found) {
  const auto call = std::ranges::find_if(
      e.calls, [](const NpuCall& c) { return c.function.starts_with("LL_ATON_LIB_"); });
  if (call == e.calls.end()) return;
  const std::string& f = call->function;
  const bool whole = f.ends_with("Transpose") || f.ends_with("ToDepth") || f.ends_with("ToSpace");
  for (const auto& [name, table] : e.tables) {
    const bool made = name.find("_out_") != std::string::npos;
    if (!made && name.find("_in_") == std::string::npos) continue;
    for (const NpuFields& row : table.rows) check_row(p, e.number, {row, made, whole}, found);
  }
}

// Where each table of constants is first read, and by whom.
struct First {
  std::uint64_t address = ~std::uint64_t{0};
  int epoch = 0;
  std::string unit;
};

void check_constants(const NpuSimulator& sim, std::vector<NpuFinding>& found) {
  const NpuWriters nobody{NpuProgram{}};
  std::map<const NpuBuffer*, First> first;
  for (const NpuEpochForm& form : sim.epochs())
    for (const NpuUnit& u : form.epoch->units) {
      const auto* s = form.find<NpuStream>(u.id);
      const NpuBuffer* b =
          s && !s->writes() ? buffer_of(sim.program(), u, *s, form.epoch->number) : nullptr;
      if (!b || !b->is_param) continue;
      const std::uint64_t low = touched_by(*s, nobody).low;
      if (low < first[b].address) first[b] = {low, form.epoch->number, u.name};
    }
  for (const auto& [b, at] : first)
    if (at.address > b->address())
      found.push_back({"constants-late", NpuSeverity::error, at.epoch, at.unit,
                       fmt::format("{} begins {} bytes before what is read of it", b->name,
                                   at.address - b->address()),
                       "the layer computes with other constants", recompile, 255});
}

}  // namespace

void audit_moves(const NpuSimulator& sim, std::vector<NpuFinding>& found) {
  for (const NpuEpochForm& form : sim.epochs()) check_copy(sim, form, found);
  for (const NpuEpoch& e : sim.program().epochs) check_calls(sim.program(), e, found);
  check_constants(sim, found);
}

}  // namespace lockstep
