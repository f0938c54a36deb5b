#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lode/base/stop.h"
#include "lode/cli/host_clock.h"
#include "lode/cli/pipeline.h"
#include "lode/cli/schedule_text.h"

namespace lode::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ScheduledRun Daily(const std::string& lake) {
  return {.pipeline = "daily",
          .at = ParseRecurrence("daily 01:00").value(),
          .lake = lake,
          .words = {"/opt/lode/bin/lode", "--lake", lake, "run", "daily"},
          .user = {}};
}

std::string CommandOf(const ScheduledRun& run) {
  const std::string text = UnitsOf(run)[0].text;
  const size_t begin = text.find("ExecStart=") + 10;
  return text.substr(begin, text.find('\n', begin) - begin);
}

TEST(ScheduleText, Units) {
  const std::vector<UnitFile> units = UnitsOf(Daily("/data/lake"));
  ASSERT_EQ(units.size(), 2U);
  EXPECT_EQ(units[0].name, UnitName(Daily("/data/lake")) + ".service");
  EXPECT_EQ(units[0].text,
            "# lode schedule: pipeline=daily lake=/data/lake\n[Unit]\nDescription=lode run daily (/data/lake)\n\n"
            "[Service]\nType=oneshot\nExecStart=/opt/lode/bin/lode --lake /data/lake run daily\n");
  EXPECT_EQ(units[1].text,
            "# lode schedule: pipeline=daily lake=/data/lake\n[Unit]\nDescription=lode run daily (/data/lake), daily "
            "01:00\n\n[Timer]\nOnCalendar=*-*-* 01:00:00 UTC\nPersistent=true\nRandomizedDelaySec=0\n\n[Install]\n"
            "WantedBy=timers.target\n");
  EXPECT_NE(UnitName(Daily("/data/lake")), UnitName(Daily("/data/other")));
  EXPECT_EQ(MarkOfUnit(units[1].text), (ScheduleMark{"daily", "/data/lake"}));
  EXPECT_FALSE(MarkOfUnit("[Unit]\n" + units[0].text));
  EXPECT_FALSE(MarkOfUnit(""));
}

TEST(ScheduleText, WordsOfAUnitAreEscaped) {
  ScheduledRun run = Daily("/my lake/50%/$HOME/a\"b\\c");
  run.words[0] = "/opt/$x/lode";
  EXPECT_EQ(CommandOf(run), R"(/opt/$x/lode --lake "/my lake/50%%/$$HOME/a\"b\\c" run daily)");
  EXPECT_THAT(UnitsOf(run)[1].text, HasSubstr(R"(Description=lode run daily (/my lake/50%%/$HOME/a"b\c))"));
  EXPECT_EQ(MarkOfUnit(UnitsOf(run)[0].text), (ScheduleMark{"daily", run.lake}));
  run.user = "lake";
  EXPECT_THAT(UnitsOf(run)[0].text, HasSubstr("\nUser=lake\n"));
}

TEST(ScheduleText, CronLinesAreEscapedAndKnownAgain) {
  EXPECT_EQ(CronLine(Daily("/data/lake")),
            "0 1 * * * /opt/lode/bin/lode --lake /data/lake run daily # lode schedule: pipeline=daily lake=/data/lake");
  const ScheduledRun odd = Daily("/it's 50% here");
  EXPECT_EQ(CronLine(odd), R"(0 1 * * * /opt/lode/bin/lode --lake '/it'\''s 50\% here' run daily # lode schedule: )"
                           R"(pipeline=daily lake=/it's 50\% here)");
  EXPECT_EQ(MarkOfCronLine(CronLine(odd) + "\n"), (ScheduleMark{"daily", odd.lake}));
  EXPECT_FALSE(MarkOfCronLine("0 1 * * * lode run daily\n"));
  EXPECT_FALSE(MarkOfCronLine("# " + CronLine(odd)));  // somebody's note
}

TEST(ScheduleText, ForeignLinesOfACrontabStay) {
  const std::string foreign = "# mine\n\n  MAILTO=me\t\n5 4 * * * x # lode\n@reboot y";
  const ScheduledRun one = Daily("/a"), other = Daily("/b");
  const std::string with = WithCronLines(foreign, {one, other});
  EXPECT_EQ(with, foreign + "\n" + CronLine(one) + "\n" + CronLine(other) + "\n");
  EXPECT_EQ(WithCronLines(with, {one, other}), with);
  ScheduledRun later = one;
  later.at.hour = 5;
  EXPECT_EQ(WithCronLines(with, {later}), foreign + "\n" + CronLine(later) + "\n" + CronLine(other) + "\n");
  EXPECT_EQ(WithoutCronLines(with, {{"daily", "/a"}}), foreign + "\n" + CronLine(other) + "\n");
  EXPECT_EQ(WithoutCronLines(with, {{"daily", "/c"}, {"weekly", "/a"}}), with);
  EXPECT_EQ(WithoutCronLines(foreign, {{"daily", "/a"}}), foreign);
  EXPECT_EQ(WithCronLines("", {one}), CronLine(one) + "\n");
}

TEST(ScheduleText, ZonesOfACrontab) {
  EXPECT_EQ(CronZoneLine("# CRON_TZ=Asia/Tokyo\n0 1 * * * TZ=x y\n"), "");
  EXPECT_EQ(CronZoneLine("CRON_TZ=UTC\nTZ = Etc/UTC\n"), "");
  EXPECT_EQ(CronZoneLine("a\n  CRON_TZ=Asia/Tokyo \n"), "CRON_TZ=Asia/Tokyo");
  EXPECT_EQ(CronZoneLine("TZ=UTC+3\n"), "TZ=UTC+3");
}

// By rules in the name itself: no time zone database is needed.
TEST(HostClock, IsUtcAllTheYearOrNot) {
  EXPECT_TRUE(ClockIsUtc("UTC0"));
  EXPECT_TRUE(ClockIsUtc("GMT0"));
  EXPECT_FALSE(ClockIsUtc("GMT0BST,M3.5.0/1,M10.5.0"));        // London
  EXPECT_FALSE(ClockIsUtc("<-01>1<+00>,M3.5.0/0,M10.5.0/1"));  // the Azores, as they were
  EXPECT_FALSE(ClockIsUtc("CST6CDT,M3.2.0,M11.1.0"));
  ::setenv("TZ", "CET-1", 1);
  EXPECT_TRUE(ClockIsUtc("UTC0"));
  EXPECT_STREQ(::getenv("TZ"), "CET-1");
}

TEST(Pipelines, HaveTheTimeOfTheirNameUnlessTheySay) {
  const Config config = Config::Parse(R"(
[pipelines.futures]
steps = ["sync futures_1d"]
[pipelines.stocks]
at = "daily 05:30"
steps = ["sync stocks_daily"]
[pipelines.mine]
steps = ["lode verify", "query \"SELECT 1\""]
)",
                                      "test")
                            .value();
  EXPECT_THAT(PipelineNames(config), ElementsAre("futures", "mine", "stocks"));
  const Pipeline futures = FindPipeline(config, "futures").value();
  EXPECT_EQ(Format(*futures.at), "daily 01:00");
  EXPECT_TRUE(futures.at_by_name);
  EXPECT_EQ(Format(*FindPipeline(config, "stocks")->at), "daily 05:30");
  const Pipeline mine = FindPipeline(config, "mine").value();
  EXPECT_FALSE(mine.at);
  EXPECT_THAT(mine.steps[1].words, ElementsAre("query", "SELECT 1"));
  EXPECT_EQ(FindPipeline(config, "futurs").error().kind, ErrorKind::kNotFound);
  EXPECT_FALSE(Config::Parse("[pipelines.x]\nat = \"daily 25:00\"\nsteps = [\"verify\"]\n", "test"));
}

}  // namespace
}  // namespace lode::cli
