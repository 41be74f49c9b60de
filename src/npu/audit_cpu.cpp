// Operations of the CPU as their structures describe them: scales and zero points against the
// tables of the tensors that they read and make; a convolution against the model's layer
#include <algorithm>
#include <cmath>

#include <fmt/core.h>

#include "npu/audit.h"
#include "npu/described_cells.h"
#include "npu/software.h"
#include "npu/software_moves.h"

namespace lockstep {
namespace {

constexpr const char* recompile = "recompile, and report the compiler's release";

bool same(double a, double b) {
  return std::abs(a - b) <= 1e-5 * std::max(std::abs(a), std::abs(b));
}

class CpuCall {
 public:
  CpuCall(const NpuSimulator& sim, const NpuEpoch& e, const NpuFields& info,
          const NpuSoftwareIo& io, std::vector<NpuFinding>& found)
      : memory_(sim.memory()), e_(e), info_(info), io_(io), found_(found) {}

  void check_codes() {
    check_codes("is", "izp", *io_.in);
    check_codes("os", "ozp", *io_.out);
  }

  void check_layer(const ModelLayer& m) {
    const auto weights = described::cells(info_, "weights", where_);
    if (!weights.ok()) return;
    const auto scales = described::quant(info_, "ws", "wzp", weights->extent[0], memory_, where_);
    const auto codes = described::load<std::int64_t>(*weights, memory_, where_);
    if (!scales.ok() || !codes.ok()) return;
    if (weights->extent[0] != m.out_channels)
      return report("weights-differ",
                    fmt::format("{} kernels for {}", weights->extent[0], m.out_channels));
    check_weights(m, *scales, *codes);
    check_scales(m, *scales);
    check_bias(m);
    check_window(m);
  }

 private:
  void report(const char* rule, std::string what) {
    found_.push_back({rule, NpuSeverity::error, e_.number, io_.out->name, std::move(what),
                      "the CPU computes with other constants", recompile, 255});
  }

  // The quantization that the call names for a tensor, and that of the tensor's own table.
  void check_codes(const std::string& scale, const std::string& zero, const NpuBuffer& b) {
    if (described_address(info_, scale) == 0 || b.scale.size() != 1 || b.zero.size() != 1) return;
    const auto q = described::quant(info_, scale, zero, b.count(), memory_, where_);
    if (!q.ok() || q->scale.size() != 1 || q->zero.size() != 1) return;
    if (!same(q->s(0), b.scale[0]))
      report("multiplier-wrong", fmt::format("{} has the scale {:.6g}, the call says {:.6g}",
                                             b.name, b.scale[0], q->s(0)));
    if (q->z(0) != b.zero[0])
      report("zero-point-wrong",
             fmt::format("{} has the zero point {}, the call says {}", b.name, b.zero[0], q->z(0)));
  }

  void check_weights(const ModelLayer& m, const described::Quant& q,
                     const std::vector<std::int64_t>& codes) {
    const std::size_t n = m.kernel_sum.size(), one = codes.size() / n;
    std::size_t differ = 0;
    for (std::size_t k = 0; k < n; ++k) {
      std::int64_t sum = 0, squares = 0;
      for (std::size_t i = k * one; i < (k + 1) * one; ++i) {
        const std::int64_t w = codes[i] - q.z(k);
        sum += w, squares += w * w;
      }
      differ += sum != m.kernel_sum[k] || squares != m.kernel_squares[k];
    }
    if (differ > 0)
      report("weights-differ", fmt::format("{} of {} kernels are not the model's", differ, n));
  }

  void check_scales(const ModelLayer& m, const described::Quant& q) {
    std::size_t differ = 0;
    for (std::size_t k = 0; k < m.kernel_sum.size(); ++k)
      differ += !same(q.s(k), m.w_scale[m.w_scale.size() == 1 ? 0 : k]);
    if (differ > 0)
      report("multiplier-wrong", fmt::format("{} of {} scales of weights are not the model's",
                                             differ, m.kernel_sum.size()));
  }

  void check_bias(const ModelLayer& m) {
    const bool there = described_address(info_, "bias") != 0;
    std::vector<std::int64_t> bias(m.kernel_sum.size(), 0);
    if (there) {
      const auto b = described::cells(info_, "bias", where_);
      if (!b.ok() || b->count() != m.out_channels) return;
      const auto codes = described::load<std::int64_t>(*b, memory_, where_);
      if (!codes.ok()) return;
      bias = *codes;
    }
    std::size_t differ = 0;
    for (std::size_t k = 0; k < bias.size(); ++k)
      differ += std::abs(static_cast<double>(bias[k]) - (m.bias.empty() ? 0 : m.bias[k])) > 1;
    if (differ > 0)
      report("constant-wrong",
             fmt::format("{} of {} biases are not the model's", differ, bias.size()));
  }

  void check_window(const ModelLayer& m) {
    const auto pads = described::numbers(info_, "pads"),
               strides = described::numbers(info_, "strides");
    for (const auto& [side, at, what] :
         {std::tuple{&m.rows, std::size_t{0}, "rows"}, {&m.columns, std::size_t{1}, "columns"}}) {
      if (side->in == 0) continue;
      if (pads.size() == 4 && pads[at] != side->before)
        report("padding-wrong", fmt::format("{} padded by {} before them, the model's by {}", what,
                                            pads[at], side->before));
      if (strides.size() == 2 && strides[at] != side->stride && side->out > 1)
        report("padding-wrong", fmt::format("{} with a stride of {}, the model's is {}", what,
                                            strides[at], side->stride));
    }
  }

  const NpuMemory& memory_;
  const NpuEpoch& e_;
  const NpuFields& info_;
  const NpuSoftwareIo& io_;
  std::vector<NpuFinding>& found_;
  const std::string where_ = "audit";
};

// Whether a tensor begins where the call takes it to: one that stands, or one that the call makes.
bool is_placed(const NpuProgram& p, int epoch, std::uint64_t address, bool made) {
  return std::ranges::any_of(p.buffers, [&](const NpuBuffer& b) {
    return !b.is_param && b.address() == address && (made ? b.epoch == epoch : b.epoch < epoch);
  });
}

void check_places(const NpuProgram& p, const NpuEpoch& e, const NpuFields& info,
                  std::vector<NpuFinding>& found) {
  for (const auto& [name, made] : {std::pair{"general.input", false}, {"general.output", true}}) {
    const std::uint64_t at = described_address(info, name);
    if (at == 0 || is_placed(p, e.number, at, made)) continue;
    found.push_back(
        {"no-such-buffer", NpuSeverity::error, e.number, e.nodes.empty() ? "" : e.nodes[0].first,
         fmt::format("the call takes its {} to begin at 0x{:08x}, where no tensor does",
                     made ? "result" : "input", at),
         made ? "what reads it finds other data" : "other data enters", recompile, 255});
  }
}

}  // namespace

void audit_cpu(const NpuSimulator& sim, const std::vector<ModelLayer>& model,
               const NpuMapping& mapping, std::vector<NpuFinding>& found) {
  for (const NpuEpoch& e : sim.program().epochs)
    for (const NpuCall& c : e.calls) {
      const NpuFields* const info =
          is_cache_call(c) || is_npu_move(c) ? nullptr : described_call(e, c);
      if (!info) continue;
      check_places(sim.program(), e, *info, found);
      const auto io = software_io(sim.program(), e);
      if (!io.ok() || !io->in || !io->out) continue;
      CpuCall call(sim, e, *info, *io, found);
      call.check_codes();
      const NpuPair* const made = mapping.find(io->out->name);
      const auto layer =
          made ? std::ranges::find(model, made->value, &ModelLayer::output) : model.end();
      if (c.function == "ll_sw_forward_conv_integer" && layer != model.end())
        call.check_layer(*layer);
    }
}

}  // namespace lockstep
