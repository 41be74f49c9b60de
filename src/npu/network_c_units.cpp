// Structures of units and the switch; blobs and buffer tables, joined in when the text has ended.
#include <algorithm>
#include <charconv>

#include <fmt/core.h>

#include "npu/ec_blob.h"
#include "npu/network_c_reader.h"

namespace lockstep {
namespace {

// The memory's own name in "_mem_pool__user_io_input_0_Default".
bool symbol_of(std::string_view symbol, std::string_view label) {
  constexpr std::string_view head = "_mem_pool_";
  if (!symbol.starts_with(head) || !symbol.substr(head.size()).starts_with(label)) return false;
  const std::string_view rest = symbol.substr(head.size() + label.size());
  return rest.empty() || rest[0] == '_';
}

}  // namespace

Result<void> NetworkReader::unit(NpuEpoch& e, NpuKind kind, const Arguments& arguments,
                                 std::size_t at) {
  if (arguments.size() < 2 || arguments[0].size() != 1)
    return Error{where(at), "a unit without id or structure", "(id, &structure)", {}};
  NpuUnit u;
  u.id.kind = kind;
  const std::string_view id = arguments[0][0].text;
  const auto parsed = std::from_chars(id.data(), id.data() + id.size(), u.id.id);
  if (parsed.ec != std::errc{} || u.id.id < 0 || u.id.id > 15)
    return Error{where(at), "unit " + std::string(id), "0 .. 15", {}};
  u.name = arguments[1].empty() ? "" : std::string(arguments[1].back().text);
  const auto d = declared_.find(u.name);
  if (d == declared_.end())
    return Error{where(at), "no structure " + u.name, "a structure before the call", {}};
  // An array of structures: its first element is this unit's.
  const CValue* value = &d->second.value;
  while (value->braces && !value->fields.empty() && value->fields[0].first.empty())
    value = &value->fields[0].second;
  LOCKSTEP_TRY(u.fields, fields_of(*value, program_.file + ": " + u.name));
  if (const CValue* base = value->find("addr_base")) {
    u.buffer = base->comment;
    if (u.fields["addr_base"].is == NpuField::Is::list && !u.fields["addr_base"].list.empty())
      u.fields["addr_base"] = NpuField(u.fields["addr_base"].list[0]);
  }
  e.units.push_back(std::move(u));
  return {};
}

// "ATONN_DSTPORT(STRSWITCH, 0, CONVACC, 0, 2)"
Result<NpuPort> NetworkReader::port(const CValue& v, std::size_t at) const {
  std::vector<std::string_view> parts;
  for (const CToken& t : v.unwrapped().expression)
    if (t.is == Is::word || t.is == Is::number) parts.push_back(t.text);
  const auto kind = parts.size() == 6 ? npu_kind_named(parts[3]) : std::nullopt;
  if (!kind)
    return Error{where(at),
                 "port " + c_source(v.unwrapped().expression),
                 "ATONN_DSTPORT(STRSWITCH, 0, UNIT, id, port)",
                 {}};
  NpuPort p{{*kind, -1}, -1};
  std::from_chars(parts[4].data(), parts[4].data() + parts[4].size(), p.unit.id);
  std::from_chars(parts[5].data(), parts[5].data() + parts[5].size(), p.port);
  if (p.unit.id < 0 || p.unit.id > 15 || p.port < 0 || p.port > 3)
    return Error{
        where(at), "port " + c_source(v.unwrapped().expression), "unit 0 .. 15, port 0 .. 3", {}};
  return p;
}

Result<NpuLink> NetworkReader::link(const CValue& row, const std::string& table, std::size_t at) {
  NpuLink link;
  const CValue* to = row.find("LL_Switch_Init_Dest()");
  if (!to)
    return Error{where(at),
                 "a switch row without destination in " + table,
                 "LL_Switch_Init_Dest() = ...",
                 {}};
  LOCKSTEP_TRY(link.to, port(*to, at));
  for (const char* context : {"(0)", "(1)"}) {
    const CValue* source = row.find(std::string("LL_Switch_Init_Source") + context);
    if (!source) continue;
    NpuSource s;
    LOCKSTEP_TRY(s.source, port(*source, at));
    for (const auto& [field, slot] : {std::pair{"LL_Switch_Init_Context", &s.context},
                                      std::pair{"LL_Switch_Init_Frames", &s.frames}}) {
      *slot = 0;
      const CValue* v = row.find(std::string(field) + context);
      if (!v) continue;
      LOCKSTEP_TRY(const NpuField f, c_field(*v, symbols_, where(at)));
      if (f.is != NpuField::Is::integer || f.integer < 0 || f.integer > 65535)
        return Error{where(at), std::string(field) + " in " + table, "0 .. 65535", {}};
      *slot = static_cast<int>(f.integer);
    }
    link.from.push_back(s);
  }
  if (link.from.empty())
    return Error{where(at), "a switch row without source in " + table, "one or two sources", {}};
  return link;
}

Result<void> NetworkReader::links(NpuEpoch& e, const Arguments& arguments, std::size_t at) {
  const std::string name = arguments[0].empty() ? "" : std::string(arguments[0].back().text);
  if (name == "NULL") return {};
  const auto d = declared_.find(name);
  if (d == declared_.end())
    return Error{where(at), "no switch table " + name, "a table before the call", {}};
  for (const auto& [key, row] : d->second.value.fields) {
    LOCKSTEP_TRY(NpuLink one, link(row, name, at));
    e.links.push_back(std::move(one));
  }
  return {};
}

// Flags may leave it to a macro of the blobs' header whether a blob is encrypted.
bool NetworkReader::must_decrypt(std::span<const CToken> flags) const {
  const auto macro = std::ranges::find_if(flags, [](const CToken& t) {
    return t.is == CToken::Is::word && t.text.find("MustDecryptBlob") != std::string_view::npos;
  });
  if (macro == flags.end()) return true;
  const std::string_view header = blobs_ ? std::string_view(blobs_->text) : std::string_view();
  const std::string defined = "#define " + std::string(macro->text) + " ";
  const std::size_t at = header.find(defined);
  if (at == std::string_view::npos) return blobs_ != nullptr;  // its absence is told elsewhere
  const std::string_view value = header.substr(at + defined.size(), 6);
  return !value.starts_with("false") && !value.starts_with("0\n") && !value.starts_with("0\r");
}

// Blobs that the table of epoch blocks starts, by the names of their arrays. The type of its rows
// bears another name in every other release: their flags tell.
Result<std::vector<std::string>> NetworkReader::wanted_blobs(bool& any) {
  std::vector<std::string> wanted;
  any = false;
  for (const auto& [name, d] : declared_) {
    for (const auto& [key, row] : d.value.fields) {
      const CValue* flags = row.find("flags");
      const std::string text = flags ? c_source(flags->expression) : "";
      if (text.find("EpochBlock_Flags_") == std::string::npos) continue;
      if (text.find("blob_encrypted") != std::string::npos && must_decrypt(flags->expression))
        return Error{
            program_.file, "encrypted epochs", "a program compiled without encryption", {}};
      if (text.find("Flags_blob") == std::string::npos) continue;
      any = true;
      if (const CValue* address = row.find("blob_address"))
        for (const CToken& t : address->unwrapped().expression)
          if (t.is == Is::word && t.text.find("ec_blob") != std::string_view::npos)
            wanted.push_back(ec_blob_stem(t.text));
    }
  }
  return wanted;
}

// Epochs that the epoch controller runs stand in blobs; the rest of the file says all else.
Result<void> NetworkReader::blocks() {
  bool any = false;
  LOCKSTEP_TRY(const std::vector<std::string> wanted, wanted_blobs(any));
  const auto names_blob = [](const CToken& t) {
    return t.is == Is::word && t.text.find("_ec_blob_") != std::string_view::npos;
  };
  if (!any && std::ranges::any_of(t_, names_blob))
    return Error{program_.file, "no epoch starts the blobs that it names",
                 "a table of epoch blocks with their flags", "the file is of a release not known"};
  if (!any) return {};
  if (!blobs_)
    return Error{
        program_.file, "epochs in the form of blobs", "their *_ecblobs.h beside network.c", {}};
  LOCKSTEP_TRY(const std::vector<EcBlob> all, parse_ec_blobs(blobs_->text, blobs_->file));
  for (const std::string& name : wanted)
    if (std::ranges::none_of(all, [&](const EcBlob& b) { return ec_blob_stem(b.name) == name; }))
      return Error{program_.file, "blob " + name + " is not in " + blobs_->file,
                   "the header of the same compilation", "the two files are of different builds"};
  for (const EcBlob& blob : all) LOCKSTEP_CHECK(join_blob(blob));
  std::erase_if(epochs_,
                [](const auto& e) { return e.second.units.empty() && e.second.calls.empty(); });
  return {};
}

// The epochs of one blob; addresses that the loader adds are those of `place`.
Result<void> NetworkReader::join_blob(EcBlob blob) {
  for (const auto& [label, places] : blob.relocations) {
    std::uint64_t base = 0;
    for (const auto& [symbol, address] : symbols_)
      if (symbol_of(symbol, label)) base = address;
    for (const std::uint32_t place : places) blob.words[place] += static_cast<std::uint32_t>(base);
    program_.notes.push_back(
        fmt::format("{} is placed at run time ({} places of {})", label, places.size(), blob.name));
  }
  LOCKSTEP_TRY(EcEpochs decoded, decode_ec_blob(blob, blobs_->file));
  for (NpuEpoch& e : decoded.epochs) {
    NpuEpoch& known = epochs_[e.number];
    if (known.hardware())
      return Error{blobs_->file, fmt::format("epoch {} twice", e.number), "each epoch once", {}};
    e.calls = std::move(known.calls), e.tables = std::move(known.tables),
    e.nodes = std::move(known.nodes);
    known = std::move(e);
  }
  for (NpuImage& i : decoded.images) program_.images.push_back(std::move(i));
  return {};
}

// The tables of the whole network; those of data movements where the file has no others.
Result<void> NetworkReader::buffers() {
  const auto read = [&](bool local) -> Result<void> {
    for (const auto& [name, d] : buffer_tables_) {
      if (d.local != local) continue;
      for (const auto& [key, row] : d.value.fields) {
        LOCKSTEP_TRY(NpuFields fields, fields_of(row, program_.file + ": " + name));
        const auto label = fields.find("name");
        if (label == fields.end() || label->second.is != NpuField::Is::name)
          continue;  // the row that ends the table
        LOCKSTEP_TRY(NpuBuffer b,
                     npu_buffer_from(
                         fields, [&](std::string_view table) { return list_of(table); },
                         program_.file + ": " + name));
        const bool known = std::ranges::any_of(program_.buffers, [&](const NpuBuffer& o) {
          return o.name == b.name && o.epoch == b.epoch && o.start == b.start;
        });
        if (!known) program_.buffers.push_back(std::move(b));
      }
    }
    return {};
  };
  LOCKSTEP_CHECK(read(false));
  return program_.buffers.empty() ? read(true) : Result<void>();
}

// Memories that the application gives are as large as the buffers in them.
void NetworkReader::place_user_buffers() {
  if (program_.pools.empty()) return;
  for (const auto& [symbol, base] : placed_) {
    std::int64_t end = 0;
    for (const NpuBuffer& b : program_.buffers)
      if (b.base == base) end = std::max(end, b.end);
    if (end > 0 && end < (std::int64_t{1} << 24))
      program_.pools.push_back({symbol.substr(std::string_view("_mem_pool_").size()), base,
                                static_cast<std::uint64_t>(end), false});
  }
}

Result<std::vector<NpuField>> NetworkReader::list_of(std::string_view table) const {
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

}  // namespace lockstep
