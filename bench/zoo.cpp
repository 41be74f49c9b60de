// The fault zoo: models x faults x places x strengths x levels of evidence, judged and scored.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <deque>
#include <filesystem>
#include <future>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/text.h"
#include "zoo.h"

namespace {

using namespace lockstep;

struct Model {
  const char*
      path;  // "examples/..." stands in the repository, the others in the folder of real models
  int sites, samples;  // places per fault with all tensors; small networks bear more of them
  double share = 1;    // of the faults, drawn by the seed: what a large network's time allows
};
constexpr Model models[] = {
    {"examples/s1/tcn_int8.onnx", 3, 6},
    {"mlperf/ad01_int8.tflite", 3, 4},
    {"st_zoo/mobility_gmp_wl_24_int8.tflite", 3, 8},
    {"st_zoo/mobility_ign_wl_24_int8.tflite", 3, 8},
    {"timeseries/predmaint_cnn_int8_io.tflite", 3, 8},
    {"tflm/micro_speech_quantized.tflite", 3, 6},
    {"tflm/hello_world_int8.tflite", 3, 24},
    {"coral/split_concat.tflite", 2, 4},
    {"mlperf/kws_ref_model_int8.tflite", 2, 4},
    {"mlperf/str_ww_ref_model_int8.tflite", 2, 4},
    {"st_zoo/miniresnet_1stacks_64x50_int8.tflite", 2, 2},
    {"mlperf/resnet8_int8.tflite", 1, 2},
    {"mlperf/vww_96_int8.tflite", 1, 2},
    {"coral/mobilenet_v1_0.25_128_quant.tflite", 1, 2},
    {"face/mobilefacenet_int8_faces.onnx", 1, 2, 0.25},
    {"st/face_landmarks_v1_192_qdq_int8.onnx", 1, 2, 0.25},
    {"st_zoo/yamnet_256_64x96_tl.onnx", 1, 2, 0.25},
};

struct Options {
  std::string out, only, shared, input, arithmetic;
  std::vector<std::string> own;  // models of the user's instead of the table's
  zoo::Plan plan;
  int threads = 2;
  double work = 12e9;
  double scale = 1, share = 1;
  bool list = false, healthy = true, faults = true, unknown = true;
};

constexpr const char* options_text =
    "zoo [--out FILE] [--shared FOLDER] [--only MODEL] [--fault F] [--level all|half|outputs] "
    "[--scale X] [--share X]\n"
    "    [--model FILE [--input FILE] [--arith NAME]] [--seed N] [--threads N] [--work MACS] "
    "[--no-healthy]\n"
    "    [--no-faults] [--no-unknown] [--list]\n";

int usage(const char* what) {
  std::fprintf(stderr, "zoo: %s\n%s", what, options_text);
  return 2;
}

bool parse(int argc, char** argv, Options& o) {
  for (int i = 1; i < argc; ++i) {
    const std::string a = argv[i];
    const bool has_value = i + 1 < argc;
    if (a == "--list")
      o.list = true;
    else if (a == "--no-healthy")
      o.healthy = false;
    else if (a == "--no-faults")
      o.faults = false;
    else if (a == "--no-unknown")
      o.unknown = false;
    else if (!has_value)
      return false;
    else if (a == "--out")
      o.out = argv[++i];
    else if (a == "--shared")
      o.shared = argv[++i];
    else if (a == "--model")
      o.own.push_back(argv[++i]);
    else if (a == "--input")
      o.input = argv[++i];
    else if (a == "--arith")
      o.arithmetic = argv[++i];
    else if (a == "--only")
      o.only = argv[++i];
    else if (a == "--fault")
      o.plan.faults = split(argv[++i], ',');
    else if (a == "--share")
      o.share = std::atof(argv[++i]);
    else if (a == "--scale")
      o.scale = std::atof(argv[++i]);
    else if (a == "--seed")
      o.plan.seed = static_cast<std::uint64_t>(std::atoll(argv[++i]));
    else if (a == "--threads")
      o.threads = std::atoi(argv[++i]);
    else if (a == "--work")
      o.work = std::atof(argv[++i]);
    else if (a == "--level") {
      const std::string level = argv[++i];
      o.plan.levels = {level == "all"    ? zoo::Level::all
                       : level == "half" ? zoo::Level::half
                                         : zoo::Level::outputs};
    } else
      return false;
  }
  return true;
}

struct Wanted {
  std::string path;
  int sites, samples;
  double share;
  std::vector<std::string> inputs;  // files of recorded inputs; none: generated ones
};

// The table's models with the real inputs that the index beside them names, or the user's own.
std::vector<Wanted> wanted_models(const Options& o, int& missing) {
  std::vector<Wanted> wanted;
  for (const std::string& path : o.own)
    wanted.push_back(
        {path, 3, 4, 1, o.input.empty() ? std::vector<std::string>() : std::vector{o.input}});
  if (!o.own.empty()) return wanted;
  const std::string inputs = o.shared + "/inputs/tensors/index.json";
  const auto bytes = read_file(inputs);
  const auto index =
      bytes.ok() ? nlohmann::json::parse(
                       reinterpret_cast<const char*>(bytes->data()),
                       reinterpret_cast<const char*>(bytes->data() + bytes->size()), nullptr, false)
                 : nlohmann::json();
  for (const Model& m : models) {
    if (!o.only.empty() && std::string(m.path).find(o.only) == std::string::npos) continue;
    const bool own = std::strncmp(m.path, "examples/", 9) == 0;
    Wanted w{own ? std::string(LOCKSTEP_SOURCE_DIR) + "/" + m.path : o.shared + "/models/" + m.path,
             m.sites,
             m.samples,
             m.share,
             {}};
    if (!std::filesystem::exists(w.path)) {
      ++missing;
      continue;
    }
    if (own) w.inputs.push_back(std::string(LOCKSTEP_SOURCE_DIR) + "/examples/s1/golden.npz");
    if (index.is_array())
      for (const auto& entry : index)
        if (entry.value("model", "") == m.path)
          w.inputs.push_back(o.shared + "/inputs/" + entry.value("file", ""));
    wanted.push_back(std::move(w));
  }
  return wanted;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--help")
    return std::fputs(options_text, stdout) < 0;
  Options o;
  const char* named = std::getenv("LOCKSTEP_SHARED");
  o.shared = named ? std::string(named)
                   : std::filesystem::path(LOCKSTEP_SOURCE_DIR).parent_path().string() + "/shared";
  if (!parse(argc, argv, o)) return usage("unknown or incomplete option");
  std::deque<zoo::Animal> animals;
  std::vector<zoo::Case> cases;
  int missing = 0;
  for (const Wanted& w : wanted_models(o, missing)) {
    const std::string arithmetic = !o.arithmetic.empty()       ? o.arithmetic
                                   : w.path.ends_with(".onnx") ? "ort"
                                                               : "tflite-ref";
    auto made = zoo::animal(w.path, arithmetic, w.samples, 42, w.inputs);
    if (!made.ok()) {
      std::fprintf(stderr, "zoo: %s\n", made.error().line().c_str());
      return 2;
    }
    animals.push_back(std::move(*made));
    zoo::Plan plan = o.plan;
    plan.share = plan.faults.empty() ? w.share * o.share : 1;
    plan.sites = o.faults ? std::max(1, static_cast<int>(w.sites * o.scale)) : 0;
    plan.unknown =
        plan.faults.empty() && o.unknown ? std::max(1, static_cast<int>(2 * w.sites * o.scale)) : 0;
    for (zoo::Case& c : zoo::cases_of(animals.back(), plan)) cases.push_back(std::move(c));
  }
  if (missing) std::printf("%d models are not in %s\n", missing, o.shared.c_str());
  auto pairs = std::async(std::launch::async, [&] {
    std::vector<zoo::Pair> all;
    for (const zoo::Animal& a : animals)
      if (o.healthy)
        for (zoo::Pair& p : zoo::healthy_pairs(a)) all.push_back(std::move(p));
    return all;
  });
  zoo::Score score = zoo::run(std::move(cases), o.threads, o.work, true);
  score.pairs = pairs.get();
  if (o.list)
    for (std::size_t i = 0; i < score.cases.size(); ++i)
      std::printf("%-11s %5.2f s %s%s  %s\n",
                  zoo::fate_names[static_cast<int>(score.outcomes[i].fate)],
                  score.outcomes[i].seconds, score.cases[i].text().c_str(),
                  score.outcomes[i].first_right ? "" : " !first", score.outcomes[i].said.c_str());
  std::string command = "build/bench/zoo";
  for (int i = 1; i < argc; ++i)
    if (std::string(argv[i]) == "--out" || std::string(argv[i]) == "--shared")
      ++i;
    else
      command += std::string(" ") + argv[i];
  const std::string text = zoo::page(score, command);
  if (!o.out.empty()) {
    if (const auto written = write_file(o.out, text); !written.ok()) {
      std::fprintf(stderr, "zoo: %s\n", written.error().line().c_str());
      return 2;
    }
  }
  std::printf("%.0f s\n%s\n", score.seconds, zoo::last_line(score).c_str());
  return 0;
}
