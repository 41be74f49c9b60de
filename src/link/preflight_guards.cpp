// RISAF, the firewalls between bus masters and memories of the STM32N6: registers as ST's public
// device header (stm32n657xx.h) and HAL (stm32n6xx_hal_rif.h: RISAFx_LIMIT_ADDRESS_SPACE_SIZE,
// HAL_RIF_RISAF_GetConfigBaseRegion) have them. RISAF4 and 5 stand behind the NPU's two ports and
// compare whole addresses; the others stand before a memory and compare offsets in it.
#include <algorithm>

#include <fmt/format.h>

#include "link/preflight_words.h"

namespace lockstep {
namespace {

using Kind = PreflightAnswer::Kind;

constexpr const char* header = "stm32n657xx.h, stm32n6xx_hal_rif.h";
constexpr std::uint32_t npu_attributes = 0x54024C14;  // RIFSC RIMC_ATTR[1]
constexpr int most_regions = 15;
constexpr std::uint32_t trusted =
    1;  // the compartment whose secure, privileged accesses pass where no region is

struct Guard {
  int n;
  const char* of;
  std::uint32_t from;
  std::uint64_t size;
  bool whole_addresses;
};
constexpr Guard guards[] = {{2, "AXISRAM1", 0x34000000, 0x100000, false},
                            {3, "AXISRAM2", 0x34100000, 0x100000, false},
                            {4, "NPU port 0", 0, std::uint64_t{1} << 32, true},
                            {5, "NPU port 1", 0, std::uint64_t{1} << 32, true},
                            {8, "NPU cache RAM", 0x343C0000, 0x40000, false},
                            {11, "XSPI1", 0x90000000, 0x10000000, false},
                            {12, "XSPI2", 0x70000000, 0x10000000, false},
                            {13, "XSPI3", 0x80000000, 0x10000000, false}};

constexpr std::uint32_t base_of(int n) {
  return n < 10 ? 0x54026000 + static_cast<std::uint32_t>(n - 1) * 0x1000
                : 0x54030000 + static_cast<std::uint32_t>(n - 11) * 0x1000;
}

// Internal memory by its secure address; the other alias is 0x1000_0000 lower.
std::uint32_t secure_address(std::uint32_t address) {
  return address >> 28 == 2 ? address + 0x10000000 : address;
}

struct Master {
  std::uint32_t compartment = 0;
  bool secure = false, privileged = false;
  std::string text() const {
    return fmt::format("compartment {}, {}, {}", compartment, secure ? "secure" : "not secure",
                       privileged ? "privileged" : "not privileged");
  }
};

struct Region {
  int x = 0;
  std::uint32_t config = 0, start = 0, end = 0, compartments = 0;
  bool covers(std::uint64_t from, std::uint64_t to) const { return start <= from && to - 1 <= end; }
  bool touches(std::uint64_t from, std::uint64_t to) const { return start < to && from <= end; }
  // Why it does not let the master read (and write), or "".
  std::string refuses(const Master& m, bool write) const {
    if ((config >> 8 & 1) != m.secure)
      return m.secure ? "is for accesses that are not secure" : "is for secure accesses";
    if ((config >> (16 + m.compartment) & 1) && !m.privileged) return "is for privileged accesses";
    if (!(compartments >> m.compartment & 1))
      return fmt::format("lets compartment {} not read", m.compartment);
    if (write && !(compartments >> (16 + m.compartment) & 1))
      return fmt::format("lets compartment {} not write", m.compartment);
    return "";
  }
};

class Guards {
 public:
  Guards(const ReadMemory& read, std::span<const UsedMemory> used) : read_(read), used_(used) {}

  std::vector<PreflightAnswer> ask() {
    ask_blocked();
    if (const auto attributes = word(npu_attributes); attributes && !used_.empty()) {
      const Master npu{*attributes >> 4 & 7, (*attributes >> 8 & 1) != 0,
                       (*attributes >> 9 & 1) != 0};
      for (const Guard& g : guards) ask_regions(g, npu);
    }
    return std::move(answers_);
  }

 private:
  std::optional<std::uint32_t> word(std::uint32_t address) {
    return register_word(read_, address, why_);
  }

  // Each keeps the first access that it refused.
  void ask_blocked() {
    int asked = 0, blocked = 0;
    for (int n = 1; n <= 15; ++n) {
      if (n == 10) continue;
      const auto status = word(base_of(n) + 8);
      if (!status) continue;
      ++asked;
      if (!(*status >> 1 & 1)) continue;
      ++blocked;
      const auto address = word(base_of(n) + 0x24), who = word(base_of(n) + 0x20);
      std::string found =
          address ? fmt::format("refused an access at {:#010x}", *address) : "refused an access";
      if (who)
        found += fmt::format(", a {} by {}", *who >> 7 & 1 ? "write" : "read",
                             Master{*who & 7, (*who >> 5 & 1) != 0, (*who >> 4 & 1) != 0}.text());
      const bool ours = address && std::ranges::any_of(used_, [&](const UsedMemory& m) {
                          return holds(m, *address, n);
                        });
      answers_.push_back({ours || used_.empty() ? Kind::error : Kind::warning,
                          fmt::format("RISAF{}", n),
                          found + (ours ? ", in the network's memory" : ""),
                          "the refused master read zeros, or its write was lost",
                          "open the region for the NPU's compartment, secure and privileged state",
                          fmt::format("{}: RISAF{} IASR {:#010x} bit 1, IAESR +0x20, IADDR +0x24",
                                      header, n, base_of(n) + 8)});
    }
    const std::string source = fmt::format("{}: RISAFn IASR bit 1", header);
    if (asked == 0)
      answers_.push_back({Kind::unknown, "firewalls of memory (RISAF)", "cannot be read: " + why_,
                          "", "let the debugger or the firmware read it", source});
    else if (blocked == 0)
      answers_.push_back({Kind::fine, "firewalls of memory (RISAF)",
                          fmt::format("none of {} refused an access", asked), "", "", source});
  }

  // The address as it stands, or as an offset in what the guard stands before.
  static bool holds(const UsedMemory& m, std::uint32_t address, int n) {
    const auto inside = [&](std::uint64_t at) {
      return at >= secure_address(m.address) &&
             at < std::uint64_t{secure_address(m.address)} + m.size;
    };
    const auto guard = std::ranges::find(guards, n, &Guard::n);
    return inside(secure_address(address)) ||
           (guard != std::end(guards) && !guard->whole_addresses &&
            inside(std::uint64_t{guard->from} + address));
  }

  std::optional<std::vector<Region>> regions_of(const Guard& g) {
    std::vector<Region> regions;
    for (int x = 1; x <= most_regions; ++x) {
      const std::uint32_t at = base_of(g.n) + 0x40u * static_cast<std::uint32_t>(x);
      const auto config = word(at);
      if (!config && x == 1) return std::nullopt;
      if (!config) break;
      if (!(*config & 1)) continue;
      const auto start = word(at + 4), end = word(at + 8), compartments = word(at + 12);
      if (start && end && compartments)
        regions.push_back({x, *config, *start, *end, *compartments});
    }
    return regions;
  }

  void ask_regions(const Guard& g, const Master& npu) {
    std::vector<const UsedMemory*> behind;
    for (const UsedMemory& m : used_)
      if (secure_address(m.address) >= g.from &&
          std::uint64_t{secure_address(m.address)} + m.size <= g.from + g.size && m.size > 0)
        behind.push_back(&m);
    if (behind.empty()) return;
    const std::string subject = fmt::format("RISAF{} ({})", g.n, g.of);
    const std::string source =
        fmt::format("{}: RISAF{} regions from {:#010x}: CFGR, STARTR, ENDR, CIDCFGR", header, g.n,
                    base_of(g.n) + 0x40);
    const auto regions = regions_of(g);
    if (!regions)
      return answers_.push_back({Kind::unknown, subject, "regions cannot be read: " + why_, "",
                                 "let the debugger or the firmware read them", source});
    for (const UsedMemory* m : behind) {
      const std::string why = refused(g, *regions, npu, *m);
      if (why.empty()) continue;
      return answers_.push_back(
          {Kind::error, subject,
           fmt::format("'{}' at {:#010x}: {}; the NPU is {}", m->name, m->address, why, npu.text()),
           "the NPU reads zeros there and its writes are lost",
           "give a region that covers it the NPU's compartment, secure and privileged state",
           source});
    }
    answers_.push_back({Kind::fine, subject,
                        fmt::format("{} regions, the NPU may use all {} buffers behind it",
                                    regions->size(), behind.size()),
                        "", "", source});
  }

  // Why the NPU may not use that memory, or "".
  static std::string refused(const Guard& g, const std::vector<Region>& regions, const Master& npu,
                             const UsedMemory& m) {
    const std::uint64_t from = secure_address(m.address) - (g.whole_addresses ? 0 : g.from),
                        to = from + m.size;
    const bool write = m.address >> 28 != 7;  // flash is only read
    std::string first;
    bool touched = false;
    for (Region r : regions) {
      if (g.whole_addresses)
        r.start = secure_address(r.start),
        r.end = r.end == 0xFFFFFFFF ? r.end : secure_address(r.end);
      touched = touched || r.touches(from, to);
      if (!r.touches(from, to)) continue;
      const std::string why =
          r.covers(from, to) ? r.refuses(npu, write) : "covers only a part of it";
      if (why.empty()) return "";
      if (first.empty()) first = fmt::format("region {} {}", r.x, why);
    }
    if (touched) return first;
    return npu.secure && npu.privileged && npu.compartment == trusted
               ? ""
               : "no region is open there, so only secure, privileged accesses of compartment 1 "
                 "pass";
  }

  const ReadMemory& read_;
  std::span<const UsedMemory> used_;
  std::vector<PreflightAnswer> answers_;
  std::string why_ = "no answer";
};

}  // namespace

std::vector<PreflightAnswer> ask_guards_stm32n6(const ReadMemory& read,
                                                std::span<const UsedMemory> used) {
  return Guards(read, used).ask();
}

}  // namespace lockstep
