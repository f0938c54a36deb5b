// Short ways to say what a client's test says all the time.
#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lode/net/http.h"
#include "lode/net/testing/script_server.h"

namespace lode::net::testing {

// Waits of milliseconds and a fixed jitter.
inline ClientOptions Quick() {
  ClientOptions options;
  options.retry = {
      .attempts = 4, .first_wait = std::chrono::milliseconds(4), .longest_wait = std::chrono::milliseconds(10)};
  options.seed = 1;
  return options;
}

struct Fetched {
  Outcome outcome;
  std::string text;
  std::string error() const { return outcome.status ? "" : outcome.status.error().ToString(); }
  ErrorKind kind() const { return outcome.status.error().kind; }
};

inline Fetched Get(Request request, ClientOptions options = Quick()) {
  const auto client = Client::Make(std::move(options)).value();
  const auto body = std::make_shared<TextBody>();
  Outcome outcome = client->Fetch(std::move(request), body);
  return {std::move(outcome), body->text()};
}

inline Request To(std::string url) {
  Request request;
  request.url = std::move(url);
  request.label = "thing";
  return request;
}

// Serves `script[n]` to the n-th request, the last one to all further.
inline ScriptServer::Script Each(std::vector<std::string> answers) {
  return [answers = std::move(answers)](const ReceivedRequest& request, Connection& connection) {
    connection.Send(answers[std::min(static_cast<size_t>(request.number), answers.size() - 1)]);
  };
}

}  // namespace lode::net::testing
