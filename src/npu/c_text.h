#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "npu/program.h"

namespace lockstep {

// The little of C that generated network files are made of: static tables with designated
// initializers, and calls. Preprocessor lines are skipped.
struct CToken {
  enum class Is : std::uint8_t { word, number, text, mark, comment, end } is = Is::end;
  std::string_view text;
  std::size_t at = 0;  // byte in the file
};

// Errors: a comment or a string that does not end.
Result<std::vector<CToken>> lex_c(std::string_view text, const std::string& file);

struct CMember;

// An initializer: braces with fields by designator ("" without), or an expression.
struct CValue {
  bool braces = false;
  std::vector<CMember> fields;
  std::vector<CToken> expression;
  std::string comment;  // the one that follows, where it is a single word

  const CValue* find(std::string_view name) const;
  const CValue& unwrapped() const;  // {(x)} is x
};
struct CMember {
  std::string first;
  CValue second;
};

// Known addresses by symbol: memory pools and constant arrays.
using CSymbols = std::map<std::string, std::uint64_t, std::less<>>;

// Numbers that the text defines: "#define POOL 0x34200000UL". Conditions are not followed.
CSymbols c_defines(std::string_view text);

// Parses from the token at `at`, which moves behind the value. Errors: text that ends inside it.
Result<CValue> parse_c_value(const std::vector<CToken>& tokens, std::size_t& at,
                             const std::string& file);

// A number (casts, address wrappers and sums resolved), a name, or a list.
Result<NpuField> c_field(const CValue& value, const CSymbols& symbols, const std::string& where);

std::string c_source(
    const std::vector<CToken>& expression);  // the tokens, one blank where C needs it

}  // namespace lockstep
