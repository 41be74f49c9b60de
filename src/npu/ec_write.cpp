// Hardware epochs -> blobs: one for each run of hardware epochs between software ones.
#include <fmt/core.h>

#include "npu/ec_blob.h"
#include "npu/registers.h"

namespace lockstep {
namespace {

class Assembler {
 public:
  void label(int epoch) { words.push_back(static_cast<std::uint32_t>(epoch) << 5 | 29); }
  void end() { words.push_back(12); }
  void write(const NpuWrite& w) {
    words.push_back(place(w.unit, w.word) | 0x7C00);
    words.push_back(w.value);
  }
  void bit(int unit, int word, int position, int value) {
    words.push_back(place(unit, word) | 1u | static_cast<std::uint32_t>(position) << 5 |
                    static_cast<std::uint32_t>(value) << 13);
  }
  void poll(int unit) {  // until bit 31 of CTRL is 0
    words.push_back(place(unit, 0) | 4u | 31u << 5 | 31u << 10);
    words.push_back(0x64);
    words.push_back(0);
  }
  std::vector<std::uint32_t> words;

 private:
  static std::uint32_t place(int unit, int word) {
    return static_cast<std::uint32_t>(unit) << 26 | static_cast<std::uint32_t>(word) << 16;
  }
};

Result<void> assemble(const NpuProgram& p, const NpuEpoch& e, Assembler& a) {
  const std::string where = fmt::format("{}: epoch {}", p.file, e.number);
  a.label(e.number);
  std::vector<int> units, writers;
  for (const NpuUnit& u : e.units) {
    LOCKSTEP_TRY(const std::vector<NpuWrite> writes, npu_writes_of(p, u, where));
    for (const NpuWrite& w : writes) a.write(w);
    units.push_back(*npu_register_unit(u.id));
    const auto dir = u.fields.find("dir");
    if (u.id.kind == NpuKind::stream && dir != u.fields.end() && dir->second.integer == 1)
      writers.push_back(units.back());
  }
  if (writers.empty())
    return Error{where, "no stream engine writes", "at least one to wait for", {}};
  a.write({npu_reg::strswitch, 0, 1u << 30});
  a.write({npu_reg::strswitch, 0, 1});
  for (const NpuLink& l : e.links) {
    const auto word = npu_port_word(l.to);
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < l.from.size(); ++i) {
      const auto source = npu_source_number(l.from[i].source);
      if (!word || !source)
        return Error{
            where, "a link of a port that the switch does not have", "ports of the STM32N6", {}};
      value |= (static_cast<std::uint32_t>(l.from[i].context) |
                static_cast<std::uint32_t>(*source) << 1 |
                static_cast<std::uint32_t>(l.from[i].frames) << 8)
               << (16 * i);
    }
    a.write({npu_reg::strswitch, *word, value});
  }
  for (const int u : units) a.bit(u, 0, 0, 1);
  for (const int u : writers) a.poll(u);
  for (const NpuLink& l : e.links) a.write({npu_reg::strswitch, *npu_port_word(l.to), 0});
  for (const int u : units) a.bit(u, 0, 0, 0);
  return {};
}

}  // namespace

Result<EcText> format_ec_blobs(const NpuProgram& program) {
  EcText text;
  Assembler a;
  int first = 0;
  const auto flush = [&] {
    if (a.words.empty()) return;
    a.end();
    const std::string name = fmt::format("_ec_blob_{}", text.blobs.size() + 1);
    text.blobs.emplace_back(first, name);
    std::vector<std::uint32_t> all = {0xCA057A7A, static_cast<std::uint32_t>(a.words.size())};
    all.insert(all.end(), a.words.begin(), a.words.end());
    if (all.size() % 2 != 0) all.push_back(0);
    text.header += fmt::format("ECBLOB_CONST_SECTION\nstatic const uint64_t {}[{}] =\n{{", name,
                               all.size() / 2);
    for (std::size_t i = 0; i < all.size(); i += 2)
      text.header +=
          fmt::format("{}0x{:08x}{:08x}UL,", i % 8 == 0 ? "\n  " : " ", all[i + 1], all[i]);
    text.header += "\n};\n\n";
    a.words.clear();
  };
  for (const NpuEpoch& e : program.epochs) {
    if (!e.hardware()) {
      flush();
      continue;
    }
    if (a.words.empty()) first = e.number;
    LOCKSTEP_CHECK(assemble(program, e, a));
  }
  flush();
  return text;
}

}  // namespace lockstep
