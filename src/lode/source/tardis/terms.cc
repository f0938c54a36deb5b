#include "lode/source/tardis/terms.h"

#include <algorithm>
#include <array>

#include "lode/source/tardis/json_objects_internal.h"

namespace lode::source::tardis {
namespace {

namespace sj = lode_simdjson;
namespace od = lode_simdjson::ondemand;

struct Member {
  std::string_view key;
  std::string_view Terms::* to;
  bool is_number = false;
};
constexpr auto kMembers = std::to_array<Member>({{"id", &Terms::id},
                                                 {"baseCurrency", &Terms::base},
                                                 {"quoteCurrency", &Terms::quote},
                                                 {"settlementCurrency", &Terms::settlement},
                                                 {"contractType", &Terms::contract_type},
                                                 {"optionType", &Terms::option_type},
                                                 {"expiry", &Terms::expiry},
                                                 {"priceIncrement", &Terms::tick, true},
                                                 {"minTradeAmount", &Terms::min_size, true},
                                                 {"strikePrice", &Terms::strike, true}});

std::string_view TextOf(od::value& value) {
  std::string_view text;
  return value.get_string().get(text) == sj::SUCCESS ? text : std::string_view();
}

// A number as it was sent, without the space behind it.
std::string_view NumberOf(od::value& value) {
  od::json_type type;
  if (value.type().get(type) != sj::SUCCESS || type != od::json_type::number) return {};
  const std::string_view text = value.raw_json_token();
  return text.substr(0, text.find_last_not_of(" \n\r\t") + 1);
}

}  // namespace

Status TermsBody::Take(size_t, std::string_view list) {
  Terms terms;
  const auto take = [&](std::string_view key, od::value& value) {
    const auto member = std::ranges::find(kMembers, key, &Member::key);
    if (member != kMembers.end()) {
      terms.*member->to = member->is_number ? NumberOf(value) : TextOf(value);
    } else if (double number = 0; key == "contractMultiplier" && value.get_double().get(number) == sj::SUCCESS) {
      terms.multiplier = number;
    }
    return Ok();
  };
  const auto end = [&]() -> Status {
    if (terms.id.empty()) return Fail(ErrorKind::kBadInput, "an instrument without an id");
    LODE_TRY(visit_(terms));
    terms = {};
    return Ok();
  };
  return ForEachObject(list, "an instrument", take, end);
}

Status TermsBody::TakeRest(const std::string& text) {
  return text.contains('[') ? Ok() : Status(Fail(ErrorKind::kBadInput, "no list of instruments"));
}

}  // namespace lode::source::tardis
