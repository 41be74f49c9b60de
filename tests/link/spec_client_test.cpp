#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "link/agent_device.h"
#include "support/folders.h"

namespace lockstep {
namespace {

// What the independent client prints; its exit code as the last line.
std::string client(const std::string& where, const std::string& options) {
  const std::string command = "timeout 60 python3 '" + test::source_folder() +
                              "/tests/link/spec_client.py' " + where + " " + options +
                              " 2>&1; echo code $?";
  std::string text;
  if (FILE* out = popen(command.c_str(), "r")) {
    char line[512];
    while (std::fgets(line, sizeof line, out)) text += line;
    pclose(out);
  }
  return text;
}

TEST(SpecClient, takes_what_the_agent_says_in_both_framings_and_packet_sizes) {
  for (const std::uint32_t payload : {0u, 510u, 4094u}) {
    test::AgentDevice agent(test::sums_network(), payload);
    for (const char* options : {"--framing 1", "--framing 2", "--framing 2"}) {
      const std::string said = client(agent.uri().substr(4), options);
      EXPECT_NE(said.find("\nok\ncode 0\n"), std::string::npos) << payload << " " << options << "\n"
                                                                << said;
    }
  }
}

TEST(SpecClient, and_a_host_that_knows_check_fields_take_turns) {
  test::AgentDevice agent(test::sums_network(), 510);
  for (int i = 0; i < 2; ++i) {
    auto stream = open_stream(agent.uri());
    ASSERT_TRUE(stream.ok());
    {
      auto device = Device::connect(std::move(*stream));
      ASSERT_TRUE(device.ok()) << device.error().line();
      const Bytes x(192);
      EXPECT_TRUE(device->run(device->info().networks[0], std::span(&x, 1), {}).ok());
    }
    const std::string said = client(agent.uri().substr(4), "--framing 2 --runs 1");
    EXPECT_NE(said.find("\nok\ncode 0\n"), std::string::npos) << said;
  }
}

}  // namespace
}  // namespace lockstep
