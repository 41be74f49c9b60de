// A program as the compiler's generated C: for round trips.
#include <fmt/core.h>

#include "npu/ec_blob.h"
#include "npu/network_c.h"

namespace lockstep {
namespace {

std::string c_number(const NpuField& f) {
  if (f.is == NpuField::Is::real) return fmt::format("{:.17g}f", f.real);
  if (f.is == NpuField::Is::name) return f.name;
  if (f.is == NpuField::Is::integer) return fmt::format("{}", f.integer);
  std::string list;
  for (const NpuField& item : f.list) list += (list.empty() ? "" : ", ") + c_number(item);
  return "{" + list + "}";
}

bool is_address(std::string_view key) {
  return key == "addr_base" || key.ends_with("_vector");
}

std::string c_fields(const NpuFields& fields, const std::string& buffer) {
  std::string out;
  for (const auto& [key, f] : fields) {
    const bool address = is_address(key) && f.is == NpuField::Is::integer && f.integer != 0;
    out += "      ." + key + " = " +
           (address ? fmt::format(
                          "{{(unsigned char *)(ATON_LIB_PHYSICAL_TO_VIRTUAL_ADDR(0x{:08x}UL))}}",
                          f.integer)
                    : c_number(f)) +
           ",";
    if (key == "addr_base" && !buffer.empty()) out += " /* " + buffer + " */";
    out += "\n";
  }
  return out;
}

std::string c_table(const std::string& name, const NpuTable& t) {
  const bool pointer = t.type.ends_with('*');
  std::string out = "    static const " +
                    (pointer ? t.type.substr(0, t.type.size() - 1) + " *" : t.type + " ") + name +
                    "[] = {\n";
  for (const NpuField& f : t.values) out += "      " + c_number(f) + ",\n";
  for (const NpuFields& row : t.rows) {
    NpuFields quoted = row;
    if (const auto it = quoted.find("name");
        it != quoted.end() && it->second.name != "NULL" && !it->second.name.starts_with('"'))
      it->second.name = '"' + it->second.name + '"';
    out += "      {\n" + c_fields(quoted, "") + "      },\n";
  }
  return out + "    };\n";
}

constexpr std::pair<NpuKind, std::pair<std::string_view, std::string_view>> c_units[] = {
    {NpuKind::stream, {"LL_Streng_TensorInitTypeDef", "LL_Streng_TensorInit"}},
    {NpuKind::conv, {"LL_Convacc_InitTypeDef", "LL_Convacc_Init"}},
    {NpuKind::arith, {"LL_Arithacc_InitTypeDef", "LL_Arithacc_Init"}},
    {NpuKind::pool, {"LL_Poolacc_InitTypeDef", "LL_Poolacc_Init"}},
    {NpuKind::activ, {"LL_Activacc_InitTypeDef", "LL_Activacc_Init"}},
    {NpuKind::decompress, {"LL_Decun_InitTypeDef", "LL_Decun_Init"}},
};

std::string c_port(const char* what, const NpuPort& p) {
  return fmt::format("{}(STRSWITCH, 0, {}, {}, {})", what, name_of(p.unit.kind), p.unit.id, p.port);
}

std::string c_epoch(const NpuEpoch& e, std::string_view function = "LL_ATON_Start_EpochBlock_") {
  std::string out =
      fmt::format("static void {}{}(const void *epoch_block)\n{{\n", function, e.number);
  for (const auto& [node, op] : e.nodes) out += "    /* kind=" + op + " node=" + node + " */\n";
  for (const NpuUnit& u : e.units)
    for (const auto& [kind, names] : c_units)
      if (kind == u.id.kind)
        out += fmt::format("    static const {} {} = {{\n{}    }};\n    {}({}, &{}{});\n",
                           names.first, u.name, c_fields(u.fields, u.inferred ? "" : u.buffer),
                           names.second, u.id.id, u.name, kind == NpuKind::stream ? ", 1" : "");
  if (!e.links.empty()) {
    out += fmt::format("    static const LL_Switch_InitTypeDef switch_{}[] = {{\n", e.number);
    for (const NpuLink& l : e.links) {
      out += "      { LL_Switch_Init_Dest() = " + c_port("ATONN_DSTPORT", l.to) + ",";
      for (std::size_t i = 0; i < l.from.size(); ++i)
        out += fmt::format(
            " LL_Switch_Init_Source({0}) = {1}, LL_Switch_Init_Context({0}) = {2}, "
            "LL_Switch_Init_Frames({0}) = {3},",
            i, c_port("ATONN_SRCPORT", l.from[i].source), l.from[i].context, l.from[i].frames);
      out += " },\n";
    }
    out += fmt::format("    }};\n    LL_Switch_Init(switch_{}, {});\n", e.number, e.links.size());
  }
  for (const auto& [name, t] : e.tables) out += c_table(name, t);
  for (const NpuCall& c : e.calls) {
    out += "    " + c.function + "(";
    for (std::size_t i = 0; i < c.arguments.size(); ++i) out += (i ? ", " : "") + c.arguments[i];
    out += ");\n";
  }
  return out + "}\n\n";
}

template <class List>
std::string c_array(const std::string& type, const std::string& name, const List& list) {
  std::string out = "  static const " + type + " " + name + "[] = { ";
  for (const auto& v : list) {
    if constexpr (std::is_same_v<std::decay_t<decltype(v)>, double>)
      out += fmt::format("{:.17g}f, ", v);
    else
      out += fmt::format("{}, ", v);
  }
  return out + "};\n";
}

std::string c_buffers(const NpuProgram& program) {
  std::string arrays, rows;
  int n = 0;
  for (const NpuBuffer& b : program.buffers) {
    const std::string id = fmt::format("buffer_{}", n++);
    arrays += c_array("uint32_t", id + "_shape", b.shape) +
              c_array("uint32_t", id + "_mem_shape", b.mem_shape);
    if (!b.scale.empty()) arrays += c_array("float", id + "_scale", b.scale);
    if (!b.zero.empty()) arrays += c_array("int16_t", id + "_offset", b.zero);
    rows += fmt::format(
        "    {{ .name = \"{}\", .addr_base = {{(unsigned char *)(0x{:08x}UL)}}, .offset_start = "
        "{}, .offset_end = {}, .offset_limit = {}, .is_user_allocated = {}, "
        ".is_param = {}, .epoch = {}, .batch = {}, .mem_shape = {}_mem_shape, .mem_ndims = {}, "
        ".chpos = {}, .Qm = {}, .Qn = {}, .Qunsigned = {}, .type = {}, "
        ".nbits = {}, .ndims = {}, .per_channel = {}, .shape = {}_shape, .scale = {}, .offset = {} "
        "}},\n",
        b.name, b.base, b.start, b.end, b.limit, b.user_allocated ? 1 : 0, b.is_param ? 1 : 0,
        b.epoch, b.batch, id, b.mem_shape.size(), b.chpos, b.qm, b.qn, b.q_unsigned ? 1 : 0, b.type,
        b.nbits, b.shape.size(), b.per_channel ? 1 : 0, id,
        b.scale.empty() ? "NULL" : id + "_scale", b.zero.empty() ? "NULL" : id + "_offset");
  }
  return "const LL_Buffer_InfoTypeDef *LL_ATON_Buffers_Info(void)\n{\n" + arrays +
         "  static const LL_Buffer_InfoTypeDef buff_info[] = {\n" + rows +
         "    { .name = NULL, },\n  };\n  return buff_info;\n}\n";
}

}  // namespace

std::string format_network_c(const NpuProgram& program) {
  std::string out =
      "/* version " + program.compiler.substr(program.compiler.find(' ') + 1) + " */\n";
  for (const NpuPool& p : program.pools)
    out += fmt::format("/* name={} offset=0x{:08x} absolute_mode size={} {} */\n", p.name, p.base,
                       p.size, p.read_only ? "READ_ONLY" : "READ_WRITE");
  for (const NpuEpoch& e : program.epochs) out += c_epoch(e);
  return out + c_buffers(program);
}

// The same with its hardware epochs as blobs.
Result<NpuEcText> format_network_c_with_blobs(const NpuProgram& program,
                                              const std::string& header_name) {
  LOCKSTEP_TRY(const EcText blobs, format_ec_blobs(program));
  NpuProgram software = program;
  std::erase_if(software.epochs, [](const NpuEpoch& e) { return e.hardware(); });
  NpuEcText out{format_network_c(software), blobs.header};
  for (NpuEpoch e : program.epochs) {  // what the CPU does for its cache when a blob has ended
    if (!e.hardware() || e.calls.empty()) continue;
    e.units.clear(), e.links.clear(), e.nodes.clear();
    out.c += c_epoch(e, "_ec_blob_cache_end_func_");
  }
  std::string items =
      "#include \"" + header_name + "\"\nstatic const EpochBlock_ItemTypeDef epoch_blocks[] = {\n";
  for (const auto& [first, name] : blobs.blobs)
    items += fmt::format(
        "    {{ .blob_address = ((uintptr_t)({})), .flags = EpochBlock_Flags_epoch_start | "
        "EpochBlock_Flags_blob, .epoch_num = {}, }},\n",
        name, first);
  out.c += items + "};\n";
  return out;
}

}  // namespace lockstep
