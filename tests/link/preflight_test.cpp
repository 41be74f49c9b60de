#include "link/preflight.h"

#include <gtest/gtest.h>

#include <map>

#include "link/byte_stream.h"

namespace lockstep {
namespace {

using Kind = PreflightAnswer::Kind;

// Registers of a board where everything is as it should be.
struct Registers {
  std::map<std::uint32_t, std::uint32_t> words;
  Registers() {
    words[0x5602824C] = 0x78F;                 // every bank clocked
    words[0x56028254] = 1u << 12;              // RAMCFG clocked
    words[0x56028260] = 1u << 31 | 1u << 12;   // NPU and XSPI2 clocked, NPU cache not
    words[0x56028220] = 0;
    for (const std::uint32_t cr : {0x52023500u, 0x52023000u, 0x52023080u, 0x52023100u, 0x52023180u, 0x52023200u, 0x52023280u}) words[cr] = 0;
    words[0xE000ED14] = 0;
    words[0x54024C14] = 1u << 8 | 1u << 9 | 1u << 4;
    for (std::uint32_t n = 0; n < 9; ++n) words[0x54026008 + n * 0x1000] = 0;
    for (std::uint32_t n = 0; n < 5; ++n) words[0x54030008 + n * 0x1000] = 0;
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

const std::vector<UsedMemory> used = {{"activations", 0x34200000, 1000, false}, {"weights", 0x70000000, 5000, false}};

const PreflightAnswer* about(const std::vector<PreflightAnswer>& answers, const std::string& subject) {
  for (const PreflightAnswer& a : answers)
    if (a.subject == subject) return &a;
  return nullptr;
}

Kind kind_of(const Registers& r, const std::string& subject, std::span<const UsedMemory> memory = used) {
  const auto answers = ask_stm32n6(r.reader(), memory);
  const PreflightAnswer* a = about(answers, subject);
  EXPECT_NE(a, nullptr) << subject;
  return a ? a->kind : Kind::unknown;
}

TEST(Preflight, finds_nothing_on_a_board_that_is_ready) {
  for (const PreflightAnswer& a : ask_stm32n6(Registers().reader(), used)) {
    const bool untouched = a.subject == "NPU cache";
    EXPECT_TRUE(a.kind == Kind::fine || (untouched && a.kind == Kind::note)) << a.subject << ": " << a.found;
    EXPECT_FALSE(a.source.empty()) << a.subject;
  }
}

TEST(Preflight, one_wrong_register_is_one_finding) {
  struct Case {
    std::uint32_t address, value;
    const char* subject;
    Kind kind;
  };
  for (const Case& c : {Case{0x5602824C, 0x78F & ~1u, "AXISRAM3 (npuRAM3)", Kind::error}, Case{0x52023100, 1u << 20, "AXISRAM3 (npuRAM3)", Kind::error},
                        Case{0x5602824C, 0x78F & ~8u, "AXISRAM6 (npuRAM6)", Kind::note}, Case{0x52023280, 1u << 20, "AXISRAM6 (npuRAM6)", Kind::note},
                        Case{0x56028260, 1u << 12, "NPU", Kind::error}, Case{0x56028220, 1u << 31, "NPU", Kind::error},
                        Case{0x56028260, 1u << 31, "XSPI2 (flash)", Kind::error}, Case{0xE000ED14, 1u << 16, "CPU data cache", Kind::note},
                        Case{0x54024C14, 0, "NPU as bus master", Kind::warning}}) {
    Registers r;
    r.words[c.address] = c.value;
    EXPECT_EQ(kind_of(r, c.subject), c.kind) << c.subject;
    int errors = 0;
    for (const PreflightAnswer& a : ask_stm32n6(r.reader(), used)) errors += a.kind == Kind::error;
    EXPECT_EQ(errors, c.kind == Kind::error ? 1 : 0) << c.subject;
  }
}

TEST(Preflight, tells_a_refused_access_to_the_networks_memory_from_another) {
  Registers r;
  r.words[0x54028008] = 2;  // RISAF3
  r.words[0x54028024] = 0x34200010;
  EXPECT_EQ(kind_of(r, "RISAF3"), Kind::error);
  r.words[0x54028024] = 0x34300000;
  EXPECT_EQ(kind_of(r, "RISAF3"), Kind::warning);
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
  const Registers none = [] { Registers r; r.words.clear(); return r; }();
  int unknown = 0;
  for (const PreflightAnswer& a : ask_stm32n6(none.reader(), used)) unknown += a.kind == Kind::unknown;
  EXPECT_GE(unknown, 12);
  EXPECT_NE(ask_stm32n6(none.reader(), used)[0].found.find("no memory there"), std::string::npos);
}

TEST(Preflight, judges_where_buffers_stand) {
  const std::vector<UsedMemory> m = {{"good", 0x34200020, 64, true}, {"odd", 0x34200024, 64, false}, {"half", 0x34200010, 64, true}, {"lost", 0x20000000, 64, false}};
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
    if (address < 0x70000000 || address - 0x70000000 + size > flash.size()) return link_error("board", "no memory there");
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
