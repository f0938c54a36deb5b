// The fetching half of a sync: requests of many batches at once on the client's thread, finished batches in order to
// the thread that publishes them. What came in memory is written down by a thread of its own: making files takes as
// long as receiving them.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "lode/net/http.h"
#include "lode/source/supply.h"
#include "lode/sync/demand.h"

namespace lode::sync {

struct FetchLimits {
  size_t in_flight = 50;
  // Nothing more is asked for while so much came in memory and is not written down yet: with what is in flight, what a
  // kill costs at most.
  uint64_t arriving_bytes = uint64_t{8} << 20;
  // Bound what waits on the disk for its batch to be taken: requests begun or fetched; more of them while what they
  // brought is little.
  size_t ahead = 200;
  uint64_t ahead_bytes = uint64_t{256} << 20;
  // While the client's thread and the one that writes down use more of a processor than this, together, they are what
  // fetching waits for: publishing, which takes processors and disk away from them, waits until there are
  // `ahead_bytes`.
  double busy_share = 0.75;
  // Asked before each request: its error ends the run. Unset: there is always room.
  std::function<Status()> room = {};
};

// A batch whose requests have all ended, one way or another.
struct FinishedBatch {
  std::string partition;
  std::vector<Fetched> fetched;     // kept ones included
  std::vector<ledger::Cell> cells;  // of requests that brought nothing, with the reason
  int64_t requests = 0;             // answered with data
  int64_t failed = 0;               // ended without, and not by the vendor's word that there is none
  int64_t halved = 0;
};

// How much of a processor threads use, as far as one looks.
class BusyShare {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  // Several ticks of the kernel's clock, after which it counts.
  static constexpr std::chrono::milliseconds kWindow{50};

  explicit BusyShare(TimePoint began) : looked_at_(began) {}
  // `used`: how long they ran so far. Looks within a window of the one before get its answer; all of one before there
  // is any.
  double Look(TimePoint now, std::chrono::nanoseconds used);

 private:
  TimePoint looked_at_;
  std::chrono::nanoseconds used_{0};
  double share_ = 1;
};

class FetchRun {
 public:
  // Starts at once. Everything given outlives the run.
  FetchRun(net::Client& client, source::Supply& supply, const FetchFolder& folder, std::vector<Batch> batches,
           FetchLimits limits);
  // Ends all transfers that are still under way.
  ~FetchRun();
  FetchRun(const FetchRun&) = delete;
  FetchRun& operator=(const FetchRun&) = delete;

  // Waits for the next batch, in the order given; nullopt when there is no more. An error ends the run: what the vendor
  // refused altogether, kStorage, kInterrupted. After a refusal the requests under way are waited for: they are paid
  // for, and what they bring is kept.
  Result<std::optional<FinishedBatch>> Next();
  // From the first request's begin to the end of the last one so far. After the last Next.
  double fetch_s() const { return std::chrono::duration<double>(last_ended_ - began_).count(); }

 private:
  struct Work {
    FinishedBatch done;
    std::deque<plan::Request> waiting;
    int64_t running = 0;
    bool over() const { return waiting.empty() && running == 0; }
  };

  // All on the client's thread, with the mutex held.
  void StartMore();
  void Start(size_t batch, plan::Request request);
  void End(size_t batch, const plan::Request& request, const std::string& id, source::FetchOutcome outcome);
  void Arrive(size_t batch, Fetched fetched, std::string bytes);
  void TakeFetched(size_t batch, Fetched fetched);
  void TakePart(size_t batch, const plan::Request& request, const std::string& id, const source::FetchOutcome& outcome);
  void AskForLess(size_t batch, const plan::Request& request, const source::FetchOutcome& outcome);
  static void Settle(Work& work, const plan::Request& request, ledger::CellState state, const std::string& reason);

  // On a thread of its own: keeps what arrives, and has the client's thread go on where it waits for that.
  void KeepArrivals();

  // With the mutex held.
  bool MayStart() const { return running_ < limits_.in_flight && arriving_bytes_ < limits_.arriving_bytes; }
  void Count(size_t batch, Fetched fetched);
  void StopWith(Error error);
  bool IsFetching() const { return running_ + arriving_ > 0; }
  bool MayHoldBack() const { return !stop_ && !loop_ended_ && IsFetching() && ahead_bytes_ < limits_.ahead_bytes; }
  void HoldBack(std::unique_lock<std::mutex>& lock);  // while fetching keeps this machine busy
  void WakePublisher();

  net::Client& client_;
  source::Supply& supply_;
  const FetchFolder& folder_;
  const FetchLimits limits_;
  const plan::Selection selection_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Work> work_;
  size_t next_batch_ = 0;  // the publisher waits for it
  size_t running_ = 0, arriving_ = 0, ahead_ = 0;
  uint64_t arriving_bytes_ = 0;  // of `arriving_`
  uint64_t ahead_bytes_ = 0;     // fetched and not taken
  bool is_held_back_ = false;    // the publisher, from a batch that is over
  std::chrono::steady_clock::time_point began_, last_ended_;
  BusyShare busy_;
  bool loop_ended_ = false;
  std::optional<Error> stop_;
  std::condition_variable arrived_;
  std::deque<std::pair<size_t, Arrival>> arrivals_;  // with their batches
  bool arrivals_ended_ = false;
  std::jthread keeper_, thread_;
};

}  // namespace lode::sync
