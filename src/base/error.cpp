#include "base/error.h"

#include <string_view>

namespace lockstep {
namespace {

// What a user gave, or a file holds, may contain what moves the cursor: it is shown as "\n",
// "\x1b".
std::string shown(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (code >= 0x20 && code != 0x7f)
      out += c;
    else if (c == '\n' || c == '\t' || c == '\r')
      out += c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r";
    else
      (out += "\\x") += {digits[code >> 4], digits[code & 15]};
  }
  return out;
}

}  // namespace

std::string Error::line() const {
  std::string text = shown(where.empty() ? what : where + ": " + what);
  if (!want.empty()) text += "; want " + shown(want);
  if (!hint.empty()) text += " (" + shown(hint) + ")";
  return text;
}

std::string Error::block() const {
  std::string text = shown(where.empty() ? what : where + ": " + what);
  if (!want.empty()) text += "\n  want  " + shown(want);
  if (!hint.empty()) text += "\n  hint  " + shown(hint);
  return text;
}

}  // namespace lockstep
