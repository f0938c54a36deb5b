#include "lode/sync/fetch_run.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <future>
#include <set>

#include "lode/sync/fake_supply_test.h"

namespace lode::sync {
namespace {

using ledger::CellState;
using source::FetchOutcome;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;
using Kind = FetchOutcome::Kind;

class FetchRunTest : public testing::Test {
 protected:
  FetchRunTest() { EXPECT_TRUE(folder_.Open(supply_.selection(), false)); }

  std::unique_ptr<FetchRun> Start(std::vector<Batch> batches, FetchLimits limits = {}) {
    return std::make_unique<FetchRun>(*client_, supply_, folder_, std::move(batches), limits);
  }
  static Batch BatchOf(std::string partition, std::vector<plan::Request> requests) {
    return {std::move(partition), std::move(requests), {}};
  }
  static std::vector<std::string> Fetched(const FinishedBatch& batch) {
    std::vector<std::string> requests;
    for (const sync::Fetched& fetched : batch.fetched) requests.push_back(Short(fetched.request));
    return requests;
  }
  // "A 2024-01-02 failed: why".
  static std::vector<std::string> Cells(const FinishedBatch& batch) {
    std::vector<std::string> lines;
    for (const ledger::Cell& cell : batch.cells) {
      const char* state = cell.state == CellState::kFailed        ? "failed"
                          : cell.state == CellState::kPending     ? "pending"
                          : cell.state == CellState::kNotEntitled ? "not entitled"
                                                                  : "?";
      lines.push_back(fmt::format("{} {} {}: {}", cell.symbol, FormatDay(cell.day), state, cell.reason));
    }
    return lines;
  }
  size_t KeptFiles() const { return temporary_.Files("fetch/d").size() / 2; }

  TemporaryFolder temporary_;
  std::unique_ptr<net::Client> client_ = net::Client::Make({}).value();
  FakeSupply supply_{*client_};
  FetchFolder folder_{temporary_.path() / "fetch" / "d"};
};

TEST_F(FetchRunTest, BatchesComeInTheirOrderWhateverEndsFirst) {
  const auto run = Start({BatchOf("p", {RequestOf({"A"}, "2024-01-02", 3), RequestOf({"B"}, "2024-01-02", 3)}),
                          BatchOf("q", {RequestOf({"A"}, "2024-02-01", 3)})});
  EXPECT_THAT(supply_.Asked(3), ElementsAre("A 2024-01-02+3", "B 2024-01-02+3", "A 2024-02-01+3"));
  supply_.Answer("A 2024-02-01+3", Kind::kFetched);
  supply_.Answer("B 2024-01-02+3", Kind::kFetched);
  supply_.Answer("A 2024-01-02+3", Kind::kFetched);
  const FinishedBatch first = run->Next().value().value();
  EXPECT_EQ(first.partition, "p");
  EXPECT_THAT(Fetched(first), UnorderedElementsAre("A 2024-01-02+3", "B 2024-01-02+3"));
  EXPECT_EQ(first.requests, 2);
  const FinishedBatch second = run->Next().value().value();
  EXPECT_EQ(second.partition, "q");
  ASSERT_THAT(second.fetched, SizeIs(1));
  EXPECT_EQ(store::ReadFile(second.fetched[0].file, 100).value(), "bytes of A 2024-02-01+3");
  EXPECT_EQ(second.fetched[0].end_ns, DayAt("2024-02-04").start_ns());
  EXPECT_FALSE(run->Next().value());
}

TEST_F(FetchRunTest, KeptFilesAloneAreABatch) {
  sync::Fetched kept{.id = "x", .request = RequestOf({"A"}, "2024-01-02", 1), .file = "x"};
  const auto run = Start({Batch{"p", {}, {kept}}, BatchOf("q", {RequestOf({"A"}, "2024-02-01", 1)})});
  EXPECT_THAT(Fetched(run->Next().value().value()), ElementsAre("A 2024-01-02+1"));
  supply_.Answer("A 2024-02-01+1", Kind::kFetched);
  EXPECT_EQ(run->Next().value().value().partition, "q");
}

TEST_F(FetchRunTest, WhatCameInMemoryIsWrittenDown) {
  const auto held = [](const plan::Request&) { return FetchOutcome{.kind = Kind::kFetched, .bytes = ""}; };
  std::vector<plan::Request> many;
  for (int day = 0; day < 300; ++day) many.push_back({{"A"}, {{.day = DayAt("2024-01-02") + day}}});
  supply_.at_once = held;
  auto run = Start({BatchOf("p", many), BatchOf("q", {RequestOf({"B"}, "2024-01-02", 1)})}, {.in_flight = 7});
  FinishedBatch batch = run->Next().value().value();
  EXPECT_EQ(batch.requests, 300);
  std::set<std::string> bodies;
  for (const sync::Fetched& fetched : batch.fetched) bodies.insert(store::ReadFile(fetched.file, 100).value());
  EXPECT_THAT(bodies, SizeIs(300));
  EXPECT_TRUE(bodies.contains("bytes of A 2024-01-02+1"));
  EXPECT_EQ(run->Next().value().value().requests, 1);
  EXPECT_FALSE(run->Next().value());
  run.reset();
  // A later run finds it.
  EXPECT_THAT(folder_.Open(supply_.selection(), false).value(), SizeIs(301));
}

TEST(BusyShareTest, IsLookedAtInWindows) {
  const BusyShare::TimePoint began;
  const auto ms = [](int count) { return std::chrono::milliseconds(count); };
  BusyShare share(began);
  EXPECT_EQ(share.Look(began + ms(5), ms(0)), 1);
  EXPECT_DOUBLE_EQ(share.Look(began + ms(100), ms(25)), 0.25);
  EXPECT_DOUBLE_EQ(share.Look(began + ms(149), ms(74)), 0.25);
  EXPECT_DOUBLE_EQ(share.Look(began + ms(150), ms(75)), 1);
  EXPECT_DOUBLE_EQ(share.Look(began + ms(250), ms(75)), 0);
}

TEST_F(FetchRunTest, PublishingWaitsWhileTheClientIsBusy) {
  const auto run =
      Start({BatchOf("p", {RequestOf({"A"}, "2024-01-02", 1)}), BatchOf("q", {RequestOf({"B"}, "2024-01-02", 1)})},
            {.in_flight = 2, .busy_share = -1});  // whatever it uses is more
  EXPECT_THAT(supply_.Asked(2), SizeIs(2));
  supply_.Answer("A 2024-01-02+1", FetchOutcome{.kind = Kind::kFetched, .bytes = ""});
  auto next = std::async(std::launch::async, [&] { return run->Next(); });
  EXPECT_EQ(next.wait_for(std::chrono::milliseconds(200)), std::future_status::timeout);
  supply_.Answer("B 2024-01-02+1", FetchOutcome{.kind = Kind::kFetched, .bytes = ""});
  EXPECT_TRUE(next.get().value());
}

TEST_F(FetchRunTest, PublishingWaitsForNoMoreThanMayWaitOnTheDisk) {
  std::vector<Batch> batches;
  for (int day = 0; day < 300; ++day) batches.push_back(BatchOf("p", {{{"A"}, {{.day = DayAt("2024-01-02") + day}}}}));
  supply_.at_once = [](const plan::Request&) { return FetchOutcome{.kind = Kind::kFetched, .bytes = ""}; };
  const auto run = Start(batches, {.in_flight = 3, .ahead = 3, .ahead_bytes = 100, .busy_share = 0});
  for (int day = 0; day < 300; ++day) ASSERT_TRUE(run->Next().value());
  EXPECT_FALSE(run->Next().value());
}

TEST_F(FetchRunTest, TheClientGoesOnWhenWhatCameIsWrittenDown) {
  std::vector<plan::Request> many;
  for (int day = 0; day < 300; ++day) many.push_back({{"A"}, {{.day = DayAt("2024-01-02") + day}}});
  supply_.at_once = [](const plan::Request&) { return FetchOutcome{.kind = Kind::kFetched, .bytes = ""}; };
  const auto run = Start({BatchOf("p", many)}, {.in_flight = 1, .arriving_bytes = 1});
  EXPECT_EQ(run->Next().value().value().requests, 300);
}

TEST_F(FetchRunTest, NoMoreComesThanMayWaitToBeWrittenDown) {
  std::vector<plan::Request> many;
  for (int day = 0; day < 9; ++day) many.push_back({{"A"}, {{.day = DayAt("2024-01-02") + day}}});
  supply_.at_once = [](const plan::Request&) { return FetchOutcome{.kind = Kind::kFetched, .bytes = ""}; };
  // A journal that nobody reads: the disk takes its time.
  const fs::path journal = temporary_.path() / "fetch" / "d" / "kept.ndjson";
  ASSERT_EQ(::mkfifo(journal.c_str(), 0600), 0);
  const auto run = Start({BatchOf("p", many)}, {.in_flight = 1, .arriving_bytes = 50});
  EXPECT_THAT(supply_.Asked(3), SizeIs(3));  // 22 bytes each
  const int reader = ::open(journal.c_str(), O_RDONLY | O_NONBLOCK);
  EXPECT_EQ(run->Next().value().value().requests, 9);
  ::close(reader);
}

// The publisher may be gone by then.
TEST_F(FetchRunTest, WhatCameInMemoryIsKeptWhenTheRunEnds) {
  auto run = Start({BatchOf("p", {RequestOf({"A"}, "2024-01-02", 1), RequestOf({"B"}, "2024-01-02", 1)})});
  EXPECT_THAT(supply_.Asked(2), SizeIs(2));
  supply_.Answer("A 2024-01-02+1", FetchOutcome{.kind = Kind::kFetched, .bytes = ""});
  supply_.Answer("B 2024-01-02+1",
                 FetchOutcome{.kind = Kind::kStop, .error = Error{ErrorKind::kRefused, "no money", {}}});
  EXPECT_EQ(run->Next().error().kind, ErrorKind::kRefused);
  run.reset();
  EXPECT_THAT(folder_.Open(supply_.selection(), false).value(), SizeIs(1));
}

TEST_F(FetchRunTest, AnErrorOfTheDiskEndsTheRun) {
  const auto run = Start({BatchOf("p", {RequestOf({"A"}, "2024-01-02", 1)})});
  EXPECT_THAT(supply_.Asked(1), SizeIs(1));
  fs::remove_all(temporary_.path() / "fetch");
  supply_.Answer("A 2024-01-02+1", FetchOutcome{.kind = Kind::kFetched, .bytes = ""});
  EXPECT_EQ(run->Next().error().kind, ErrorKind::kStorage);
}

TEST_F(FetchRunTest, TheRestOfWhatBrokeOffIsAskedFor) {
  const auto run = Start({BatchOf("p", {RequestOf({"A"}, "2024-01-02", 5)})}, {.in_flight = 1});
  supply_.Answer("A 2024-01-02+5", FetchOutcome{.kind = Kind::kFetchedInPart, .ready = DayAt("2024-01-03")});
  EXPECT_THAT(supply_.Asked(2), ElementsAre("A 2024-01-02+5", "A 2024-01-04+3"));
  supply_.Answer("A 2024-01-04+3", Kind::kFetched);
  const FinishedBatch batch = run->Next().value().value();
  EXPECT_THAT(Fetched(batch), ElementsAre("A 2024-01-02+2", "A 2024-01-04+3"));
  EXPECT_EQ(batch.requests, 2);
  EXPECT_THAT(batch.cells, IsEmpty());
  // Kept under the name of what it is: a later run takes it for those two days.
  EXPECT_EQ(store::ReadFile(batch.fetched[0].file, 100).value(), "bytes of A 2024-01-02+5");
  EXPECT_EQ(batch.fetched[0].end_ns, DayAt("2024-01-04").start_ns());
  EXPECT_EQ(batch.fetched[0].id, plan::RequestId(supply_.selection(), RequestOf({"A"}, "2024-01-02", 2)));
  EXPECT_EQ(KeptFiles(), 2U);
}

TEST_F(FetchRunTest, NoMoreInFlightThanAllowed) {
  std::vector<plan::Request> requests;
  for (const char* symbol : {"A", "B", "C", "D"}) requests.push_back(RequestOf({symbol}, "2024-01-02", 1));
  const auto run = Start({BatchOf("p", requests)}, {.in_flight = 2, .ahead = 100, .ahead_bytes = 0});
  EXPECT_THAT(supply_.Asked(2), SizeIs(2));
  supply_.Answer("B 2024-01-02+1", Kind::kFetched);
  EXPECT_THAT(supply_.Asked(3), ElementsAre("A 2024-01-02+1", "B 2024-01-02+1", "C 2024-01-02+1"));
}

TEST_F(FetchRunTest, NoFurtherAheadOfThePublisherThanAllowed) {
  std::vector<Batch> batches;
  for (const char* symbol : {"A", "B", "C", "D"})
    batches.push_back(BatchOf(symbol, {RequestOf({symbol}, "2024-01-02", 1)}));
  const auto run = Start(std::move(batches), {.in_flight = 10, .ahead = 2, .ahead_bytes = 0});
  EXPECT_THAT(supply_.Asked(2), SizeIs(2));
  supply_.Answer("B 2024-01-02+1", Kind::kFetched);
  EXPECT_THAT(supply_.Asked(2), SizeIs(2));  // B waits for its turn and counts
  supply_.Answer("A 2024-01-02+1", Kind::kFetched);
  EXPECT_EQ(run->Next().value().value().partition, "A");
  EXPECT_THAT(supply_.Asked(3), ElementsAre("A 2024-01-02+1", "B 2024-01-02+1", "C 2024-01-02+1"));
}

// The batch the publisher waits for goes on even when the bound is reached, or nothing would ever move again.
TEST_F(FetchRunTest, TheBatchWaitedForIsNotHeldBackByTheBound) {
  std::vector<plan::Request> requests;
  for (const char* symbol : {"A", "B", "C", "D", "E"}) requests.push_back(RequestOf({symbol}, "2024-01-02", 1));
  supply_.at_once = [](const plan::Request&) { return FetchOutcome{.kind = Kind::kFetched}; };
  const auto run = Start({BatchOf("p", requests)}, {.in_flight = 1, .ahead = 2, .ahead_bytes = 0});
  EXPECT_EQ(run->Next().value().value().requests, 5);
}

TEST_F(FetchRunTest, TooMuchIsHalvedBySymbolsThenByDaysDownToACell) {
  supply_.at_once = [](const plan::Request& request) -> std::optional<FetchOutcome> {
    if (request.cells() > 1 || (request.symbols[0] == "B" && request.first() == DayAt("2024-01-03"))) {
      FetchOutcome outcome{.kind = Kind::kTooMuch};
      outcome.error = Error{ErrorKind::kPartial, "HTTP 504", {}};
      return outcome;
    }
    return FetchOutcome{.kind = Kind::kFetched};
  };
  const auto run = Start({BatchOf("p", {RequestOf({"A", "B"}, "2024-01-02", 2)})}, {.in_flight = 1});
  const FinishedBatch batch = run->Next().value().value();
  EXPECT_THAT(supply_.Asked(7), ElementsAre("A,B 2024-01-02+2", "A 2024-01-02+2", "A 2024-01-02+1", "A 2024-01-03+1",
                                            "B 2024-01-02+2", "B 2024-01-02+1", "B 2024-01-03+1"));
  EXPECT_THAT(Fetched(batch), ElementsAre("A 2024-01-02+1", "A 2024-01-03+1", "B 2024-01-02+1"));
  EXPECT_EQ(batch.halved, 3);
  EXPECT_EQ(batch.requests, 3);
  EXPECT_EQ(batch.failed, 1);
  EXPECT_THAT(Cells(batch), ElementsAre("B 2024-01-03 failed: HTTP 504"));
}

TEST_F(FetchRunTest, WhatIsNotReadyYetIsPendingAndTheRestIsAskedForAlone) {
  const auto run = Start({BatchOf("p", {RequestOf({"A"}, "2024-01-02", 4)})});
  FetchOutcome late{.kind = Kind::kTooMuch};
  late.ready = DayAt("2024-01-03");
  supply_.Answer("A 2024-01-02+4", late);
  supply_.Answer("A 2024-01-02+2", Kind::kFetched);
  const FinishedBatch batch = run->Next().value().value();
  EXPECT_THAT(Fetched(batch), ElementsAre("A 2024-01-02+2"));
  EXPECT_THAT(Cells(batch), ElementsAre("A 2024-01-04 pending: the vendor has data until 2024-01-03",
                                        "A 2024-01-05 pending: the vendor has data until 2024-01-03"));
  EXPECT_EQ(batch.failed, 0);
}

TEST_F(FetchRunTest, NothingReadyAtAllAsksForNothingMore) {
  const auto run = Start({BatchOf("p", {RequestOf({"A"}, "2024-01-02", 2)})});
  FetchOutcome late{.kind = Kind::kTooMuch};
  late.ready = DayAt("2023-12-31");
  supply_.Answer("A 2024-01-02+2", late);
  EXPECT_THAT(Cells(run->Next().value().value()), SizeIs(2));
  EXPECT_THAT(supply_.Asked(1), SizeIs(1));
}

// A vendor that says it is ready up to the last day, and refuses all the same, must not be asked for ever.
TEST_F(FetchRunTest, ReadyToTheEndAndRefusedIsHalved) {
  int asked = 0;
  supply_.at_once = [&](const plan::Request& request) {
    ++asked;
    FetchOutcome outcome{.kind = Kind::kTooMuch};
    outcome.ready = request.last();
    return outcome;
  };
  const auto run = Start({BatchOf("p", {RequestOf({"A"}, "2024-01-02", 4)})});
  EXPECT_THAT(Cells(run->Next().value().value()), SizeIs(4));
  EXPECT_EQ(asked, 7);
}

TEST_F(FetchRunTest, AFailureIsItsCellsAndTheOthersGoOn) {
  const auto run = Start({BatchOf(
      "p", {RequestOf({"A"}, "2024-01-02", 1), RequestOf({"B"}, "2024-01-02", 1), RequestOf({"C"}, "2024-01-02", 1)})});
  supply_.Answer("A 2024-01-02+1", Kind::kFailed, "HTTP 500");
  FetchOutcome settled{.kind = Kind::kSettled, .state = CellState::kNotEntitled, .reason = "no licence", .error = {}};
  supply_.Answer("B 2024-01-02+1", settled);
  supply_.Answer("C 2024-01-02+1", Kind::kFetched);
  const FinishedBatch batch = run->Next().value().value();
  EXPECT_THAT(Fetched(batch), ElementsAre("C 2024-01-02+1"));
  EXPECT_THAT(Cells(batch),
              UnorderedElementsAre("A 2024-01-02 failed: HTTP 500", "B 2024-01-02 not entitled: no licence"));
  EXPECT_EQ(batch.failed, 1);
  EXPECT_EQ(KeptFiles(), 1u);
}

TEST_F(FetchRunTest, ARefusalEndsTheRunOnceWhatIsPaidForIsKept) {
  const auto run = Start({BatchOf("p", {RequestOf({"A"}, "2024-01-02", 1), RequestOf({"B"}, "2024-01-02", 1),
                                        RequestOf({"C"}, "2024-01-02", 1)})},
                         {.in_flight = 2});
  FetchOutcome refused{.kind = Kind::kStop};
  refused.error = Error{ErrorKind::kRefused, "no money", {}};
  supply_.Answer("A 2024-01-02+1", refused);
  EXPECT_THAT(supply_.Asked(2), SizeIs(2));  // C is not asked for any more
  supply_.Answer("B 2024-01-02+1", Kind::kFetched);
  const auto next = run->Next();
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().kind, ErrorKind::kRefused);
  EXPECT_EQ(KeptFiles(), 1u);
}

TEST_F(FetchRunTest, AFullDiskEndsTheRunAtOnce) {
  const auto run =
      Start({BatchOf("p", {RequestOf({"A"}, "2024-01-02", 1), RequestOf({"B"}, "2024-01-02", 1)})}, {.in_flight = 2});
  EXPECT_THAT(supply_.Asked(2), SizeIs(2));
  FetchOutcome full{.kind = Kind::kStop};
  full.error = Error{ErrorKind::kStorage, "disk full", {}};
  supply_.Answer("A 2024-01-02+1", full);
  const auto next = run->Next();  // B is never answered
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().kind, ErrorKind::kStorage);
}

TEST_F(FetchRunTest, ACancelledLoopEndsTheRun) {
  const auto run = Start({BatchOf("p", {RequestOf({"A"}, "2024-01-02", 1)})});
  EXPECT_THAT(supply_.Asked(1), SizeIs(1));
  client_->Cancel();
  const auto next = run->Next();
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().kind, ErrorKind::kInterrupted);
}

TEST_F(FetchRunTest, DestroyedWhileRequestsRunItStartsNoMore) {
  {
    const auto run =
        Start({BatchOf("p", {RequestOf({"A"}, "2024-01-02", 1), RequestOf({"B"}, "2024-01-02", 1)})}, {.in_flight = 1});
    EXPECT_THAT(supply_.Asked(1), SizeIs(1));
  }
  EXPECT_THAT(supply_.Asked(1), SizeIs(1));
}

// Destroyed before the loop had a turn, when nothing runs yet.
TEST_F(FetchRunTest, DestroyedAtOnceItAsksForNextToNothing) {
  std::vector<plan::Request> requests;
  constexpr int kRequests = 50'000;  // more than are asked for while a busy machine lets this thread wait
  for (int i = 0; i < kRequests; ++i) requests.push_back(RequestOf({fmt::format("S{}", i)}, "2024-01-02", 1));
  supply_.at_once = [](const plan::Request&) { return FetchOutcome{.kind = Kind::kFetched}; };
  {
    const auto run = Start({BatchOf("p", requests)}, {.in_flight = 1, .ahead = kRequests, .ahead_bytes = 0});
  }
  EXPECT_LT(supply_.Asked(0).size(), static_cast<size_t>(kRequests));
}

TEST_F(FetchRunTest, AnswersFromWithinFetchAreTaken) {
  supply_.at_once = [](const plan::Request& request) {
    FetchOutcome outcome{.kind = request.symbols[0] == "A" ? Kind::kFailed : Kind::kFetched};
    outcome.error = Error{ErrorKind::kUsage, "no such request", {}};
    return outcome;
  };
  const auto run =
      Start({BatchOf("p", {RequestOf({"A"}, "2024-01-02", 1)}), BatchOf("q", {RequestOf({"B"}, "2024-01-02", 1)})});
  EXPECT_THAT(Cells(run->Next().value().value()), ElementsAre("A 2024-01-02 failed: no such request"));
  EXPECT_THAT(Fetched(run->Next().value().value()), ElementsAre("B 2024-01-02+1"));
}

TEST_F(FetchRunTest, NothingToFetchIsNothingToWaitFor) {
  const auto run = Start({});
  EXPECT_FALSE(run->Next().value());
}

}  // namespace
}  // namespace lode::sync
