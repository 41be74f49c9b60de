#include "npu/network_c.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include <fmt/core.h>

#include "npu/c_text.h"
#include "npu/ec_blob.h"
#include "npu/images.h"

namespace lockstep {
namespace {

using Is = CToken::Is;

struct Declaration {
  std::string type;
  CValue value;
  bool array = false;
};

// The epoch of "LL_ATON_Start_EpochBlock_12" or "..._12_network"; -1 for other names.
int epoch_of(std::string_view name) {
  for (const std::string_view head : {"LL_ATON_Start_EpochBlock_", "LL_ATON_End_EpochBlock_"}) {
    if (!name.starts_with(head)) continue;
    int n = -1;
    std::from_chars(name.data() + head.size(), name.data() + name.size(), n);
    return n;
  }
  return -1;
}

constexpr std::pair<std::string_view, NpuKind> unit_calls[] = {
    {"LL_Convacc_Init", NpuKind::conv},   {"LL_Arithacc_Init", NpuKind::arith}, {"LL_Streng_TensorInit", NpuKind::stream},
    {"LL_Poolacc_Init", NpuKind::pool},   {"LL_Activacc_Init", NpuKind::activ}, {"LL_Decun_Init", NpuKind::decompress},
};
constexpr std::string_view harmless[] = {"LL_Switch_Deinit", "LL_ATON_EnableUnits_Init", "LL_ATON_DisableUnits_Init", "LL_ATON_LIB_UNUSED",
                                         "LL_ATON_EnableClock", "LL_ATON_DisableClock", "LL_ATON_ASSERT", "LL_Streng_Wait", "LL_ATON_PRINTF"};

class Reader {
 public:
  Reader(std::vector<CToken> tokens, std::string file, const NpuBlobText* blobs) : t_(std::move(tokens)), blobs_(blobs) { program_.file = std::move(file); }

  Result<NpuProgram> read() {
    for (; t_[at_].is != Is::end; ) LOCKSTEP_CHECK(step());
    if (depth_ != 0) return Error{program_.file, "braces that do not close", "the whole generated file", "the file is truncated"};
    LOCKSTEP_CHECK(blocks());
    if (epochs_.empty()) return Error{program_.file, "no LL_ATON_Start_EpochBlock function", "a generated network.c", {}};
    for (auto& [n, e] : epochs_) program_.epochs.push_back(std::move(e));
    LOCKSTEP_CHECK(buffers());
    name_npu_streams(program_);
    return std::move(program_);
  }

 private:
  std::string where(std::size_t at) const { return fmt::format("{}: byte {}", program_.file, t_[at].at); }
  bool is(std::size_t at, std::string_view text) const { return t_[at].text == text && t_[at].is != Is::comment && t_[at].is != Is::text; }
  NpuEpoch* epoch() { return current_ < 0 ? nullptr : &epochs_[current_]; }

  Result<void> step() {
    const CToken& t = t_[at_];
    if (t.is == Is::comment) return comment(t.text), ++at_, Result<void>();
    if (t.is == Is::mark) {
      if (t.text == "{") ++depth_;
      if (t.text == "}" && --depth_ == 0) current_ = -1;
      if (depth_ < 0) return Error{where(at_), "a brace too many", "generated C", {}};
      return ++at_, Result<void>();
    }
    if (t.is == Is::word && t.text == "static") return declaration();
    if (t.is == Is::word && is(at_ + 1, "(")) return call();
    return ++at_, Result<void>();
  }

  void comment(std::string_view c) {
    const auto after = [&](std::string_view key) -> std::string_view {
      const std::size_t at = c.find(key);
      if (at == std::string_view::npos) return {};
      const std::string_view rest = c.substr(at + key.size());
      return rest.substr(0, rest.find_first_of(" \n\r\t,"));
    };
    if (NpuEpoch* e = epoch(); e && !after("kind=").empty() && !after("node=").empty()) {
      const std::string node(after("node="));
      if (std::ranges::find(e->nodes, node, &std::pair<std::string, std::string>::first) == e->nodes.end())
        e->nodes.emplace_back(node, std::string(after("kind=")));
    }
    if (program_.compiler.empty() && (c.find("ersion") != std::string_view::npos || c.find("atonn") != std::string_view::npos))
      for (std::size_t i = 0; i < c.size(); ++i) {
        const std::size_t end = std::min(c.size(), c.find_first_not_of("0123456789.-", i));
        const std::string_view v = c.substr(i, end - i);
        if (std::ranges::count(v, '.') == 2 && v.find('-') != std::string_view::npos && std::isdigit(static_cast<unsigned char>(v[0]))) program_.compiler = "atonn " + std::string(v);
        if (end > i) i = end;
      }
    if (epoch() == nullptr && !after("name=").empty() && after("offset=").starts_with("0x") && !after("size=").empty()) pool(c, after);
  }

  template <class F>
  void pool(std::string_view c, F after) {
    NpuPool p;
    p.name = after("name=");
    const std::string_view base = after("offset="), size = after("size=");
    std::from_chars(base.data() + 2, base.data() + base.size(), p.base, 16);
    std::from_chars(size.data(), size.data() + size.size(), p.size);
    p.read_only = c.find("READ_ONLY") != std::string_view::npos || c.find("rights=R ") != std::string_view::npos;
    if (p.size == 0 || p.size > (std::uint64_t{1} << 28)) return;
    if (!after("file postfix=").empty()) postfix_[p.name] = after("file postfix=");
    program_.pools.push_back(std::move(p));
  }

  // static const TYPE* NAME[] = value;   or a function, whose body is read as it comes.
  Result<void> declaration() {
    const std::size_t begin = at_;
    std::string type, name;
    bool pointer = false, array = false;
    for (++at_; t_[at_].is == Is::word || is(at_, "*"); ++at_) {
      if (is(at_, "*")) { pointer = true; continue; }
      if (t_[at_].text == "const" || t_[at_].text == "inline") continue;
      type = name.empty() ? type : name;
      name = t_[at_].text;
    }
    if (is(at_, "(")) return at_ = begin + 1, function();
    while (is(at_, "[")) {
      array = true;
      while (t_[at_].is != Is::end && !is(at_, "]")) ++at_;
      ++at_;
      if (at_ >= t_.size()) return Error{where(t_.size() - 1), "a declaration that does not end", "the whole generated file", {}};
    }
    if (!is(at_, "=")) return {};
    ++at_;
    Declaration d{type + (pointer ? "*" : ""), {}, array};
    LOCKSTEP_TRY(d.value, parse_c_value(t_, at_, program_.file));
    if (epoch()) LOCKSTEP_CHECK(table(*epoch(), name, d));
    declared_.insert_or_assign(name, std::move(d));
    return {};
  }

  Result<void> function() {
    while (t_[at_].is != Is::end && !is(at_, "(")) {
      if (t_[at_].is == Is::word && epoch_of(t_[at_].text) >= 0) {
        const int n = epoch_of(t_[at_].text);
        std::size_t after = at_;
        while (t_[after].is != Is::end && !is(after, "{") && !is(after, ";")) ++after;
        if (is(after, "{")) current_ = n, epochs_[n].number = n, at_ = after;
        return {};
      }
      ++at_;
    }
    return {};
  }

  // Constants beside software operations are kept as tables; units and switches are read where used.
  Result<void> table(NpuEpoch& e, const std::string& name, const Declaration& d) {
    if (d.type.find("_InitTypeDef") != std::string::npos || d.type.find("TensorInitTypeDef") != std::string::npos) return {};
    NpuTable t{d.type, {}, {}};
    const std::string at = program_.file + ": " + name;
    const auto row = [&](const CValue& v) -> Result<void> {
      LOCKSTEP_TRY(NpuFields fields, fields_of(v, at));
      // The row that ends a table of buffers.
      if (const auto end = fields.find("name"); end != fields.end() && end->second.is == NpuField::Is::integer) end->second = NpuField::of_name("NULL");
      t.rows.push_back(std::move(fields));
      return {};
    };
    const bool named = d.value.braces && !d.value.fields.empty() && !d.value.fields[0].first.empty();
    if (named) LOCKSTEP_CHECK(row(d.value));
    else
      for (const auto& [key, v] : d.value.fields) {
        if (v.braces && !v.fields.empty() && !v.fields[0].first.empty()) LOCKSTEP_CHECK(row(v));
        else {
          LOCKSTEP_TRY(NpuField f, c_field(v, symbols_, at));
          t.values.push_back(std::move(f));
        }
      }
    e.tables.insert_or_assign(name, std::move(t));
    return {};
  }

  Result<NpuFields> fields_of(const CValue& v, const std::string& at) {
    NpuFields fields;
    for (const auto& [key, field] : v.fields) {
      if (key.empty()) continue;
      LOCKSTEP_TRY(NpuField f, c_field(field, symbols_, at + "." + key));
      fields.insert_or_assign(key, std::move(f));
    }
    return fields;
  }

  Result<void> call() {
    const std::string name(t_[at_].text);
    const std::size_t begin = at_;
    std::vector<std::vector<CToken>> arguments(1);
    int open = 0;
    for (++at_; t_[at_].is != Is::end; ++at_) {
      if (t_[at_].is == Is::comment) continue;
      if (is(at_, "(") && ++open == 1) continue;
      if (is(at_, ")") && --open == 0) break;
      if (is(at_, ",") && open == 1) arguments.emplace_back();
      else arguments.back().push_back(t_[at_]);
    }
    if (t_[at_].is == Is::end) return Error{where(begin), "a call that does not end", "the whole generated file", "the file is truncated"};
    ++at_;
    NpuEpoch* e = epoch();
    if (!e || is(at_, "{")) return {};
    for (const auto& [init, kind] : unit_calls)
      if (name == init) return unit(*e, kind, arguments, begin);
    if (name == "LL_Switch_Init") return links(*e, arguments, begin);
    if (name.starts_with("ll_sw_") || name.starts_with("LL_ATON_LIB_DMA") || name.find("_Cache_") != std::string::npos || (name.starts_with("LL_ATON_LIB_") && name != "LL_ATON_LIB_UNUSED")) {
      NpuCall c{name, {}};
      for (const auto& a : arguments) c.arguments.push_back(c_source(a));
      e->calls.push_back(std::move(c));
      return {};
    }
    if (std::ranges::find(harmless, name) == std::end(harmless) && name.starts_with("LL_") && name.ends_with("_Init"))
      return Error{where(begin), "call of " + name, "a unit of docs/neural-art.md", {}};
    return {};
  }

  Result<void> unit(NpuEpoch& e, NpuKind kind, const std::vector<std::vector<CToken>>& arguments, std::size_t at) {
    if (arguments.size() < 2 || arguments[0].size() != 1) return Error{where(at), "a unit without id or structure", "(id, &structure)", {}};
    NpuUnit u;
    u.id.kind = kind;
    const std::string_view id = arguments[0][0].text;
    std::from_chars(id.data(), id.data() + id.size(), u.id.id);
    if (u.id.id < 0 || u.id.id > 15) return Error{where(at), "unit " + std::string(id), "0 .. 15", {}};
    u.name = arguments[1].empty() ? "" : std::string(arguments[1].back().text);
    const auto d = declared_.find(u.name);
    if (d == declared_.end()) return Error{where(at), "no structure " + u.name, "a structure before the call", {}};
    LOCKSTEP_TRY(u.fields, fields_of(d->second.value, program_.file + ": " + u.name));
    if (const CValue* base = d->second.value.find("addr_base")) u.buffer = base->comment;
    e.units.push_back(std::move(u));
    return {};
  }

  // "ATONN_DSTPORT(STRSWITCH, 0, CONVACC, 0, 2)"
  Result<NpuPort> port(const CValue& v, std::size_t at) const {
    std::vector<std::string_view> parts;
    for (const CToken& t : v.unwrapped().expression)
      if (t.is == Is::word || t.is == Is::number) parts.push_back(t.text);
    const auto kind = parts.size() == 6 ? npu_kind_named(parts[3]) : std::nullopt;
    if (!kind) return Error{where(at), "port " + c_source(v.unwrapped().expression), "ATONN_DSTPORT(STRSWITCH, 0, UNIT, id, port)", {}};
    NpuPort p{{*kind, 0}, 0};
    std::from_chars(parts[4].data(), parts[4].data() + parts[4].size(), p.unit.id);
    std::from_chars(parts[5].data(), parts[5].data() + parts[5].size(), p.port);
    return p;
  }

  Result<void> links(NpuEpoch& e, const std::vector<std::vector<CToken>>& arguments, std::size_t at) {
    const std::string name = arguments[0].empty() ? "" : std::string(arguments[0].back().text);
    if (name == "NULL") return {};
    const auto d = declared_.find(name);
    if (d == declared_.end()) return Error{where(at), "no switch table " + name, "a table before the call", {}};
    for (const auto& [key, row] : d->second.value.fields) {
      NpuLink link;
      const CValue* to = row.find("LL_Switch_Init_Dest()");
      if (!to) return Error{where(at), "a switch row without destination in " + name, "LL_Switch_Init_Dest() = ...", {}};
      LOCKSTEP_TRY(link.to, port(*to, at));
      for (const char* context : {"(0)", "(1)"}) {
        const CValue* source = row.find(std::string("LL_Switch_Init_Source") + context);
        if (!source) continue;
        NpuSource s;
        LOCKSTEP_TRY(s.source, port(*source, at));
        for (const auto& [field, slot] : {std::pair{"LL_Switch_Init_Context", &s.context}, std::pair{"LL_Switch_Init_Frames", &s.frames}})
          if (const CValue* v = row.find(std::string(field) + context)) {
            LOCKSTEP_TRY(const NpuField f, c_field(*v, symbols_, where(at)));
            *slot = static_cast<int>(f.integer);
          } else {
            *slot = 0;
          }
        link.from.push_back(s);
      }
      if (link.from.empty()) return Error{where(at), "a switch row without source in " + name, "one or two sources", {}};
      e.links.push_back(std::move(link));
    }
    return {};
  }

  // Epochs that the epoch controller runs stand in blobs; the rest of the file says all else.
  Result<void> blocks() {
    bool blobs = false;
    std::vector<std::string> wanted;
    for (const auto& [name, d] : declared_) {
      if (d.type != "EpochBlock_ItemTypeDef") continue;
      for (const auto& [key, row] : d.value.fields) {
        const CValue* flags = row.find("flags");
        const std::string text = flags ? c_source(flags->expression) : "";
        if (text.find("blob_encrypted") != std::string::npos) return Error{program_.file, "encrypted epochs", "a program compiled without encryption", {}};
        if (text.find("Flags_blob") == std::string::npos) continue;
        blobs = true;
        if (const CValue* address = row.find("blob_address"))
          for (const CToken& t : address->unwrapped().expression)
            if (t.is == Is::word && t.text.find("ec_blob") != std::string_view::npos) wanted.emplace_back(t.text);
      }
    }
    if (!blobs) return {};
    if (!blobs_) return Error{program_.file, "epochs in the form of blobs", "their *_ecblobs.h beside network.c", {}};
    LOCKSTEP_TRY(const std::vector<EcBlob> all, parse_ec_blobs(blobs_->text, blobs_->file));
    for (const std::string& name : wanted)
      if (std::ranges::find(all, name, &EcBlob::name) == all.end())
        return Error{program_.file, "blob " + name + " is not in " + blobs_->file, "the header of the same compilation", "the two files are of different builds"};
    for (const EcBlob& blob : all) {
      LOCKSTEP_TRY(EcEpochs decoded, decode_ec_blob(blob, blobs_->file));
      for (NpuEpoch& e : decoded.epochs) {
        NpuEpoch& known = epochs_[e.number];
        if (known.hardware()) return Error{blobs_->file, fmt::format("epoch {} twice", e.number), "each epoch once", {}};
        e.calls = std::move(known.calls), e.tables = std::move(known.tables), e.nodes = std::move(known.nodes);
        known = std::move(e);
      }
      for (NpuImage& i : decoded.images) program_.images.push_back(std::move(i));
      for (const auto& [label, places] : blob.relocations)
        program_.notes.push_back(fmt::format("{} is placed at run time ({} places of {})", label, places.size(), blob.name));
    }
    return {};
  }

  // Buffer tables, of the whole network and of data movements, as the interchange form has them.
  Result<void> buffers() {
    for (const auto& [name, d] : declared_) {
      if (d.type != "LL_Buffer_InfoTypeDef") continue;
      for (const auto& [key, row] : d.value.fields) {
        LOCKSTEP_TRY(NpuFields fields, fields_of(row, program_.file + ": " + name));
        const auto label = fields.find("name");
        if (label == fields.end() || label->second.is != NpuField::Is::name) continue;  // the row that ends the table
        LOCKSTEP_TRY(NpuBuffer b, npu_buffer_from(fields, [&](std::string_view table) { return list_of(table); }, program_.file + ": " + name));
        const bool known = std::ranges::any_of(program_.buffers, [&](const NpuBuffer& o) { return o.name == b.name && o.epoch == b.epoch && o.start == b.start; });
        if (!known) program_.buffers.push_back(std::move(b));
      }
    }
    return {};
  }

  Result<std::vector<NpuField>> list_of(std::string_view table) const {
    const std::string at = program_.file + ": " + std::string(table);
    const auto d = declared_.find(table);
    if (d == declared_.end()) return Error{at, "no such table", "the table that a buffer names", {}};
    std::vector<NpuField> out;
    for (const auto& [k, v] : d->second.value.fields) {
      LOCKSTEP_TRY(NpuField f, c_field(v, symbols_, at));
      out.push_back(std::move(f));
    }
    return out;
  }

  std::vector<CToken> t_;
  const NpuBlobText* blobs_ = nullptr;
  std::size_t at_ = 0;
  int depth_ = 0, current_ = -1;
  NpuProgram program_;
  CSymbols symbols_;
  std::map<int, NpuEpoch> epochs_;
  std::map<std::string, Declaration, std::less<>> declared_;
  std::map<std::string, std::string> postfix_;
};

}  // namespace

Result<NpuProgram> parse_network_c(std::string_view text, const std::string& file, const NpuBlobText* blobs) {
  LOCKSTEP_TRY(std::vector<CToken> tokens, lex_c(text, file));
  tokens.push_back(tokens.back());  // so that a look ahead stays inside
  return Reader(std::move(tokens), file, blobs).read();
}

namespace {

// The header of blobs beside network.c: the one that it includes, else the only one there.
Result<std::optional<NpuBlobText>> blobs_beside(const std::string& path, std::string_view text) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::string name;
  if (const std::size_t at = text.find("_ecblobs.h\""); at != std::string_view::npos) {
    const std::size_t from = text.rfind('"', at);
    if (from != std::string_view::npos) name = std::filesystem::path(text.substr(from + 1, at + 10 - from - 1)).filename().string();
  }
  std::error_code failed;
  if (name.empty() || !std::filesystem::exists(folder / name, failed)) {
    std::vector<std::string> found;
    for (const auto& e : std::filesystem::directory_iterator(folder.empty() ? "." : folder, failed))
      if (e.path().filename().string().ends_with("_ecblobs.h")) found.push_back(e.path().filename().string());
    if (found.size() != 1) return std::optional<NpuBlobText>();
    name = found[0];
  }
  LOCKSTEP_TRY(const Bytes bytes, read_file((folder / name).string(), std::uint64_t{1} << 28));
  return std::optional(NpuBlobText{(folder / name).string(), std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size())});
}

}  // namespace

Result<NpuProgram> read_network_c(const std::string& path) {
  LOCKSTEP_TRY(const Bytes bytes, read_file(path, std::uint64_t{1} << 28));
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  LOCKSTEP_TRY(const std::optional<NpuBlobText> blobs, blobs_beside(path, text));
  LOCKSTEP_TRY(NpuProgram program, parse_network_c(text, path, blobs ? &*blobs : nullptr));
  LOCKSTEP_CHECK(find_npu_images(program, std::filesystem::path(path).parent_path().string()));
  return program;
}

}  // namespace lockstep
