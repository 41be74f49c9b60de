// Buffers, memories and weights of the interchange form.
#include <cmath>

#include <fmt/core.h>

#include "npu/program_json_parts.h"

namespace lockstep {

Result<NpuField> read_json_field(const NpuJson& j, const NpuJsonAt& at, int depth) {
  if (j.is_boolean()) return NpuField::of(j.get<bool>() ? 1 : 0);
  if (j.is_number_unsigned() && j.get<std::uint64_t>() > INT64_MAX)
    return at.error(j.dump(), "a 64-bit integer");
  if (j.is_number_integer()) return NpuField::of(j.get<std::int64_t>());
  if (j.is_number_float()) return NpuField::of_real(j.get<double>());
  if (j.is_string()) {
    const std::string name = j.get<std::string>();
    const bool quoted = name.size() > 1 && name.front() == '"' && name.back() == '"';
    return NpuField::of_name(quoted ? name.substr(1, name.size() - 2) : name);
  }
  if (j.is_array() && depth < 2) {
    std::vector<NpuField> list;
    for (const NpuJson& item : j) {
      LOCKSTEP_TRY(NpuField cell, read_json_field(item, at, depth + 1));
      list.push_back(std::move(cell));
    }
    return NpuField::of_list(std::move(list));
  }
  return at.error(j.type_name(), "a number, a name or a list of them");
}

Result<std::string> json_text(const NpuJson& j, const char* key, const NpuJsonAt& at) {
  if (!j.contains(key)) return std::string();
  if (!j[key].is_string()) return at.error(std::string(key) + " is no text", "text");
  return j[key].get<std::string>();
}

Result<std::int64_t> json_integer(const NpuJson& j, const char* key, std::int64_t low,
                                  std::int64_t high, const NpuJsonAt& at) {
  if (!j.contains(key)) return std::int64_t{0};
  const NpuJson& v = j[key];
  if (!v.is_number_integer() || (v.is_number_unsigned() && v.get<std::uint64_t>() > INT64_MAX))
    return at.error(std::string(key) + " " + v.dump(), "an integer");
  const auto value = v.get<std::int64_t>();
  if (value < low || value > high)
    return at.error(fmt::format("{} {}", key, value), fmt::format("{} .. {}", low, high));
  return value;
}

namespace {

// A list of numbers in place, or the name of a table of the epoch that holds it.
Result<std::vector<NpuField>> cells(const NpuJson& j, const char* key, const NpuProgram& program,
                                    const NpuJsonAt& at) {
  if (!j.contains(key) || j[key].is_null()) return std::vector<NpuField>();
  const NpuJson& v = j[key];
  if (v.is_string()) {
    const std::string name = v.get<std::string>();
    for (const NpuEpoch& e : program.epochs)
      if (const auto it = e.tables.find(name); it != e.tables.end()) return it->second.values;
    return at.error(std::string(key) + " names " + name, "a table of an epoch");
  }
  if (v.is_number()) {
    LOCKSTEP_TRY(NpuField one, read_json_field(v, at));
    return std::vector<NpuField>{std::move(one)};
  }
  LOCKSTEP_TRY(NpuField list, read_json_field(v, at.in(key)));
  return std::move(list.list);
}

Result<Shape> shape_at(const NpuJson& j, const char* key, const NpuProgram& program,
                       const NpuJsonAt& at) {
  LOCKSTEP_TRY(const auto list, cells(j, key, program, at));
  Shape shape;
  for (const NpuField& f : list) {
    if (f.is != NpuField::Is::integer || f.integer < 0)
      return at.error(std::string("an extent of ") + key, "integers from 0");
    shape.push_back(f.integer);
  }
  if (shape.size() > 8) return at.error(std::string(key) + " of more than 8 extents", "at most 8");
  LOCKSTEP_TRY([[maybe_unused]] const std::int64_t n, checked_count(shape, at.file));
  return shape;
}

}  // namespace

Result<NpuBuffer> read_json_buffer(const NpuJson& j, const NpuProgram& program,
                                   const NpuJsonAt& outer) {
  NpuBuffer b;
  if (!j.is_object()) return outer.error(j.type_name(), "a buffer");
  LOCKSTEP_TRY(b.name, json_text(j, "name", outer));
  const NpuJsonAt at = outer.in("buffer " + b.name);
  constexpr std::int64_t most = std::int64_t{1} << 32;
  LOCKSTEP_TRY(const std::int64_t base, json_integer(j, "addr_base", 0, most, at));
  b.base = static_cast<std::uint64_t>(base);
  LOCKSTEP_TRY(b.start, json_integer(j, "offset_start", 0, most, at));
  LOCKSTEP_TRY(b.end, json_integer(j, "offset_end", 0, most, at));
  LOCKSTEP_TRY(b.limit, json_integer(j, "offset_limit", 0, most, at));
  if (b.end < b.start)
    return at.error(fmt::format("ends at {} before its start {}", b.end, b.start),
                    "an end after the start");
  LOCKSTEP_TRY(const std::int64_t user, json_integer(j, "is_user_allocated", 0, 1, at));
  LOCKSTEP_TRY(const std::int64_t param, json_integer(j, "is_param", 0, 1, at));
  LOCKSTEP_TRY(const std::int64_t epoch, json_integer(j, "epoch", 0, 100000, at));
  LOCKSTEP_TRY(const std::int64_t batch, json_integer(j, "batch", 0, 1 << 20, at));
  LOCKSTEP_TRY(const std::int64_t nbits, json_integer(j, "nbits", 1, 64, at));
  LOCKSTEP_TRY(const std::int64_t qm, json_integer(j, "Qm", -1024, 1024, at));
  LOCKSTEP_TRY(const std::int64_t qn, json_integer(j, "Qn", -1024, 1024, at));
  LOCKSTEP_TRY(const std::int64_t q_unsigned, json_integer(j, "Qunsigned", 0, 1, at));
  LOCKSTEP_TRY(const std::int64_t per_channel, json_integer(j, "per_channel", 0, 1, at));
  b.user_allocated = user != 0;
  b.is_param = param != 0;
  b.epoch = static_cast<int>(epoch);
  b.batch = static_cast<int>(batch);
  b.nbits = static_cast<int>(nbits);
  b.qm = static_cast<int>(qm);
  b.qn = static_cast<int>(qn);
  b.q_unsigned = q_unsigned != 0;
  b.per_channel = per_channel != 0;
  LOCKSTEP_TRY(b.chpos, json_text(j, "chpos", at));
  LOCKSTEP_TRY(b.type, json_text(j, "type", at));
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

Result<void> read_json_weights(const NpuJson& j, NpuProgram& program, const NpuJsonAt& at) {
  if (!j.contains("weights")) return {};
  const NpuJson list = j["weights"].is_array() ? j["weights"] : NpuJson::array({j["weights"]});
  for (const NpuJson& w : list) {
    if (!w.is_object()) return at.error("weights", "file and base");
    NpuImage image;
    LOCKSTEP_TRY(image.file, json_text(w, "file", at));
    LOCKSTEP_TRY(const std::int64_t base,
                 json_integer(w, "base", 0, std::int64_t{1} << 32, at.in("weights")));
    if (image.file.empty() || image.file.find('/') != std::string::npos ||
        image.file.find('\\') != std::string::npos)
      return at.error("weights file '" + image.file + "'", "the name of a file beside the program");
    image.base = static_cast<std::uint64_t>(base);
    program.images.push_back(std::move(image));
  }
  return {};
}

Result<void> read_json_pools(const NpuJson& j, NpuProgram& program, const NpuJsonAt& at) {
  for (const NpuJson& p : j.value("pools", NpuJson::array())) {
    if (!p.is_object()) return at.error("a pool", "name, base and size");
    NpuPool pool;
    LOCKSTEP_TRY(pool.name, json_text(p, "name", at));
    LOCKSTEP_TRY(const std::int64_t base, json_integer(p, "base", 0, std::int64_t{1} << 32, at));
    LOCKSTEP_TRY(const std::int64_t size,
                 json_integer(p, "size", 0, std::int64_t{1} << 28, at.in("pool " + pool.name)));
    pool.base = static_cast<std::uint64_t>(base);
    pool.size = static_cast<std::uint64_t>(size);
    LOCKSTEP_TRY(const std::int64_t read_only, json_integer(p, "read_only", 0, 1, at));
    pool.read_only = read_only != 0;
    program.pools.push_back(std::move(pool));
  }
  return {};
}

}  // namespace lockstep
