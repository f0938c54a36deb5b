#include "lode/sync/fetch_run.h"

#include <pthread.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "lode/store/local_disk.h"

namespace lode::sync {

using ledger::CellState;
using source::FetchOutcome;

namespace {

std::pair<plan::Request, plan::Request> SplitAfter(const plan::Request& request, Day day) {
  std::pair<plan::Request, plan::Request> parts(request, request);
  std::erase_if(parts.first.days, [&](const plan::VendorDay& one) { return one.day > day; });
  std::erase_if(parts.second.days, [&](const plan::VendorDay& one) { return one.day <= day; });
  return parts;
}

// Processor time of a thread that is not joined yet.
std::chrono::nanoseconds ProcessorTime(std::jthread& thread) {
  clockid_t clock = 0;
  timespec time{};
  if (::pthread_getcpuclockid(thread.native_handle(), &clock) != 0 || ::clock_gettime(clock, &time) != 0) return {};
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

Fetched FetchedOf(const plan::Request& request, const std::string& id, const FetchOutcome& outcome) {
  return {.id = id,
          .request = request,
          .file = {},
          .size = outcome.size,
          .crc32c = outcome.crc32c,
          .end_ns = outcome.end_ns,
          .tries = outcome.tries};
}

}  // namespace

double BusyShare::Look(TimePoint now, std::chrono::nanoseconds used) {
  const std::chrono::duration<double> passed = now - looked_at_;
  if (passed < kWindow) return share_;
  share_ = std::chrono::duration<double>(used - used_) / passed;
  looked_at_ = now;
  used_ = used;
  return share_;
}

FetchRun::FetchRun(net::Client& client, source::Supply& supply, const FetchFolder& folder, std::vector<Batch> batches,
                   FetchLimits limits)
    : client_(client),
      supply_(supply),
      folder_(folder),
      limits_(limits),
      selection_(supply.selection()),
      began_(std::chrono::steady_clock::now()),
      last_ended_(began_),
      busy_(began_) {
  for (const Batch& batch : batches) {
    for (const Fetched& kept : batch.kept) ahead_bytes_ += kept.size;
  }
  for (Batch& batch : batches) {
    Work& work = work_.emplace_back();
    work.done.partition = std::move(batch.partition);
    work.done.fetched = std::move(batch.kept);
    for (plan::Request& request : batch.requests) work.waiting.push_back(std::move(request));
  }
  keeper_ = std::jthread([this] { KeepArrivals(); });
  client_.HoldOpen(true);
  client_.Post([this] {
    const std::lock_guard lock(mutex_);
    StartMore();
  });
  thread_ = std::jthread([this] {
    Status ended = client_.Run();
    const std::lock_guard lock(mutex_);
    if (!ended && !stop_) stop_ = std::move(ended).error();
    loop_ended_ = true;
    changed_.notify_all();
  });
}

FetchRun::~FetchRun() {
  {
    const std::lock_guard lock(mutex_);
    StopWith(Error{ErrorKind::kInterrupted, "the sync ended", {}});  // nothing may start from a task still posted
    if (running_ > 0) client_.Cancel();
  }
  client_.HoldOpen(false);
  thread_.join();
  {
    const std::lock_guard lock(mutex_);
    arrivals_ended_ = true;
  }
  arrived_.notify_one();
  keeper_.join();
}

Result<std::optional<FinishedBatch>> FetchRun::Next() {
  std::unique_lock lock(mutex_);
  if (next_batch_ == work_.size()) return std::optional<FinishedBatch>();
  Work& work = work_[next_batch_];
  changed_.wait(lock, [&] {
    if (stop_) return stop_->kind != ErrorKind::kRefused || !IsFetching() || loop_ended_;
    return loop_ended_ || work.over();
  });
  HoldBack(lock);
  if (stop_) return std::unexpected(*stop_);
  if (!work.over()) return Fail(ErrorKind::kInternal, "the fetch loop ended before its requests did");
  ++next_batch_;
  ahead_ -= static_cast<size_t>(work.done.requests + work.done.failed);
  for (const Fetched& fetched : work.done.fetched) ahead_bytes_ -= std::min(ahead_bytes_, fetched.size);
  client_.Post([this] {
    const std::lock_guard guard(mutex_);
    StartMore();
  });
  return std::optional(std::move(work.done));
}

void FetchRun::HoldBack(std::unique_lock<std::mutex>& lock) {
  const auto is_busy = [&] {
    const auto used = ProcessorTime(thread_) + ProcessorTime(keeper_);
    return busy_.Look(std::chrono::steady_clock::now(), used) > limits_.busy_share;
  };
  while (MayHoldBack() && is_busy()) {
    is_held_back_ = true;
    changed_.wait_for(lock, BusyShare::kWindow, [&] { return !MayHoldBack(); });
  }
  is_held_back_ = false;
}

void FetchRun::WakePublisher() {
  const bool is_over = next_batch_ < work_.size() && work_[next_batch_].over();
  if (stop_ || (is_over && !(is_held_back_ && MayHoldBack()))) changed_.notify_all();
}

void FetchRun::StartMore() {
  while (!stop_ && MayStart()) {
    // A halved request goes back to its batch: look from the one the publisher waits for.
    size_t batch = next_batch_;
    while (batch < work_.size() && work_[batch].waiting.empty()) ++batch;
    if (batch == work_.size()) return;
    const bool is_much = ahead_ >= limits_.ahead && ahead_bytes_ >= limits_.ahead_bytes;
    if (is_much && batch != next_batch_) return;
    if (Status room = limits_.room ? limits_.room() : Ok(); !room) return StopWith(std::move(room).error());
    plan::Request request = std::move(work_[batch].waiting.front());
    work_[batch].waiting.pop_front();
    Start(batch, std::move(request));
  }
}

void FetchRun::Start(size_t batch, plan::Request request) {
  ++running_;
  ++ahead_;
  ++work_[batch].running;
  const std::string id = plan::RequestId(selection_, request);
  auto shared = std::make_shared<plan::Request>(std::move(request));
  supply_.Fetch(*shared, folder_.PartOf(id), [this, batch, shared, id](FetchOutcome outcome) {
    // Always by way of the loop: a request that cannot even be made answers from within Fetch.
    client_.Post([this, batch, shared, id, outcome = std::move(outcome)]() mutable {
      const std::lock_guard lock(mutex_);
      End(batch, *shared, id, std::move(outcome));
      StartMore();
      WakePublisher();
    });
  });
}

void FetchRun::End(size_t batch, const plan::Request& request, const std::string& id, FetchOutcome outcome) {
  --running_;
  last_ended_ = std::chrono::steady_clock::now();
  Work& work = work_[batch];
  if (outcome.bytes) return Arrive(batch, FetchedOf(request, id, outcome), *std::move(outcome.bytes));
  --work.running;
  if (outcome.kind != FetchOutcome::Kind::kFetched && outcome.kind != FetchOutcome::Kind::kFetchedInPart) {
    --ahead_;
    const bool goes_on = outcome.kind == FetchOutcome::Kind::kFailed || outcome.kind == FetchOutcome::Kind::kStop;
    if (!goes_on || !supply_.continues_files()) folder_.Remove(id);
  }
  switch (outcome.kind) {
    case FetchOutcome::Kind::kFetched: return TakeFetched(batch, FetchedOf(request, id, outcome));
    case FetchOutcome::Kind::kFetchedInPart: return TakePart(batch, request, id, outcome);
    case FetchOutcome::Kind::kTooMuch: return AskForLess(batch, request, outcome);
    case FetchOutcome::Kind::kSettled: return Settle(work, request, outcome.state, outcome.reason);
    case FetchOutcome::Kind::kFailed:
      ++work.done.failed;
      ++ahead_;
      return Settle(work, request, CellState::kFailed, outcome.error.message);
    case FetchOutcome::Kind::kStop: return StopWith(std::move(outcome.error));
  }
}

void FetchRun::Arrive(size_t batch, Fetched fetched, std::string bytes) {
  ++arriving_;
  arriving_bytes_ += bytes.size();
  arrivals_.push_back({batch, {std::move(fetched), std::move(bytes)}});
  if (arrivals_.size() > 1) return;
  // Once for all that ended in this turn of the loop.
  client_.Post([this] { arrived_.notify_one(); });
}

void FetchRun::KeepArrivals() {
  std::unique_lock lock(mutex_);
  while (true) {
    arrived_.wait(lock, [&] { return !arrivals_.empty() || arrivals_ended_; });
    if (arrivals_.empty()) return;
    // Not all at once: others are asked for while these are written.
    std::vector<Arrival> arrivals;
    std::vector<size_t> batches;
    while (!arrivals_.empty() && arrivals.size() <= limits_.in_flight / 10) {
      batches.push_back(arrivals_.front().first);
      arrivals.push_back(std::move(arrivals_.front().second));
      arrivals_.pop_front();
    }
    lock.unlock();
    Status kept = folder_.Keep(selection_, arrivals);
    lock.lock();
    const bool was_full = arriving_bytes_ >= limits_.arriving_bytes;
    last_ended_ = std::chrono::steady_clock::now();
    arriving_ -= arrivals.size();
    for (size_t i = 0; i < arrivals.size(); ++i) {
      arriving_bytes_ -= arrivals[i].bytes.size();
      --work_[batches[i]].running;
      if (kept) Count(batches[i], std::move(arrivals[i].fetched));
    }
    if (!kept) StopWith(std::move(kept).error());
    WakePublisher();
    if (stop_ || !was_full) continue;
    client_.Post([this] {
      const std::lock_guard guard(mutex_);
      StartMore();
    });
  }
}

void FetchRun::TakeFetched(size_t batch, Fetched fetched) {
  if (Status kept = folder_.Keep(selection_, &fetched, !supply_.is_free()); !kept)
    return StopWith(std::move(kept).error());
  Count(batch, std::move(fetched));
}

void FetchRun::Count(size_t batch, Fetched fetched) {
  ++work_[batch].done.requests;
  ahead_bytes_ += fetched.size;
  work_[batch].done.fetched.push_back(std::move(fetched));
}

// As if the days that came had been asked for alone.
void FetchRun::TakePart(size_t batch, const plan::Request& request, const std::string& id,
                        const FetchOutcome& outcome) {
  auto [until, after] = SplitAfter(request, *outcome.ready);
  const std::string until_id = plan::RequestId(selection_, until);
  if (Status renamed = store::Rename(folder_.PartOf(id), folder_.PartOf(until_id)); !renamed) {
    return StopWith(std::move(renamed).error());
  }
  TakeFetched(batch, FetchedOf(until, until_id, outcome));
  if (!after.days.empty()) work_[batch].waiting.push_front(std::move(after));
}

void FetchRun::AskForLess(size_t batch, const plan::Request& request, const FetchOutcome& outcome) {
  Work& work = work_[batch];
  if (outcome.ready && *outcome.ready < request.last()) {
    auto [until, after] = SplitAfter(request, *outcome.ready);
    Settle(work, after, CellState::kPending, "the vendor has data until " + FormatDay(*outcome.ready));
    if (!until.days.empty()) work.waiting.push_front(std::move(until));
    return;
  }
  auto halves = plan::Split(request);
  if (!halves) {
    ++work.done.failed;
    ++ahead_;
    return Settle(work, request, CellState::kFailed, outcome.error.message);
  }
  ++work.done.halved;
  work.waiting.push_front(std::move(halves->second));
  work.waiting.push_front(std::move(halves->first));
}

void FetchRun::Settle(Work& work, const plan::Request& request, CellState state, const std::string& reason) {
  for (const std::string& symbol : request.symbols) {
    for (const plan::VendorDay& day : request.days) {
      work.done.cells.push_back({.symbol = symbol,
                                 .day = day.day,
                                 .state = state,
                                 .reason = reason,
                                 .modified = day.modified,
                                 .degraded = day.state == plan::VendorDay::State::kDegraded});
    }
  }
}

void FetchRun::StopWith(Error error) {
  if (!stop_) stop_ = std::move(error);
  changed_.notify_all();
}

}  // namespace lode::sync
