#include "support/altered_c.h"

#include <cctype>
#include <regex>

#include "base/random.h"

namespace lockstep::test {
namespace {

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
  return text;
}
std::string once(std::string text, std::string_view what, std::string_view with) {
  const std::size_t at = text.find(what);
  if (at == std::string::npos) return "alteration without a place: " + std::string(what);
  return text.replace(at, what.size(), with);
}
std::string by(const std::string& text, const char* pattern, const char* with) {
  return std::regex_replace(text, std::regex(pattern), with);
}

// Calls f for every character outside comments, strings and preprocessor lines.
template <class F>
std::string outside_text(const std::string& s, F f) {
  std::string out;
  for (std::size_t i = 0; i < s.size();) {
    std::size_t end = i;
    if (s.compare(i, 2, "/*") == 0)
      end = s.find("*/", i + 2) + 2;
    else if (s.compare(i, 2, "//") == 0 || (s[i] == '#' && (i == 0 || s[i - 1] == '\n')))
      end = s.find('\n', i) + 1;
    else if (s[i] == '"')
      end = s.find('"', i + 1) + 1;
    if (end != i) {
      out += s.substr(i, end - i), i = end;
      continue;
    }
    out += f(s[i++]);
  }
  return out;
}

std::string blanks(const std::string& s) {
  Random random(5);
  return outside_text(s, [&](char c) -> std::string {
    constexpr const char* some[] = {" ", "  ", "\t", "\n", " \n\t "};
    if (c == ' ') return some[random.between(0, 4)];
    if (std::string_view("{},;=()").find(c) != std::string_view::npos)
      return some[random.between(0, 4)] + std::string(1, c) + some[random.between(0, 4)];
    return std::string(1, c);
  });
}
std::string one_line(const std::string& s) {
  return outside_text(s, [](char c) { return std::string(1, c == '\n' ? ' ' : c); });
}
std::string no_comments(const std::string& s) {
  return by(s, R"(/\*[^*]*\*/)", "");
}

// The fields of every structure in the opposite order.
std::string reversed_fields(const std::string& s) {
  std::vector<std::string> lines, run;
  std::string out;
  const auto flush = [&] {
    for (auto it = run.rbegin(); it != run.rend(); ++it) out += *it + "\n";
    run.clear();
  };
  for (std::size_t i = 0; i < s.size();) {
    const std::size_t end = std::min(s.find('\n', i), s.size());
    const std::string line = s.substr(i, end - i);
    if (line.find_first_not_of(' ') != std::string::npos &&
        line[line.find_first_not_of(' ')] == '.')
      run.push_back(line);
    else
      flush(), out += line + "\n";
    i = end + 1;
  }
  flush();
  return out;
}

// Functions of epochs in the opposite order.
std::string later_epochs_first(const std::string& s) {
  constexpr std::string_view head = "static void LL_ATON_Start_EpochBlock_";
  std::vector<std::size_t> at;
  for (std::size_t i = s.find(head); i != std::string::npos; i = s.find(head, i + 1))
    at.push_back(i);
  const std::size_t end = s.find("\nconst LL_Buffer_InfoTypeDef") + 1;
  if (at.size() < 2 || end == 0) return s;
  at.push_back(end);
  std::string out = s.substr(0, at[0]);
  for (std::size_t k = at.size() - 1; k-- > 0;) out += s.substr(at[k], at[k + 1] - at[k]);
  return out + s.substr(end);
}

constexpr std::string_view stream_init = "static const LL_Streng_TensorInitTypeDef";

}  // namespace

std::vector<AlteredC> alterations() {
  using S = std::string;
  std::vector<AlteredC> all;
  const auto equal = [&](const char* name, std::function<S(S)> f) {
    all.push_back({name, "", std::move(f), true});
  };
  const auto refused = [&](const char* name, const char* word, std::function<S(S)> f) {
    all.push_back({name, word, std::move(f), true});
  };
  // Form
  equal("as it is", [](S s) { return s; });
  equal("lines end with CR LF", [](S s) { return replaced(s, "\n", "\r\n"); });
  equal("other blanks", blanks);
  equal("one line", one_line);
  equal("fields in the opposite order", reversed_fields);
  equal("later epochs first", later_epochs_first);
  equal("a byte order mark", [](S s) { return "\xEF\xBB\xBF" + s; });
  equal("no line end at the end", [](S s) { return s.substr(0, s.find_last_not_of('\n') + 1); });
  equal("comments after every line", [](S s) { return by(s, ";\n", "; // next\n"); });
  equal("a comment with braces and quotes",
        [](S s) { return once(s, "static void", "/* \"{ ' } */ static void"); });
  // Declarations
  equal("const before static",
        [](S s) { return replaced(s, "static const LL", "const static LL"); });
  equal("without static", [](S s) { return replaced(s, "    static const LL", "    const LL"); });
  equal("an attribute", [](S s) {
    return by(s, R"(LL_Convacc_InitTypeDef (\w+) =)",
              "LL_Convacc_InitTypeDef $1 __attribute__((aligned(8))) =");
  });
  equal("an attribute before the type", [](S s) {
    return replaced(s, stream_init,
                    "static __attribute__((section(\".rodata\"))) const "
                    "LL_Streng_TensorInitTypeDef");
  });
  equal("arrays of structures", [](S s) {
    s = by(s, R"(TensorInitTypeDef (\w+) = \{\n([^;]*)\n    \};)",
           "TensorInitTypeDef $1[] = { {\n$2\n    } };");
    return by(s, R"(LL_Streng_TensorInit\((\d+), &(\w+), 1\))", "LL_Streng_TensorInit($1, $2, 1)");
  });
  equal("other names of structures", [](S s) {
    return by(s, R"x(\b(in|conv|mul|bias|out)\b(?=( =|\)|, 1\))))x", "unit_$1_of_network");
  });
  equal("names of the network behind the functions",
        [](S s) { return by(s, R"((LL_ATON_Start_EpochBlock_\d+))", "$1_person_detect_v2"); });
  equal("fields of 0 written out", [](S s) {
    return replaced(
        s, "      .dir = ", "      .noblk = 0, .bus_cid = 0, .mem_lsb = 0,\n      .dir = ");
  });
  equal("fields of 0 left out", [](S s) { return by(s, R"(      \.dir = 0,\n)", ""); });
  // Numbers
  equal("hexadecimal numbers",
        [](S s) { return replaced(s, ".shift_o = 14,", ".shift_o = 0xEu,"); });
  equal("numbers in brackets", [](S s) { return by(s, R"( = (-?\d+),)", " = ($1),"); });
  equal("a minus apart", [](S s) { return by(s, R"( = -(\d+),)", " = - $1,"); });
  equal("casts", [](S s) { return by(s, R"(\.fwidth = (\d+),)", ".fwidth = (uint16_t)$1,"); });
  equal("suffixes", [](S s) { return by(s, R"(0x([0-9a-f]{8})UL)", "0x$1ull"); });
  equal("capital hexadecimal digits",
        [](S s) { return replaced(replaced(s, "0x343500", "0X343500"), "0x701800", "0X701800"); });
  // Addresses
  equal("addresses without the wrapper",
        [](S s) { return by(s, R"(ATON_LIB_PHYSICAL_TO_VIRTUAL_ADDR\((0x\w+)\))", "$1"); });
  equal("addresses as a sum", [](S s) { return by(s, R"(\((0x34350000UL)\)\))", "($1 + 0))"); });
  equal("addresses in another cast",
        [](S s) { return replaced(s, "(unsigned char *)", "(uint8_t*)(void *)"); });
  equal("addresses by a macro", [](S s) {
    return "#define NPU_RAM_6 (0x34350000UL)\n" + replaced(s, "(0x34350000UL)", "(NPU_RAM_6)");
  });
  equal("addresses as integers",
        [](S s) { return by(s, R"(\(\(unsigned char \*\)\((0x\w+)\)\))", "((uintptr_t)$1)"); });
  // What stands around
  equal("helpers, types and loops before", [](S s) {
    return "#include <stdint.h>\ntypedef struct { int a; } pair_t;\nenum { A = 1, B };\nextern int "
           "f(int);\nstatic inline int g(int x) { for (int i = 0; i < 3; ++i) { if (x) "
           "{ x += \"}{\"[0]; } else x--; } while (x > 4) --x; return x ? 1 : 2; }\n" +
           s;
  });
  equal("text that #if 0 takes out", [](S s) {
    return "#if 0\nstatic void LL_ATON_Start_EpochBlock_77(void) { LL_Foo_Init(1, &x); "
           "}\n#endif\n" +
           s;
  });
  equal("a macro over lines",
        [](S s) { return "#define LOOP(x) do { \\\n  x(); \\\n} while (0)\n" + s; });
  equal("callbacks and locks inside", [](S s) {
    return by(s, R"((    LL_Convacc_Init\())",
              "    LL_ATON_LOCK_NPU_CACHE(); LL_ATON_UNLOCK_NPU_CACHE();\n$1");
  });
  equal("the switch without reset",
        [](S s) { return replaced(s, "LL_Switch_Init(switch", "LL_Switch_Init_NoReset(switch"); });
  all.push_back({"no comments at all", "", no_comments, false});
  // Refused
  refused("empty", "EpochBlock", [](S) { return S(); });
  refused("another file", "EpochBlock", [](S) { return S("int main(void) { return 0; }\n"); });
  refused("zeros", "EpochBlock", [](S s) { return S(s.size(), '\0'); });
  refused("cut in the first function", "truncated",
          [](S s) { return s.substr(0, s.find(".fwidth")); });
  refused("cut behind the functions", "truncated",
          [](S s) { return s.substr(0, s.find("buff_info[] = {") + 60); });
  refused("a comment that does not end", "truncated", [](S s) { return s + "/* the end"; });
  refused("a string that does not end", "truncated",
          [](S s) { return s + "\nchar *s = \"abc;\n"; });
  refused("an unknown unit", "LL_Fftacc_Init", [](S s) {
    return once(s, "    LL_Convacc_Init(", "    LL_Fftacc_Init(0, &x);\n    LL_Convacc_Init(");
  });
  refused("an unknown call", "LL_Busif_Remap", [](S s) {
    return once(s, "    LL_Convacc_Init(", "    LL_Busif_Remap(1, 2);\n    LL_Convacc_Init(");
  });
  refused("a unit twice", "twice", [](S s) {
    return once(s, "    LL_Convacc_Init(0, &conv);",
                "    LL_Convacc_Init(0, &conv);\n    LL_Convacc_Init(0, &conv);");
  });
  refused("a structure that is missing", "nowhere",
          [](S s) { return once(s, "&conv)", "&nowhere)"); });
  refused("a switch table that is missing", "nowhere",
          [](S s) { return once(s, "LL_Switch_Init(switch_1", "LL_Switch_Init(nowhere"); });
  refused("a unit out of range", "0 .. 15",
          [](S s) { return once(s, "LL_Convacc_Init(0,", "LL_Convacc_Init(99,"); });
  refused("an unknown field", "warp_factor",
          [](S s) { return once(s, ".simd = 1,", ".simd = 1, .warp_factor = 9,"); });
  refused("an unknown operation", "ARITH_FFT",
          [](S s) { return replaced(s, "ARITH_AFFINE", "ARITH_FFT"); });
  refused("encrypted weights", "cipher_en",
          [](S s) { return once(s, ".dir = 0,", ".dir = 0, .cipher_en = 1,"); });
  refused("encrypted blobs", "encrypted", [](S s) {
    return s +
           "static const EpochBlock_ItemTypeDef e[] = { { .flags = "
           "EpochBlock_Flags_blob_encrypted, }, };\n";
  });
  refused("blobs without their header", "_ecblobs.h", [](S s) {
    return s +
           "static const EpochBlock_ItemTypeDef e[] = { { .flags = EpochBlock_Flags_blob, }, };\n";
  });
  refused("a frame of absurd width", "65536",
          [](S s) { return by(s, R"(\.fwidth = 4,)", ".fwidth = 4294967295,"); });
  refused("absurd repetitions", "frame",
          [](S s) { return by(s, R"(\.frame_tot_cnt = 1,)", ".frame_tot_cnt = 1099511627776,"); });
  refused("an absurd tensor", "y",
          [](S s) { return replaced(s, "{ 1, 3, 4, 3, }", "{ 65535, 65535, 65535, 65535, }"); });
  refused("an absurd kernel", "kernel",
          [](S s) { return once(s, ".kernelHeight = 1,", ".kernelHeight = 70000,"); });
  refused("a number that is none", "0x12zz",
          [](S s) { return once(s, ".shift_o = 14,", ".shift_o = 0x12zz,"); });
  refused("an address outside every memory", "0x00001000",
          [](S s) { return replaced(s, "0x34350000UL))}", "0x00001000UL))}"); });
  refused("an address that nothing gives", "relocatable",
          [](S s) { return replaced(s, "0x34350000UL", "pool_of_the_loader + 16"); });
  return all;
}

}  // namespace lockstep::test
