// Registers of the STM32N6 as ST's public device header (stm32n657xx.h, CMSIS) and reference manual
// RM0486 name them. Secure aliases; the non-secure alias of a peripheral lies 0x1000_0000 lower and
// is tried when the secure one cannot be read.
#include "link/preflight.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "link/device.h"
#include "link/preflight_words.h"

namespace lockstep {
namespace {

using Kind = PreflightAnswer::Kind;

constexpr std::uint32_t memory_enable = 0x5602824C;  // RCC MEMENR
constexpr std::uint32_t ahb2_enable = 0x56028254;    // RCC AHB2ENR: bit 12 clocks RAMCFG
constexpr std::uint32_t ahb5_enable = 0x56028260;    // RCC AHB5ENR: 12 XSPI2, 30 CACHEAXI, 31 NPU
constexpr std::uint32_t ahb5_reset = 0x56028220;     // RCC AHB5RSTR: 31 NPU
constexpr std::uint32_t cache_control = 0x580DFC00;  // CACHEAXI CR1: 0 enabled; SR at +4: 2 error
constexpr std::uint32_t core_control = 0xE000ED14;   // SCB CCR: 16 data cache, 17 instruction cache
constexpr std::uint32_t npu_attributes = 0x54024C14;  // RIFSC RIMC_ATTR[1]: the NPU as bus master
constexpr std::uint32_t asleep = 1u << 20;            // RAMCFG CR, SRAMSD

struct Bank {
  const char* name;
  std::uint32_t from, size, control;  // control: RAMCFG CR; 0: none
  int clock;                          // bit of MEMENR
};
constexpr Bank banks[] = {{"FLEXRAM", 0x34000000, 400 * 1024, 0x52023500, 9},
                          {"AXISRAM1", 0x34064000, 624 * 1024, 0x52023000, 7},
                          {"AXISRAM2", 0x34100000, 1024 * 1024, 0x52023080, 8},
                          {"AXISRAM3 (npuRAM3)", 0x34200000, 448 * 1024, 0x52023100, 0},
                          {"AXISRAM4 (npuRAM4)", 0x34270000, 448 * 1024, 0x52023180, 1},
                          {"AXISRAM5 (npuRAM5)", 0x342E0000, 448 * 1024, 0x52023200, 2},
                          {"AXISRAM6 (npuRAM6)", 0x34350000, 448 * 1024, 0x52023280, 3},
                          {"NPU cache RAM", 0x343C0000, 256 * 1024, 0, 10}};

struct Window {
  const char* name;
  std::uint32_t from, to;
};
constexpr Window external[] = {{"XSPI2 (flash)", 0x70000000, 0x80000000},
                               {"XSPI3", 0x80000000, 0x90000000},
                               {"XSPI1 (PSRAM)", 0x90000000, 0xA0000000}};

constexpr const char* header = "stm32n657xx.h; RM0486";

bool touches(const UsedMemory& m, std::uint32_t from, std::uint64_t to) {
  return m.address < to && std::uint64_t{m.address} + m.size > from;
}

// The non-secure alias of an internal address is the secure one less 0x1000_0000.
bool touches_bank(const UsedMemory& m, const Bank& bank) {
  return touches(m, bank.from, std::uint64_t{bank.from} + bank.size) ||
         touches(m, bank.from - 0x10000000, std::uint64_t{bank.from} - 0x10000000 + bank.size);
}

}  // namespace

std::optional<std::uint32_t> register_word(const ReadMemory& read, std::uint32_t address,
                                           std::string& why) {
  for (const std::uint32_t alias : {address, address - 0x10000000}) {
    const auto bytes = read(alias, 4);
    if (bytes.ok() && bytes->size() == 4) {
      std::uint32_t value = 0;
      for (std::size_t i = 0; i < 4; ++i)
        value |= static_cast<std::uint32_t>((*bytes)[i]) << (8 * i);
      return value;
    }
    if (!bytes.ok()) why = bytes.error().what;
    if (address < 0x50000000 || address >= 0x60000000) break;  // a core register has one address
  }
  return std::nullopt;
}

namespace {

class Questions {
 public:
  Questions(const ReadMemory& read, std::span<const UsedMemory> used) : read_(read), used_(used) {}

  std::vector<PreflightAnswer> ask() {
    ask_banks();
    ask_npu();
    ask_caches();
    ask_flash();
    ask_master();
    return std::move(answers_);
  }

 private:
  std::optional<std::uint32_t> word(std::uint32_t address) {
    return register_word(read_, address, why_);
  }

  void unknown(const std::string& subject, const std::string& source) {
    answers_.push_back({Kind::unknown, subject, "cannot be read: " + why_, "",
                        "let the debugger or the firmware read it", source});
  }

  void ask_banks() {
    const auto enabled = word(memory_enable);
    const auto config = word(ahb2_enable);
    for (const Bank& bank : banks) {
      const bool needed = used_.empty() || std::ranges::any_of(used_, [&](const UsedMemory& m) {
                            return touches_bank(m, bank);
                          });
      const std::string source =
          fmt::format("{}: RCC MEMENR bit {}{}", header, bank.clock,
                      bank.control ? fmt::format(", RAMCFG CR {:#010x} bit 20", bank.control) : "");
      if (!enabled) {
        unknown(bank.name, source);
        continue;
      }
      const bool clocked = *enabled >> bank.clock & 1;
      bool sleeps = false;
      std::string found = clocked ? "clocked" : "not clocked";
      if (bank.control && config && !(*config >> 12 & 1)) {
        found += ", power state unknown (RAMCFG has no clock)";
      } else if (bank.control) {
        const auto control = word(bank.control);
        sleeps = control && (*control & asleep);
        found += !control ? ", power state unknown" : sleeps ? ", asleep" : ", awake";
      }
      const bool wrong = !clocked || sleeps;
      answers_.push_back(
          {!wrong   ? Kind::fine
           : needed ? Kind::error
                    : Kind::note,
           bank.name, found + (needed && !used_.empty() ? ", used" : ""),
           wrong ? "reads give zeros or garbage, writes are lost; the NPU gets no answer or zeros"
                 : "",
           wrong ? "enable the bank's clock and clear SRAMSD before the network's initialization"
                 : "",
           source});
    }
  }

  void ask_npu() {
    const auto enable = word(ahb5_enable), reset = word(ahb5_reset);
    const std::string source = fmt::format("{}: RCC AHB5ENR bit 31, AHB5RSTR bit 31", header);
    if (!enable || !reset) return unknown("NPU", source);
    const bool clocked = *enable >> 31 & 1, held = *reset >> 31 & 1;
    answers_.push_back(
        {clocked && !held ? Kind::fine : Kind::error, "NPU",
         std::string(clocked ? "clocked" : "not clocked") +
             (held ? ", held in reset" : ", out of reset"),
         clocked && !held ? "" : "no epoch ever ends, or its registers read as zero",
         clocked && !held ? "" : "clock it and release its reset before LL_ATON_RT_RuntimeInit",
         source});
  }

  void ask_caches() {
    const auto enable = word(ahb5_enable);
    const std::string source =
        fmt::format("{}: RCC AHB5ENR bit 30, CACHEAXI CR1 0x580DFC00, SR +0x04", header);
    if (!enable) {
      unknown("NPU cache", source);
    } else if (!(*enable >> 30 & 1)) {
      answers_.push_back({Kind::note, "NPU cache", "not clocked, so not in use", "", "", source});
    } else {
      const auto control = word(cache_control), status = word(cache_control + 4);
      if (!control || !status)
        unknown("NPU cache", source);
      else if (*status >> 2 & 1)
        answers_.push_back({Kind::error, "NPU cache", "reports an error",
                            "external memory reads as garbage",
                            "invalidate it, and look for an access that was refused", source});
      else
        answers_.push_back(
            {*control & 1 ? Kind::note : Kind::fine, "NPU cache",
             *control & 1 ? "enabled" : "disabled",
             *control & 1 ? "a CPU that writes external memory behind it leaves stale lines" : "",
             *control & 1 ? "invalidate it after inputs or weights were written by the CPU" : "",
             source});
    }
    const std::string core = "Armv8-M architecture: SCB CCR 0xE000ED14 bits 16, 17";
    const auto ccr = word(core_control);
    if (!ccr) return unknown("CPU data cache", core);
    const bool on = *ccr >> 16 & 1;
    answers_.push_back({on ? Kind::note : Kind::fine, "CPU data cache", on ? "enabled" : "disabled",
                        on ? "inputs that were not cleaned and outputs that were not invalidated "
                             "are stale by lines of 32 bytes"
                           : "",
                        on ? "clean each input before the run, invalidate each output after it; "
                             "align both to 32 bytes"
                           : "",
                        core});
  }

  void ask_flash() {
    const bool needed = std::ranges::any_of(
        used_, [](const UsedMemory& m) { return touches(m, external[0].from, external[0].to); });
    if (!needed) return;
    const std::string source = fmt::format("{}: RCC AHB5ENR bit 12", header);
    const auto enable = word(ahb5_enable);
    if (!enable) return unknown("XSPI2 (flash)", source);
    const bool clocked = *enable >> 12 & 1;
    answers_.push_back(
        {clocked ? Kind::fine : Kind::error, "XSPI2 (flash)",
         clocked ? "clocked, used" : "not clocked, used", clocked ? "" : "weights cannot be read",
         clocked ? "" : "initialize the memory and map it before the network", source});
  }

  void ask_master() {
    const std::string source = fmt::format("{}: RIFSC RIMC_ATTR1 0x54024C14", header);
    const auto attributes = word(npu_attributes);
    if (!attributes) return unknown("NPU as bus master", source);
    const bool secure = *attributes >> 8 & 1, privileged = *attributes >> 9 & 1;
    const bool open = secure && privileged;
    const std::string found =
        fmt::format("compartment {}, {}, {}", *attributes >> 4 & 7,
                    secure ? "secure" : "not secure", privileged ? "privileged" : "not privileged");
    answers_.push_back(
        {open ? Kind::fine : Kind::warning, "NPU as bus master", found,
         open ? ""
              : "memory that is secure or privileged alone is refused to it: it reads zeros and "
                "its writes are lost",
         open ? "" : "give it the attributes of the regions that hold activations and weights",
         source});
  }

  const ReadMemory& read_;
  std::span<const UsedMemory> used_;
  std::vector<PreflightAnswer> answers_;
  std::string why_ = "no answer";
};

}  // namespace

std::vector<PreflightAnswer> ask_stm32n6(const ReadMemory& read, std::span<const UsedMemory> used) {
  std::vector<PreflightAnswer> answers = Questions(read, used).ask();
  for (PreflightAnswer& a : ask_guards_stm32n6(read, used)) answers.push_back(std::move(a));
  return answers;
}

std::vector<PreflightAnswer> ask_placement_stm32n6(std::span<const UsedMemory> used) {
  std::vector<PreflightAnswer> answers;
  for (const UsedMemory& m : used) {
    std::string where;
    for (const Bank& bank : banks)
      if (touches_bank(m, bank)) where += (where.empty() ? "" : " and ") + std::string(bank.name);
    for (const Window& w : external)
      if (touches(m, w.from, w.to)) where += (where.empty() ? "" : " and ") + std::string(w.name);
    const std::string subject = (m.input ? "input '" : "buffer '") + m.name + "'";
    const std::string found = fmt::format("{} bytes at {:#010x}", m.size, m.address);
    if (where.empty()) {
      answers.push_back({Kind::warning, subject, found + ", in no memory that the NPU reaches",
                         "the NPU reads zeros there", "place it in AXISRAM or external memory",
                         fmt::format("{}: memory map", header)});
      continue;
    }
    const bool odd = m.address % 16 != 0, half_line = m.input && m.address % 32 != 0;
    if (odd || half_line)
      answers.push_back({odd ? Kind::error : Kind::warning, subject,
                         found + fmt::format(", aligned to {}", m.address & (~m.address + 1)),
                         odd ? "streams of the NPU start at multiples of 16"
                             : "cleaning its first cache line writes a neighbour's bytes too",
                         odd ? "align it to 32 bytes" : "align it to 32 bytes",
                         "RM0486: NPU stream engines, cache lines of 32 bytes"});
    else
      answers.push_back({Kind::fine, subject, found + ", in " + where, "", "",
                         fmt::format("{}: memory map", header)});
  }
  return answers;
}

PreflightAnswer ask_contents(const ReadMemory& read, const std::string& what, std::uint32_t address,
                             std::span<const std::byte> bytes, const SumMemory& sum) {
  constexpr std::size_t piece = 65536;
  bool summed = false;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    const auto part = bytes.subspan(at, std::min(piece, bytes.size() - at));
    const auto where = address + static_cast<std::uint32_t>(at);
    if (sum) {
      const auto held = sum(where, static_cast<std::uint32_t>(part.size()));
      if (held.ok() && *held == bsd_checksum(part)) {
        summed = true;
        continue;
      }
    }
    const auto held = read(where, static_cast<std::uint32_t>(part.size()));
    if (!held.ok())
      return {Kind::unknown,
              what,
              fmt::format("{:#010x} cannot be read: {}", where, held.error().what),
              "",
              "",
              "the file"};
    const auto differ = std::ranges::mismatch(part, *held).in1;
    if (differ == part.end()) continue;
    const std::size_t first = at + static_cast<std::size_t>(differ - part.begin());
    return {Kind::error,
            what,
            fmt::format("differs from the file at byte {} ({:#010x})", first, address + first),
            "the network computes with other numbers than the model's",
            "flash the file that belongs to this build",
            "the file"};
  }
  return {Kind::fine,
          what,
          fmt::format("{} bytes at {:#010x} equal the file's{}", bytes.size(), address,
                      summed ? ", by 16-bit checksums of 64 KB" : ""),
          "",
          "",
          "the file"};
}

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::fine:
      return "fine";
    case Kind::note:
      return "note";
    case Kind::warning:
      return "warning";
    case Kind::error:
      return "error";
    case Kind::unknown:
      return "unknown";
  }
  return "";
}

}  // namespace lockstep
