// Declarations, functions and calls of a generated network.c, in the order of the text.
#include "npu/network_c_reader.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include <fmt/core.h>

namespace lockstep {
namespace {

// The epoch of "LL_ATON_Start_EpochBlock_12", "..._12_network" or "_ec_blob_cache_start_func_12";
// -1 for other names.
int epoch_of(std::string_view name) {
  for (const std::string_view head : {"LL_ATON_Start_EpochBlock_", "LL_ATON_End_EpochBlock_",
                                      "_ec_blob_cache_start_func_", "_ec_blob_cache_end_func_"}) {
    if (!name.starts_with(head)) continue;
    int n = -1;
    std::from_chars(name.data() + head.size(), name.data() + name.size(), n);
    return n >= 0 && n <= 100000 ? n : -1;
  }
  return -1;
}

constexpr std::pair<std::string_view, NpuKind> unit_calls[] = {
    {"LL_Convacc_Init", NpuKind::conv},        {"LL_Arithacc_Init", NpuKind::arith},
    {"LL_Streng_TensorInit", NpuKind::stream}, {"LL_Poolacc_Init", NpuKind::pool},
    {"LL_Activacc_Init", NpuKind::activ},      {"LL_Decun_Init", NpuKind::decompress},
    {"LL_Recbuf_Init", NpuKind::recbuf},
};
constexpr std::string_view harmless[] = {
    "LL_Switch_Deinit",   "LL_ATON_EnableUnits_Init", "LL_ATON_DisableUnits_Init",
    "LL_ATON_LIB_UNUSED", "LL_ATON_EnableClock",      "LL_ATON_DisableClock",
    "LL_ATON_ASSERT",     "LL_Streng_Wait",           "LL_ATON_PRINTF",
    "LL_EpochCtrl_Init"};
// Whole families without effect on numbers.
constexpr std::string_view harmless_heads[] = {"LL_ATON_LOCK_", "LL_ATON_UNLOCK_", "LL_Buffer_",
                                               "LL_Address_",   "LL_ATON_OSAL_",   "LL_ATON_RT_",
                                               "LL_ATON_Set_",  "LL_ATON_Get_"};

bool is_harmless(std::string_view call) {
  return std::ranges::find(harmless, call) != std::end(harmless) ||
         std::ranges::any_of(harmless_heads,
                             [&](std::string_view head) { return call.starts_with(head); });
}

}  // namespace

NetworkReader::NetworkReader(std::vector<CToken> tokens, std::string file, const NpuBlobText* blobs,
                             CSymbols symbols)
    : t_(std::move(tokens)), blobs_(blobs), symbols_(std::move(symbols)) {
  program_.file = std::move(file);
}

std::string NetworkReader::where(std::size_t at) const {
  return fmt::format("{}: byte {}", program_.file, t_[at].at);
}
bool NetworkReader::is(std::size_t at, std::string_view text) const {
  return at < t_.size() && t_[at].text == text && t_[at].is != Is::comment && t_[at].is != Is::text;
}
std::size_t NetworkReader::behind_comments(std::size_t at) const {
  while (at + 1 < t_.size() && t_[at].is == Is::comment) ++at;
  return at;
}

// Behind "__attribute__((..))" and "__ALIGNED(..)", where one stands there.
std::size_t NetworkReader::behind_attribute(std::size_t at) const {
  at = behind_comments(at);
  if (at >= t_.size() || t_[at].is != Is::word || !t_[at].text.starts_with("__") ||
      !is(at + 1, "("))
    return at;
  int open = 0;
  for (++at; at + 1 < t_.size(); ++at) {
    if (is(at, "(")) ++open;
    if (is(at, ")") && --open == 0) return behind_attribute(at + 1);
  }
  return at;
}

Result<NpuProgram> NetworkReader::read() {
  while (t_[at_].is != Is::end) LOCKSTEP_CHECK(step());
  if (depth_ != 0)
    return Error{program_.file, "braces that do not close", "the whole generated file",
                 "the file is truncated"};
  LOCKSTEP_CHECK(blocks());
  if (epochs_.empty())
    return Error{
        program_.file, "no LL_ATON_Start_EpochBlock function", "a generated network.c", {}};
  for (auto& [n, e] : epochs_) program_.epochs.push_back(std::move(e));
  LOCKSTEP_CHECK(buffers());
  place_user_buffers();
  name_npu_streams(program_);
  return std::move(program_);
}

Result<void> NetworkReader::step() {
  const CToken& t = t_[at_];
  if (t.is == Is::comment) return comment(t.text), ++at_, Result<void>();
  if (t.is == Is::mark) {
    if (t.text == "{") ++depth_;
    if (t.text == "}" && --depth_ == 0) current_ = -1;
    if (depth_ < 0) return Error{where(at_), "a brace too many", "generated C", {}};
    return ++at_, Result<void>();
  }
  if (t.is == Is::word && (t.text == "static" || declares())) return declaration();
  if (t.is == Is::word && is(at_ + 1, "(")) return depth_ == 0 ? function() : call();
  return ++at_, Result<void>();
}

// TYPE NAME = {, TYPE NAME[..] = {, with qualifiers, pointers and comments between; at the start of
// a statement.
bool NetworkReader::declares() const {
  if (at_ > 0) {
    std::size_t before = at_ - 1;
    while (before > 0 && t_[before].is == Is::comment) --before;
    if (t_[before].is != Is::comment && !is(before, ";") && !is(before, "{") && !is(before, "}"))
      return false;
  }
  std::size_t at = at_;
  int words = 0;
  for (; at < t_.size() && at - at_ < 24; ++at) {
    if (t_[at].is == Is::word)
      ++words;
    else if (t_[at].is != Is::comment && !is(at, "*"))
      break;
  }
  if (words < 2) return false;
  while (is(at, "[")) {
    while (at + 1 < t_.size() && !is(at, "]")) ++at;
    at = behind_comments(at + 1);
  }
  at = behind_attribute(at);
  return is(at, "=") && is(behind_comments(at + 1), "{");
}

// [static] [const] TYPE* NAME[] = value;   or a function, whose body is read as it comes.
Result<void> NetworkReader::declaration() {
  const std::size_t begin = at_;
  std::string type, name;
  bool pointer = false, array = false;
  for (; t_[at_].is == Is::word || t_[at_].is == Is::comment || is(at_, "*"); ++at_) {
    if (t_[at_].is == Is::comment) continue;
    if (is(at_, "*")) {
      pointer = true;
      continue;
    }
    if (const std::size_t after = behind_attribute(at_); after != at_) {
      at_ = after - 1;
      continue;
    }
    const std::string_view w = t_[at_].text;
    if (is(at_ + 1, "(")) break;
    if (w == "static" || w == "const" || w == "inline" || w == "volatile" || w == "struct")
      continue;
    type = name.empty() ? type : name;
    name = w;
  }
  if (t_[at_].is == Is::word && is(at_ + 1, "(")) return at_ = std::max(at_, begin), function();
  while (is(at_, "[")) {
    array = true;
    while (t_[at_].is != Is::end && !is(at_, "]")) ++at_;
    if (t_[at_].is == Is::end)
      return Error{
          where(t_.size() - 1), "a declaration that does not end", "the whole generated file", {}};
    at_ = behind_comments(at_ + 1);
  }
  at_ = behind_attribute(at_);
  if (!is(at_, "=")) {
    if (at_ == begin) ++at_;
    return {};
  }
  ++at_;
  Declaration d{type + (pointer ? "*" : ""), {}, array, current_ >= 0};
  LOCKSTEP_TRY(d.value, parse_c_value(t_, at_, program_.file));
  if (pointer && !array && name.starts_with("_mem_pool_")) place(name);
  if (epoch()) keep_table(*epoch(), name, d);
  if (d.type == "LL_Buffer_InfoTypeDef")
    buffer_tables_.emplace_back(name, std::move(d));
  else
    declared_.insert_or_assign(name, std::move(d));
  return {};
}

// A memory that the application or a loader gives: one of the pools by its postfix, else an address
// that no memory of the device has.
void NetworkReader::place(const std::string& symbol) {
  for (const NpuPool& p : program_.pools)
    if (!p.postfix.empty() && symbol.starts_with("_mem_pool_" + p.postfix + "_")) {
      symbols_[symbol] = p.base;
      return;
    }
  const std::uint64_t base = 0xD0000000u + (static_cast<std::uint64_t>(placed_.size()) << 24);
  if (placed_.size() < 32 && placed_.emplace(symbol, base).second) symbols_[symbol] = base;
}

Result<void> NetworkReader::function() {
  while (t_[at_].is != Is::end && !is(at_, "(")) ++at_;
  const std::size_t name = at_ > 0 ? at_ - 1 : 0;
  const int n = t_[name].is == Is::word ? epoch_of(t_[name].text) : -1;
  if (n < 0) return {};
  std::size_t after = at_;
  while (t_[after].is != Is::end && !is(after, "{") && !is(after, ";")) ++after;
  if (is(after, "{") && depth_ == 0) current_ = n, epochs_[n].number = n, at_ = after;
  return {};
}

Result<void> NetworkReader::call() {
  const std::string name(t_[at_].text);
  const std::size_t begin = at_;
  Arguments arguments(1);
  int open = 0;
  for (++at_; t_[at_].is != Is::end; ++at_) {
    if (t_[at_].is == Is::comment) continue;
    if (is(at_, "(") && ++open == 1) continue;
    if (is(at_, ")") && --open == 0) break;
    if (is(at_, ",") && open == 1)
      arguments.emplace_back();
    else
      arguments.back().push_back(t_[at_]);
  }
  if (t_[at_].is == Is::end)
    return Error{where(begin), "a call that does not end", "the whole generated file",
                 "the file is truncated"};
  ++at_;
  NpuEpoch* e = epoch();
  if (!e || is(at_, "{")) return {};
  return call_of(*e, name, arguments, begin);
}

Result<void> NetworkReader::call_of(NpuEpoch& e, const std::string& name,
                                    const Arguments& arguments, std::size_t at) {
  for (const auto& [init, kind] : unit_calls)
    if (name == init) return unit(e, kind, arguments, at);
  if (name == "LL_Switch_Init" || name == "LL_Switch_Init_NoReset") return links(e, arguments, at);
  const bool library = name.starts_with("LL_ATON_LIB_") && name != "LL_ATON_LIB_UNUSED";
  if (name.starts_with("ll_sw_") || library || name.find("_Cache_") != std::string::npos) {
    NpuCall c{name, {}};
    for (const auto& a : arguments) c.arguments.push_back(source_of(a));
    e.calls.push_back(std::move(c));
    return {};
  }
  if (name.starts_with("LL_") && !is_harmless(name))
    return Error{where(at),
                 fmt::format("call of {} in epoch {}", name, e.number),
                 "a call that docs/neural-art.md describes",
                 {}};
  return {};
}

// Symbols that stand for addresses are written as such.
std::string NetworkReader::source_of(std::vector<CToken> expression) const {
  std::string text = c_source(expression);
  for (const auto& [symbol, base] : placed_)
    if (const std::size_t at = text.find(symbol); at != std::string::npos)
      text.replace(at, symbol.size(), fmt::format("0x{:08x}UL", base));
  return text;
}

}  // namespace lockstep
