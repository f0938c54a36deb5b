#include "lode/source/page_chain.h"

#include <fcntl.h>
#include <unistd.h>
#include <zstd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "lode/base/descriptor.h"
#include "lode/base/hashing.h"
#include "lode/source/answer.h"

namespace lode::source {
namespace {

// More pages than this are a chain that leads back to itself.
constexpr int kMostPages = 100'000;
constexpr int kLevel = 6;

// A page, and what its reader made of it.
class PageBody final : public net::TextBody {
 public:
  explicit PageBody(const PageReader& reader) : reader_(reader) {}
  Status End() override {
    step_ = reader_.read(text());
    if (step_) return Ok();
    return Fail(ErrorKind::kCorrupt, "not the page that was asked for: {}", step_.error().ToString());
  }
  PageStep& step() { return *step_; }

 private:
  const PageReader& reader_;
  Result<PageStep> step_ = Fail(ErrorKind::kInternal, "no page");
};

class Chain final : public std::enable_shared_from_this<Chain> {
 public:
  Chain(net::Client& client, const std::filesystem::path& file, PageReader reader,
        std::function<void(ChainOutcome)> done)
      : client_(client), path_(file), reader_(std::move(reader)), done_(std::move(done)) {}

  void Start(net::Request first) {
    file_ = Descriptor(::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (file_.get() < 0) return Stop(OsError("open").error());
    Ask(std::move(first));
  }

 private:
  std::unexpected<Error> OsError(const char* verb) const {
    return Fail(ErrorKind::kStorage, "{}: cannot {}: {}", path_.string(), verb, std::strerror(errno));
  }

  void Ask(net::Request request) {
    if (++asked_ > kMostPages) {
      return End(
          {.kind = FetchOutcome::Kind::kFailed,
           .error =
               Error{ErrorKind::kBadInput, fmt::format("more than {} pages: a chain without end", kMostPages), {}}},
          std::nullopt);
    }
    auto body = std::make_shared<PageBody>(reader_);
    client_.Add(std::move(request), body,
                [self = shared_from_this(), body](net::Outcome answer) { self->Answered(std::move(answer), *body); });
  }

  void Answered(net::Outcome answer, PageBody& body) {
    tries_ = std::max(tries_, answer.response.tries);
    if (!answer.status) {
      if (auto next = reader_.recover ? reader_.recover(answer) : std::nullopt) return Ask(std::move(*next));
      FetchOutcome failure = FailureOf(answer);
      return End(std::move(failure), std::move(answer));
    }
    PageStep& step = body.step();
    if (step.keep) {
      if (Status written = Append(body.text()); !written) return Stop(std::move(written).error());
      ++pages_;
    }
    if (step.next) return Ask(std::move(*step.next));
    End({.kind = FetchOutcome::Kind::kFetched, .size = size_, .crc32c = crc32c_}, std::nullopt);
  }

  Status Append(std::string page) {
    std::erase_if(page, [](char c) { return c == '\n' || c == '\r'; });  // within JSON only blank space may hold them
    page += '\n';
    std::vector<char> frame(ZSTD_compressBound(page.size()));
    const std::unique_ptr<ZSTD_CCtx, size_t (*)(ZSTD_CCtx*)> context(ZSTD_createCCtx(), ZSTD_freeCCtx);
    if (context == nullptr) return Fail(ErrorKind::kInternal, "no memory to compress a page");
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, kLevel);
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
    const size_t size = ZSTD_compress2(context.get(), frame.data(), frame.size(), page.data(), page.size());
    if (ZSTD_isError(size) != 0) return Fail(ErrorKind::kInternal, "zstd: {}", ZSTD_getErrorName(size));
    for (size_t at = 0; at < size;) {
      const ssize_t written = ::write(file_.get(), frame.data() + at, size - at);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return OsError("write");
      at += static_cast<size_t>(written);
    }
    crc32c_ = Crc32c(std::string_view(frame.data(), size), crc32c_);
    size_ += size;
    return Ok();
  }

  void Stop(Error error) { End({.kind = FetchOutcome::Kind::kStop, .error = std::move(error)}, std::nullopt); }

  void End(FetchOutcome outcome, std::optional<net::Outcome> answer) {
    outcome.tries = tries_;
    file_ = Descriptor();
    done_({std::move(outcome), std::move(answer), pages_});
  }

  net::Client& client_;
  const std::filesystem::path path_;
  const PageReader reader_;
  const std::function<void(ChainOutcome)> done_;
  Descriptor file_;
  uint32_t crc32c_ = 0;
  uint64_t size_ = 0;
  int asked_ = 0, pages_ = 0, tries_ = 0;
};

}  // namespace

void FetchPages(net::Client& client, net::Request first, const std::filesystem::path& file, PageReader reader,
                std::function<void(ChainOutcome)> done) {
  std::make_shared<Chain>(client, file, std::move(reader), std::move(done))->Start(std::move(first));
}

}  // namespace lode::source
