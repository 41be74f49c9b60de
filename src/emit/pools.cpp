// Memory pools from an .mpool file.
#include "emit/pools.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>

#include "emit/node.h"

namespace lockstep {
namespace {

using nlohmann::json;

// A member that is an object, a text, a number of bytes; empty where it is something else.
json object_at(const json& j, const char* key) {
  return j.is_object() && j.contains(key) && j[key].is_object() ? j[key] : json::object();
}
std::string text_at(const json& j, const char* key) {
  return j.is_object() && j.contains(key) && j[key].is_string() ? j[key].get<std::string>() : "";
}

// A number, or a text of one ("0x34200000", "448").
std::optional<std::int64_t> number_of(const json& j) {
  if (j.is_number_unsigned() || j.is_number_integer()) return j.get<std::int64_t>();
  if (j.is_number_float() && j.get<double>() >= 0 && j.get<double>() < 1e15)
    return static_cast<std::int64_t>(j.get<double>());
  if (!j.is_string()) return std::nullopt;
  const std::string text = j.get<std::string>();
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  std::int64_t value = 0;
  const char *first = text.data() + (hex ? 2 : 0), *last = text.data() + text.size();
  const auto [end, failed] = std::from_chars(first, last, value, hex ? 16 : 10);
  if (failed != std::errc{} || end != last || first == last) return std::nullopt;
  return value;
}

// In place, or as {value, magnitude}.
std::optional<std::int64_t> bytes_at(const json& j, const char* key) {
  if (!j.contains(key)) return std::nullopt;
  const json o = object_at(j, key);
  const auto n = number_of(o.empty() ? j[key] : o.value("value", json()));
  if (!n || *n < 0 || *n >= std::int64_t{1} << 33) return std::nullopt;
  const std::string unit = text_at(o, "magnitude");
  return *n * (unit == "KBYTES" ? 1024 : unit == "MBYTES" ? 1024 * 1024 : 1);
}

int level(const std::string& text) {
  return text == "HIGH" ? 2 : text == "MID" ? 1 : 0;
}

// Throughput first, then latency.
int speed_of(const json& prop) {
  return 3 * level(text_at(prop, "throughput")) + 2 - level(text_at(prop, "latency"));
}

Result<Pool> pool_of(const json& j, const std::string& file, std::size_t number) {
  const std::string where = "mempools[" + std::to_string(number) + "]";
  Pool pool;
  pool.name = text_at(j, "name").empty() ? text_at(j, "fname") : text_at(j, "name");
  if (c_identifier(pool.name).empty())
    return Error{file, where + " has no name", "a name with a letter or digit", ""};
  const auto size = bytes_at(j, "size");
  if (!size)
    return Error{file, where + " '" + pool.name + "' has no size", "bytes, or value and magnitude",
                 ""};
  pool.size = *size;
  if (const auto base = bytes_at(j, "offset"); base && *base > 0) pool.base = *base;
  const json prop = object_at(j, "prop");
  pool.speed = speed_of(prop);
  const std::string rights = text_at(j, "rights") + text_at(prop, "rights");
  const bool writes = rights.empty() || rights.find("WRITE") != std::string::npos ||
                      rights.find('W') != std::string::npos ||
                      rights.find("rw") != std::string::npos;
  pool.rights = writes ? "rw" : "r";
  if (prop.contains("alignment"))
    if (const auto a = number_of(prop["alignment"]); a && *a >= 16) {
      if (*a > 4096 || (*a & (*a - 1)) != 0)
        return Error{file, where + " '" + pool.name + "' is aligned to " + std::to_string(*a),
                     "a power of two of at most 4096", ""};
      pool.alignment = *a;
    }
  return pool;
}

// Two of one name in C, or on the same bytes.
Result<void> apart(const std::vector<Pool>& pools, const std::string& file) {
  for (std::size_t i = 0; i < pools.size(); ++i)
    for (std::size_t k = i + 1; k < pools.size(); ++k) {
      const Pool &a = pools[i], &b = pools[k];
      if (c_identifier(a.name) == c_identifier(b.name))
        return Error{file, "two pools named '" + b.name + "'", "a name for each", ""};
      if (a.base >= 0 && b.base >= 0 && a.base < b.base + b.size && b.base < a.base + a.size)
        return Error{file, "pools '" + a.name + "' and '" + b.name + "' share bytes",
                     "memories that do not overlap", ""};
    }
  return {};
}

}  // namespace

Result<PoolFile> read_pools(std::string_view text, const std::string& file) {
  const Error not_such{file, "no list of mempools", "a description of memory pools (.mpool)", ""};
  const json j = json::parse(text, nullptr, false);
  if (j.is_discarded() || !j.is_object()) return not_such;
  const json memory = object_at(j, "memory");
  const json& holder = memory.contains("mempools") ? memory : j;
  if (!holder.contains("mempools") || !holder["mempools"].is_array() || holder["mempools"].empty())
    return not_such;
  PoolFile out;
  std::size_t number = 0;
  for (const json& p : holder["mempools"]) {
    LOCKSTEP_TRY(Pool pool, pool_of(p, file, number++));
    if (pool.size == 0 || pool.rights == "r")
      out.left_out.push_back(pool.name + (pool.size == 0 ? " (no bytes)" : " (read only)"));
    else
      out.pools.push_back(std::move(pool));
  }
  LOCKSTEP_CHECK(apart(out.pools, file));
  if (out.pools.empty())
    return Error{file, "no pool that can be written", "memory for activations", ""};
  return out;
}

}  // namespace lockstep
