#include <algorithm>
#include <cmath>

#include <fmt/core.h>

#include "npu/audit.h"
#include "npu/software.h"

namespace lockstep {
namespace {

struct Advice {
  std::string_view function, reason, advice;
};
constexpr Advice software_advice[] = {
    {"ll_sw_forward_conv_integer",
     "a convolution on the CPU: a channel count that does not split (prime-like) or a form the "
     "accelerator lacks",
     "input and output channels a multiple of 8 (pad with zero channels): the convolution goes to "
     "the accelerator"},
    {"ll_sw_forward_softmax", "Softmax in float on the CPU",
     "leave the Softmax out and read the logits: its order is theirs"},
    {"ll_sw_forward_activ", "an activation in float on the CPU",
     "quantize the activation too, so that it runs as a table on the accelerator"},
    {"ll_sw_forward_dequantizelinear", "codes become floats on the CPU",
     "take int8 outputs and scale them in the application"},
    {"ll_sw_forward_quantizelinear", "floats become codes on the CPU", "feed int8 inputs"},
    {"LL_ATON_LIB_DMA_Transpose", "a change of layout by transfers",
     "feed the input in the layout of the first layer"},
    {"LL_ATON_LIB_DMA_SpaceToDepth", "a dilated convolution is cut into phases by transfers",
     "dilation 1, with a larger kernel or stride before it"},
    {"LL_ATON_LIB_DMA_DepthToSpace",
     "the phases of a dilated convolution are put together by transfers",
     "dilation 1, with a larger kernel or stride before it"},
};

void software(const NpuEpoch& e, std::vector<NpuFinding>& found) {
  const std::string function = software_function(e);
  const auto known = std::ranges::find(software_advice, function, &Advice::function);
  const bool listed = known != std::end(software_advice);
  found.push_back({"software-epoch", NpuSeverity::note, e.number,
                   e.nodes.empty() ? function : e.nodes[0].first,
                   listed ? std::string(known->reason) : function,
                   function.starts_with("ll_sw_") ? "runs on the CPU" : "no arithmetic, time only",
                   listed ? std::string(known->advice) : "", 0});
}

bool only_streams(const NpuEpoch& e) {
  return e.hardware() && std::ranges::all_of(e.units, [](const NpuUnit& u) {
           return u.id.kind == NpuKind::stream;
         });
}

void patterns(const NpuEpochForm& form, std::vector<NpuFinding>& found) {
  const int epoch = form.epoch->number;
  for (const auto& [to, link] : form.links)
    if (to.unit.kind == NpuKind::conv && to.port == 0 &&
        std::ranges::any_of(
            link.from, [](const NpuSource& s) { return s.source.unit.kind == NpuKind::activ; }))
      found.push_back({"hanging-pattern", NpuSeverity::warning, epoch, text_of(to.unit),
                       "an activation unit feeds a convolution's data port",
                       "stalls the accelerator with some releases (seen with Core 4.0.1)",
                       "move the shape change between convolution and activation behind the "
                       "activation: the same numbers",
                       0});
  for (const auto& [id, unit] : form.units) {
    const auto* c = std::get_if<NpuConv>(&unit);
    const auto link = form.links.find({id, 1});
    if (!c || link == form.links.end() || (c->hstride < 2 && c->vstride < 2)) continue;
    const NpuUnit* weights = form.raw(link->second.from[0].source.unit);
    if (weights && weights->buffer.find("_inflated_") != std::string::npos)
      found.push_back(
          {"hanging-pattern", NpuSeverity::note, epoch, weights->buffer,
           fmt::format("a depthwise convolution of stride {}", std::max(c->hstride, c->vstride)),
           "stalls the accelerator when compiled with Core 4.0.1; other releases run it",
           "stride 1 followed by a subsampling slice: the same numbers", 0});
  }
}

}  // namespace

void audit_schedule(const NpuSimulator& sim, const std::vector<NpuLayer>& layers,
                    std::vector<NpuFinding>& found) {
  for (const NpuEpochForm& form : sim.epochs()) {
    if (!form.epoch->hardware() && !software_function(*form.epoch).empty())
      software(*form.epoch, found);
    if (only_streams(*form.epoch))
      found.push_back({"copy-epoch", NpuSeverity::note, form.epoch->number,
                       form.epoch->nodes.empty() ? "" : form.epoch->nodes[0].first,
                       "a copy into another layout", "time only",
                       "channel counts that are multiples of 8 or 16 keep one layout", 0});
    patterns(form, found);
  }
  for (const NpuLayer& l : layers)
    if (l.passes > 1)
      found.push_back(
          {"accumulation-passes", NpuSeverity::warning, l.epoch, l.node,
           fmt::format("{} passes, the running sum rounded to 16 bits (step {}) after each",
                       l.passes, 1 << std::min(l.shift, 30)),
           fmt::format("noise of {:.1f} accumulator units RMS",
                       std::ldexp(1.0, l.shift) * std::sqrt(static_cast<double>(l.passes) / 12)),
           "fewer input channels a layer, or a layer split by input channels whose parts are added "
           "in int8",
           0});
}

}  // namespace lockstep
