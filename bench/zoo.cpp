// The fault zoo: models x faults x places x strengths x levels of evidence, judged and scored.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <deque>
#include <filesystem>
#include <future>

#include "base/files.h"
#include "base/text.h"
#include "zoo.h"

namespace {

using namespace lockstep;

struct Model {
  const char* path;  // "s1" stands in the repository, the others in the folder of real models
  int sites, samples;
  bool outputs_too;  // judged from every other tensor and from outputs alone as well
};
// Small ones bear more places, and the search of a whole network: the number of cases is a matter of time.
constexpr Model models[] = {
    {"examples/s1/tcn_int8.onnx", 3, 6, false},
    {"mlperf/ad01_int8.tflite", 3, 4, true},
    {"st_zoo/mobility_gmp_wl_24_int8.tflite", 3, 8, true},
    {"st_zoo/mobility_ign_wl_24_int8.tflite", 3, 8, true},
    {"timeseries/predmaint_cnn_int8_io.tflite", 3, 8, true},
    {"tflm/micro_speech_quantized.tflite", 3, 6, false},
    {"tflm/hello_world_int8.tflite", 3, 24, true},
    {"coral/split_concat.tflite", 2, 4, false},
    {"mlperf/kws_ref_model_int8.tflite", 2, 4, false},
    {"mlperf/str_ww_ref_model_int8.tflite", 2, 4, false},
    {"st_zoo/miniresnet_1stacks_64x50_int8.tflite", 2, 2, false},
    {"mlperf/resnet8_int8.tflite", 1, 2, false},
    {"mlperf/vww_96_int8.tflite", 1, 2, false},
    {"coral/mobilenet_v1_0.25_128_quant.tflite", 1, 2, false},
};

struct Options {
  std::string out, only, fault, models_folder;
  zoo::Plan plan;
  int threads = 2, budget = 2000;
  double scale = 1;
  bool list = false, healthy = true;
};

int usage(const char* what) {
  std::fprintf(stderr, "zoo: %s\nzoo [--out FILE] [--models FOLDER] [--only MODEL] [--fault F] [--level all|half|outputs] [--scale X]\n"
                       "    [--seed N] [--threads N] [--budget MS] [--no-healthy] [--list]\n", what);
  return 2;
}

bool parse(int argc, char** argv, Options& o) {
  for (int i = 1; i < argc; ++i) {
    const std::string a = argv[i];
    const bool has_value = i + 1 < argc;
    if (a == "--list") o.list = true;
    else if (a == "--no-healthy") o.healthy = false;
    else if (!has_value) return false;
    else if (a == "--out") o.out = argv[++i];
    else if (a == "--models") o.models_folder = argv[++i];
    else if (a == "--only") o.only = argv[++i];
    else if (a == "--fault") o.plan.faults = split(argv[++i], ',');
    else if (a == "--scale") o.scale = std::atof(argv[++i]);
    else if (a == "--seed") o.plan.seed = static_cast<std::uint64_t>(std::atoll(argv[++i]));
    else if (a == "--threads") o.threads = std::atoi(argv[++i]);
    else if (a == "--budget") o.budget = std::atoi(argv[++i]);
    else if (a == "--level") {
      const std::string level = argv[++i];
      o.plan.levels = {level == "all" ? zoo::Level::all : level == "half" ? zoo::Level::half : zoo::Level::outputs};
    } else return false;
  }
  return true;
}

std::string path_of(const Model& m, const Options& o) {
  const bool own = std::strncmp(m.path, "examples/", 9) == 0;
  return own ? std::string(LOCKSTEP_SOURCE_DIR) + "/" + m.path : o.models_folder + "/" + m.path;
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  const char* named = std::getenv("LOCKSTEP_SHARED");
  o.models_folder = (named ? std::string(named) : std::filesystem::path(LOCKSTEP_SOURCE_DIR).parent_path().string() + "/shared") + "/models";
  if (!parse(argc, argv, o)) return usage("unknown or incomplete option");
  std::deque<zoo::Animal> animals;
  std::vector<zoo::Case> cases;
  std::vector<std::string> healthy;  // models whose pairs of arithmetics are judged
  int missing = 0;
  for (const Model& m : models) {
    if (!o.only.empty() && std::string(m.path).find(o.only) == std::string::npos) continue;
    const std::string path = path_of(m, o);
    if (!std::filesystem::exists(path)) {
      ++missing;
      continue;
    }
    auto made = zoo::animal(path, path.ends_with(".onnx") ? "ort" : "tflite-ref", m.samples, 42);
    if (!made.ok()) {
      std::fprintf(stderr, "zoo: %s\n", made.error().line().c_str());
      return 2;
    }
    animals.push_back(std::move(*made));
    zoo::Plan plan = o.plan;
    plan.sites = std::max(1, static_cast<int>(m.sites * o.scale));
    if (!m.outputs_too)
      std::erase_if(plan.levels, [](zoo::Level l) { return l != zoo::Level::all; });
    plan.unknown = plan.faults.empty() ? std::max(1, static_cast<int>(2 * m.sites * o.scale)) : 0;
    for (zoo::Case& c : zoo::cases_of(animals.back(), plan)) cases.push_back(std::move(c));
    if (o.healthy && m.outputs_too) healthy.push_back(path);
  }
  if (missing) std::printf("%d models are not at %s\n", missing, o.models_folder.c_str());
  auto pairs = std::async(std::launch::async, [&] {
    std::vector<zoo::Pair> all;
    for (const std::string& path : healthy)
      for (zoo::Pair& p : zoo::healthy_pairs(path)) all.push_back(std::move(p));
    return all;
  });
  zoo::Score score = zoo::run(std::move(cases), o.threads, std::chrono::milliseconds(o.budget), true);
  score.pairs = pairs.get();
  if (o.list)
    for (std::size_t i = 0; i < score.cases.size(); ++i)
      std::printf("%-11s %5.2f s %s%s  %s\n", zoo::fate_names[static_cast<int>(score.outcomes[i].fate)], score.outcomes[i].seconds,
                  score.cases[i].text().c_str(), score.outcomes[i].first_right ? "" : " !first", score.outcomes[i].said.c_str());
  const std::string text = zoo::page(score, "make zoo");
  if (!o.out.empty()) {
    if (const auto written = write_file(o.out, text); !written.ok()) {
      std::fprintf(stderr, "zoo: %s\n", written.error().line().c_str());
      return 2;
    }
  }
  std::printf("%.0f s\n%s\n", score.seconds, zoo::last_line(score).c_str());
  return 0;
}
