#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "lode/base/log.h"
#include "lode/base/secrets.h"

namespace lode {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

Result<std::string> Resolve(const std::string& reference, const std::map<std::string, std::string>& env_file = {},
                            std::chrono::milliseconds limit = std::chrono::seconds(10)) {
  return ResolveKey(ParseKeyReference(reference).value(), env_file, limit);
}

std::string ErrorOf(const Result<std::string>& result) { return result ? "" : result.error().ToString(); }

TEST(ResolveKey, FromTheEnvironmentWhichWinsOverTheFile) {
  ::setenv("LODE_TEST_KEY_A", "secret-a", 1);
  EXPECT_EQ(Resolve("env:LODE_TEST_KEY_A").value(), "secret-a");
  EXPECT_EQ(Resolve("env:LODE_TEST_KEY_A", {{"LODE_TEST_KEY_A", "other"}}).value(), "secret-a");
  EXPECT_EQ(Resolve("env:LODE_TEST_KEY_B", {{"LODE_TEST_KEY_B", "secret-b"}}).value(), "secret-b");
  const Result<std::string> absent = Resolve("env:LODE_TEST_KEY_B");
  EXPECT_EQ(absent.error().kind, ErrorKind::kConfig);
  EXPECT_THAT(ErrorOf(absent), HasSubstr("env:LODE_TEST_KEY_B"));
  ::setenv("LODE_TEST_KEY_A", "", 1);
  EXPECT_EQ(Resolve("env:LODE_TEST_KEY_A").error().kind, ErrorKind::kConfig);
  ::unsetenv("LODE_TEST_KEY_A");
}

TEST(ResolveKey, FromAFileOnlyItsOwnerReads) {
  const fs::path file = fs::temp_directory_path() / fmt::format("lode_key_{}", ::getpid());
  const auto write = [&](std::string_view text, mode_t mode) {
    std::ofstream(file, std::ios::binary) << text;
    ::chmod(file.c_str(), mode);
  };
  write("file-secret\r\n", 0600);
  EXPECT_EQ(Resolve("file:" + file.string()).value(), "file-secret");
  write("first\nsecond\n", 0600);
  EXPECT_EQ(Resolve("file:" + file.string()).error().kind, ErrorKind::kConfig);
  write("", 0600);
  EXPECT_EQ(Resolve("file:" + file.string()).error().kind, ErrorKind::kConfig);
  write("file-secret\n", 0644);
  const Result<std::string> open = Resolve("file:" + file.string());
  EXPECT_THAT(ErrorOf(open), HasSubstr("chmod 600"));
  EXPECT_THAT(ErrorOf(open), Not(HasSubstr("file-secret")));
  fs::remove(file);
  const Result<std::string> absent = Resolve("file:" + file.string());
  EXPECT_EQ(absent.error().kind, ErrorKind::kConfig);
  EXPECT_THAT(ErrorOf(absent), HasSubstr(file.string()));
}

TEST(ResolveKey, FromTheFirstLineOfACommand) {
  EXPECT_EQ(Resolve("cmd:printf 'cmd-secret\\nurl: x\\n'").value(), "cmd-secret");
  EXPECT_EQ(Resolve("cmd:cat; echo after-no-input").value(), "after-no-input");
  for (const char* bad : {"cmd:exit 3", "cmd:true", "cmd:echo", "cmd:kill -9 $$", "cmd:/no/such/program 2>/dev/null",
                          "cmd:head -c 100000 /dev/zero | tr '\\0' x"}) {
    const Result<std::string> key = Resolve(bad);
    ASSERT_FALSE(key) << bad;
    EXPECT_EQ(key.error().kind, ErrorKind::kConfig) << bad;
    EXPECT_THAT(ErrorOf(key), HasSubstr("cmd:")) << bad;
  }
  EXPECT_THAT(ErrorOf(Resolve("cmd:echo secret-in-output; exit 3")), Not(HasSubstr("secret-in-output")));
}

TEST(ResolveKey, ACommandThatHangsIsEndedWithAllItStarted) {
  const auto begin = std::chrono::steady_clock::now();
  const Result<std::string> key = Resolve("cmd:sleep 20 & sleep 20", {}, std::chrono::milliseconds(150));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  EXPECT_THAT(ErrorOf(key), HasSubstr("did not end within"));
  // Also one that closes its output and stays.
  EXPECT_FALSE(Resolve("cmd:exec sleep 20 >/dev/null", {}, std::chrono::milliseconds(150)));
}

TEST(ResolveKey, WhatItFoundIsRedactedInLogs) {
  ASSERT_TRUE(Resolve("cmd:echo logged-secret-77"));
  EXPECT_EQ(log::Redact("x logged-secret-77 y"), "x *** y");
}

}  // namespace
}  // namespace lode
