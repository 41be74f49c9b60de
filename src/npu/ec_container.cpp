// Arrays of 64-bit numbers -> words of a blob, out of its container when it is relocatable.
#include <charconv>

#include <fmt/core.h>

#include "npu/c_text.h"
#include "npu/ec_blob.h"

namespace lockstep {
namespace {

constexpr std::uint32_t blob_magic = 0xCA057A7A, container_magic = 0xECBF0000;

// "0x000094edca057a7aUL"
std::optional<std::uint64_t> word_of(std::string_view t) {
  const bool hex = t.starts_with("0x") || t.starts_with("0X");
  if (hex) t.remove_prefix(2);
  std::uint64_t v = 0;
  const auto [p, failed] = std::from_chars(t.data(), t.data() + t.size(), v, hex ? 16 : 10);
  const std::string_view rest(p, static_cast<std::size_t>(t.data() + t.size() - p));
  return failed == std::errc{} && rest.find_first_not_of("uUlL") == std::string_view::npos
             ? std::optional(v)
             : std::nullopt;
}

// Where a container's parts lie, in words. Releases differ in the order of the header: the blob is
// where its magic number stands.
struct Container {
  std::size_t blob = 0, relocations = 0;
};

std::optional<Container> open_container(const std::vector<std::uint32_t>& words) {
  if (words.size() < 5 || (words[0] & 0xffffff00u) != container_magic) return Container{};
  for (std::size_t k = 2; k < 5; ++k)
    if (words[k] % 4 == 0 && words[k] / 4 < words.size() && words[words[k] / 4] == blob_magic &&
        words[1] % 4 == 0 && words[1] / 4 < words.size())
      return Container{words[k] / 4, words[1] / 4};
  return std::nullopt;
}

// Text behind byte `at`, "" when none stands there.
std::string label_at(const std::vector<std::uint32_t>& words, std::size_t at) {
  std::string label;
  for (std::size_t b = at; b / 4 < words.size() && label.size() < 256; ++b) {
    const char c = static_cast<char>(words[b / 4] >> (8 * (b % 4)));
    if (c == 0) return label;
    if (c < ' ' || c > '~') return "";
    label += c;
  }
  return "";
}

// Offsets of a relocation count from the table.
Result<void> read_relocations(const std::vector<std::uint32_t>& words, std::size_t table,
                              EcBlob& blob, const std::string& where) {
  const auto wrong = [&](std::string what) {
    return Error{where, std::move(what), "a table of relocations", "the file is damaged"};
  };
  const std::size_t entries = words[table];
  if (entries > words.size() / 3) return wrong(fmt::format("{} relocations", entries));
  for (std::size_t e = 0; e < entries; ++e) {
    const std::size_t row = table + 1 + 3 * e;
    if (row + 3 > words.size()) return wrong("relocations outside the container");
    const std::size_t count = words[row + 1], first = table + words[row + 2] / 4;
    if (count > words.size() || first > words.size() - count)
      return wrong("places of a relocation outside the container");
    std::vector<std::uint32_t> places(words.begin() + static_cast<std::ptrdiff_t>(first),
                                      words.begin() + static_cast<std::ptrdiff_t>(first + count));
    for (const std::uint32_t place : places)
      if (place >= blob.words.size()) return wrong("a relocation outside the blob");
    blob.relocations.emplace_back(label_at(words, 4 * table + words[row]), std::move(places));
  }
  return {};
}

}  // namespace

Result<EcBlob> ec_blob_from(std::vector<std::uint32_t> words, std::string name,
                            const std::string& file) {
  const std::string where = file + ": " + name;
  const auto wrong = [&](std::string what) {
    return Error{where, std::move(what), "an epoch-controller program",
                 "an encrypted program cannot be read"};
  };
  EcBlob blob{std::move(name), {}, {}};
  const auto container = open_container(words);
  if (!container) return wrong("tables outside the container");
  const std::size_t at = container->blob;
  if (words.size() < at + 2 || words[at] != blob_magic)
    return wrong(words.size() > at ? fmt::format("magic number 0x{:08x}", words[at])
                                   : std::string("no words"));
  const std::size_t count = words[at + 1];
  if (count > words.size() - at - 2)
    return wrong(fmt::format("{} words announced, {} there", count, words.size() - at - 2));
  blob.words.assign(words.begin() + static_cast<std::ptrdiff_t>(at + 2),
                    words.begin() + static_cast<std::ptrdiff_t>(at + 2 + count));
  if (container->relocations != 0)
    LOCKSTEP_CHECK(read_relocations(words, container->relocations, blob, where));
  return blob;
}

namespace {

// The words of an array of 64-bit numbers whose opening brace is token `at`; moves `at` to its end.
Result<std::vector<std::uint32_t>> array_words(const std::vector<CToken>& t, std::size_t& at,
                                               std::string_view name, const std::string& file) {
  std::vector<std::uint32_t> words;
  for (++at; t[at].text != "}"; ++at) {
    if (t[at].is == CToken::Is::end)
      return Error{file, "array " + std::string(name) + " does not end", "the whole generated file",
                   "the file is truncated"};
    if (t[at].is == CToken::Is::comment || t[at].text == ",") continue;
    const auto v = word_of(t[at].text);
    if (!v) return Error{file, fmt::format("'{}' in {}", t[at].text, name), "64-bit numbers", {}};
    words.push_back(static_cast<std::uint32_t>(*v));
    words.push_back(static_cast<std::uint32_t>(*v >> 32));
  }
  return words;
}

// True where the array's elements are 64-bit numbers: "uint64_t" or "unsigned long long" before it.
bool holds_words(const std::vector<CToken>& t, std::size_t name) {
  for (std::size_t k = name; k-- > 0 && name - k < 6;) {
    if (t[k].is == CToken::Is::comment) continue;
    if (t[k].is != CToken::Is::word) return false;
    if (t[k].text == "uint64_t" || t[k].text == "long" || t[k].text == "ECInstr64") return true;
  }
  return false;
}

}  // namespace

Result<std::vector<EcBlob>> parse_ec_blobs(std::string_view text, const std::string& file) {
  LOCKSTEP_TRY(const std::vector<CToken> t, lex_c(text, file));
  std::vector<EcBlob> blobs;
  for (std::size_t i = 0; i + 1 < t.size(); ++i) {
    if (t[i].is != CToken::Is::word || t[i].text.find("ec_blob") == std::string_view::npos ||
        t[i + 1].text != "[" || !holds_words(t, i))
      continue;
    std::size_t at = i + 1;
    while (at < t.size() && t[at].text != "{" && t[at].text != ";" && t[at].is != CToken::Is::end)
      ++at;
    if (at >= t.size() || t[at].text != "{") continue;  // room for a copy, not the blob
    LOCKSTEP_TRY(std::vector<std::uint32_t> words, array_words(t, at, t[i].text, file));
    LOCKSTEP_TRY(EcBlob blob, ec_blob_from(std::move(words), std::string(t[i].text), file));
    blobs.push_back(std::move(blob));
    i = at;
  }
  if (blobs.empty()) return Error{file, "no _ec_blob array", "a generated *_ecblobs.h", {}};
  return blobs;
}

std::string ec_blob_stem(std::string_view name) {
  for (const std::string_view tail : {"_address", "_ptr", "_reloc", "_binary"})
    if (name.ends_with(tail)) name.remove_suffix(tail.size());
  return std::string(name);
}

}  // namespace lockstep
