// A vendor that a test answers for, request by request, without a network; and what makes requests short to write.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "lode/base/hashing.h"
#include "lode/source/supply.h"
#include "lode/store/local_disk.h"

namespace lode::sync {

namespace fs = std::filesystem;

class TemporaryFolder {
 public:
  TemporaryFolder() {
    const fs::path memory = "/dev/shm";
    std::string name =
        ((::access(memory.c_str(), W_OK) == 0 ? memory : fs::temp_directory_path()) / "lode-sync-XXXXXX");
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryFolder() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }
  // Names of all files below a folder of it, sorted.
  std::vector<std::string> Files(const fs::path& below) const {
    std::vector<std::string> names;
    const std::vector<store::FileInfo> files = store::List(path_ / below).value();
    for (const store::FileInfo& file : files) names.push_back(file.path);
    return names;
  }

 private:
  fs::path path_;
};

inline Day DayAt(std::string_view text) { return *ParseDay(text); }

// Expected days from `first` on, one after the other; `modified` is the day after each.
inline std::vector<plan::VendorDay> Days(std::string_view first, int count) {
  std::vector<plan::VendorDay> days;
  for (int i = 0; i < count; ++i) {
    const Day day = DayAt(first) + i;
    days.push_back({.day = day, .state = plan::VendorDay::State::kAvailable, .modified = day + 1});
  }
  return days;
}

inline plan::Request RequestOf(std::vector<std::string> symbols, std::string_view first, int days) {
  return {std::move(symbols), Days(first, days)};
}

// "A,B 2024-01-02+3": what a request asks for, in few letters.
inline std::string Short(const plan::Request& request) {
  return fmt::format("{} {}+{}", fmt::join(request.symbols, ","), FormatDay(request.first()), request.days.size());
}

class FakeSupply : public source::Supply {
 public:
  using Done = std::function<void(source::FetchOutcome)>;

  explicit FakeSupply(net::Client& client) : client_(client) {}

  // What Expect answers.
  source::Expectation expectation;
  // Answers from within Fetch, when it has an answer.
  std::function<std::optional<source::FetchOutcome>(const plan::Request&)> at_once;

  Result<source::Expectation> Expect(const std::vector<std::string>&, Day, Day) override { return expectation; }
  Result<source::Estimate> EstimateCost(const plan::Work&, bool) override { return source::Estimate{}; }
  plan::Selection selection() const override { return {"GLBX.MDP3", "ohlcv-1d", "parent"}; }
  void Fetch(const plan::Request& request, const std::filesystem::path& file, Done done) override {
    if (at_once) {
      if (auto outcome = at_once(request)) {
        Note(request);
        if (outcome->kind == source::FetchOutcome::Kind::kFetched) BringBody(request, file, &*outcome);
        return done(std::move(*outcome));
      }
    }
    const std::lock_guard lock(mutex_);
    open_.insert({Short(request), {request, file, std::move(done)}});
    asked_.push_back(Short(request));
    changed_.notify_all();
  }
  Result<source::files::Delivery> Deliver(const plan::Request&, const std::filesystem::path&, int64_t) const override {
    return Fail(ErrorKind::kInternal, "not in this test");
  }

  // Waits until `count` requests were made in all, and a little longer: whether there are more. In order.
  std::vector<std::string> Asked(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(10), [&] { return asked_.size() >= count; });
    changed_.wait_for(lock, std::chrono::milliseconds(20), [&] { return asked_.size() > count; });
    return asked_;
  }

  // Answers an open request on the client's thread.
  void Answer(const std::string& request, source::FetchOutcome outcome) {
    Open open;
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, std::chrono::seconds(10), [&] { return open_.contains(request); });
      const auto found = open_.find(request);
      ASSERT_NE(found, open_.end()) << request << " was not asked for";
      open = std::move(found->second);
      open_.erase(found);
    }
    using enum source::FetchOutcome::Kind;
    if (outcome.kind == kFetched || outcome.kind == kFetchedInPart) BringBody(open.request, open.file, &outcome);
    client_.Post([done = std::move(open.done), outcome = std::move(outcome)] { done(outcome); });
  }
  void Answer(const std::string& request, source::FetchOutcome::Kind kind, std::string why = "") {
    source::FetchOutcome outcome{.kind = kind};
    outcome.error = Error{ErrorKind::kPartial, std::move(why), {}};
    Answer(request, std::move(outcome));
  }

 private:
  struct Open {
    plan::Request request;
    std::filesystem::path file;
    Done done;
  };

  void Note(const plan::Request& request) {
    const std::lock_guard lock(mutex_);
    asked_.push_back(Short(request));
    changed_.notify_all();
  }
  // Into the file, or into the outcome where that holds bytes, whatever they are.
  static void BringBody(const plan::Request& request, const fs::path& file, source::FetchOutcome* outcome) {
    const std::string body = "bytes of " + Short(request);
    if (outcome->bytes) {
      outcome->bytes = body;
    } else {
      EXPECT_TRUE(store::WriteDurable(file, body));
    }
    outcome->size = body.size();
    outcome->crc32c = Crc32c(body);
    outcome->end_ns = (outcome->ready.value_or(request.last()) + 1).start_ns();
    outcome->tries = 1;
  }

  net::Client& client_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<std::string, Open> open_;
  std::vector<std::string> asked_;
};

}  // namespace lode::sync
