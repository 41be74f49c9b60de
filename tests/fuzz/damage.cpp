// A reader under seeded damage, without libFuzzer: damage_<reader> SECONDS FIRST FOLDER...
// Takes the files of the folders, damages one in a few places (bits, bytes, words, cuts, moved and
// foreign pieces), hands it to the reader of fuzz_<reader>.cpp in a process that may
// die, and counts. Inputs follow from their number alone; what kills a process or
// takes 60 s is written beside.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Input = std::vector<std::uint8_t>;
constexpr std::uint64_t inputs_of_a_process = 500;

void write_word(Input& input, std::size_t at, std::uint32_t word) {
  at &= ~std::size_t{3};
  if (at + 4 <= input.size()) std::memcpy(&input[at], &word, 4);
}

// `count` bytes of `from` over those of `input` from `to` on.
void overwrite(Input& input, std::size_t to, const Input& from, std::size_t at, std::size_t count) {
  for (std::size_t i = 0; i < count && to + i < input.size() && at + i < from.size(); ++i)
    input[to + i] = from[at + i];
}

void damage(Input& input, const Input& other, std::mt19937_64& random) {
  constexpr std::uint8_t bytes[] = {0, 1, 2, 4, 0x10, 0x7f, 0x80, 0xff};
  constexpr std::uint32_t words[] = {0,          1,          65,         0x10000,
                                     0x40000000, 0x7fffffff, 0x80000000, 0xffffffff};
  const std::size_t at = random() % input.size(), pick = random() % 8;
  const auto count =
      static_cast<std::ptrdiff_t>(std::min<std::size_t>(1 + random() % 16, input.size() - at));
  const auto first = input.begin() + static_cast<std::ptrdiff_t>(at);
  switch (random() % 8) {
    case 0:
      input[at] ^= static_cast<std::uint8_t>(1u << pick);
      break;
    case 1:
      input[at] = static_cast<std::uint8_t>(random());
      break;
    case 2:
      input[at] = bytes[pick];
      break;
    case 3:
      write_word(input, at, words[pick]);
      break;
    case 4:
      input.resize(at);
      break;
    case 5:
      input.erase(first, first + count);
      break;
    case 6:
      overwrite(input, random() % input.size(), Input(input), at, static_cast<std::size_t>(count));
      break;
    default:
      overwrite(input, at, other, other.empty() ? 0 : random() % other.size(), 64);
  }
}

Input numbered(const std::vector<Input>& seeds, std::uint64_t number) {
  std::mt19937_64 random(number);
  Input input = seeds[random() % seeds.size()];
  for (std::uint64_t left = 1 + random() % 4; left > 0 && !input.empty(); --left)
    damage(input, seeds[random() % seeds.size()], random);
  return input;
}

// Inputs from `first` on in a process of their own; the number at which it died, or the end.
std::uint64_t died_at(const std::vector<Input>& seeds, std::uint64_t first, int& status) {
  int ends[2];
  if (::pipe(ends) != 0) std::abort();
  const pid_t child = ::fork();
  if (child == 0) {
    for (std::uint64_t n = first; n < first + inputs_of_a_process; ++n) {
      if (::write(ends[1], &n, sizeof n) != sizeof n) ::_exit(3);
      ::alarm(60);
      const Input input = numbered(seeds, n);
      LLVMFuzzerTestOneInput(input.data(), input.size());
    }
    ::_exit(0);
  }
  ::close(ends[1]);
  std::uint64_t last = first;
  for (std::uint64_t n = 0; ::read(ends[0], &n, sizeof n) == sizeof n;) last = n;
  ::close(ends[0]);
  ::waitpid(child, &status, 0);
  return status == 0 ? first + inputs_of_a_process : last;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<Input> seeds;
  for (int i = 3; i < argc; ++i)
    for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i]))
      if (entry.is_regular_file()) {
        std::ifstream in(entry.path(), std::ios::binary);
        seeds.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
      }
  if (seeds.empty()) return std::fputs("damage SECONDS FIRST FOLDER...: no files\n", stderr), 2;
  const std::chrono::duration<double> time(std::strtod(argv[1], nullptr));
  const std::uint64_t first = std::strtoull(argv[2], nullptr, 10);
  const auto start = std::chrono::steady_clock::now();
  std::uint64_t n = first;
  int found = 0;
  while (std::chrono::steady_clock::now() - start < time && found < 20) {
    int status = 0;
    n = died_at(seeds, n, status);
    if (status == 0) continue;
    const Input input = numbered(seeds, n);
    const std::string name = "damaged_" + std::to_string(n++);
    std::ofstream(name, std::ios::binary)
        .write(reinterpret_cast<const char*>(input.data()),
               static_cast<std::streamsize>(input.size()));
    std::printf("%s: status %d\n", name.c_str(), status);
    ++found;
  }
  std::printf("%llu inputs, %d findings\n", static_cast<unsigned long long>(n - first), found);
  return found > 0;
}
