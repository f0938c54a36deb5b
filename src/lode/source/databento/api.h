// Databento's HTTP API: metadata, symbology, timeseries and batch, with the vendor's documented limits.
//
// Calls that return an Answer run the client's loop on the calling thread until they are answered, so they belong
// before or after Client::Run, never into its callbacks; there, make a request with the functions named …Request and
// hand it to Client::Add. timeseries.get_range and batch.submit_job cost money each time they are called; nothing else
// does. The key goes to base_url's origin only.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lode/net/http.h"
#include "lode/source/databento/api_types.h"

namespace lode::source::databento {

// An Error, and what the vendor said with it.
struct ApiError : Error {
  ApiError(Error error) : Error(std::move(error)) {}  // NOLINT: so that LODE_TRY works
  net::FailureClass failure = net::FailureClass::kNone;
  int http_status = 0;  // 0: no response
  Refusal refusal;
};
template <typename T>
using Answer = std::expected<T, ApiError>;

// The error of an asynchronous request, with the vendor's words.
ApiError ToApiError(const net::Outcome& outcome);

class Api {
 public:
  // Sets the path limits of `client`, which must outlive the Api. kConfig for a base_url that is no URL and an empty
  // key.
  static Result<Api> Make(net::Client& client, std::string base_url, std::string key);

  Answer<std::vector<std::string>> ListDatasets();
  Answer<std::vector<std::string>> ListSchemas(const std::string& dataset);
  Answer<std::vector<Publisher>> ListPublishers();
  Answer<std::vector<FieldInfo>> ListFields(const std::string& schema, const std::string& encoding);
  Answer<std::vector<UnitPrices>> ListUnitPrices(const std::string& dataset);
  // Days both inclusive; without them, all.
  Answer<std::vector<Condition>> GetDatasetCondition(const std::string& dataset, std::optional<Day> first,
                                                     std::optional<Day> last);
  Answer<DatasetRange> GetDatasetRange(const std::string& dataset);
  Answer<uint64_t> GetRecordCount(const SeriesQuery& query);
  Answer<uint64_t> GetBillableSize(const SeriesQuery& query);  // bytes of uncompressed DBN
  Answer<double> GetCost(const SeriesQuery& query);            // USD
  Answer<Resolution> Resolve(const SymbologyQuery& query);

  // Not sent again when the vendor may have received it: two jobs are paid twice.
  Answer<BatchJob> SubmitJob(const BatchRequest& request);
  // In order of submission. Without states: all but expired ones.
  Answer<std::vector<BatchJob>> ListJobs(const std::vector<std::string>& states, std::optional<int64_t> since_ns);
  Answer<BatchJob> GetJob(const std::string& job_id);
  Answer<std::vector<BatchFile>> ListFiles(const std::string& job_id);

  // timeseries.get_range as zstd-compressed DBN; halvable. kUsage for a query nobody could answer.
  Result<net::Request> SeriesRequest(const SeriesQuery& query) const;
  // A file of a job. Resumable through a Body that holds its beginning.
  net::Request DownloadRequest(const BatchFile& file) const;

  // Adds SeriesRequest to the client and logs the vendor's warnings before `done`.
  Status GetRange(const SeriesQuery& query, std::shared_ptr<net::Body> body, net::Client::Done done);

 private:
  using Fields = std::vector<std::pair<std::string, std::string>>;

  Api(net::Client& client, std::string base_url, std::string origin, std::string key)
      : client_(&client), base_url_(std::move(base_url)), origin_(std::move(origin)), key_(std::move(key)) {}
  net::Request Get(std::string_view method, const Fields& fields) const;
  net::Request Post(std::string_view method, const Fields& fields) const;
  template <typename T>
  Answer<T> CallFor(net::Request request, Result<T> (*parse)(std::string_view));
  template <typename T>
  Answer<T> AskAbout(std::string_view method, const SeriesQuery& query, Result<T> (*parse)(std::string_view));

  net::Client* client_;
  std::string base_url_;  // without a slash at its end
  std::string origin_;
  std::string key_;
};

// "2024-01-02" for midnight, "2024-01-02T03:04:05" or with nanoseconds: what the vendor takes as UTC.
std::string VendorTime(int64_t ns);

}  // namespace lode::source::databento
