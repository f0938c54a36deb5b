#include "lode/sync/fetch_folder.h"

#include <tuple>

#include "lode/sync/fake_supply_test.h"

namespace lode::sync {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class FetchFolderTest : public testing::Test {
 protected:
  FetchFolderTest() : folder_(temporary_.path() / "fetch" / "d") { EXPECT_TRUE(folder_.Open(selection_, false)); }

  Fetched Keep(const std::string& id, plan::Request request, const std::string& body = "some bytes") {
    EXPECT_TRUE(store::WriteDurable(folder_.PartOf(id), body));
    Fetched fetched{.id = id,
                    .request = std::move(request),
                    .file = {},
                    .size = body.size(),
                    .crc32c = Crc32c(body),
                    .end_ns = 1'700'000'000'123'456'789,
                    .tries = 3};
    EXPECT_TRUE(folder_.Keep(selection_, &fetched));
    return fetched;
  }
  void Write(const std::string& name, const std::string& text) { ASSERT_TRUE(store::WriteDurable(Path(name), text)); }
  std::string Read(const std::string& name) { return store::ReadFile(Path(name), 1 << 20).value(); }
  fs::path Path(const std::string& name) const { return temporary_.path() / "fetch" / "d" / name; }
  std::vector<std::string> Files() const { return temporary_.Files("fetch/d"); }
  std::vector<Fetched> Reopen() {
    return FetchFolder(temporary_.path() / "fetch" / "d").Open(selection_, false).value();
  }

  const plan::Selection selection_{"GLBX.MDP3", "ohlcv-1d", "parent"};
  TemporaryFolder temporary_;
  FetchFolder folder_;
};

TEST_F(FetchFolderTest, WhatWasKeptComesBackAsItWas) {
  plan::Request request = RequestOf({"ZL.FUT", "ZS.FUT"}, "2024-02-28", 3);
  request.days[1].state = plan::VendorDay::State::kDegraded;
  request.days[2].modified.reset();
  const Fetched kept = Keep("0123", request);
  const std::vector<Fetched> found = Reopen();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].id, "0123");
  EXPECT_EQ(found[0].request, request);
  EXPECT_EQ(found[0].file, kept.file);
  EXPECT_EQ(found[0].size, 10u);
  EXPECT_EQ(found[0].crc32c, kept.crc32c);
  EXPECT_EQ(found[0].end_ns, 1'700'000'000'123'456'789);
  EXPECT_EQ(found[0].tries, 3);
  EXPECT_THAT(Files(), ElementsAre("0123.data", "0123.json"));
}

TEST_F(FetchFolderTest, WhatWasNotFinishedIsRemoved) {
  Keep("whole", RequestOf({"A"}, "2024-01-02", 1));
  Write("half.part", "ha");
  Write("unsigned.data", "bytes without a sidecar");
  Write("whole.part", "a second try of the same request");
  Write("whole.json.new", "{");
  EXPECT_EQ(Reopen().size(), 1u);
  EXPECT_THAT(Files(), ElementsAre("whole.data", "whole.json"));
}

TEST_F(FetchFolderTest, BytesThatAreNotThoseOfTheSidecarAreRemoved) {
  Keep("changed", RequestOf({"A"}, "2024-01-02", 1));
  Keep("short", RequestOf({"B"}, "2024-01-02", 1));
  Keep("lost", RequestOf({"C"}, "2024-01-02", 1));
  Write("changed.data", "same size!");
  Write("short.data", "some byte");
  fs::remove(Path("lost.data"));
  EXPECT_THAT(Reopen(), IsEmpty());
  EXPECT_THAT(Files(), IsEmpty());
}

TEST_F(FetchFolderTest, ADamagedSidecarIsNoSidecar) {
  Keep("good", RequestOf({"A"}, "2024-01-02", 2));
  const std::string good = Read("good.json");
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  const std::vector<std::string> damaged = {"",
                                            "{",
                                            "[]",
                                            "null",
                                            "\"text\"",
                                            good.substr(0, good.size() / 2),
                                            replaced("\"A\"", "1"),
                                            replaced("[\"A\"]", "[]"),
                                            replaced("2024-01-02", "2024-13-02"),
                                            replaced("2024-01-03", "soon"),
                                            replaced(",0,", ",9,"),
                                            replaced("\"tries\"", "\"trees\""),
                                            replaced("\"end_ns\"", "\"end\""),
                                            replaced("\"crc32c\"", "\"crc32\""),
                                            replaced("\"size\":10", "\"size\":\"10\"")};
  for (const std::string& text : damaged) {
    Keep("good", RequestOf({"A"}, "2024-01-02", 2));
    Write("good.json", text);
    EXPECT_THAT(Reopen(), IsEmpty()) << text;
    EXPECT_THAT(Files(), IsEmpty()) << text;
  }
}

TEST_F(FetchFolderTest, WhatAnotherSelectionAskedForIsRemoved) {
  for (const plan::Selection& other :
       {plan::Selection{"XNAS.ITCH", "ohlcv-1d", "parent"}, plan::Selection{"GLBX.MDP3", "ohlcv-1h", "parent"},
        plan::Selection{"GLBX.MDP3", "ohlcv-1d", "raw_symbol"}}) {
    Keep("0123", RequestOf({"A"}, "2024-01-02", 1));
    EXPECT_THAT(FetchFolder(temporary_.path() / "fetch" / "d").Open(other, false).value(), IsEmpty());
    EXPECT_THAT(Files(), IsEmpty());
  }
}

TEST_F(FetchFolderTest, PartsThatCanBeContinuedStayForTheRunThatWantsThem) {
  Write("half.part", "ha");
  Write("other.part", "of a request that nobody makes any more");
  EXPECT_THAT(FetchFolder(temporary_.path() / "fetch" / "d").Open(selection_, true).value(), IsEmpty());
  EXPECT_THAT(Files(), ElementsAre("half.part", "other.part"));
  folder_.Close({"half"});
  EXPECT_THAT(Files(), ElementsAre("half.part"));
  folder_.Close({});
}

// What a free source brought: lines of one journal, whose last the disk may have kept half of.
TEST_F(FetchFolderTest, TheJournalKeepsWhatNeedNotBeDurable) {
  const auto keep = [&](const std::string& id, std::string_view day, const std::string& body) {
    ASSERT_TRUE(store::WriteDurable(folder_.PartOf(id), body));
    Fetched fetched{.id = id,
                    .request = RequestOf({"A"}, day, 1),
                    .file = {},
                    .size = body.size(),
                    .crc32c = Crc32c(body),
                    .end_ns = 7,
                    .tries = 1};
    fetched.request.days[0].version = "v1";
    ASSERT_TRUE(folder_.Keep(selection_, &fetched, false));
  };
  keep("0a", "2024-01-02", "one");
  keep("0b", "2024-01-03", "two");
  keep("0c", "2024-01-04", "three");
  EXPECT_THAT(Files(), ElementsAre("0a.data", "0b.data", "0c.data", "kept.ndjson"));
  ASSERT_TRUE(store::WriteDurable(Path("0b.data"), "TWO"));  // what the machine's end made of it
  ASSERT_TRUE(store::Append(Path("kept.ndjson"), R"({"id": "0d", "da)"));
  std::vector<Fetched> kept = Reopen();
  ASSERT_EQ(kept.size(), 2u);
  std::ranges::sort(kept, {}, &Fetched::id);
  EXPECT_EQ(kept[0].id, "0a");
  EXPECT_EQ(kept[0].request.days[0].version, "v1");
  EXPECT_EQ(kept[1].id, "0c");
  EXPECT_THAT(Files(), ElementsAre("0a.data", "0c.data", "kept.ndjson"));
  keep("0e", "2024-01-05", "five");
  EXPECT_EQ(Reopen().size(), 3u);
  for (const char* id : {"0a", "0c", "0e"}) folder_.Remove(id);
  folder_.Close({});
  EXPECT_FALSE(fs::exists(temporary_.path() / "fetch"));
}

TEST_F(FetchFolderTest, WhatCameInMemoryIsInTheJournal) {
  std::vector<Arrival> arrivals;
  for (const auto& [id, day, bytes] : {std::tuple("0a", "2024-01-02", "one"), std::tuple("0b", "2024-01-03", ""),
                                       std::tuple("0c", "2024-01-04", "three")}) {
    Fetched fetched{.id = id, .request = RequestOf({"A"}, day, 1), .file = {}};
    fetched.size = std::string_view(bytes).size();
    fetched.crc32c = Crc32c(std::string_view(bytes));
    arrivals.push_back({std::move(fetched), bytes});
  }
  Write("0a.data", "of an earlier run, and longer");
  ASSERT_TRUE(folder_.Keep(selection_, arrivals));
  EXPECT_EQ(arrivals[0].fetched.file, Path("0a.data"));
  EXPECT_EQ(Read("0a.data"), "one");
  EXPECT_THAT(Files(), ElementsAre("0a.data", "0b.data", "0c.data", "kept.ndjson"));
  Write("0c.data", "thre");  // a run that was killed while it wrote the file anew
  EXPECT_EQ(Reopen().size(), 2u);
}

TEST_F(FetchFolderTest, ClosesOnlyWhenNothingIsLeft) {
  Keep("0123", RequestOf({"A"}, "2024-01-02", 1));
  folder_.Close({});
  EXPECT_EQ(Reopen().size(), 1u);
  folder_.Remove("0123");
  folder_.Close({});
  EXPECT_FALSE(fs::exists(temporary_.path() / "fetch"));
}

}  // namespace
}  // namespace lode::sync
