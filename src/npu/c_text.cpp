#include "npu/c_text.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <set>

#include <fmt/core.h>

namespace lockstep {
namespace {

Error cut_off(const std::string& file, std::size_t at, std::string what) {
  return {fmt::format("{}: byte {}", file, at), std::move(what), "the whole generated file",
          "the file is truncated"};
}

// A number as generated files write it: 0x..UL, -12, 0.5f, 1e-3f.
std::optional<NpuField> number_of(std::string_view t) {
  while (!t.empty() && (t.back() == 'U' || t.back() == 'L' || t.back() == 'u' || t.back() == 'l'))
    t.remove_suffix(1);
  if (t.starts_with("0x") || t.starts_with("0X")) {
    std::uint64_t v = 0;
    const auto [p, e] = std::from_chars(t.data() + 2, t.data() + t.size(), v, 16);
    if (e != std::errc{} || p != t.data() + t.size() || v > INT64_MAX) return std::nullopt;
    return NpuField::of(static_cast<std::int64_t>(v));
  }
  const bool real = t.find_first_of(".eE") != std::string_view::npos || t.ends_with('f');
  if (!real) {
    std::int64_t v = 0;
    const auto [p, e] = std::from_chars(t.data(), t.data() + t.size(), v);
    return e == std::errc{} && p == t.data() + t.size() ? std::optional(NpuField::of(v))
                                                        : std::nullopt;
  }
  if (t.ends_with('f') || t.ends_with('F')) t.remove_suffix(1);
  double v = 0;
  const auto [p, e] = std::from_chars(t.data(), t.data() + t.size(), v);
  return e == std::errc{} && p == t.data() + t.size() ? std::optional(NpuField::of_real(v))
                                                      : std::nullopt;
}

bool is_type_word(std::string_view w) {
  static const std::set<std::string_view> words = {
      "unsigned", "signed",   "char",      "short",    "int",     "long",   "const",
      "void",     "float",    "uintptr_t", "intptr_t", "uint8_t", "int8_t", "uint16_t",
      "int16_t",  "uint32_t", "int32_t",   "uint64_t", "int64_t", "size_t"};
  return words.contains(w);
}

}  // namespace

const CValue* CValue::find(std::string_view name) const {
  const auto it = std::ranges::find_if(fields, [&](const auto& f) { return f.first == name; });
  return it == fields.end() ? nullptr : &it->second;
}

const CValue& CValue::unwrapped() const {
  return braces && fields.size() == 1 && fields[0].first.empty() ? fields[0].second.unwrapped()
                                                                 : *this;
}

namespace {

class ValueReader {
 public:
  ValueReader(const std::vector<CToken>& tokens, std::size_t& at, const std::string& file)
      : t_(tokens), at_(at), file_(file) {}

  Result<CValue> value(int depth = 0) {
    skip_comments();
    if (depth > 8)
      return Error{fmt::format("{}: byte {}", file_, t_[at_].at),
                   "braces deeper than 8",
                   "a generated table",
                   {}};
    if (is("{")) return braces(depth);
    CValue v;
    int open = 0;
    for (; t_[at_].is != CToken::Is::end; ++at_) {
      if (t_[at_].is == CToken::Is::comment) continue;
      const std::string_view m = t_[at_].is == CToken::Is::mark ? t_[at_].text : "";
      if (open == 0 && (m == "," || m == "}" || m == ";" || m == ")")) return v;
      if (m == "(" || m == "[") ++open;
      if (m == ")" || m == "]") --open;
      v.expression.push_back(t_[at_]);
    }
    return cut_off(file_, t_[at_].at, "a value that does not end");
  }

 private:
  bool is(std::string_view mark) const {
    return t_[at_].is == CToken::Is::mark && t_[at_].text == mark;
  }
  void skip_comments() {
    while (t_[at_].is == CToken::Is::comment) ++at_;
  }

  // ".a.b =", "LL_Switch_Init_Source(0) =", or nothing.
  std::string designator() {
    const std::size_t begin = at_;
    std::string name;
    if (is(".")) {
      for (; t_[at_].is != CToken::Is::end && !is("="); ++at_) name += t_[at_].text;
      if (is("=")) ++at_;
      return name.substr(1);
    }
    while (t_[at_].is != CToken::Is::end && !is("=") && !is(",") && !is("{") && !is("}"))
      name += t_[at_++].text;
    if (is("=")) return ++at_, name;
    at_ = begin;
    return "";
  }

  Result<CValue> braces(int depth) {
    CValue v;
    v.braces = true;
    for (++at_;;) {
      skip_comments();
      if (t_[at_].is == CToken::Is::end)
        return cut_off(file_, t_[at_].at, "braces that do not close");
      if (is("}")) return ++at_, v;
      if (is(",")) {
        ++at_;
        continue;
      }
      const std::size_t begin = at_;
      std::string name = designator();
      LOCKSTEP_TRY(CValue field, value(depth + 1));
      if (at_ == begin)
        return Error{fmt::format("{}: byte {}", file_, t_[at_].at),
                     fmt::format("'{}' in a table", t_[at_].text),
                     "a value",
                     {}};
      if (is(",")) ++at_;
      if (t_[at_].is == CToken::Is::comment) field.comment = word(t_[at_].text);
      v.fields.push_back({std::move(name), std::move(field)});
    }
  }

  static std::string word(std::string_view comment) {
    while (!comment.empty() && comment.front() == ' ') comment.remove_prefix(1);
    while (!comment.empty() && comment.back() == ' ') comment.remove_suffix(1);
    return comment.find(' ') == std::string_view::npos ? std::string(comment) : "";
  }

  const std::vector<CToken>& t_;
  std::size_t& at_;
  const std::string& file_;
};

}  // namespace

Result<CValue> parse_c_value(const std::vector<CToken>& tokens, std::size_t& at,
                             const std::string& file) {
  return ValueReader(tokens, at, file).value();
}

Result<NpuField> c_field(const CValue& outer, const CSymbols& symbols, const std::string& where) {
  const CValue& value = outer.unwrapped();
  if (value.braces) {
    std::vector<NpuField> list;
    for (const auto& [name, field] : value.fields) {
      LOCKSTEP_TRY(NpuField f, c_field(field, symbols, where));
      list.push_back(std::move(f));
    }
    return NpuField::of_list(std::move(list));
  }
  NpuField sum = NpuField::of(0);
  std::string name;
  int numbers = 0, sign = 1;
  for (std::size_t i = 0; i < value.expression.size(); ++i) {
    const CToken& t = value.expression[i];
    const bool call = i + 1 < value.expression.size() && value.expression[i + 1].text == "(";
    if (t.is == CToken::Is::text) return NpuField::of_name(std::string(t.text));
    if (t.is == CToken::Is::mark && t.text == "-") sign = -1;
    if (t.is == CToken::Is::word && !is_type_word(t.text) && !call) name = t.text;
    if (t.is != CToken::Is::number) continue;
    const auto n = number_of(t.text);
    if (!n) return Error{where, "number " + std::string(t.text), "an integer or a float", {}};
    if (n->is == NpuField::Is::real)
      sum = NpuField::of_real(sign * n->real);
    else
      sum.integer += sign * n->integer;
    sign = 1, ++numbers;
  }
  if (name.empty()) return sum;
  const auto symbol = symbols.find(name);
  if (symbol != symbols.end())
    return NpuField::of(static_cast<std::int64_t>(symbol->second) + sum.integer);
  if (name == "NULL") return NpuField::of(0);
  if (numbers > 0)
    return Error{where, "the address of " + name, "an address that the file itself gives",
                 "relocatable networks need their memory pools' addresses"};
  return NpuField::of_name(std::move(name));
}

std::string c_source(const std::vector<CToken>& expression) {
  std::string out;
  bool word = false;
  for (const CToken& t : expression) {
    const bool now = t.is == CToken::Is::word || t.is == CToken::Is::number;
    const bool plus = t.text == "+";
    if ((word && now) || plus) out += ' ';
    if (t.is == CToken::Is::text)
      out += '"' + std::string(t.text) + '"';
    else
      out += t.text;
    if (plus) out += ' ';
    word = now;
  }
  return out;
}

CSymbols c_defines(std::string_view text) {
  CSymbols symbols;
  for (std::size_t at = text.find("#define"); at != std::string_view::npos;
       at = text.find("#define", at + 1)) {
    const std::string_view line =
        text.substr(at + 7, text.find('\n', at) - std::min(text.size(), at + 7));
    const auto tokens = lex_c(line, "");
    // NAME, then a value of a few tokens: no parameters, nothing that is not a sum of numbers.
    if (!tokens.ok() || tokens->size() < 3 || tokens->size() > 24 ||
        (*tokens)[0].is != CToken::Is::word)
      continue;
    CValue value;
    for (std::size_t k = 1; k + 1 < tokens->size(); ++k)
      if ((*tokens)[k].is != CToken::Is::comment) value.expression.push_back((*tokens)[k]);
    const bool number = std::ranges::any_of(
        value.expression, [](const CToken& t) { return t.is == CToken::Is::number; });
    const bool sum = std::ranges::all_of(value.expression, [](const CToken& t) {
      return t.is != CToken::Is::mark || t.text == "(" || t.text == ")" || t.text == "+" ||
             t.text == "*";
    });
    if (!number || !sum) continue;
    const auto field = c_field(value, symbols, "");
    if (field.ok() && field->is == NpuField::Is::integer && field->integer >= 0)
      symbols.insert_or_assign(std::string((*tokens)[0].text),
                               static_cast<std::uint64_t>(field->integer));
  }
  return symbols;
}

}  // namespace lockstep
