// Instruction: opcode in bits 4:0, unit in 31:26, register word in 25:16. docs/neural-art.md,
// "Blobs".
#include "npu/ec_blob.h"

#include <fmt/core.h>

#include "npu/registers.h"

namespace lockstep {
namespace {

// Runs the words of a blob over a register file and looks at it whenever it waits for a stream.
class Controller {
 public:
  Controller(const EcBlob& blob, const std::string& file)
      : w_(blob.words), where_(file + ": " + blob.name) {
    for (int u = 0; u < npu_reg::units; ++u)
      if (const auto id = npu_unit_at(u)) units_[static_cast<std::size_t>(u)].set_kind(id->kind);
  }

  Result<EcEpochs> run() {
    while (at_ < w_.size() && !ended_) LOCKSTEP_CHECK(step());
    if (!ended_) return wrong("no end instruction", "a whole blob");
    for (; at_ < w_.size(); ++at_)
      if (w_[at_] != 0)
        return wrong(fmt::format("{} words behind the end", w_.size() - at_),
                     "nothing but padding");
    if (armed_)
      return wrong(fmt::format("epoch {} is started and not waited for", label_),
                   "a poll of a stream engine");
    return std::move(out_);
  }

 private:
  Error wrong(std::string what, std::string want) const {
    return {fmt::format("{}: word {}", where_, at_), std::move(what), std::move(want),
            "an encrypted or damaged blob looks like this"};
  }

  Result<std::uint32_t> operand() {
    if (at_ >= w_.size()) return wrong("an instruction without its operands", "a whole blob");
    return w_[at_++];
  }

  Result<void> step() {
    const std::uint32_t i = w_[at_++];
    const int unit = static_cast<int>(i >> 26), word = static_cast<int>((i >> 16) & 0x3ff);
    const std::uint32_t low = (i >> 5) & 31, high = (i >> 10) & 31, count = (i >> 5) & 0x7ff;
    switch (i & 31) {
      case 0: {
        LOCKSTEP_TRY(const std::uint32_t value, operand());
        if (high < low)
          return wrong(fmt::format("a field from bit {} to {}", low, high), "rising bits");
        return field(unit, word, {static_cast<int>(low), static_cast<int>(high - low + 1)}, value);
      }
      case 1:
        return field(unit, word, {static_cast<int>(low), 1}, (i >> 13) & 1);
      case 2:
      case 3:
        for (std::uint32_t k = 0; k < count; ++k) {
          LOCKSTEP_TRY(const std::uint32_t value, operand());
          LOCKSTEP_CHECK(write(unit, word + ((i & 31) == 3 ? static_cast<int>(k) : 0), value));
        }
        return {};
      case 4: {
        LOCKSTEP_CHECK(operand());  // how long to wait
        LOCKSTEP_CHECK(operand());  // for which value
        return unit >= npu_reg::streng && unit < npu_reg::convacc ? waited() : Result<void>();
      }
      case 29:
        return label_ = static_cast<int>(i >> 5), Result<void>();
      case 12:
        return ended_ = true, Result<void>();
      default:
        --at_;
        return wrong(fmt::format("instruction 0x{:08x}, opcode {}", i, i & 31),
                     "opcode 0 .. 4, 12 or 29");
    }
  }

  Result<void> field(int unit, int word, NpuBits bits, std::uint32_t value) {
    if (bits.width == 32) return write(unit, word, value);
    if ((value & ~bits.mask()) != 0)
      return wrong(fmt::format("value 0x{:x} for {} bits", value, bits.width),
                   "a value that fits its field");
    if (unit >= npu_reg::units) return write(unit, word, value);
    const std::uint32_t old = units_[static_cast<std::size_t>(unit)].get(word);
    return write(unit, word, (old & ~bits.put(-1)) | bits.put(value));
  }

  Result<void> write(int unit, int word, std::uint32_t value) {
    if (unit >= npu_reg::units || word > 0x3ff)
      return wrong(fmt::format("register {} of unit {}", word, unit),
                   "units 0 .. 30, 1024 words each");
    NpuRegisters& r = units_[static_cast<std::size_t>(unit)];
    const auto id = npu_unit_at(unit);
    if (id && id->kind == NpuKind::arith && word >= 0x100) return coefficient(id->id, word, value);
    if (word == 0 && (id || unit == npu_reg::strswitch)) {
      const bool was = (r.get(0) & 1) != 0, now = (value & 1) != 0;
      const bool clears = (value & (1u << 30)) != 0 || (was && !now);
      if (clears) r.clear();
      if (id && !was && now) armed_ = true;
      r.set(0, value & ~(1u << 30) & ~2u);
      return {};
    }
    r.set(word, value);
    return {};
  }

  // 3 KB of the coefficient memory are seen at word 0x100 while addresses are translated, the last
  // KB otherwise.
  Result<void> coefficient(int id, int word, std::uint32_t value) {
    const bool translated =
        (units_[static_cast<std::size_t>(npu_reg::arith + id)].get(11) & 1) != 0;
    const int at = translated ? word - 0x100 : word;
    if (!translated && word < 0x300)
      return wrong(fmt::format("coefficient word 0x{:x} without translation", word),
                   "0x300 .. 0x3ff");
    memory_[static_cast<std::size_t>(id)][static_cast<std::size_t>(at)] = value;
    return {};
  }

  // The first wait behind a start is one epoch.
  Result<void> waited() {
    if (!armed_) return {};
    armed_ = false;
    if (!out_.epochs.empty() && out_.epochs.back().number >= label_)
      return wrong(fmt::format("epoch {} behind epoch {}", label_, out_.epochs.back().number),
                   "one start for each epoch, rising numbers");
    NpuEpoch epoch;
    epoch.number = label_;
    for (int u = 0; u < npu_reg::units; ++u) {
      const auto id = npu_unit_at(u);
      NpuRegisters& r = units_[static_cast<std::size_t>(u)];
      if (!id || (r.get(0) & 1) == 0) continue;
      LOCKSTEP_CHECK(add_unit(epoch, *id, r));
    }
    LOCKSTEP_CHECK(add_links(epoch));
    out_.epochs.push_back(std::move(epoch));
    return {};
  }

  Result<void> add_unit(NpuEpoch& epoch, NpuUnitId id, const NpuRegisters& r) {
    // Constants live at addresses that no memory of the device has.
    const std::uint64_t base =
        0xC0000000u + (static_cast<std::uint64_t>(label_) << 16) +
        (static_cast<std::uint64_t>(id.kind == NpuKind::activ ? 4 + id.id : id.id) << 13);
    const std::size_t m = id.kind == NpuKind::arith ? static_cast<std::size_t>(id.id) : 0;
    LOCKSTEP_TRY(
        NpuUnitFromRegisters u,
        npu_fields_from(id, r, memory_[m], base, fmt::format("{}: epoch {}", where_, label_)));
    std::string name = fmt::format("{}_{}_epoch_{}", name_of(id.kind), id.id, label_);
    if (!u.constants.empty())
      out_.images.push_back({fmt::format("{}.bin", name), base, std::move(u.constants)});
    epoch.units.push_back({id, std::move(name), "", std::move(u.fields)});
    return {};
  }

  Result<void> add_links(NpuEpoch& epoch) {
    for (const auto& [word, context] : units_[npu_reg::strswitch].words()) {
      const auto to = npu_port_at(word);
      const std::uint32_t value = context;
      if (!to || (value & 0x00010001u) == 0) continue;
      if ((value >> 23 & 1) != 0)
        return wrong("a switch context that ticks otherwise", "TICKTYPE = 0");
      NpuLink link{*to, {}};
      const auto add = [&](int shift, int source_shift) -> Result<void> {
        const auto from = npu_source_at(static_cast<int>(value >> source_shift & 31));
        if (!from)
          return wrong(fmt::format("source {} of the switch", value >> source_shift & 31),
                       "0 .. 26");
        link.from.push_back({static_cast<int>(value >> shift & 1),
                             static_cast<int>(value >> (source_shift + 7) & 255), *from});
        return {};
      };
      LOCKSTEP_CHECK(add(0, 1));
      if ((value & 0xff010000u) != 0) LOCKSTEP_CHECK(add(16, 17));
      epoch.links.push_back(std::move(link));
    }
    return {};
  }

  const std::vector<std::uint32_t>& w_;
  std::string where_;
  std::size_t at_ = 0;
  int label_ = 0;
  bool armed_ = false, ended_ = false;
  std::array<NpuRegisters, npu_reg::units> units_;
  std::array<NpuCoefficientMemory, 4> memory_{};
  EcEpochs out_;
};

}  // namespace

Result<EcEpochs> decode_ec_blob(const EcBlob& blob, const std::string& file) {
  return Controller(blob, file).run();
}

}  // namespace lockstep
