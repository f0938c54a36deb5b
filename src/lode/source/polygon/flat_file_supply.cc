#include "lode/source/polygon/flat_file_supply.h"

#include <algorithm>
#include <array>
#include <utility>

#include "lode/calendar/calendar.h"
#include "lode/codec/schema.h"
#include "lode/net/s3.h"
#include "lode/net/spooled_body.h"
#include "lode/source/answer.h"
#include "lode/source/part_names.h"
#include "lode/source/polygon/flat_file.h"
#include "lode/source/polygon/flat_file_days.h"

namespace lode::source::polygon {
namespace {

constexpr std::string_view kDefaultCalendar = "XNYS";

// S3 refuses a key it does not know with the same status as an object outside the plan.
bool RefusesTheKey(const std::string& code) {
  constexpr std::array<std::string_view, 6> kCodes = {"InvalidAccessKeyId",   "SignatureDoesNotMatch",
                                                      "RequestTimeTooSkewed", "ExpiredToken",
                                                      "InvalidToken",         "InvalidClientTokenId"};
  return std::ranges::find(kCodes, code) != kCodes.end();
}

// An object's bytes, of the version that was listed: what came of another one must not be called it.
class ListedBody final : public net::Body {
 public:
  ListedBody(std::shared_ptr<net::Body> bytes, std::string etag) : bytes_(std::move(bytes)), etag_(std::move(etag)) {}

  uint64_t held() const override { return bytes_->held(); }
  Status Begin(const net::ResponseHead& head, uint64_t offset) override {
    const std::string_view etag = BareEtag(head.Find("ETag"));
    if (!etag.empty() && !etag_.empty() && etag != etag_) {
      return Fail(ErrorKind::kPartial, "the vendor replaced the object after it was listed; run again");
    }
    return bytes_->Begin(head, offset);
  }
  Status Write(std::span<const std::byte> bytes) override { return bytes_->Write(bytes); }
  Status End() override { return bytes_->End(); }

 private:
  std::shared_ptr<net::Body> bytes_;
  std::string etag_;  // bare
};

class FlatFileSupply final : public Supply {
 public:
  FlatFileSupply(net::Client& client, net::S3 s3, std::string bucket, DatasetConfig dataset,
                 const calendar::Calendar& calendar)
      : client_(client),
        s3_(std::move(s3)),
        bucket_(std::move(bucket)),
        dataset_(std::move(dataset)),
        calendar_(calendar) {}

  Result<Expectation> Expect(const std::vector<std::string>& symbols, Day first, Day last) override;
  Result<Estimate> EstimateCost(const plan::Work& work, bool whole) override;
  plan::Selection selection() const override { return {bucket_, dataset_.flat_file, ""}; }
  std::optional<plan::ChunkLimits> request_limits() const override {
    return plan::ChunkLimits{.symbols = 1, .days = 1};
  }
  bool is_free() const override { return true; }
  bool continues_files() const override { return true; }
  void Fetch(const plan::Request& request, const std::filesystem::path& file,
             std::function<void(FetchOutcome)> done) override;
  Result<files::Delivery> Deliver(const plan::Request& request, const std::filesystem::path& file,
                                  int64_t end_ns) const override;

 private:
  net::Client& client_;
  net::S3 s3_;
  std::string bucket_;
  DatasetConfig dataset_;
  const calendar::Calendar& calendar_;
  std::map<Day, FlatFileObject> objects_;  // as listed last
  PartNames parts_;
};

Result<Expectation> FlatFileSupply::Expect(const std::vector<std::string>& symbols, Day first, Day last) {
  if (symbols != std::vector<std::string>{kAllSymbols}) {
    return Fail(ErrorKind::kUsage,
                "a flat file holds the whole market, so symbols cannot be asked for alone; leave them out and select "
                "them when you query");
  }
  objects_.clear();
  for (const std::string& prefix : ListingPrefixes(dataset_.flat_file, first, last)) {
    auto listing = s3_.List(prefix);
    if (!listing) {
      if (listing.error().kind != ErrorKind::kRefused) return std::unexpected(std::move(listing).error());
      return Fail(ErrorKind::kRefused, "{} (see sources.polygon.s3_key_id and sources.polygon.s3_secret)",
                  listing.error().ToString());
    }
    objects_.merge(ObjectsByDay(dataset_.flat_file, *listing));
  }
  Expectation expectation;
  expectation.days =
      DaysOfObjects(objects_, [&](Day day) { return calendar_.IsSession(day); }, first, last, DayOf(NowNs()));
  expectation.listings.Add({.symbol = kAllSymbols});
  expectation.pending_reason = "the vendor has not published it yet";
  expectation.missing_reason = fmt::format("a session of {} that the vendor lists no file for", calendar_.name());
  return expectation;
}

// A subscription covers them; the listing knows the sizes.
Result<Estimate> FlatFileSupply::EstimateCost(const plan::Work& work, bool /*whole*/) {
  Estimate estimate{.records = {}, .bytes = 0, .usd = 0};
  for (const plan::SymbolWork& symbol : work.symbols) {
    for (const plan::DayRun& run : work.RunsOf(symbol)) {
      for (uint32_t i = run.begin; i < run.end; ++i) {
        const auto object = objects_.find(work.days[i].day);
        if (object != objects_.end()) *estimate.bytes += object->second.size;
      }
    }
  }
  return estimate;
}

FetchOutcome OutcomeOf(const net::Outcome& answer) {
  FetchOutcome outcome = FailureOf(answer);
  if (outcome.kind == FetchOutcome::Kind::kSettled && RefusesTheKey(net::S3ErrorCode(answer.response.error_body))) {
    outcome.kind = FetchOutcome::Kind::kStop;
  }
  return outcome;
}

void FlatFileSupply::Fetch(const plan::Request& request, const std::filesystem::path& file,
                           std::function<void(FetchOutcome)> done) {
  const Day day = request.first();
  const auto fail = [&](FetchOutcome::Kind kind, Error error) { done({.kind = kind, .error = std::move(error)}); };
  const auto object = objects_.find(day);
  if (object == objects_.end()) {
    return fail(FetchOutcome::Kind::kFailed, Error{ErrorKind::kPartial, "no longer listed; run again", {}});
  }
  auto opened =
      net::SpooledBody::Open({.path = file, .resume = parts_.MayHave(file), .expected_size = object->second.size});
  if (!opened) return fail(FetchOutcome::Kind::kStop, std::move(opened).error());
  const std::shared_ptr<net::SpooledBody> body = std::move(*opened);
  client_.Add(s3_.GetRequest(object->second.key),
              std::make_shared<ListedBody>(body, std::string(BareEtag(object->second.etag))),
              [body, day, done = std::move(done)](const net::Outcome& answer) {
                if (answer.status) return done(FetchedOf(*body, answer, (day + 1).start_ns()));
                (void)body->Leave();  // for the next run, if it can be written
                done(OutcomeOf(answer));
              });
}

Result<files::Delivery> FlatFileSupply::Deliver(const plan::Request& request, const std::filesystem::path& file,
                                                int64_t end_ns) const {
  const plan::VendorDay& day = request.days.front();
  const std::string key = FlatFileKey(dataset_.flat_file, day.day);
  return DeliveryOf({.schema = codec::FindSchema(dataset_.flat_file),
                     .encoding = files::Encoding::kCsv,
                     .name = KeptName(*ParseFlatFilePath(key)),
                     .asked = {{"bucket", bucket_}, {"key", key}, {"version", day.version}}},
                    request, file, end_ns);
}

}  // namespace

Result<std::unique_ptr<Supply>> OpenFlatFiles(const Config& config, const DatasetConfig& dataset, net::Client& client) {
  const codec::TableSchema* schema = codec::FindSchema(dataset.flat_file);
  if (schema == nullptr || schema->source != "polygon") {
    std::vector<std::string> known;
    for (const codec::TableSchema* one : codec::SchemasOf("polygon")) known.push_back(one->name);
    return Fail(ErrorKind::kConfig, "dataset {}: flat_file '{}' is not one lode knows: {}", dataset.name,
                dataset.flat_file, fmt::join(known, ", "));
  }
  LODE_TRY(const calendar::Calendar* calendar,
           calendar::Get(dataset.calendar.empty() ? kDefaultCalendar : dataset.calendar));
  net::S3Options options{.endpoint = config.Get("sources.polygon.s3_endpoint").value_or(""),
                         .bucket = config.Get("sources.polygon.s3_bucket").value_or("")};
  LODE_TRY(options.key.key_id, config.ResolveKey("sources.polygon.s3_key_id"));
  LODE_TRY(options.key.secret, config.ResolveKey("sources.polygon.s3_secret"));
  std::string bucket = options.bucket;
  LODE_TRY(net::S3 s3, net::S3::Make(client, std::move(options)));
  return std::make_unique<FlatFileSupply>(client, std::move(s3), std::move(bucket), dataset, *calendar);
}

}  // namespace lode::source::polygon
