#include "lode/base/host_program.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "lode/base/stop.h"

namespace lode {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(HostProgram, GivesInputTakesOutputAndCode) {
  InstallStopHandlers();
  const std::string much(3 << 20, 'x');
  EXPECT_EQ(RunProgram({"cat"}, {.input = much}).value().output, much);
  const ProgramEnd end = RunProgram({"sh", "-c", "echo out; echo bad >&2; exit 7"}, {}).value();
  EXPECT_EQ(end.output, "out\n");
  EXPECT_EQ(end.errors, "bad\n");
  EXPECT_EQ(end.code, 7);
  EXPECT_EQ(RunProgram({"sh", "-c", "kill -9 $$"}, {}).value().code, 128 + 9);
  // One that does not read, and words that a shell would take apart.
  EXPECT_EQ(RunProgram({"printf", "%s", "$HOME; a  b"}, {.input = much}).value().output, "$HOME; a  b");
  EXPECT_EQ(RunProgram({"no-such-program-of-lode"}, {}).error().kind, ErrorKind::kNotFound);
}

bool IsRunning(const std::string& pid) {
  std::ifstream stat("/proc/" + pid + "/stat");
  std::string line;
  return std::getline(stat, line) && line.at(line.rfind(')') + 2) != 'Z';  // a zombie is dead
}

TEST(HostProgram, OneThatHangsOrSaysTooMuchIsEndedWithWhatItStarted) {
  alarm(60);  // ends this program, should it wait for ever
  const auto began = std::chrono::steady_clock::now();
  // The first holds its output open, the second has closed it.
  for (const char* hangs : {"sleep 60 & wait", "exec sleep 60 >&- 2>&-"}) {
    EXPECT_EQ(RunProgram({"sh", "-c", hangs}, {.timeout = milliseconds(200)}).error().kind, ErrorKind::kPartial);
  }
  // What it started has its output elsewhere: nothing but the group tells it.
  const std::string file = ::testing::TempDir() + fmt::format("lode-host-program-{}", getpid());
  const std::string starts = "sleep 60 > /dev/null 2>&1 & echo $! > " + file + "; wait";
  EXPECT_EQ(RunProgram({"sh", "-c", starts}, {.timeout = milliseconds(500)}).error().kind, ErrorKind::kPartial);
  std::string pid;
  ASSERT_TRUE(std::getline(std::ifstream(file), pid));
  while (IsRunning(pid) && std::chrono::steady_clock::now() - began < seconds(10)) std::this_thread::yield();
  EXPECT_FALSE(IsRunning(pid));
  std::filesystem::remove(file);
  const auto endless = RunProgram({"sh", "-c", "yes & wait"}, {.most_output = 100'000});
  EXPECT_EQ(endless.error().kind, ErrorKind::kStorage);
  EXPECT_LT(std::chrono::steady_clock::now() - began, seconds(10));
  alarm(0);
}

}  // namespace
}  // namespace lode
