// Every altered network.c is read equal or refused by name, in both forms.
#include "support/altered_c.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <numeric>

#include "base/files.h"
#include "npu/ec_blob.h"
#include "npu/layout.h"
#include "npu/simulate.h"
#include "npu/small_program.h"
#include "support/temporary.h"

namespace lockstep {
namespace {

// The small program, and a copy of its result: two epochs, so that there is an order of them.
NpuProgram two_epochs() {
  NpuProgram p = test::small_program();
  NpuEpoch copy;
  copy.number = 2;
  copy.nodes = {{"Identity_2", "Identity"}};
  const NpuUnitId from{NpuKind::stream, 4}, to{NpuKind::stream, 5};
  const auto base = static_cast<std::int64_t>(test::ram);
  copy.units.push_back({from, "from", "y",
                        test::fields({{"raw", 1},
                                      {"addr_base", base},
                                      {"offset_start", 64},
                                      {"offset_end", 100},
                                      {"frame_tot_cnt", 1},
                                      {"nbits_in", 8},
                                      {"nbits_out", 8}})});
  copy.units.push_back({to, "to", "z",
                        test::fields({{"dir", 1},
                                      {"raw", 1},
                                      {"addr_base", base},
                                      {"offset_start", 128},
                                      {"offset_end", 164},
                                      {"frame_tot_cnt", 1},
                                      {"nbits_in", 8},
                                      {"nbits_out", 8}})});
  copy.links = {test::link(from, to)};
  p.epochs.push_back(std::move(copy));
  NpuBuffer z = p.buffers[1];
  z.name = "z", z.epoch = 2, z.start = 128, z.end = 164, z.limit = 228;
  p.buffers.push_back(std::move(z));
  NpuBuffer w;
  w.name = "Conv_1_weights", w.base = test::flash, w.end = 6, w.is_param = true,
  w.chpos = "CHPos_First", w.type = "DataType_INT8";
  w.shape = w.mem_shape = {3, 2};
  p.buffers.push_back(std::move(w));
  p.pools.push_back({"npuRAM6", test::ram, 448 * 1024, false, "AXISRAM6"});
  p.pools.push_back({"octoFlash", test::flash, 1 << 20, true, "xSPI2"});
  return p;
}

std::string program_text(NpuProgram p, bool names) {
  for (NpuEpoch& e : p.epochs) {
    if (!names) e.nodes.clear();
    for (NpuUnit& u : e.units) {
      if (!names) u.buffer.clear();
      u.name.clear();
      std::erase_if(u.fields, [](const auto& f) {
        return f.second.is == NpuField::Is::integer && f.second.integer == 0;
      });
    }
  }
  p.images.clear(), p.pools.clear(), p.model.clear(), p.compiler.clear(), p.file.clear();
  return format_npu_json(p);
}

struct Outcome {
  std::string refusal, program;
  std::vector<std::int64_t> result;
};

// Read, decoded, run: the first refusal on that way, or what came of it.
Outcome outcome_of(Result<NpuProgram> read, const NpuProgram& original, bool names) {
  Outcome o;
  if (!read.ok()) return o.refusal = read.error().line(), o;
  if (std::ranges::none_of(read->images, [](const NpuImage& i) { return i.base == test::flash; }))
    read->images.push_back(original.images[0]);
  if (read->pools.empty()) read->pools = original.pools;
  o.program = program_text(*read, names);
  auto sim = NpuSimulator::make(std::make_shared<const NpuProgram>(std::move(*read)));
  if (!sim.ok()) return o.refusal = sim.error().line(), o;
  Tensor x(DType::u8, {1, 2, 3, 4});
  for (std::int64_t i = 0; i < x.count(); ++i) x.set_code(i, 9 * i % 251);
  const Result<void> done =
      sim->run({{"x", x}}, [&](const NpuEpoch& e, NpuMemory& memory) -> Result<void> {
        for (const NpuBuffer* b : sim->program().made_by(e.number)) {
          LOCKSTEP_TRY(const Tensor t, read_buffer(*b, memory, "test"));
          for (std::int64_t i = 0; i < t.count(); ++i) o.result.push_back(t.code(i));
        }
        return {};
      });
  if (!done.ok()) o.refusal = done.error().line();
  return o;
}

void expect(const test::AlteredC& a, const Outcome& got, const Outcome& usual) {
  SCOPED_TRACE(a.name);
  if (!a.refusal.empty()) {
    EXPECT_NE(got.refusal.find(a.refusal), std::string::npos) << "'" << got.refusal << "'";
    return;
  }
  EXPECT_EQ(got.refusal, "");
  EXPECT_EQ(got.program, usual.program);
  EXPECT_EQ(got.result, usual.result);
}

TEST(AlteredC, structures_are_read_equal_or_refused_by_name) {
  const NpuProgram p = two_epochs();
  const std::string text = format_network_c(p);
  int equal = 0, refused = 0;
  for (const test::AlteredC& a : test::alterations()) {
    const Outcome usual = outcome_of(parse_network_c(text, "network.c"), p, a.keeps_names);
    ASSERT_EQ(usual.refusal, "");
    ASSERT_EQ(usual.result.size(), 72u);
    expect(a, outcome_of(parse_network_c(a.alter(text), "network.c"), p, a.keeps_names), usual);
    ++(a.refusal.empty() ? equal : refused);
  }
  EXPECT_GE(equal, 35);
  EXPECT_GE(refused, 25);
}

TEST(AlteredC, text_cut_anywhere_is_refused_or_whole) {
  const NpuProgram p = two_epochs();
  const std::string text = format_network_c(p);
  const Outcome usual = outcome_of(parse_network_c(text, "network.c"), p, true);
  for (std::size_t n = 0; n < text.size(); n += 37) {
    const Outcome got = outcome_of(parse_network_c(text.substr(0, n), "network.c"), p, true);
    if (got.refusal.empty()) {
      EXPECT_EQ(got.program, usual.program) << "cut at " << n;
    }
  }
}

// Alterations of the header of blobs: the same words in other spellings, or damage.
std::vector<test::AlteredC> blob_alterations() {
  using S = std::string;
  const auto replaced = [](S s, std::string_view what, std::string_view with) {
    for (std::size_t at = s.find(what); at != S::npos; at = s.find(what, at + with.size()))
      s.replace(at, what.size(), with);
    return s;
  };
  std::vector<test::AlteredC> all;
  all.push_back({"as it is", "", [](S s) { return s; }});
  all.push_back({"lines end with CR LF", "", [=](S s) { return replaced(s, "\n", "\r\n"); }});
  all.push_back(
      {"one line, tabs", "", [=](S s) { return replaced(replaced(s, "\n", "\t"), " ", "\t"); }});
  all.push_back({"other suffixes", "", [=](S s) { return replaced(s, "UL", "ull"); }});
  all.push_back({"capital digits", "",
                 [=](S s) { return replaced(replaced(s, "ca057a7a", "CA057A7A"), "0x", "0X"); }});
  all.push_back({"no size in the brackets", "", [](S s) {
                   for (std::size_t at = s.find("[", s.find("_ec_blob")); at != S::npos;
                        at = s.find("[", at + 1))
                     s.erase(at + 1, s.find("]", at) - at - 1);
                   return s;
                 }});
  all.push_back(
      {"comments between the words", "", [=](S s) { return replaced(s, ",", ", /* 1, 2 */ "); }});
  all.push_back({"guards and an attribute", "", [=](S s) {
                   return "#ifndef H\n#define H\n#include <stdint.h>\n" +
                          replaced(s, "] =", "] __attribute__((aligned(8))) =") + "\n#endif\n";
                 }});
  all.push_back(
      {"another magic number", "magic", [=](S s) { return replaced(s, "ca057a7a", "ca057a7b"); }});
  all.push_back({"cut", "_ec", [](S s) { return s.substr(0, s.size() / 2); }});
  all.push_back({"empty", "_ec_blob", [](S) { return S(); }});
  all.push_back({"a word that is none", "0xzz",
                 [=](S s) { return s.insert(s.find("0x", s.find("{") + 40), "0xzzUL, "); }});
  return all;
}

TEST(AlteredC, blobs_are_read_equal_or_refused_by_name) {
  const NpuProgram p = two_epochs();
  const auto text = format_network_c_with_blobs(p, "n_ecblobs.h");
  ASSERT_TRUE(text.ok()) << text.error().line();
  const auto read = [&](const std::string& c, const std::string& header) {
    const NpuBlobText blobs{"n_ecblobs.h", header};
    return parse_network_c(c, "network.c", &blobs);
  };
  const Outcome usual = outcome_of(read(text->c, text->header), p, false);
  ASSERT_EQ(usual.refusal, "");
  ASSERT_EQ(usual.result.size(), 72u);
  for (const test::AlteredC& a : blob_alterations())
    expect(a, outcome_of(read(text->c, a.alter(text->header)), p, false), usual);
  for (const char* form : {"as it is", "lines end with CR LF", "other blanks", "one line",
                           "a byte order mark", "no comments at all", "suffixes"})
    for (const test::AlteredC& a : test::alterations())
      if (a.name == form)
        expect(a, outcome_of(read(a.alter(text->c), text->header), p, false), usual);
}

// Such a program was read without its hardware epochs, and the audit found errors in what was left.
TEST(AlteredC, a_table_of_epoch_blocks_of_another_type_starts_the_same_blobs) {
  const NpuProgram p = two_epochs();
  const auto text = format_network_c_with_blobs(p, "n_ecblobs.h");
  ASSERT_TRUE(text.ok()) << text.error().line();
  const NpuBlobText blobs{"n_ecblobs.h", text->header};
  const auto with = [&](const std::string& word, const std::string& other) {
    std::string c = text->c;
    for (std::size_t at = c.find(word); at != std::string::npos; at = c.find(word, at + 1))
      c.replace(at, word.size(), other);
    EXPECT_NE(c, text->c);
    return parse_network_c(c, "network.c", &blobs);
  };
  const Outcome usual = outcome_of(parse_network_c(text->c, "network.c", &blobs), p, false),
                other = outcome_of(with("EpochBlock_ItemTypeDef", "LL_ATON_RT_EpochBlockItem_t"), p,
                                   false);
  EXPECT_EQ(other.refusal, "");
  EXPECT_EQ(other.result, usual.result);
  const auto unknown = with("EpochBlock_Flags_", "Block_");
  ASSERT_FALSE(unknown.ok());
  EXPECT_NE(unknown.error().line().find("no epoch starts the blobs"), std::string::npos)
      << unknown.error().line();
}

// Folders as users have them.
class AlteredFolder : public ::testing::Test {
 protected:
  void put(const std::string& name, std::string_view text) {
    ASSERT_TRUE(write_file(folder_ / name, text).ok());
  }
  std::string_view weights() const {
    return {reinterpret_cast<const char*>(p_.images[0].bytes.data()), p_.images[0].bytes.size()};
  }
  std::string refusal(const std::string& name) {
    Result<NpuProgram> read = read_npu_program(folder_ / name);
    if (!read.ok()) return read.error().line();
    const Outcome got = outcome_of(std::move(read), p_, true);
    return !got.refusal.empty()          ? got.refusal
           : got.result == usual_.result ? "equal"
                                         : "other results";
  }
  NpuProgram p_ = two_epochs();
  std::string text_ = format_network_c(p_);
  Outcome usual_ = outcome_of(parse_network_c(text_, "network.c"), p_, true);
  test::TemporaryFolder folder_;
};

TEST_F(AlteredFolder, weights_are_found_by_the_network_s_name) {
  put("person.c", text_), put("person_atonbuf.xSPI2.raw", weights());
  std::string other(weights());
  for (char& c : other) c = static_cast<char>(c ^ 0x55);
  put("face.c", text_), put("face_atonbuf.xSPI2.raw", other);
  EXPECT_EQ(refusal("person.c"), "equal");
  EXPECT_EQ(refusal("face.c"), "other results");
}

TEST_F(AlteredFolder, missing_short_and_empty_weights_are_named) {
  put("network.c", text_);
  EXPECT_NE(refusal("network.c").find("no weights"), std::string::npos) << refusal("network.c");
  put("network_atonbuf.xSPI2.raw", "");
  EXPECT_NE(refusal("network.c").find("no weights"), std::string::npos) << refusal("network.c");
  put("network_atonbuf.xSPI2.raw", weights().substr(0, 18));
  EXPECT_NE(refusal("network.c").find("0x701800"), std::string::npos) << refusal("network.c");
  put("network_atonbuf.xSPI2.raw", weights());
  EXPECT_EQ(refusal("network.c"), "equal");
}

TEST_F(AlteredFolder, structures_in_a_header_beside_are_read_with_the_program) {
  const std::size_t at = text_.find("static void"), end = text_.find("\nconst LL_Buffer");
  put("network_epochs.h", text_.substr(at, end - at));
  put("network.c", "#include \"network_epochs.h\"\n#include \"ll_aton_runtime.h\"\n" +
                       text_.substr(0, at) + text_.substr(end));
  put("network.raw", weights());
  EXPECT_EQ(refusal("network.c"), "equal");
  put("network_epochs.h", text_.substr(at, (end - at) / 2));
  EXPECT_NE(refusal("network.c"), "equal");
  put("network_epochs.h", "#include \"network_epochs.h\"\n" + text_.substr(at, end - at));
  EXPECT_NE(refusal("network.c").find("includes itself"), std::string::npos)
      << refusal("network.c");
}

TEST_F(AlteredFolder, blobs_of_several_networks_are_told_apart) {
  const auto one = format_network_c_with_blobs(p_, "one_ecblobs.h");
  ASSERT_TRUE(one.ok());
  put("one.c", one->c), put("one_ecblobs.h", one->header), put("one.raw", weights());
  put("two_ecblobs.h", "static const uint64_t _ec_blob_9[1] = { 0 };\n");
  EXPECT_EQ(refusal("one.c"), "equal");
  std::filesystem::remove(folder_ / "one_ecblobs.h");
  EXPECT_NE(refusal("one.c").find("_ec"), std::string::npos) << refusal("one.c");
}

}  // namespace
}  // namespace lockstep
