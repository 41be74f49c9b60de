#include "npu/c_text.h"

#include <algorithm>
#include <cctype>

#include <fmt/core.h>

namespace lockstep {
namespace {

bool starts_word(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) || c == '_';
}
bool in_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
}

Error cut_off(const std::string& file, std::size_t at, std::string what) {
  return {fmt::format("{}: byte {}", file, at), std::move(what), "the whole generated file",
          "the file is truncated"};
}

// Behind the text that "#if 0" at `at` takes out; `at` where no such line stands there.
std::size_t behind_if_0(std::string_view s, std::size_t at) {
  const auto directive = [&](std::size_t from) {  // "#if 0", without its blanks
    std::string line;
    for (std::size_t i = from; i < s.size() && s[i] != '\n' && line.size() < 16; ++i)
      if (!std::isspace(static_cast<unsigned char>(s[i]))) line += s[i];
    return line;
  };
  if (directive(at) != "#if0") return at;
  int open = 0;
  for (std::size_t i = at; i < s.size();) {
    const std::string d = directive(i);
    const std::size_t end = std::min(s.find('\n', i), s.size());
    if (d.starts_with("#if")) ++open;
    if ((d.starts_with("#el") && open == 1) || (d.starts_with("#endif") && --open == 0)) return end;
    i = std::min(end + 1, s.size());
  }
  return s.size();
}

}  // namespace

Result<std::vector<CToken>> lex_c(std::string_view s, const std::string& file) {
  std::vector<CToken> tokens;
  bool line_start = true;
  for (std::size_t i = 0; i < s.size();) {
    const char c = s[i];
    if (c == '\n') {
      line_start = true, ++i;
      continue;
    }
    if (std::isspace(static_cast<unsigned char>(c))) {
      ++i;
      continue;
    }
    if (c == '#' && line_start) {
      if (const std::size_t after = behind_if_0(s, i); after != i) {
        i = after;
        continue;
      }
      while (i < s.size() && s[i] != '\n') i += s[i] == '\\' && i + 1 < s.size() ? 2 : 1;
      continue;
    }
    line_start = false;
    const std::size_t begin = i;
    if (s.substr(i, 2) == "//") {
      while (i < s.size() && s[i] != '\n') ++i;
      tokens.push_back({CToken::Is::comment, s.substr(begin + 2, i - begin - 2), begin});
    } else if (s.substr(i, 2) == "/*") {
      const std::size_t end = s.find("*/", i + 2);
      if (end == std::string_view::npos) return cut_off(file, begin, "a comment that does not end");
      tokens.push_back({CToken::Is::comment, s.substr(begin + 2, end - begin - 2), begin});
      i = end + 2;
    } else if (c == '"') {
      for (++i; i < s.size() && s[i] != '"'; ++i)
        if (s[i] == '\\') ++i;
      if (i >= s.size()) return cut_off(file, begin, "a string that does not end");
      tokens.push_back({CToken::Is::text, s.substr(begin + 1, i - begin - 1), begin});
      ++i;
    } else if (starts_word(c)) {
      while (i < s.size() && in_word(s[i])) ++i;
      tokens.push_back({CToken::Is::word, s.substr(begin, i - begin), begin});
    } else if (std::isdigit(static_cast<unsigned char>(c)) ||
               (c == '.' && i + 1 < s.size() &&
                std::isdigit(static_cast<unsigned char>(s[i + 1])))) {
      const bool hex = s.substr(i, 2) == "0x" || s.substr(i, 2) == "0X";
      while (i < s.size() &&
             (in_word(s[i]) || s[i] == '.' ||
              (!hex && (s[i] == '+' || s[i] == '-') && (s[i - 1] == 'e' || s[i - 1] == 'E'))))
        ++i;
      tokens.push_back({CToken::Is::number, s.substr(begin, i - begin), begin});
    } else {
      tokens.push_back({CToken::Is::mark, s.substr(i, 1), begin});
      ++i;
    }
  }
  tokens.push_back({CToken::Is::end, "", s.size()});
  return tokens;
}

}  // namespace lockstep
