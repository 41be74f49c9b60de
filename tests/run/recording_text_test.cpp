#include "run/recording_text.h"

#include <gtest/gtest.h>

#include <random>

#include "base/files.h"
#include "run/recording_bytes.h"
#include "support/temporary.h"

namespace lockstep {
namespace {

std::vector<double> numbers_of(const RecordedArray& a) {
  std::vector<double> numbers;
  for (std::int64_t i = 0; i < a.tensor.count(); ++i) numbers.push_back(a.tensor.number(i));
  return numbers;
}

Recording read(std::string_view text) {
  auto r = recording_from_text(text, "file", "file.txt");
  EXPECT_TRUE(r.ok()) << r.error().line();
  return r.ok() ? std::move(*r) : Recording{};
}

TEST(RecordingText, a_c_header_holds_arrays_with_names_and_types) {
  const Recording r = read(
      "#include <stdint.h>\nextern int8_t none[2];\nstruct s { int a; };\n/* codes = {9} */\n"
      "const int8_t a_b[2][2] = {{1, -2}, {0xff, 0x80}}; // = {7}\nstatic float y[] = {1.5f, "
      "-2};\nuint8_t z[1] = {200U};\n");
  ASSERT_EQ(r.arrays.size(), 3u);
  EXPECT_EQ(r.arrays[0].name, "a_b");
  EXPECT_EQ(r.arrays[0].tensor.dtype(), DType::i8);
  EXPECT_EQ(numbers_of(r.arrays[0]), (std::vector<double>{1, -2, -1, -128}));
  EXPECT_EQ(numbers_of(r.arrays[1]), (std::vector<double>{1.5, -2}));
  EXPECT_EQ(r.arrays[2].tensor.dtype(), DType::u8);
}

TEST(RecordingText, a_code_that_its_c_type_cannot_hold_is_refused) {
  EXPECT_FALSE(recording_from_text("int8_t a[1] = {300};", "f", "f.h").ok());
  EXPECT_FALSE(recording_from_text("uint8_t a[1] = {-1};", "f", "f.h").ok());
  EXPECT_FALSE(recording_from_text("int8_t a[1] = {1.5};", "f", "f.h").ok());
  EXPECT_FALSE(recording_from_text("int8_t a[2] = {1, 2", "f", "f.h").ok());
}

TEST(RecordingText, gdb_prints_are_named_by_the_command_and_repeats_are_written_out) {
  const Recording r =
      read("(gdb) p net_out\n$1 = {1, -2 <repeats 3 times>, 7 '\\a'}\n(gdb) p second\n$2 = {4}\n");
  ASSERT_EQ(r.arrays.size(), 2u);
  EXPECT_EQ(r.arrays[0].name, "net_out");
  EXPECT_EQ(numbers_of(r.arrays[0]), (std::vector<double>{1, -2, -2, -2, 7}));
  EXPECT_EQ(r.arrays[1].name, "second");
}

TEST(RecordingText, a_print_that_was_cut_off_is_refused_with_what_helps) {
  const auto gdb = recording_from_text("$1 = {1, 2, 3...}", "f", "f.txt"),
             numpy = recording_from_text("x\n[1 2 3 ... 7 8 9]\n", "f", "f.txt"),
             rows = recording_from_text("x\n[[1 2]\n ...\n [3 4]]\n", "f", "f.txt");
  ASSERT_FALSE(gdb.ok());
  EXPECT_NE(gdb.error().line().find("set print elements unlimited"), std::string::npos)
      << gdb.error().line();
  ASSERT_FALSE(numpy.ok());
  EXPECT_NE(numpy.error().line().find("set_printoptions"), std::string::npos)
      << numpy.error().line();
  EXPECT_FALSE(rows.ok());
  EXPECT_FALSE(recording_from_text("$1 = {1 <repeats 99999999999 times>}", "f", "f.txt").ok());
}

TEST(RecordingText, a_uart_log_in_hexadecimal_waits_for_the_models_types) {
  const Recording r = read(
      "[00:00:01.5] boot\r\n[/conv 1/out] 5 bytes\r\n00000000: 01 02 80\r\n00000003: ff "
      "10\r\n\r\ndump of second:\r\n0x20000000 <buf>:\t0x11\t0x12\r\n");
  ASSERT_EQ(r.arrays.size(), 2u);
  EXPECT_EQ(r.arrays[0].name, "/conv");
  EXPECT_TRUE(waits_for_type(r.arrays[0]));
  EXPECT_EQ(numbers_of(r.arrays[0]), (std::vector<double>{1, 2, 128, 255, 16}));
  EXPECT_EQ(r.arrays[1].name, "second");
  EXPECT_EQ(numbers_of(r.arrays[1]), (std::vector<double>{0x11, 0x12}));
}

TEST(RecordingText, xxd_and_hexdump_leave_their_characters_out) {
  const std::vector<double> wanted{0x00, 0x41, 0x61, 0x62, 0x63, 0x64};
  EXPECT_EQ(numbers_of(read("00000000: 0041 6162 6364  .Aabcd\n").arrays[0]), wanted);
  EXPECT_EQ(numbers_of(read("00000000  00 41 61 62  63 64  |.Aabcd|\n00000006\n").arrays[0]),
            wanted);
}

// hexdump leaves equal lines out: the rest was once taken for a second sample.
TEST(RecordingText, a_dump_that_leaves_equal_lines_out_is_refused) {
  const auto r =
      recording_from_text("00000000  00 01  |..|\n*\n00000020  02 03  |..|\n", "f", "f.txt");
  ASSERT_FALSE(r.ok());
  EXPECT_NE(r.error().line().find("hexdump -v"), std::string::npos) << r.error().line();
}

TEST(RecordingText, words_of_a_debugger_are_least_byte_first) {
  EXPECT_EQ(numbers_of(read("0x34200000:\t0x04030201\n").arrays[0]),
            (std::vector<double>{1, 2, 3, 4}));
}

TEST(RecordingText, decimal_lines_are_numbers_named_before_or_above) {
  const Recording r = read("logits: -63 -25 10\nsecond (int8)\n[[ 1 20]\n [30 40]]\n");
  ASSERT_EQ(r.arrays.size(), 2u);
  EXPECT_EQ(r.arrays[0].name, "logits");
  EXPECT_EQ(numbers_of(r.arrays[0]), (std::vector<double>{-63, -25, 10}));
  EXPECT_EQ(r.arrays[1].name, "second");
  EXPECT_EQ(numbers_of(r.arrays[1]), (std::vector<double>{1, 20, 30, 40}));
}

TEST(RecordingText, numbers_behind_a_name_are_the_tensor_unless_a_dump_follows) {
  const Recording r = read(
      "MCU logits 25 15 -9\nconv1 int8 1 4\n00000000: 01 02 03 04\nfirst (4, 1, 48)\n7 8\nsize "
      "4\nend of it\n");
  ASSERT_EQ(r.arrays.size(), 3u);
  EXPECT_EQ(r.arrays[0].name, "logits");
  EXPECT_EQ(numbers_of(r.arrays[0]), (std::vector<double>{25, 15, -9}));
  EXPECT_EQ(r.arrays[1].name, "conv1");
  EXPECT_EQ(numbers_of(r.arrays[1]), (std::vector<double>{1, 2, 3, 4}));
  EXPECT_EQ(r.arrays[2].name, "first");
  EXPECT_EQ(numbers_of(r.arrays[2]), (std::vector<double>{7, 8}));
}

// The first line was once taken for a shape whatever stood in it, and left out.
TEST(RecordingText, a_tensor_that_goes_on_below_its_first_line_keeps_it) {
  const Recording r = read("logits_q 2 -49 -112 47 -50\n11 -36 54 40 -58\n");
  ASSERT_EQ(r.arrays.size(), 1u);
  EXPECT_EQ(r.arrays[0].name, "logits_q");
  EXPECT_EQ(numbers_of(r.arrays[0]),
            (std::vector<double>{2, -49, -112, 47, -50, 11, -36, 54, 40, -58}));
  EXPECT_EQ(numbers_of(read("out 3 5 7\n1 2 4\n").arrays[0]),
            (std::vector<double>{3, 5, 7, 1, 2, 4}));
  EXPECT_EQ(numbers_of(read("out 2 2\n-1 2\n3 4\n").arrays[0]), (std::vector<double>{-1, 2, 3, 4}));
}

// Of "[1, 2, 3]" the number behind the bracket was once left out.
TEST(RecordingText, numbers_in_brackets_behind_a_name_are_all_read) {
  EXPECT_EQ(numbers_of(read("logits [1, -2, 3]\n").arrays[0]), (std::vector<double>{1, -2, 3}));
  EXPECT_EQ(numbers_of(read("logits [3, 1, 2]\n1 2 3 4 5 6\n").arrays[0]),
            (std::vector<double>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(numbers_of(read("logits torch.Size([4, 1, 48])\n7 8\n").arrays[0]),
            (std::vector<double>{7, 8}));
}

TEST(RecordingText, numbers_above_a_dump_that_are_not_its_shape_are_said) {
  const Recording r = read("conv1 0 512\n0000: 01 02 03 04\nmm 1 2\n0000: 01 02 03 04\n");
  ASSERT_EQ(r.arrays.size(), 2u);
  EXPECT_EQ(numbers_of(r.arrays[0]), (std::vector<double>{1, 2, 3, 4}));
  ASSERT_EQ(r.notes.size(), 1u);
  EXPECT_NE(r.notes[0].find("'conv1'"), std::string::npos) << r.notes[0];
}

// "02" once made a line bytes for sure although "-49" behind it is none: the tensor was lost, and
// its neighbours with it.
TEST(RecordingText, decimals_padded_with_zeros_are_numbers) {
  const Recording r = read("logits_q: 02 -49 -112 47\nmm: 00 1 2.5 3\n");
  ASSERT_EQ(r.arrays.size(), 2u);
  EXPECT_EQ(numbers_of(r.arrays[0]), (std::vector<double>{2, -49, -112, 47}));
  EXPECT_EQ(numbers_of(r.arrays[1]), (std::vector<double>{0, 1, 2.5, 3}));
}

TEST(RecordingText, a_padded_line_among_decimal_lines_loses_none_of_them) {
  const std::vector<double> wanted{11, -36, 2, 49, 12, -7};
  for (const char* text : {"out:\n11 -36\n02 49\n12 -7\n", "out: 11 -36\n02 49 12 -7\n"}) {
    const Recording r = read(text);
    ASSERT_EQ(r.arrays.size(), 1u) << text;
    EXPECT_EQ(numbers_of(r.arrays[0]), wanted) << text;
  }
  const Recording first = read("out:\n02 49\n-5 300\n");
  ASSERT_EQ(first.arrays.size(), 1u);
  EXPECT_EQ(numbers_of(first.arrays[0]), (std::vector<double>{2, 49, -5, 300}));
}

TEST(RecordingText, a_tensor_printed_again_is_the_next_sample) {
  const Recording r = read("out = [1, 2]\nout = [3, 4]\nout = [5, 6]\n");
  ASSERT_EQ(r.arrays.size(), 3u);
  EXPECT_EQ(r.samples, 3);
  EXPECT_EQ(r.arrays[2].sample, 2);
}

TEST(RecordingText, words_alone_hold_no_tensor) {
  EXPECT_TRUE(read("hello\nworld\n").arrays.empty());
  EXPECT_TRUE(read("").arrays.empty());
}

TEST(RecordingNumbers, json_of_names_lists_and_samples) {
  const auto read_json = [](std::string_view text) {
    return recording_from_json_numbers(text, "file", "file.json");
  };
  const auto names = read_json(R"({"a": [[1, 2], [3, -4]], "b": 1.5, "board": "N6"})"),
             samples = read_json(R"([{"a": [1]}, {"a": [2]}])"), list = read_json("[1, 2]");
  ASSERT_TRUE(names.ok() && samples.ok() && list.ok());
  ASSERT_EQ(names->arrays.size(), 2u);
  EXPECT_EQ(numbers_of(names->arrays[0]), (std::vector<double>{1, 2, 3, -4}));
  EXPECT_EQ(samples->samples, 2);
  EXPECT_EQ(samples->arrays[1].sample, 1);
  EXPECT_EQ(list->arrays[0].name, "file");
  EXPECT_FALSE(read_json("{").ok());
  EXPECT_FALSE(read_json(R"({"a": [1, "two"]})").ok());
}

TEST(RecordingNumbers, lists_in_lists_without_end_are_refused) {
  constexpr std::size_t deep = 400000;
  for (const auto& [open, close] :
       {std::pair<std::string, std::string>{"[", "]"}, {"{\"a\":", "}"}}) {
    std::string text;
    for (std::size_t i = 0; i < deep; ++i) text += open;
    text += '1';
    for (std::size_t i = 0; i < deep; ++i) text += close;
    const auto read = recording_from_json_numbers(text, "file", "file.json");
    ASSERT_FALSE(read.ok());
    EXPECT_NE(read.error().what.find("nested"), std::string::npos) << read.error().what;
    EXPECT_FALSE(describes_raw(text));
  }
}

TEST(RecordingNumbers, whole_numbers_that_float32_would_round_stay_whole) {
  EXPECT_EQ(recorded_numbers("a", {16777217, 1}).tensor.number(0), 16777217);
  EXPECT_EQ(recorded_numbers("a", {0.5, 1}).tensor.dtype(), DType::f32);
}

// The .json of the same name is numbers of its own and describes nothing.
TEST(RecordingNumbers, bytes_beside_a_json_of_numbers_are_read_without_it) {
  const test::TemporaryFolder scratch;
  ASSERT_TRUE(write_file(scratch / "out.bin", "\x01\x02").ok());
  ASSERT_TRUE(write_file(scratch / "out.json", "[1, 2]").ok());
  const auto r = read_recording(scratch / "out.bin");
  ASSERT_TRUE(r.ok()) << r.error().line();
  EXPECT_TRUE(waits_for_type(r->arrays[0]));
}

TEST(RecordingNumbers, lists_nested_without_end_are_refused) {
  const std::string deep = std::string(2000000, '['), object = "{\"samples\": " + deep;
  EXPECT_FALSE(recording_from_json_numbers(deep, "f", "f.json").ok());
  EXPECT_FALSE(describes_raw(object));
  EXPECT_FALSE(recording_from_raw(object + std::string(2000000, ']') + "}", "f.json").ok());
}

// Bytes changed, taken out and doubled at random, seeded: a recording or an error, never a crash.
TEST(RecordingText, damaged_text_is_an_error_or_a_recording) {
  const std::string whole[] = {
      "const int8_t a_b[2][2] = {{1, -2}, {0xff, 0x80}}; // c\nstatic float y[] = {1.5f, -2};\n",
      "(gdb) p net_out\n$1 = {1, -2 <repeats 3 times>, 7 '\\a'}\n",
      "[00:01.5] boot\n[/conv/out] 5 bytes\n00000000: 01 02 80  ..a\n00000003  ff 10  "
      "|..|\n0x20000000 <buf>:\t0x11\t0x12\n",
      "logits: -63 -25 10\nsecond (4, 2)\n[[ 1 20]\n [30 40]]\nout 1 2 3\n",
      R"({"a": [[1, 2], [3, -4]], "b": [{"c": 1.5}], "d": "N6"})"};
  std::mt19937 random(11);
  int read = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string text = whole[static_cast<std::size_t>(i) % std::size(whole)];
    for (unsigned n = 1 + random() % 5; n > 0; --n) {
      const std::size_t at = random() % text.size();
      const unsigned how = random() % 4;
      if (how == 0)
        text[at] = static_cast<char>(random());
      else if (how == 1)
        text[at] = "{}[]<>=:;,.'\"$/*x- 0"[random() % 20];
      else if (how == 2 && text.size() > 1)
        text.erase(at, 1 + random() % 4);
      else
        text.insert(at, text.substr(at, 1 + random() % 6));
    }
    const auto r = i % 5 == 4 ? recording_from_json_numbers(text, "f", "f")
                              : recording_from_text(text, "f", "f");
    if (!r.ok()) {
      EXPECT_FALSE(r.error().line().empty());
    }
    read += r.ok();
  }
  EXPECT_GT(read, 5000);
}

}  // namespace
}  // namespace lockstep
