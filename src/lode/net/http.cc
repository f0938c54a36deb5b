#include "lode/net/http.h"

#include <algorithm>

namespace lode::net {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

}  // namespace

bool EqualIgnoringCase(std::string_view a, std::string_view b) { return std::ranges::equal(a, b, {}, Lower, Lower); }

std::string_view ResponseHead::Find(std::string_view name) const {
  for (const Header& header : headers) {
    if (EqualIgnoringCase(header.name, name)) return header.value;
  }
  return {};
}

Status TextBody::Begin(const ResponseHead& head, uint64_t) {
  // The length is the server's claim: believed for a moderate reservation only.
  constexpr uint64_t kLargestReservation = 1 << 20;
  text_.clear();
  if (head.content_length) text_.reserve(std::min(*head.content_length, kLargestReservation));
  return Ok();
}

Status TextBody::Write(std::span<const std::byte> bytes) {
  text_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return Ok();
}

Outcome Client::Fetch(Request request, std::shared_ptr<Body> body) {
  std::vector<std::pair<Request, std::shared_ptr<Body>>> requests;
  requests.emplace_back(std::move(request), std::move(body));
  return std::move(FetchAll(std::move(requests)).front());
}

std::vector<Outcome> Client::FetchAll(std::vector<std::pair<Request, std::shared_ptr<Body>>> requests) {
  // Inside a callback the loop refuses to run, and nothing may be left in the queue to be sent later.
  if (Status ready = RunUntil([] { return true; }); !ready) {
    Response never{.failure = FailureClass::kStopped, .error_body = ""};
    return std::vector<Outcome>(requests.size(), Outcome{std::move(ready), std::move(never)});
  }
  // Shared with callbacks that may outlive this call when the loop refuses to run.
  struct State {
    std::vector<std::optional<Outcome>> outcomes;
    size_t left = 0;
  };
  const auto state = std::make_shared<State>();
  state->outcomes.resize(requests.size());
  state->left = requests.size();
  for (size_t i = 0; i < requests.size(); ++i) {
    Add(std::move(requests[i].first), std::move(requests[i].second), [state, i](Outcome ended) {
      state->outcomes[i] = std::move(ended);
      --state->left;
    });
  }
  Status status = RunUntil([state] { return state->left == 0; });
  if (status) status = Fail(ErrorKind::kInternal, "the request was never answered");
  std::vector<Outcome> outcomes;
  for (std::optional<Outcome>& outcome : state->outcomes) {
    outcomes.push_back(outcome ? *std::move(outcome) : Outcome{status, {}});
  }
  return outcomes;
}

Result<std::string> Client::FetchText(Request request) {
  const auto body = std::make_shared<TextBody>();
  Outcome outcome = Fetch(std::move(request), body);
  if (!outcome.status) return std::unexpected(std::move(outcome.status).error());
  return body->text();
}

}  // namespace lode::net
