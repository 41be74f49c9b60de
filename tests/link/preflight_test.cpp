#include "link/preflight.h"

#include <gtest/gtest.h>

#include <map>

#include "link/byte_stream.h"
#include "link/device.h"

namespace lockstep {
namespace {

using Kind = PreflightAnswer::Kind;

// Registers of a board where everything is as it should be.
struct Registers {
  std::map<std::uint32_t, std::uint32_t> words;
  Registers() {
    words[0x5602824C] = 0x78F;                // every bank clocked
    words[0x56028254] = 1u << 12;             // RAMCFG clocked
    words[0x56028260] = 1u << 31 | 1u << 12;  // NPU and XSPI2 clocked, NPU cache not
    words[0x56028220] = 0;
    for (const std::uint32_t cr : {0x52023500u, 0x52023000u, 0x52023080u, 0x52023100u, 0x52023180u,
                                   0x52023200u, 0x52023280u})
      words[cr] = 0;
    words[0xE000ED14] = 0;
    words[0x54024C14] = 1u << 8 | 1u << 9 | 1u << 4;
    for (std::uint32_t n = 0; n < 9; ++n) words[0x54026008 + n * 0x1000] = 0;
    for (std::uint32_t n = 0; n < 5; ++n) words[0x54030008 + n * 0x1000] = 0;
    for (const std::uint32_t guard : {0x54027000u, 0x54028000u, 0x54029000u, 0x5402A000u,
                                      0x5402D000u, 0x54030000u, 0x54031000u, 0x54032000u})
      for (std::uint32_t x = 1; x <= 15; ++x) words[guard + 0x40 * x] = 0;  // no region
  }
  // A region of a RISAF: enabled, secure or not, privileged compartments, from, to, readers,
  // writers.
  void region(std::uint32_t guard, std::uint32_t x, bool secure, std::uint32_t privileged,
              std::uint32_t from, std::uint32_t to, std::uint32_t readers, std::uint32_t writers) {
    const std::uint32_t at = guard + 0x40 * x;
    words[at] = 1u | (secure ? 1u << 8 : 0u) | privileged << 16;
    words[at + 4] = from;
    words[at + 8] = to;
    words[at + 12] = readers | writers << 16;
  }
  ReadMemory reader() const {
    return [this](std::uint32_t address, std::uint32_t size) -> Result<Bytes> {
      const auto it = words.find(address);
      if (it == words.end() || size != 4) return link_error("board", "no memory there");
      Bytes b(4);
      for (std::size_t i = 0; i < 4; ++i) b[i] = static_cast<std::byte>(it->second >> (8 * i));
      return b;
    };
  }
};

const std::vector<UsedMemory> used = {{"activations", 0x34200000, 1000, false},
                                      {"weights", 0x70000000, 5000, false}};

const PreflightAnswer* about(const std::vector<PreflightAnswer>& answers,
                             const std::string& subject) {
  for (const PreflightAnswer& a : answers)
    if (a.subject == subject) return &a;
  return nullptr;
}

Kind kind_of(const Registers& r, const std::string& subject,
             std::span<const UsedMemory> memory = used) {
  const auto answers = ask_stm32n6(r.reader(), memory);
  const PreflightAnswer* a = about(answers, subject);
  EXPECT_NE(a, nullptr) << subject;
  return a ? a->kind : Kind::unknown;
}

TEST(Preflight, finds_nothing_on_a_board_that_is_ready) {
  for (const PreflightAnswer& a : ask_stm32n6(Registers().reader(), used)) {
    const bool untouched = a.subject == "NPU cache";
    EXPECT_TRUE(a.kind == Kind::fine || (untouched && a.kind == Kind::note))
        << a.subject << ": " << a.found;
    EXPECT_FALSE(a.source.empty()) << a.subject;
  }
}

TEST(Preflight, one_wrong_register_is_one_finding) {
  struct Case {
    std::uint32_t address, value;
    const char* subject;
    Kind kind;
  };
  for (const Case& c : {Case{0x5602824C, 0x78F & ~1u, "AXISRAM3 (npuRAM3)", Kind::error},
                        Case{0x52023100, 1u << 20, "AXISRAM3 (npuRAM3)", Kind::error},
                        Case{0x5602824C, 0x78F & ~8u, "AXISRAM6 (npuRAM6)", Kind::note},
                        Case{0x52023280, 1u << 20, "AXISRAM6 (npuRAM6)", Kind::note},
                        Case{0x56028260, 1u << 12, "NPU", Kind::error},
                        Case{0x56028220, 1u << 31, "NPU", Kind::error},
                        Case{0x56028260, 1u << 31, "XSPI2 (flash)", Kind::error},
                        Case{0xE000ED14, 1u << 16, "CPU data cache", Kind::note},
                        Case{0x54024C14, 0, "NPU as bus master", Kind::warning}}) {
    Registers r;
    r.words[c.address] = c.value;
    EXPECT_EQ(kind_of(r, c.subject), c.kind) << c.subject;
    int errors = 0;
    for (const PreflightAnswer& a : ask_stm32n6(r.reader(), used)) errors += a.kind == Kind::error;
    // An NPU without rights is refused by both of its ports' firewalls and by that of the flash.
    EXPECT_EQ(errors, c.kind == Kind::error ? 1 : c.kind == Kind::warning ? 3 : 0) << c.subject;
  }
}

TEST(Preflight, tells_a_refused_access_to_the_networks_memory_from_another) {
  Registers r;
  r.words[0x54028008] = 2;  // RISAF3
  r.words[0x54028024] = 0x34200010;
  EXPECT_EQ(kind_of(r, "RISAF3"), Kind::error);
  r.words[0x54028024] = 0x34300000;
  EXPECT_EQ(kind_of(r, "RISAF3"), Kind::warning);
  r.words[0x54028020] = 1u << 7 | 1u << 5 | 2;
  EXPECT_NE(about(ask_stm32n6(r.reader(), used), "RISAF3")
                ->found.find("a write by compartment 2, secure, not privileged"),
            std::string::npos);
  // A firewall before a memory may name the offset in it.
  r.words[0x54031008] = 2;
  r.words[0x54031024] = 0x10;
  EXPECT_EQ(kind_of(r, "RISAF12"), Kind::error);
}

TEST(Preflight, decodes_the_regions_that_guard_the_networks_memory) {
  const std::string port = "RISAF4 (NPU port 0)", flash = "RISAF12 (XSPI2)";
  const auto said = [&](const Registers& r, const std::string& subject) {
    const auto answers = ask_stm32n6(r.reader(), used);
    const PreflightAnswer* a = about(answers, subject);
    return a ? fmt::format("{}: {}", name_of(a->kind), a->found) : std::string();
  };
  Registers r;
  EXPECT_NE(said(r, port).find("fine: 0 regions"), std::string::npos) << said(r, port);
  r.region(0x54029000, 1, true, 0, 0, 0xFFFFFFFF, 0xFF, 0xFF);
  EXPECT_NE(said(r, port).find("fine: 1 regions"), std::string::npos) << said(r, port);
  r.region(0x54029000, 1, true, 0, 0, 0xFFFFFFFF, 0xFF, 0xFD);  // compartment 1 may not write
  EXPECT_NE(said(r, port).find(
                "error: 'activations' at 0x34200000: region 1 lets compartment 1 not write"),
            std::string::npos)
      << said(r, port);
  r.region(0x54029000, 1, true, 0, 0, 0xFFFFFFFF, 0xFD, 0xFF);
  EXPECT_NE(said(r, port).find("lets compartment 1 not read"), std::string::npos);
  r.region(0x54029000, 1, false, 0, 0, 0xFFFFFFFF, 0xFF, 0xFF);
  EXPECT_NE(said(r, port).find("is for accesses that are not secure"), std::string::npos);
  r.region(0x54029000, 2, true, 0, 0x24200000, 0x242DFFFF, 0xFF,
           0xFF);  // a second one grants it, by the other alias
  r.region(0x54029000, 1, true, 0, 0x70000000, 0x7FFFFFFF, 0xFF, 0);
  EXPECT_NE(said(r, port).find("fine: 2 regions"), std::string::npos) << said(r, port);
  r.region(0x54029000, 2, true, 0, 0x34200000, 0x342000FF, 0xFF, 0xFF);
  EXPECT_NE(said(r, port).find("region 2 covers only a part of it"), std::string::npos)
      << said(r, port);
  // Flash: an offset, and only read.
  r.region(0x54031000, 1, true, 0, 0, 0x0FFFFFFF, 0x02, 0);
  EXPECT_NE(said(r, flash).find("fine: 1 regions"), std::string::npos) << said(r, flash);
  r.region(0x54031000, 1, true, 0, 0, 0xFFF, 0x02, 0);
  EXPECT_NE(said(r, flash).find("region 1 covers only a part of it"), std::string::npos)
      << said(r, flash);
  // Not privileged where the region wants it, and where there is no region.
  r.words[0x54024C14] = 1u << 8 | 1u << 4;
  r.region(0x54031000, 1, true, 0x02, 0, 0x0FFFFFFF, 0x02, 0);
  EXPECT_NE(said(r, flash).find("is for privileged accesses"), std::string::npos) << said(r, flash);
  EXPECT_NE(said(r, "RISAF5 (NPU port 1)").find("no region is open there"), std::string::npos);
  r.words.erase(0x54031040);
  EXPECT_NE(said(r, flash).find("unknown: regions cannot be read"), std::string::npos)
      << said(r, flash);
}

TEST(Preflight, compares_what_a_device_says_with_what_was_compiled) {
  DeviceInfo info;
  info.device = 0x486;
  info.runtime = 4;
  info.cpu_hz = 800000000;
  info.extra = {0, 1000000000, 900000000, 0};
  info.cache = 5u << 24 | 1u << 11 | 1;
  info.logs = {"s:config:npu_cache:1", "s:config:version:1.0", "hello", "s:config:npu_cache:1"};
  DeviceNetwork n;
  n.name = "network";
  n.signature = "lockstep:0011223344556677";
  DeviceTensor x, y;
  x.address = 0x34200000;
  y.address = 0x34201000;
  n.inputs = {x};
  n.outputs = {y};
  info.networks = {n};
  const auto says = ask_device(info);
  EXPECT_EQ(about(says, "NPU and NPU RAM clock")->kind, Kind::note);
  EXPECT_EQ(about(says, "caches")->found, "data on, instructions off, NPU on");
  EXPECT_EQ(about(says, "configuration")->found, "npu_cache 1");
  EXPECT_NE(about(says, "network 'network'")->found.find("signature lockstep:0011223344556677"),
            std::string::npos);
  info.extra[1] = 0;
  EXPECT_EQ(about(ask_device(info), "NPU and NPU RAM clock")->kind, Kind::error);

  const auto worst = [&](const DeviceTensor& in, const DeviceTensor& out, const std::string& hash) {
    Kind kind = Kind::fine;
    for (const PreflightAnswer& a : ask_networks(info, std::span(&in, 1), std::span(&out, 1), hash))
      kind = std::max(kind, a.kind);
    return kind;
  };
  EXPECT_EQ(worst(x, y, "0011223344556677"), Kind::fine);
  DeviceTensor other = x;
  other.address = 0x24200000;  // the non-secure alias of the same
  EXPECT_EQ(worst(other, y, ""), Kind::fine);
  other.address = 0x34200010;
  EXPECT_EQ(worst(other, y, ""), Kind::error);
  EXPECT_EQ(worst(x, y, "7766554433221100"), Kind::error);
  EXPECT_EQ(ask_networks(info, {}, {}, "")[0].kind, Kind::error);
}

TEST(Preflight, reads_only_the_pieces_whose_checksum_differs) {
  Bytes flash(200000);
  for (std::size_t i = 0; i < flash.size(); ++i) flash[i] = static_cast<std::byte>(i * 31);
  std::size_t moved = 0;
  const ReadMemory read = [&](std::uint32_t address, std::uint32_t size) -> Result<Bytes> {
    moved += size;
    const auto from = flash.begin() + (address - 0x70000000);
    return Bytes(from, from + size);
  };
  const SumMemory sum = [&](std::uint32_t address, std::uint32_t size) -> Result<std::uint16_t> {
    return bsd_checksum(std::span(flash).subspan(address - 0x70000000, size));
  };
  Bytes file = flash;
  EXPECT_EQ(ask_contents(read, "weights", 0x70000000, file, sum).kind, Kind::fine);
  EXPECT_EQ(moved, 0u);
  file[150000] ^= std::byte{1};
  EXPECT_NE(ask_contents(read, "weights", 0x70000000, file, sum).found.find("byte 150000"),
            std::string::npos);
  EXPECT_EQ(moved, 65536u);
}

TEST(Preflight, an_npu_cache_with_an_error_is_an_error) {
  Registers r;
  r.words[0x56028260] |= 1u << 30;
  r.words[0x580DFC00] = 1;
  r.words[0x580DFC04] = 0;
  EXPECT_EQ(kind_of(r, "NPU cache"), Kind::note);
  r.words[0x580DFC04] = 4;
  EXPECT_EQ(kind_of(r, "NPU cache"), Kind::error);
}

TEST(Preflight, reads_the_non_secure_alias_where_the_secure_one_is_closed) {
  Registers r;
  for (const std::uint32_t address : {0x56028260u, 0x56028220u}) {
    r.words[address - 0x10000000] = r.words[address];
    r.words.erase(address);
  }
  EXPECT_EQ(kind_of(r, "NPU"), Kind::fine);
}

TEST(Preflight, says_what_it_could_not_read) {
  const Registers none = [] {
    Registers r;
    r.words.clear();
    return r;
  }();
  int unknown = 0;
  for (const PreflightAnswer& a : ask_stm32n6(none.reader(), used))
    unknown += a.kind == Kind::unknown;
  EXPECT_GE(unknown, 12);
  EXPECT_NE(ask_stm32n6(none.reader(), used)[0].found.find("no memory there"), std::string::npos);
}

TEST(Preflight, judges_where_buffers_stand) {
  const std::vector<UsedMemory> m = {{"good", 0x34200020, 64, true},
                                     {"odd", 0x34200024, 64, false},
                                     {"half", 0x34200010, 64, true},
                                     {"lost", 0x20000000, 64, false}};
  const auto answers = ask_placement_stm32n6(m);
  ASSERT_EQ(answers.size(), 4u);
  EXPECT_EQ(answers[0].kind, Kind::fine);
  EXPECT_EQ(answers[1].kind, Kind::error);
  EXPECT_EQ(answers[2].kind, Kind::warning);
  EXPECT_EQ(answers[3].kind, Kind::warning);
}

TEST(Preflight, names_the_first_byte_of_the_weights_that_differs) {
  Bytes flash(100000);
  for (std::size_t i = 0; i < flash.size(); ++i) flash[i] = static_cast<std::byte>(i * 31);
  const ReadMemory read = [&](std::uint32_t address, std::uint32_t size) -> Result<Bytes> {
    if (address < 0x70000000 || address - 0x70000000 + size > flash.size())
      return link_error("board", "no memory there");
    const auto from = flash.begin() + (address - 0x70000000);
    return Bytes(from, from + size);
  };
  Bytes file = flash;
  EXPECT_EQ(ask_contents(read, "weights", 0x70000000, file).kind, Kind::fine);
  file[70001] ^= std::byte{1};
  const PreflightAnswer differs = ask_contents(read, "weights", 0x70000000, file);
  EXPECT_EQ(differs.kind, Kind::error);
  EXPECT_NE(differs.found.find("byte 70001 (0x70011171)"), std::string::npos) << differs.found;
  EXPECT_EQ(ask_contents(read, "weights", 0x60000000, file).kind, Kind::unknown);
}

}  // namespace
}  // namespace lockstep
