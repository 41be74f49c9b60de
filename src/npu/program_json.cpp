#include <fmt/core.h>

#include "npu/network_c.h"
#include "npu/program_json_parts.h"

namespace lockstep {
namespace {

Result<NpuFields> read_fields(const NpuJson& j, const NpuJsonAt& at) {
  if (!j.is_object()) return at.error(j.type_name(), "an object of fields");
  NpuFields fields;
  for (const auto& [key, value] : j.items()) {
    LOCKSTEP_TRY(NpuField field, read_json_field(value, at.in(key)));
    fields.emplace(key, std::move(field));
  }
  return fields;
}

Result<NpuPort> read_port(const NpuJson& j, const NpuJsonAt& at) {
  if (!j.is_array() || j.size() != 3 || !j[0].is_string() || !j[1].is_number_integer() ||
      !j[2].is_number_integer())
    return at.error(j.dump().substr(0, 60), "[\"UNIT\", id, port]");
  const auto kind = npu_kind_named(j[0].get<std::string>());
  if (!kind)
    return at.error("unit " + j[0].get<std::string>(),
                    "STRENG, CONVACC, ARITH, POOL, ACTIV, DECUN or RECBUF");
  const int id = j[1].get<int>(), port = j[2].get<int>();
  if (id < 0 || id > 15 || port < 0 || port > 3)
    return at.error(j.dump(), "id 0 .. 15, port 0 .. 3");
  return NpuPort{{*kind, id}, port};
}

Result<NpuUnit> read_unit(const NpuJson& j, const NpuJsonAt& at) {
  if (!j.is_object()) return at.error(j.type_name(), "a unit");
  LOCKSTEP_TRY(const std::string kind_name, json_text(j, "unit", at));
  const auto kind = npu_kind_named(kind_name);
  if (!kind)
    return at.error("unit " + kind_name,
                    "STRENG, CONVACC, ARITHACC, POOLACC, ACTIVACC, DECUN or RECBUF");
  NpuUnit unit;
  unit.id.kind = *kind;
  LOCKSTEP_TRY(const std::int64_t id, json_integer(j, "id", 0, 15, at));
  unit.id.id = static_cast<int>(id);
  LOCKSTEP_TRY(unit.name, json_text(j, "name", at));
  if (j.contains("buffer") && !j["buffer"].is_null()) {
    LOCKSTEP_TRY(unit.buffer, json_text(j, "buffer", at));
  }
  if (!j.contains("fields")) return at.error("no fields", "an object of fields");
  LOCKSTEP_TRY(unit.fields, read_fields(j["fields"], at.in(unit.name)));
  return unit;
}

Result<NpuLink> read_link(const NpuJson& j, const NpuJsonAt& at) {
  if (!j.is_object() || !j.contains("to") || !j.contains("from") || !j["from"].is_array())
    return at.error("a link without to and from", "{\"to\": port, \"from\": [..]}");
  NpuLink link;
  LOCKSTEP_TRY(link.to, read_port(j["to"], at));
  if (j["from"].empty() || j["from"].size() > 2)
    return at.error(fmt::format("{} sources", j["from"].size()), "1 or 2 contexts");
  for (const NpuJson& f : j["from"]) {
    if (!f.is_object() || !f.contains("source"))
      return at.error("a source without its unit", "context, frames, source");
    NpuSource source;
    LOCKSTEP_TRY(const std::int64_t context, json_integer(f, "context", 0, 1, at));
    LOCKSTEP_TRY(const std::int64_t frames, json_integer(f, "frames", 0, 255, at));
    source.context = static_cast<int>(context);
    source.frames = static_cast<int>(frames);
    LOCKSTEP_TRY(source.source, read_port(f["source"], at));
    link.from.push_back(source);
  }
  return link;
}

Result<NpuTable> read_table(const NpuJson& j, const NpuJsonAt& at) {
  NpuTable table;
  if (!j.is_object() || !j.contains("value"))
    return at.error("a table without value", "type and value");
  LOCKSTEP_TRY(table.type, json_text(j, "type", at));
  const NpuJson& v = j["value"];
  if (v.is_object()) {
    LOCKSTEP_TRY(NpuFields row, read_fields(v, at));
    table.rows.push_back(std::move(row));
    return table;
  }
  if (!v.is_array()) return at.error(v.type_name(), "a list");
  for (const NpuJson& item : v) {
    if (item.is_object()) {
      LOCKSTEP_TRY(NpuFields row, read_fields(item, at));
      table.rows.push_back(std::move(row));
    } else {
      LOCKSTEP_TRY(NpuField cell, read_json_field(item, at));
      table.values.push_back(std::move(cell));
    }
  }
  return table;
}

Result<std::vector<NpuCall>> read_calls(const NpuJson& j, const NpuJsonAt& at) {
  std::vector<NpuCall> calls;
  if (!j.is_array()) return at.error(j.type_name(), "a list of calls");
  for (const NpuJson& c : j) {
    if (!c.is_object()) return at.error(c.type_name(), "function and arguments");
    NpuCall call;
    LOCKSTEP_TRY(call.function, json_text(c, "function", at));
    if (c.contains("arguments"))
      for (const NpuJson& a : c["arguments"]) {
        if (!a.is_string()) return at.error("an argument that is no text", "source text");
        call.arguments.push_back(a.get<std::string>());
      }
    calls.push_back(std::move(call));
  }
  return calls;
}

Result<NpuEpoch> read_epoch(const NpuJson& j, const NpuJsonAt& outer) {
  NpuEpoch epoch;
  if (!j.is_object()) return outer.error(j.type_name(), "an epoch");
  LOCKSTEP_TRY(const std::int64_t number, json_integer(j, "number", 0, 100000, outer));
  epoch.number = static_cast<int>(number);
  const NpuJsonAt at = outer.in(fmt::format("epoch {}", number));
  if (j.contains("nodes")) {
    if (!j["nodes"].is_object()) return at.error("nodes", "an object of name and operator");
    for (const auto& [name, op] : j["nodes"].items())
      epoch.nodes.emplace_back(name, op.is_string() ? op.get<std::string>() : std::string());
  }
  for (const NpuJson& u : j.value("units", NpuJson::array())) {
    LOCKSTEP_TRY(NpuUnit unit, read_unit(u, at));
    epoch.units.push_back(std::move(unit));
  }
  for (const NpuJson& l : j.value("links", NpuJson::array())) {
    LOCKSTEP_TRY(NpuLink link, read_link(l, at));
    epoch.links.push_back(std::move(link));
  }
  LOCKSTEP_TRY(epoch.calls, read_calls(j.value("calls", NpuJson::array()), at));
  const NpuJson tables = j.value("tables", NpuJson::object());
  for (const auto& [name, t] : tables.items()) {
    LOCKSTEP_TRY(NpuTable table, read_table(t, at.in(name)));
    epoch.tables.emplace(name, std::move(table));
  }
  return epoch;
}

}  // namespace

Result<NpuProgram> parse_npu_json(std::string_view text, const std::string& file) {
  const NpuJsonAt at{file, ""};
  const NpuJson j = NpuJson::parse(text, nullptr, false);
  if (j.is_discarded()) return at.error("not JSON", "a neural-art-program");
  if (!j.is_object() || j.value("format", NpuJson()) != "neural-art-program")
    return at.error("no format \"neural-art-program\"",
                    "the interchange form of docs/neural-art.md");
  LOCKSTEP_TRY(const std::int64_t version, json_integer(j, "version", 0, INT32_MAX, at));
  if (version != 1) return at.error(fmt::format("version {}", version), "version 1");
  NpuProgram program;
  program.file = file;
  LOCKSTEP_TRY(program.compiler, json_text(j, "compiler", at));
  LOCKSTEP_TRY(program.model, json_text(j, "model", at));
  LOCKSTEP_CHECK(read_json_weights(j, program, at));
  LOCKSTEP_CHECK(read_json_pools(j, program, at));
  if (!j.contains("epochs") || !j["epochs"].is_array() || !j.contains("buffers") ||
      !j["buffers"].is_array())
    return at.error("no epochs or no buffers", "lists of both");
  for (const NpuJson& e : j["epochs"]) {
    LOCKSTEP_TRY(NpuEpoch epoch, read_epoch(e, at));
    if (!program.epochs.empty() && epoch.number <= program.epochs.back().number)
      return at.error(fmt::format("epoch {} after {}", epoch.number, program.epochs.back().number),
                      "rising numbers");
    program.epochs.push_back(std::move(epoch));
  }
  for (const NpuJson& b : j["buffers"]) {
    LOCKSTEP_TRY(NpuBuffer buffer, read_json_buffer(b, program, at));
    program.buffers.push_back(std::move(buffer));
  }
  name_npu_streams(program);
  return program;
}

}  // namespace lockstep
