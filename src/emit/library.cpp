// Which nodes CMSIS-NN computes, and what its calls have in common.
#include "emit/library.h"

#include "base/files.h"
#include "base/text.h"
#include "emit/finish.h"
#include "op/op_codes.h"

namespace lockstep {

const NodeEmitter* library_emitter(const NodeView& view, const Numerics& num) {
  for (const auto table : {library_windows(), library_rows()})
    for (const LibraryEmitter& e : table)
      if (e.op == view.node.op && e.fits(view, num)) return &e.emitter;
  return nullptr;
}

const NodeEmitter* emitter_of(const NodeView& view, const Numerics& num, bool library) {
  const NodeEmitter* theirs = library ? library_emitter(view, num) : nullptr;
  return theirs ? theirs : find_emitter(view.node.op);
}

Result<void> library_for(const Arithmetic& arithmetic, const std::string& folder) {
  if (arithmetic.name != "cmsis-nn" && arithmetic.name != "cmsis-nn-single")
    return Error{"--cmsis-nn " + folder,
                 "CMSIS-NN does not compute the arithmetic " + std::string(arithmetic.name),
                 "--arith cmsis-nn or cmsis-nn-single", ""};
  const std::string path = folder + "/Include/arm_nnfunctions.h";
  const Error absent{"--cmsis-nn " + folder, "no Include/arm_nnfunctions.h",
                     "the folder of a checkout of CMSIS-NN", ""};
  if (!file_exists(path)) return absent;
  LOCKSTEP_TRY(const Bytes bytes, read_file(path, std::uint64_t{1} << 24));
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  // Its sums of weights hold the bias since version 6.
  const std::size_t at = text.find("arm_vector_sum_s8(");
  const std::string_view sums =
      at == std::string_view::npos ? "" : text.substr(at, text.find(';', at) - at);
  if (sums.find("rhs_offset") != std::string_view::npos &&
      sums.find("bias_data") != std::string_view::npos &&
      text.find("arm_fully_connected_per_channel_s8(") != std::string_view::npos)
    return {};
  return Error{"--cmsis-nn " + folder, "its functions take other parameters",
               "CMSIS-NN 7.0 or a later one with the same interface", ""};
}

bool is_int8(const Value& v) {
  return v.dtype == DType::i8 && v.quant.quantized();
}

std::string library_dims(NodeWriter& w, const std::string& suffix, std::int64_t n, std::int64_t h,
                         std::int64_t width, std::int64_t c) {
  return w.constant_line("cmsis_nn_dims", suffix,
                         "{.n = " + std::to_string(n) + ", .h = " + std::to_string(h) + ", .w = " +
                             std::to_string(width) + ", .c = " + std::to_string(c) + "}");
}

std::string library_clamp(const NodeView& v) {
  const CodeClamp clamp = clamp_of(v);
  return "{.min = " + std::to_string(clamp.low) + ", .max = " + std::to_string(clamp.high) + "}";
}

LibraryFactors library_factors(NodeWriter& w, std::span<const Rescale> rescales) {
  std::vector<std::int64_t> multipliers, shifts;
  for (const Rescale& r : rescales) multipliers.push_back(r.multiplier), shifts.push_back(r.shift);
  const auto put = [&](const std::vector<std::int64_t>& values, const std::string& wish) {
    // The library's structures point to what it only reads without const.
    return "(int32_t *)" + w.constants().add("int32_t", std::span<const std::int64_t>(values),
                                             w.label() + "_" + wish);
  };
  return {put(multipliers, "multiplier"), put(shifts, "shift")};
}

void library_call(NodeWriter& w, const std::string& function, const std::string& arguments,
                  const std::string& asked, const std::string& scratch, std::int64_t bytes) {
  w.calls(function);
  const std::string node = std::to_string(w.id());
  const std::string call = "library_answered(" + node + ", " + function + "(" + arguments + "));";
  if (scratch.empty()) return w.line(call);
  w.line("{");
  w.line("  const cmsis_nn_context context = {" + scratch + ", " + std::to_string(bytes) + "};");
  if (asked.empty()) {
    w.line("  " + call);
  } else {
    w.calls(asked.substr(0, asked.find('(')));
    w.line("  if (" + asked + " <= context.size)");
    w.line("    " + call);
    w.line("  else");
    w.line("    library_answered(" + node + ", ARM_CMSIS_NN_ARG_ERROR);");
  }
  w.line("}");
}

}  // namespace lockstep
