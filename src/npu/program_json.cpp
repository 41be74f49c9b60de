#include <cmath>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "npu/network_c.h"
#include "npu/program.h"

namespace lockstep {
namespace {

using Json = nlohmann::ordered_json;  // the order of nodes means something

// Where in the file the reader stands, for errors.
struct At {
  const std::string& file;
  std::string place;
  Error error(std::string what, std::string want) const {
    return {.where = file + ": " + place, .what = std::move(what), .want = std::move(want), .hint = {}};
  }
  At in(std::string deeper) const { return {file, place.empty() ? deeper : place + ", " + deeper}; }
};

Result<NpuField> read_field(const Json& j, const At& at, int depth = 0) {
  if (j.is_boolean()) return NpuField::of(j.get<bool>() ? 1 : 0);
  if (j.is_number_unsigned() && j.get<std::uint64_t>() > INT64_MAX) return at.error(j.dump(), "a 64-bit integer");
  if (j.is_number_integer()) return NpuField::of(j.get<std::int64_t>());
  if (j.is_number_float()) return NpuField::of_real(j.get<double>());
  if (j.is_string()) {
    const std::string name = j.get<std::string>();
    const bool quoted = name.size() > 1 && name.front() == '"' && name.back() == '"';
    return NpuField::of_name(quoted ? name.substr(1, name.size() - 2) : name);
  }
  if (j.is_array() && depth < 2) {
    std::vector<NpuField> list;
    for (const Json& item : j) {
      LOCKSTEP_TRY(NpuField cell, read_field(item, at, depth + 1));
      list.push_back(std::move(cell));
    }
    return NpuField::of_list(std::move(list));
  }
  return at.error(j.type_name(), "a number, a name or a list of them");
}

Result<NpuFields> read_fields(const Json& j, const At& at) {
  if (!j.is_object()) return at.error(j.type_name(), "an object of fields");
  NpuFields fields;
  for (const auto& [key, value] : j.items()) {
    LOCKSTEP_TRY(NpuField field, read_field(value, at.in(key)));
    fields.emplace(key, std::move(field));
  }
  return fields;
}

Result<std::string> text_at(const Json& j, const char* key, const At& at) {
  if (!j.contains(key)) return std::string();
  if (!j[key].is_string()) return at.error(std::string(key) + " is no text", "text");
  return j[key].get<std::string>();
}

Result<std::int64_t> integer_at(const Json& j, const char* key, std::int64_t low, std::int64_t high, const At& at) {
  if (!j.contains(key)) return std::int64_t{0};
  const Json& v = j[key];
  if (!v.is_number_integer() || (v.is_number_unsigned() && v.get<std::uint64_t>() > INT64_MAX))
    return at.error(std::string(key) + " " + v.dump(), "an integer");
  const auto value = v.get<std::int64_t>();
  if (value < low || value > high) return at.error(fmt::format("{} {}", key, value), fmt::format("{} .. {}", low, high));
  return value;
}

Result<NpuPort> read_port(const Json& j, const At& at) {
  if (!j.is_array() || j.size() != 3 || !j[0].is_string() || !j[1].is_number_integer() || !j[2].is_number_integer())
    return at.error(j.dump().substr(0, 60), "[\"UNIT\", id, port]");
  const auto kind = npu_kind_named(j[0].get<std::string>());
  if (!kind) return at.error("unit " + j[0].get<std::string>(), "STRENG, CONVACC, ARITH, POOL, ACTIV, DECUN or RECBUF");
  const int id = j[1].get<int>(), port = j[2].get<int>();
  if (id < 0 || id > 15 || port < 0 || port > 3) return at.error(j.dump(), "id 0 .. 15, port 0 .. 3");
  return NpuPort{{*kind, id}, port};
}

Result<NpuUnit> read_unit(const Json& j, const At& at) {
  if (!j.is_object()) return at.error(j.type_name(), "a unit");
  LOCKSTEP_TRY(const std::string kind_name, text_at(j, "unit", at));
  const auto kind = npu_kind_named(kind_name);
  if (!kind) return at.error("unit " + kind_name, "STRENG, CONVACC, ARITHACC, POOLACC, ACTIVACC, DECUN or RECBUF");
  NpuUnit unit;
  unit.id.kind = *kind;
  LOCKSTEP_TRY(const std::int64_t id, integer_at(j, "id", 0, 15, at));
  unit.id.id = static_cast<int>(id);
  LOCKSTEP_TRY(unit.name, text_at(j, "name", at));
  if (j.contains("buffer") && !j["buffer"].is_null()) {
    LOCKSTEP_TRY(unit.buffer, text_at(j, "buffer", at));
  }
  if (!j.contains("fields")) return at.error("no fields", "an object of fields");
  LOCKSTEP_TRY(unit.fields, read_fields(j["fields"], at.in(unit.name)));
  return unit;
}

Result<NpuLink> read_link(const Json& j, const At& at) {
  if (!j.is_object() || !j.contains("to") || !j.contains("from") || !j["from"].is_array())
    return at.error("a link without to and from", "{\"to\": port, \"from\": [..]}");
  NpuLink link;
  LOCKSTEP_TRY(link.to, read_port(j["to"], at));
  if (j["from"].empty() || j["from"].size() > 2)
    return at.error(fmt::format("{} sources", j["from"].size()), "1 or 2 contexts");
  for (const Json& f : j["from"]) {
    if (!f.is_object() || !f.contains("source")) return at.error("a source without its unit", "context, frames, source");
    NpuSource source;
    LOCKSTEP_TRY(const std::int64_t context, integer_at(f, "context", 0, 1, at));
    LOCKSTEP_TRY(const std::int64_t frames, integer_at(f, "frames", 0, 255, at));
    source.context = static_cast<int>(context);
    source.frames = static_cast<int>(frames);
    LOCKSTEP_TRY(source.source, read_port(f["source"], at));
    link.from.push_back(source);
  }
  return link;
}

Result<NpuTable> read_table(const Json& j, const At& at) {
  NpuTable table;
  if (!j.is_object() || !j.contains("value")) return at.error("a table without value", "type and value");
  LOCKSTEP_TRY(table.type, text_at(j, "type", at));
  const Json& v = j["value"];
  if (v.is_object()) {
    LOCKSTEP_TRY(NpuFields row, read_fields(v, at));
    table.rows.push_back(std::move(row));
    return table;
  }
  if (!v.is_array()) return at.error(v.type_name(), "a list");
  for (const Json& item : v) {
    if (item.is_object()) {
      LOCKSTEP_TRY(NpuFields row, read_fields(item, at));
      table.rows.push_back(std::move(row));
    } else {
      LOCKSTEP_TRY(NpuField cell, read_field(item, at));
      table.values.push_back(std::move(cell));
    }
  }
  return table;
}

Result<std::vector<NpuCall>> read_calls(const Json& j, const At& at) {
  std::vector<NpuCall> calls;
  if (!j.is_array()) return at.error(j.type_name(), "a list of calls");
  for (const Json& c : j) {
    if (!c.is_object()) return at.error(c.type_name(), "function and arguments");
    NpuCall call;
    LOCKSTEP_TRY(call.function, text_at(c, "function", at));
    if (c.contains("arguments"))
      for (const Json& a : c["arguments"]) {
        if (!a.is_string()) return at.error("an argument that is no text", "source text");
        call.arguments.push_back(a.get<std::string>());
      }
    calls.push_back(std::move(call));
  }
  return calls;
}

Result<NpuEpoch> read_epoch(const Json& j, const At& outer) {
  NpuEpoch epoch;
  if (!j.is_object()) return outer.error(j.type_name(), "an epoch");
  LOCKSTEP_TRY(const std::int64_t number, integer_at(j, "number", 0, 100000, outer));
  epoch.number = static_cast<int>(number);
  const At at = outer.in(fmt::format("epoch {}", number));
  if (j.contains("nodes")) {
    if (!j["nodes"].is_object()) return at.error("nodes", "an object of name and operator");
    for (const auto& [name, op] : j["nodes"].items())
      epoch.nodes.emplace_back(name, op.is_string() ? op.get<std::string>() : std::string());
  }
  for (const Json& u : j.value("units", Json::array())) {
    LOCKSTEP_TRY(NpuUnit unit, read_unit(u, at));
    epoch.units.push_back(std::move(unit));
  }
  for (const Json& l : j.value("links", Json::array())) {
    LOCKSTEP_TRY(NpuLink link, read_link(l, at));
    epoch.links.push_back(std::move(link));
  }
  LOCKSTEP_TRY(epoch.calls, read_calls(j.value("calls", Json::array()), at));
  const Json tables = j.value("tables", Json::object());
  for (const auto& [name, t] : tables.items()) {
    LOCKSTEP_TRY(NpuTable table, read_table(t, at.in(name)));
    epoch.tables.emplace(name, std::move(table));
  }
  return epoch;
}

// A list of numbers in place, or the name of a table of the epoch that holds it.
Result<std::vector<NpuField>> cells(const Json& j, const char* key, const NpuProgram& program, const At& at) {
  if (!j.contains(key) || j[key].is_null()) return std::vector<NpuField>();
  const Json& v = j[key];
  if (v.is_string()) {
    const std::string name = v.get<std::string>();
    for (const NpuEpoch& e : program.epochs)
      if (const auto it = e.tables.find(name); it != e.tables.end()) return it->second.values;
    return at.error(std::string(key) + " names " + name, "a table of an epoch");
  }
  if (v.is_number()) {
    LOCKSTEP_TRY(NpuField one, read_field(v, at));
    return std::vector<NpuField>{std::move(one)};
  }
  LOCKSTEP_TRY(NpuField list, read_field(v, at.in(key)));
  return std::move(list.list);
}

Result<Shape> shape_at(const Json& j, const char* key, const NpuProgram& program, const At& at) {
  LOCKSTEP_TRY(const auto list, cells(j, key, program, at));
  Shape shape;
  for (const NpuField& f : list) {
    if (f.is != NpuField::Is::integer || f.integer < 0) return at.error(std::string("an extent of ") + key, "integers from 0");
    shape.push_back(f.integer);
  }
  if (shape.size() > 8) return at.error(std::string(key) + " of more than 8 extents", "at most 8");
  LOCKSTEP_TRY([[maybe_unused]] const std::int64_t n, checked_count(shape, at.file));
  return shape;
}

Result<NpuBuffer> read_buffer(const Json& j, const NpuProgram& program, const At& outer) {
  NpuBuffer b;
  if (!j.is_object()) return outer.error(j.type_name(), "a buffer");
  LOCKSTEP_TRY(b.name, text_at(j, "name", outer));
  const At at = outer.in("buffer " + b.name);
  constexpr std::int64_t most = std::int64_t{1} << 32;
  LOCKSTEP_TRY(const std::int64_t base, integer_at(j, "addr_base", 0, most, at));
  b.base = static_cast<std::uint64_t>(base);
  LOCKSTEP_TRY(b.start, integer_at(j, "offset_start", 0, most, at));
  LOCKSTEP_TRY(b.end, integer_at(j, "offset_end", 0, most, at));
  LOCKSTEP_TRY(b.limit, integer_at(j, "offset_limit", 0, most, at));
  if (b.end < b.start) return at.error(fmt::format("ends at {} before its start {}", b.end, b.start), "an end after the start");
  LOCKSTEP_TRY(const std::int64_t user, integer_at(j, "is_user_allocated", 0, 1, at));
  LOCKSTEP_TRY(const std::int64_t param, integer_at(j, "is_param", 0, 1, at));
  LOCKSTEP_TRY(const std::int64_t epoch, integer_at(j, "epoch", 0, 100000, at));
  LOCKSTEP_TRY(const std::int64_t batch, integer_at(j, "batch", 0, 1 << 20, at));
  LOCKSTEP_TRY(const std::int64_t nbits, integer_at(j, "nbits", 1, 64, at));
  LOCKSTEP_TRY(const std::int64_t qm, integer_at(j, "Qm", -1024, 1024, at));
  LOCKSTEP_TRY(const std::int64_t qn, integer_at(j, "Qn", -1024, 1024, at));
  LOCKSTEP_TRY(const std::int64_t q_unsigned, integer_at(j, "Qunsigned", 0, 1, at));
  LOCKSTEP_TRY(const std::int64_t per_channel, integer_at(j, "per_channel", 0, 1, at));
  b.user_allocated = user != 0;
  b.is_param = param != 0;
  b.epoch = static_cast<int>(epoch);
  b.batch = static_cast<int>(batch);
  b.nbits = static_cast<int>(nbits);
  b.qm = static_cast<int>(qm);
  b.qn = static_cast<int>(qn);
  b.q_unsigned = q_unsigned != 0;
  b.per_channel = per_channel != 0;
  LOCKSTEP_TRY(b.chpos, text_at(j, "chpos", at));
  LOCKSTEP_TRY(b.type, text_at(j, "type", at));
  LOCKSTEP_TRY(b.shape, shape_at(j, "shape", program, at));
  LOCKSTEP_TRY(b.mem_shape, shape_at(j, "mem_shape", program, at));
  LOCKSTEP_TRY(const auto scale, cells(j, "scale", program, at));
  LOCKSTEP_TRY(const auto zero, cells(j, "offset", program, at));
  for (const NpuField& f : scale) b.scale.push_back(f.number());
  for (const NpuField& f : zero) b.zero.push_back(f.integer);
  for (const double s : b.scale)
    if (!std::isfinite(s)) return at.error("a scale that is no number", "finite scales");
  return b;
}

Result<void> read_weights(const Json& j, NpuProgram& program, const At& at) {
  if (!j.contains("weights")) return {};
  const Json list = j["weights"].is_array() ? j["weights"] : Json::array({j["weights"]});
  for (const Json& w : list) {
    if (!w.is_object()) return at.error("weights", "file and base");
    NpuImage image;
    LOCKSTEP_TRY(image.file, text_at(w, "file", at));
    LOCKSTEP_TRY(const std::int64_t base, integer_at(w, "base", 0, std::int64_t{1} << 32, at.in("weights")));
    if (image.file.empty() || image.file.find('/') != std::string::npos || image.file.find('\\') != std::string::npos)
      return at.error("weights file '" + image.file + "'", "the name of a file beside the program");
    image.base = static_cast<std::uint64_t>(base);
    program.images.push_back(std::move(image));
  }
  return {};
}

Result<void> read_pools(const Json& j, NpuProgram& program, const At& at) {
  for (const Json& p : j.value("pools", Json::array())) {
    if (!p.is_object()) return at.error("a pool", "name, base and size");
    NpuPool pool;
    LOCKSTEP_TRY(pool.name, text_at(p, "name", at));
    LOCKSTEP_TRY(const std::int64_t base, integer_at(p, "base", 0, std::int64_t{1} << 32, at));
    LOCKSTEP_TRY(const std::int64_t size, integer_at(p, "size", 0, std::int64_t{1} << 28, at.in("pool " + pool.name)));
    pool.base = static_cast<std::uint64_t>(base);
    pool.size = static_cast<std::uint64_t>(size);
    LOCKSTEP_TRY(const std::int64_t read_only, integer_at(p, "read_only", 0, 1, at));
    pool.read_only = read_only != 0;
    program.pools.push_back(std::move(pool));
  }
  return {};
}

}  // namespace

Result<NpuProgram> parse_npu_json(std::string_view text, const std::string& file) {
  const At at{file, ""};
  const Json j = Json::parse(text, nullptr, false);
  if (j.is_discarded()) return at.error("not JSON", "a neural-art-program");
  if (!j.is_object() || j.value("format", Json()) != "neural-art-program")
    return at.error("no format \"neural-art-program\"", "the interchange form of docs/neural-art.md");
  LOCKSTEP_TRY(const std::int64_t version, integer_at(j, "version", 0, INT32_MAX, at));
  if (version != 1) return at.error(fmt::format("version {}", version), "version 1");
  NpuProgram program;
  program.file = file;
  LOCKSTEP_TRY(program.compiler, text_at(j, "compiler", at));
  LOCKSTEP_TRY(program.model, text_at(j, "model", at));
  LOCKSTEP_CHECK(read_weights(j, program, at));
  LOCKSTEP_CHECK(read_pools(j, program, at));
  if (!j.contains("epochs") || !j["epochs"].is_array() || !j.contains("buffers") || !j["buffers"].is_array())
    return at.error("no epochs or no buffers", "lists of both");
  for (const Json& e : j["epochs"]) {
    LOCKSTEP_TRY(NpuEpoch epoch, read_epoch(e, at));
    if (!program.epochs.empty() && epoch.number <= program.epochs.back().number)
      return at.error(fmt::format("epoch {} after {}", epoch.number, program.epochs.back().number), "rising numbers");
    program.epochs.push_back(std::move(epoch));
  }
  for (const Json& b : j["buffers"]) {
    LOCKSTEP_TRY(NpuBuffer buffer, read_buffer(b, program, at));
    program.buffers.push_back(std::move(buffer));
  }
  name_npu_streams(program);
  return program;
}

}  // namespace lockstep
