// What supplies make of a request's answer, the same for every vendor.
#pragma once

#include <filesystem>
#include <string>

#include "lode/base/json.h"
#include "lode/codec/schema.h"
#include "lode/net/spooled_body.h"
#include "lode/source/supply.h"

namespace lode::source {

// What a request that failed means, where the vendor speaks HTTP as others do: our own disk, Ctrl-C, an unknown key and
// no payment end the run; what the plan does not cover (403) settles its cells; all else fails.
FetchOutcome FailureOf(const net::Outcome& answer);

// A free supply's request was answered: the outcome's bytes are what is in memory of them. The body is over then.
FetchOutcome FetchedOf(net::SpooledBody& body, const net::Outcome& answer, int64_t end_ns);

// What only the vendor's folder knows of a fetched file.
struct Answer {
  const codec::TableSchema* schema;
  files::Encoding encoding;
  std::string name;  // under which it is kept; ParseName reads it
  Json asked;        // the request, for the receipt
  std::string dataset = {}, stype_in = {}, stype_out = {};
};
// Supply::Deliver. kStorage.
Result<files::Delivery> DeliveryOf(Answer answer, const plan::Request& request, const std::filesystem::path& file,
                                   int64_t end_ns);

}  // namespace lode::source
