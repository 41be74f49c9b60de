#include "npu/side_files.h"

#include <algorithm>
#include <charconv>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/text.h"

namespace lockstep {
namespace {

using Json = nlohmann::json;

Error not_such(const std::string& file, std::string what, std::string want) {
  return {file, std::move(what), std::move(want), {}};
}

// Numbers come as numbers, as decimal text and as 0x text.
std::optional<std::int64_t> number_at(const Json& j, const char* key) {
  if (!j.is_object() || !j.contains(key)) return std::nullopt;
  const Json& v = j[key];
  if (v.is_number_unsigned() && v.get<std::uint64_t>() > INT64_MAX) return std::nullopt;
  if (v.is_number_integer()) return v.get<std::int64_t>();
  if (v.is_boolean()) return v.get<bool>() ? 1 : 0;
  if (!v.is_string()) return std::nullopt;
  std::string_view t = v.get_ref<const std::string&>();
  const bool hex = t.starts_with("0x") || t.starts_with("0X");
  if (hex) t.remove_prefix(2);
  std::int64_t n = 0;
  const auto [p, failed] = std::from_chars(t.data(), t.data() + t.size(), n, hex ? 16 : 10);
  return failed == std::errc{} && p == t.data() + t.size() ? std::optional(n) : std::nullopt;
}

std::string text_at(const Json& j, const char* key) {
  return j.is_object() && j.contains(key) && j[key].is_string() ? j[key].get<std::string>()
                                                                : std::string();
}
Json list_at(const Json& j, const char* key) {
  return j.is_object() && j.contains(key) && j[key].is_array() ? j[key] : Json::array();
}
Json object_at(const Json& j, const char* key) {
  return j.is_object() && j.contains(key) && j[key].is_object() ? j[key] : Json::object();
}

Result<Json> object_of(std::string_view text, const std::string& file, const char* member) {
  Json j = Json::parse(text, nullptr, false);
  if (j.is_discarded()) return not_such(file, "not JSON", "a whole file");
  if (!j.is_object() || !j.contains(member))
    return not_such(file, fmt::format("no member \"{}\"", member), "a file of ST's compiler");
  return j;
}

Result<NpuPool> pool_of(std::string name, std::int64_t base, std::int64_t size, bool read_only,
                        const std::string& file) {
  if (base < 0 || size <= 0 || size > (std::int64_t{1} << 32))
    return not_such(file, fmt::format("memory {} of {} bytes at {}", name, size, base),
                    "an address and a size below 4 GB");
  return NpuPool{std::move(name), static_cast<std::uint64_t>(base),
                 static_cast<std::uint64_t>(size), read_only};
}

// "xSPI2" of "atonbuf.xSPI2.raw", and of "xSPI2".
std::string postfix_of(const std::string& file) {
  const std::size_t first = file.find('.'), last = file.rfind('.');
  return first == std::string::npos ? file
         : first == last            ? ""
                                    : file.substr(first + 1, last - first - 1);
}

Result<NpuBuffer> buffer_of(const Json& j, const std::map<std::int64_t, NpuPool>& pools,
                            const std::string& file) {
  NpuBuffer b;
  b.name = text_at(j, "name");
  const auto pool = pools.find(number_at(j, "mpool_id").value_or(-1));
  if (pool != pools.end()) b.base = pool->second.base;
  b.start = number_at(j, "offset_start").value_or(0);
  const std::int64_t size = number_at(j, "size_bytes").value_or(0);
  if (b.start < 0 || size < 0 || b.start > (std::int64_t{1} << 32) ||
      size > (std::int64_t{1} << 32))
    return not_such(file, fmt::format("buffer {} of {} bytes at {}", b.name, size, b.start),
                    "offsets below 4 GB");
  b.end = b.start + size, b.limit = b.end + 64;
  b.nbits = static_cast<int>(std::clamp<std::int64_t>(number_at(j, "nbits").value_or(8), 1, 64));
  b.batch =
      static_cast<int>(std::clamp<std::int64_t>(number_at(j, "batch").value_or(1), 0, 1 << 20));
  b.is_param = number_at(j, "is_param").value_or(0) != 0;
  b.epoch = static_cast<int>(
      std::clamp<std::int64_t>(number_at(object_at(j, "epochs"), "start").value_or(0), 0, 100000));
  for (const Json& e : list_at(j, "shape"))
    b.shape.push_back(e.is_number_integer() ? std::clamp<std::int64_t>(e.get<std::int64_t>(), 0,
                                                                       std::int64_t{1} << 32)
                                            : 0);
  if (b.shape.size() > 8)
    return not_such(file, fmt::format("buffer {} of {} extents", b.name, b.shape.size()),
                    "at most 8");
  LOCKSTEP_TRY([[maybe_unused]] const std::int64_t n, checked_count(b.shape, file));
  b.mem_shape = b.shape;
  b.chpos = number_at(j, "channel_first").value_or(0) != 0  ? "CHPos_First"
            : number_at(j, "channel_last").value_or(0) != 0 ? "CHPos_Last"
                                                            : "CHPos_UNDEFINED";
  const std::string format = text_at(j, "format");
  const bool is_unsigned = format.find("UINT") != std::string::npos || format.starts_with("U") ||
                           format.ends_with("_U8");
  b.type = is_unsigned                                 ? "DataType_UINT8"
           : format.find("FLOAT") != std::string::npos ? "DataType_FLOAT"
           : b.nbits == 8                              ? "DataType_INT8"
                                                       : "DataType_FXP";
  const Json q = object_at(j, "intq");
  for (const Json& s : list_at(q, "scales")) b.scale.push_back(s.is_number() ? s.get<double>() : 0);
  for (const Json& z : list_at(q, "offsets"))
    b.zero.push_back(z.is_number_integer() ? z.get<std::int64_t>() : 0);
  return b;
}

// "epoch_12" -> 12
std::optional<int> epoch_number(std::string_view name) {
  const std::size_t at = name.find("epoch_");
  if (at == std::string_view::npos) return std::nullopt;
  int n = 0;
  const auto [p, failed] = std::from_chars(name.data() + at + 6, name.data() + name.size(), n);
  return failed == std::errc{} ? std::optional(n) : std::nullopt;
}

std::string after(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(key);
  if (at == std::string_view::npos) return std::string(text);
  const std::string_view rest = text.substr(at + key.size());
  return std::string(rest.substr(0, rest.find_first_of(" ,;")));
}

void add_names(const Json& list, std::vector<std::string>& to) {
  for (const Json& n : list) {
    const std::string name = n.is_string() ? n.get<std::string>() : text_at(n, "name");
    if (!name.empty() && std::ranges::find(to, name) == to.end()) to.push_back(name);
  }
}

}  // namespace

const NpuEpochInfo* NpuSideFiles::find_epoch(int number) const {
  const auto it = std::ranges::find(epochs, number, &NpuEpochInfo::number);
  return it == epochs.end() ? nullptr : &*it;
}

Result<void> read_c_info(std::string_view text, const std::string& file, NpuSideFiles& side) {
  LOCKSTEP_TRY(const Json j, object_of(text, file, "memory_pools"));
  std::map<std::int64_t, NpuPool> pools;
  for (const Json& p : list_at(j, "memory_pools")) {
    // Memories that the application or a loader gives have no address; those switched off no size.
    if (number_at(p, "address").value_or(0) == 0 || number_at(p, "size_bytes") == 0) continue;
    LOCKSTEP_TRY(NpuPool pool, pool_of(text_at(p, "name"), number_at(p, "address").value_or(-1),
                                       number_at(p, "size_bytes").value_or(0),
                                       text_at(p, "rights").find('W') == std::string::npos, file));
    pool.postfix = postfix_of(text_at(p, "fname"));
    if (list_at(p, "subpools").empty()) side.pools.push_back(pool);
    pools.emplace(number_at(p, "id").value_or(static_cast<std::int64_t>(pools.size())),
                  std::move(pool));
  }
  for (const Json& b : list_at(j, "buffers")) {
    LOCKSTEP_TRY(NpuBuffer buffer, buffer_of(b, pools, file));
    side.buffers.push_back(std::move(buffer));
  }
  std::map<std::int64_t, int> by_id;
  const Json graphs = list_at(j, "graphs");
  for (const Json& n : list_at(graphs.empty() ? Json::object() : graphs[0], "nodes")) {
    const auto number = epoch_number(text_at(n, "name"));
    if (!number) continue;
    NpuEpochInfo e;
    e.number = *number;
    const std::string mapping = text_at(n, "mapping");
    e.mapping = mapping.starts_with("NODE_") ? mapping.substr(5) : mapping;
    for (const Json& s : list_at(n, "subgraph_nodes"))
      e.operations.push_back(after(text_at(s, "description"), "kind="));
    add_names(list_at(n, "sw_functions"), e.operations);
    add_names(list_at(n, "original_nodes"), e.originals);
    e.cycles = number_at(object_at(n, "power_estimates"), "compute_cycles").value_or(0);
    by_id[number_at(n, "id").value_or(-1)] = *number;
    side.epochs.push_back(std::move(e));
  }
  for (const Json& a : list_at(j, "memory_accesses"))
    if (const auto it = by_id.find(number_at(a, "node_id").value_or(-2)); it != by_id.end())
      for (NpuEpochInfo& e : side.epochs)
        if (e.number == it->second)
          e.read_bytes += number_at(a, "reads").value_or(0),
              e.written_bytes += number_at(a, "writes").value_or(0);
  side.files.push_back(file);
  return {};
}

Result<void> read_q_json(std::string_view text, const std::string& file, NpuSideFiles& side) {
  LOCKSTEP_TRY(const Json j, object_of(text, file, "tensors"));
  const Json tensors = object_at(j, "tensors"), nodes = object_at(j, "nodes");
  for (const auto& [name, t] : tensors.items()) {
    const Json params = list_at(object_at(t, "format"), "params");
    QuantParams q;
    if (params.size() > 0 && params[0].is_array())
      for (const Json& s : params[0]) q.scale.push_back(s.is_number() ? s.get<double>() : 0);
    if (params.size() > 1 && params[1].is_array())
      for (const Json& z : params[1])
        q.zero.push_back(z.is_number() ? static_cast<std::int32_t>(std::clamp(
                                             z.get<double>(), -2147483648.0, 2147483647.0))
                                       : 0);
    if (q.quantized()) side.quants.insert_or_assign(name, std::move(q));
  }
  for (const auto& [name, n] : nodes.items()) add_names(list_at(n, "names"), side.originals[name]);
  side.files.push_back(file);
  return {};
}

namespace {

// A number of bytes, in place or as {value, magnitude}.
std::optional<std::int64_t> bytes_at(const Json& j, const char* key) {
  const Json o = object_at(j, key);
  const auto n = o.empty() ? number_at(j, key) : number_at(o, "value");
  const std::string unit = text_at(o, "magnitude");
  if (!n || *n < 0 || *n >= (std::int64_t{1} << 32)) return n;
  return *n * (unit == "KBYTES" ? 1024 : unit == "MBYTES" ? 1024 * 1024 : 1);
}

}  // namespace

Result<void> read_mpool(std::string_view text, const std::string& file, NpuSideFiles& side) {
  Json j = Json::parse(text, nullptr, false);
  if (j.is_discarded() || !j.is_object())
    return not_such(file, "not JSON", "a description of memory pools");
  const Json memory = object_at(j, "memory");
  const Json pools =
      !list_at(memory, "mempools").empty() ? list_at(memory, "mempools") : list_at(j, "mempools");
  if (pools.empty()) return not_such(file, "no mempools", "a description of memory pools");
  for (const Json& p : pools) {
    const auto base = bytes_at(p, "offset"), bytes = bytes_at(p, "size");
    if (bytes == 0 || base == 0) continue;  // switched off, or given by a loader
    const std::string rights = text_at(p, "rights") + text_at(object_at(p, "prop"), "rights");
    LOCKSTEP_TRY(NpuPool pool, pool_of(text_at(p, "name"), base.value_or(-1), bytes.value_or(0),
                                       rights.find("WRITE") == std::string::npos &&
                                           rights.find('W') == std::string::npos,
                                       file));
    pool.postfix = postfix_of(text_at(p, "fname"));
    side.pools.push_back(std::move(pool));
  }
  side.files.push_back(file);
  return {};
}

// Lines like "epoch 12  HW" and "epoch 38  -SW-  ( Softmax )".
Result<void> read_generate_report(std::string_view text, const std::string& file,
                                  NpuSideFiles& side) {
  int found = 0;
  const bool known = !side.epochs.empty();
  for (const std::string& line : split(text, '\n')) {
    if (const std::size_t at = line.find("ST Edge AI Core v");
        at != std::string::npos && side.compiler.empty())
      side.compiler = line.substr(at, line.find_first_of("\r", at) - at);
    std::size_t at = line.find_first_not_of(" \t");
    if (at == std::string::npos || line.compare(at, 5, "epoch") != 0) continue;
    at = line.find_first_of("0123456789", at);
    if (at == std::string::npos) continue;
    NpuEpochInfo e;
    const auto [p, failed] = std::from_chars(line.data() + at, line.data() + line.size(), e.number);
    if (failed != std::errc{} || e.number < 0 || e.number > 100000) continue;
    const std::string_view rest(p, static_cast<std::size_t>(line.data() + line.size() - p));
    for (const char* m : {"HW", "SW", "EC"})
      if (e.mapping.empty() && rest.find(m) != std::string_view::npos) e.mapping = m;
    if (e.mapping.empty()) continue;
    if (const std::size_t open = rest.find('('), close = rest.find(')');
        open != std::string_view::npos && close != std::string_view::npos && close > open) {
      std::string inside(rest.substr(open + 1, close - open - 1));
      inside.erase(0, inside.find_first_not_of(' '));
      inside.erase(inside.find_last_not_of(' ') + 1);
      e.operations.push_back(inside);
    }
    ++found;
    if (!known && !side.find_epoch(e.number)) side.epochs.push_back(std::move(e));
  }
  if (found == 0 && side.compiler.empty())
    return not_such(file, "no line that names an epoch", "a *_generate_report.txt");
  side.files.push_back(file);
  return {};
}

}  // namespace lockstep
