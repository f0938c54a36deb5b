#include "lode/source/answer.h"

#include "lode/store/local_disk.h"

namespace lode::source {
namespace {

using databento::Condition;
using plan::VendorDay;

Condition::State StateOf(VendorDay::State state) {
  switch (state) {
    case VendorDay::State::kAvailable: return Condition::State::kAvailable;
    case VendorDay::State::kDegraded: return Condition::State::kDegraded;
    case VendorDay::State::kPending: return Condition::State::kPending;
    case VendorDay::State::kMissing:
    case VendorDay::State::kNoKey: return Condition::State::kMissing;
  }
  return Condition::State::kAvailable;
}

}  // namespace

FetchOutcome FailureOf(const net::Outcome& answer) {
  FetchOutcome outcome{.tries = answer.response.tries, .error = answer.status.error()};
  switch (outcome.error.kind) {
    case ErrorKind::kStorage:
    case ErrorKind::kInterrupted:
    case ErrorKind::kInternal: outcome.kind = FetchOutcome::Kind::kStop; return outcome;
    default: break;
  }
  switch (answer.response.failure) {
    case net::FailureClass::kUnauthorized:
    case net::FailureClass::kPayment: outcome.kind = FetchOutcome::Kind::kStop; break;
    case net::FailureClass::kForbidden:
      outcome.kind = FetchOutcome::Kind::kSettled;
      outcome.state = ledger::CellState::kNotEntitled;
      outcome.reason = outcome.error.message;
      break;
    default: break;
  }
  return outcome;
}

FetchOutcome FetchedOf(net::SpooledBody& body, const net::Outcome& answer, int64_t end_ns) {
  FetchOutcome outcome{.kind = FetchOutcome::Kind::kFetched,
                       .size = body.size(),
                       .crc32c = body.crc32c(),
                       .end_ns = end_ns,
                       .tries = answer.response.tries};
  outcome.bytes = body.Take();
  return outcome;
}

Result<files::Delivery> DeliveryOf(Answer answer, const plan::Request& request, const std::filesystem::path& file,
                                   int64_t end_ns) {
  LODE_TRY(const auto size, store::FileSize(file));
  if (!size) return Fail(ErrorKind::kStorage, "{}: it is gone", file.string());
  files::Delivery delivery;
  files::DataFile& data = delivery.data.emplace_back();
  data.path = file;
  data.size = *size;
  data.encoding = answer.encoding;
  data.schemas = {answer.schema};
  data.name_facts = files::ParseName(answer.name, *answer.schema);
  data.name = std::move(answer.name);
  delivery.query = databento::Query{.job_id = {},
                                    .dataset = std::move(answer.dataset),
                                    .schema = answer.schema->name,
                                    .symbols = request.symbols,
                                    .stype_in = std::move(answer.stype_in),
                                    .stype_out = std::move(answer.stype_out),
                                    .start_ns = request.first().start_ns(),
                                    .end_ns = end_ns,
                                    .encoding = data.name_facts.encoding,
                                    .json = answer.asked.dump()};
  for (const VendorDay& day : request.days) {
    delivery.conditions.push_back({day.day, StateOf(day.state), day.modified, day.version});
  }
  return delivery;
}

}  // namespace lode::source
