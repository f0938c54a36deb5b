#include "lode/source/tardis/terms.h"

#include <simdjson.h>

#include <vector>

namespace lode::source::tardis {
namespace {

namespace sj = lode_simdjson;
namespace od = lode_simdjson::ondemand;

Status AsCorrupt(Status status) {
  if (status || status.error().kind != ErrorKind::kBadInput) return status;
  Error error = std::move(status).error();
  error.kind = ErrorKind::kCorrupt;
  return std::unexpected(std::move(error));
}

std::string_view TextOf(od::value& value) {
  std::string_view text;
  return value.get_string().get(text) == sj::SUCCESS ? text : std::string_view();
}

// A number as it was sent, without the space behind it.
std::string_view NumberOf(od::value& value) {
  od::json_type type;
  if (value.type().get(type) != sj::SUCCESS || type != od::json_type::number) return {};
  std::string_view text = value.raw_json_token();
  while (!text.empty() && (text.back() == ' ' || text.back() == '\n' || text.back() == '\r' || text.back() == '\t')) {
    text.remove_suffix(1);
  }
  return text;
}

Result<Terms> ReadTerms(od::object object) {
  Terms terms;
  for (auto field : object) {
    std::string_view key;
    od::value value;
    if (field.unescaped_key().get(key) != sj::SUCCESS || field.value().get(value) != sj::SUCCESS) {
      return Fail(ErrorKind::kBadInput, "an instrument that is no JSON object");
    }
    if (key == "id")
      terms.id = TextOf(value);
    else if (key == "baseCurrency")
      terms.base = TextOf(value);
    else if (key == "quoteCurrency")
      terms.quote = TextOf(value);
    else if (key == "settlementCurrency")
      terms.settlement = TextOf(value);
    else if (key == "contractType")
      terms.contract_type = TextOf(value);
    else if (key == "optionType")
      terms.option_type = TextOf(value);
    else if (key == "expiry")
      terms.expiry = TextOf(value);
    else if (key == "priceIncrement")
      terms.tick = NumberOf(value);
    else if (key == "minTradeAmount")
      terms.min_size = NumberOf(value);
    else if (key == "strikePrice")
      terms.strike = NumberOf(value);
    else if (double number = 0; key == "contractMultiplier" && value.get_double().get(number) == sj::SUCCESS)
      terms.multiplier = number;
  }
  if (terms.id.empty()) return Fail(ErrorKind::kBadInput, "an instrument without an id");
  return terms;
}

}  // namespace

Status TermsBody::Begin(const net::ResponseHead& head, uint64_t) {
  gzip_.reset();
  if (net::EqualIgnoringCase(head.Find("Content-Encoding"), "gzip")) gzip_.emplace();
  elements_.emplace(std::vector<std::string>{""}, [this](size_t, std::string_view text) { return Visit(text); });
  return Ok();
}

Status TermsBody::Visit(std::string_view text) {
  od::parser parser;
  od::document document;
  od::array list;
  const sj::padded_string_view padded(text, text.size() + JsonElements::kPadding);
  if (parser.iterate(padded).get(document) != sj::SUCCESS || document.get_array().get(list) != sj::SUCCESS) {
    return Fail(ErrorKind::kBadInput, "no list of instruments");
  }
  for (auto element : list) {
    od::object object;
    if (element.get_object().get(object) != sj::SUCCESS)
      return Fail(ErrorKind::kBadInput, "an instrument is no object");
    LODE_TRY(const Terms terms, ReadTerms(object));
    LODE_TRY(visit_(terms));
  }
  return Ok();
}

Status TermsBody::Write(std::span<const std::byte> bytes) {
  const auto feed = [this](std::string_view text) { return elements_->Feed(text); };
  return AsCorrupt(gzip_ ? gzip_->Feed(bytes, feed)
                         : feed({reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
}

Status TermsBody::End() {
  if (gzip_) LODE_TRY(AsCorrupt(gzip_->End()));
  auto rest = elements_->Finish();
  if (!rest) return AsCorrupt(std::unexpected(std::move(rest).error()));
  if (*rest != "[]" && rest->find('[') == std::string::npos) {
    return Fail(ErrorKind::kCorrupt, "no list of instruments");
  }
  return Ok();
}

}  // namespace lode::source::tardis
