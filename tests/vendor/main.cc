// lode_vendor_sim: market-data vendors on this machine, for tests. README.md says how to drive it.
#include <fmt/format.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>

#include "counts.h"
#include "databento.h"
#include "faults.h"
#include "flat_files.h"
#include "fred.h"
#include "polygon_rest.h"
#include "server.h"
#include "tardis.h"

namespace {

using namespace lode;
using namespace lode::vendor;

struct Arguments {
  std::string address = "127.0.0.1", port_file, foreign_port_file, faults, log, tls_cert, tls_key, today = "2024-06-30";
  int port = 0;
  DatabentoOptions databento;
  FredOptions fred;
  PolygonRestOptions polygon_rest;
  TardisOptions tardis;
  FlatFilesOptions flat_files;
  std::string entitled_from;
};

// Written whole before it is there under its name: whoever waits for the file may read it at once.
bool WritePort(const std::string& path, int port) {
  if (path.empty()) return true;
  std::ofstream(path + ".new") << port << "\n";
  std::error_code error;
  std::filesystem::rename(path + ".new", path, error);
  return !error;
}

class Simulator {
 public:
  explicit Simulator(const Arguments& arguments)
      : arguments_(arguments),
        databento_(arguments.databento, counts_),
        flat_files_(arguments.flat_files, counts_, [this] { return databento_.now_ns(); }),
        fred_(WithClock(arguments.fred), counts_),
        polygon_rest_(WithClock(arguments.polygon_rest), counts_),
        tardis_(arguments.tardis, counts_, [this] { return databento_.now_ns(); }) {
    if (!arguments.log.empty()) log_.open(arguments.log, std::ios::app);
  }

  std::optional<std::string> LoadFaults(const std::string& file) {
    std::ifstream in(file);
    const Json script = Json::parse(in, nullptr, false);
    if (script.is_discarded()) return file + " is not JSON";
    return faults_.Load(script);
  }

  Response Handle(Request& request) {
    if (request.path.starts_with("/_sim/")) return Control(request);
    if (Databento::Owns(request.path)) return databento_.Handle(request);
    if (Fred::Owns(request.path)) return fred_.Handle(request);
    if (PolygonRest::Owns(request.path)) return polygon_rest_.Handle(request);
    if (Tardis::Owns(request.path)) return tardis_.Handle(request);
    if (FlatFiles::Owns(request.path)) return flat_files_.Handle(request);
    return Plain(404, "Not Found").ToResponse();
  }

  // What arrives on a host that no client was configured for. Links to files work there without a key.
  Response HandleForeign(const Request& request) {
    counts_.CountForeign(request);
    if (request.path.starts_with("/v0/batch/download/")) return databento_.Handle(request, false);
    Response response;
    response.body = R"({"foreign":true})";
    return response;
  }

  Server::Options ServerOptions(bool foreign) {
    Server::Options options;
    options.faults = foreign ? nullptr : &faults_;
    options.unix_s = [this] { return NowNs() / kNsPerSecond; };
    options.log = [this, foreign](const Request& request, const Fault& fault, int status, uint64_t bytes, bool whole) {
      if (!log_.is_open()) return;
      const std::lock_guard lock(log_mutex_);
      log_ << Json{{"number", request.number},
                   {"foreign", foreign},
                   {"method", request.method},
                   {"target", request.target},
                   {"body", request.path.starts_with("/_sim/") ? "" : request.body},
                   {"status", status},
                   {"bytes", bytes},
                   {"whole", whole},
                   {"faults", fault.rules}}
                  .dump(-1, ' ', false, Json::error_handler_t::replace)
           << std::endl;
    };
    return options;
  }

 private:
  // All vendors live on the same day.
  template <typename Options>
  Options WithClock(Options options) {
    options.seed = arguments_.databento.archive.seed;
    options.today = [this] { return DayOf(databento_.now_ns()); };
    return options;
  }

  Response Control(const Request& request) {
    const std::string action = request.path.substr(6);
    Response response;
    if (action == "counts") {
      if (request.method == "DELETE") counts_.Clear();
      Json report = counts_.Report(request.Find("full").has_value());
      report["faults"] = faults_.Report();
      response.body = report.dump();
      return response;
    }
    const Json body = Json::parse(request.body, nullptr, false);
    if (!body.is_object()) return Plain(400, "a JSON object, please").ToResponse();
    if (action == "faults") {
      if (const auto mistake = faults_.Load(body)) return Plain(400, *mistake).ToResponse();
      response.body = faults_.Report().dump();
      return response;
    }
    try {
      if (action == "fred") return fred_.Revise(body);
      if (action == "polygon") return polygon_rest_.Control(body);
      if (action == "tardis") return tardis_.Control(body);
      if (action == "flatfiles") return flat_files_.Control(body);
      return databento_.Control(action, body);
    } catch (const Json::exception& error) {
      return Plain(400, error.what()).ToResponse();
    }
  }

  const Arguments& arguments_;
  Counts counts_;
  FaultScript faults_;
  Databento databento_;
  FlatFiles flat_files_;
  Fred fred_;
  PolygonRest polygon_rest_;
  Tardis tardis_;
  std::mutex log_mutex_;
  std::ofstream log_;
};

int Run(const Arguments& arguments) {
  sigset_t ends;
  sigemptyset(&ends);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&ends, signal);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);  // before any thread starts
  signal(SIGPIPE, SIG_IGN);

  Simulator simulator(arguments);
  if (!arguments.faults.empty()) {
    if (const auto mistake = simulator.LoadFaults(arguments.faults)) {
      fmt::print(stderr, "lode_vendor_sim: {}\n", *mistake);
      return 2;
    }
  }
  TlsContext tls;
  if (!arguments.tls_cert.empty() && !tls.Load(arguments.tls_cert, arguments.tls_key)) return 2;
  Server server(simulator.ServerOptions(false), [&](Request& request) { return simulator.Handle(request); });
  const int port = server.Listen(arguments.address, arguments.port, tls);
  Server foreign(simulator.ServerOptions(true), [&](Request& request) { return simulator.HandleForeign(request); });
  const int foreign_port = arguments.foreign_port_file.empty() ? 1 : foreign.Listen(arguments.address, 0, {});
  if (port == 0 || foreign_port == 0 || !WritePort(arguments.foreign_port_file, foreign_port) ||
      !WritePort(arguments.port_file, port)) {
    fmt::print(stderr, "lode_vendor_sim: cannot listen on {}:{}\n", arguments.address, arguments.port);
    return 1;
  }
  fmt::print("{}\n", port);
  std::fflush(stdout);
  int received = 0;
  sigwait(&ends, &received);
  server.Stop();
  foreign.Stop();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app{"Market-data vendors on this machine, for tests (tests/vendor/README.md)"};
  app.add_option("--port", arguments.port, "0: any free one")->capture_default_str();
  app.add_option("--port-file", arguments.port_file, "where the port is written once it serves");
  app.add_option("--foreign-port-file", arguments.foreign_port_file,
                 "also listen on a port that no client should send its key to");
  app.add_option("--seed", arguments.databento.archive.seed, "of all data")->capture_default_str();
  app.add_option("--today", arguments.today, "day or instant: there are records up to then")->capture_default_str();
  app.add_option("--pending-days", arguments.databento.archive.pending_days,
                 "listed days before today that are not ready")
      ->capture_default_str();
  app.add_option("--dbn-version", arguments.databento.archive.dbn_version)
      ->check(CLI::Range(1, 3))
      ->capture_default_str();
  app.add_option("--key", arguments.databento.key, "the only key that works; without: any of the right form");
  app.add_option("--polygon-key", arguments.polygon_rest.key, "the only key of Polygon's REST API that works");
  app.add_option("--polygon-page", arguments.polygon_rest.page_limit, "rows of its pages, at most")
      ->capture_default_str();
  app.add_option("--fred-key", arguments.fred.key, "the only FRED key that works; without: any of the right form");
  app.add_option("--fred-page", arguments.fred.page_limit, "rows of a page of FRED, at most")->capture_default_str();
  app.add_option("--state-dir", arguments.databento.state_dir, "batch jobs outlive the program there");
  app.add_option("--tardis-rows", arguments.tardis.rows, "of a file, about")->check(CLI::Range(2, 10'000'000));
  app.add_option("--tardis-options", arguments.tardis.more_options, "more options on Deribit, for tests of size");
  app.add_option("--s3-key-id", arguments.flat_files.key.id, "of Polygon's flat files; --key is the secret")
      ->capture_default_str();
  app.add_option("--flat-files", arguments.flat_files.folder,
                 "serves this tree of flat files instead of generated ones")
      ->check(CLI::ExistingDirectory);
  app.add_option("--entitled-from", arguments.entitled_from, "flat files of days before it are listed and refused");
  app.add_option("--faults", arguments.faults, "script of faults")->check(CLI::ExistingFile);
  app.add_option("--log", arguments.log, "a JSON line a request");
  app.add_option("--tls-cert", arguments.tls_cert, "PEM; serves https")->check(CLI::ExistingFile);
  app.add_option("--tls-key", arguments.tls_key)->check(CLI::ExistingFile);
  CLI11_PARSE(app, argc, argv);
  const auto now = ParseInstant(arguments.today);
  if (!now) {
    fmt::print(stderr, "lode_vendor_sim: --today is not a day or an instant\n");
    return 2;
  }
  arguments.databento.archive.now_ns = now->ns;
  arguments.tardis.seed = arguments.databento.archive.seed;
  arguments.tardis.key = arguments.databento.key;
  arguments.flat_files.seed = arguments.databento.archive.seed;
  arguments.flat_files.key.secret = arguments.databento.key;
  if (!arguments.entitled_from.empty()) {
    const auto day = ParseDay(arguments.entitled_from);
    if (!day) {
      fmt::print(stderr, "lode_vendor_sim: --entitled-from is not a day\n");
      return 2;
    }
    arguments.flat_files.entitled = *day;
  }
  return Run(arguments);
}
