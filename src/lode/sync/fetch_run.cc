#include "lode/sync/fetch_run.h"

#include <algorithm>
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

}  // namespace

FetchRun::FetchRun(net::Client& client, source::Supply& supply, const FetchFolder& folder, std::vector<Batch> batches,
                   FetchLimits limits)
    : client_(client), supply_(supply), folder_(folder), limits_(limits), selection_(supply.selection()) {
  began_ = last_ended_ = std::chrono::steady_clock::now();
  for (const Batch& batch : batches) {
    for (const Fetched& kept : batch.kept) ahead_bytes_ += kept.size;
  }
  for (Batch& batch : batches) {
    Work& work = work_.emplace_back();
    work.done.partition = std::move(batch.partition);
    work.done.fetched = std::move(batch.kept);
    for (plan::Request& request : batch.requests) work.waiting.push_back(std::move(request));
  }
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
}

Result<std::optional<FinishedBatch>> FetchRun::Next() {
  std::unique_lock lock(mutex_);
  if (next_batch_ == work_.size()) return std::optional<FinishedBatch>();
  Work& work = work_[next_batch_];
  changed_.wait(lock, [&] {
    if (stop_) return stop_->kind != ErrorKind::kRefused || running_ == 0 || loop_ended_;
    return loop_ended_ || work.over();
  });
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

void FetchRun::StartMore() {
  while (!stop_ && running_ < limits_.in_flight) {
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
      if (stop_ || (next_batch_ < work_.size() && work_[next_batch_].over())) changed_.notify_all();
    });
  });
}

void FetchRun::End(size_t batch, const plan::Request& request, const std::string& id, FetchOutcome outcome) {
  --running_;
  last_ended_ = std::chrono::steady_clock::now();
  Work& work = work_[batch];
  --work.running;
  if (outcome.kind != FetchOutcome::Kind::kFetched && outcome.kind != FetchOutcome::Kind::kFetchedInPart) {
    --ahead_;
    const bool goes_on = outcome.kind == FetchOutcome::Kind::kFailed || outcome.kind == FetchOutcome::Kind::kStop;
    if (!goes_on || !supply_.continues_files()) folder_.Remove(id);
  }
  switch (outcome.kind) {
    case FetchOutcome::Kind::kFetched: return TakeFetched(batch, request, id, outcome);
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

void FetchRun::TakeFetched(size_t batch, const plan::Request& request, const std::string& id,
                           const FetchOutcome& outcome) {
  Fetched fetched{.id = id,
                  .request = request,
                  .file = {},
                  .size = outcome.size,
                  .crc32c = outcome.crc32c,
                  .end_ns = outcome.end_ns,
                  .tries = outcome.tries};
  if (Status kept = folder_.Keep(selection_, &fetched, !supply_.is_free()); !kept)
    return StopWith(std::move(kept).error());
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
  TakeFetched(batch, until, until_id, outcome);
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
