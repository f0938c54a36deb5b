// lode doctor: is everything lode needs here and in order?
#include <arrow/util/config.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "lode/base/secrets.h"
#include "lode/cli/commands.h"
#include "lode/cli/table.h"
#include "lode/lake/lake.h"
#include "lode/net/curl.h"
#include "lode/sink/duckdb/library.h"
#include "lode/sink/duckdb/views.h"
#include "lode/store/local_disk.h"

namespace lode::cli {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kLittleDisk = uint64_t{1} << 30;
constexpr int64_t kBuiltAfterNs = int64_t{1'735'689'600} * kNsPerSecond;  // 2025-01-01: no honest clock is older

class DoctorCommand : public Command {
 public:
  void Declare(Arguments&) override {}

  Result<int> Run(Session& session) override {
    CheckProgram();
    Result<const Config*> config = session.config();
    if (!config) {
      Add(config.error().kind == ErrorKind::kUsage ? "warning" : "problem", "config", config.error().ToString());
    } else {
      Add("ok", "config", (*config)->file().string());
      CheckKeys(**config);
      CheckLake(session);
    }
    for (const Finding& finding : findings_) {
      session.out().Event(JsonObject()
                              .Text("type", "check")
                              .Text("state", finding.state)
                              .Text("check", finding.check)
                              .Text("detail", finding.detail));
    }
    Table table({{"STATE"}, {"CHECK"}, {"DETAIL"}});
    for (const Finding& finding : findings_) table.Add({finding.state, finding.check, finding.detail});
    session.out().Text(table.Render());
    if (!config && config.error().kind != ErrorKind::kUsage) return ExitCode(config.error().kind);
    return problems_ == 0 ? 0 : ExitCode(ErrorKind::kInternal);
  }

 private:
  struct Finding {
    std::string state, check, detail;  // state: ok, warning, problem
  };

  void Add(std::string state, std::string check, std::string detail) {
    problems_ += state == "problem" ? 1 : 0;
    findings_.push_back({std::move(state), std::move(check), std::move(detail)});
  }

  void CheckProgram() {
    std::error_code problem;
    Add("ok", "lode", fmt::format("{} at {}", LODE_VERSION, fs::read_symlink("/proc/self/exe", problem).string()));
    Add("ok", "arrow", ARROW_VERSION_STRING);
    Add("ok", "sqlite", sqlite3_libversion());
    Add("ok", "openssl", OpenSSL_version(OPENSSL_VERSION));
    if (const Result<const net::CurlApi*> curl = net::LoadCurl()) {
      Add("ok", "libcurl", (*curl)->version());
    } else {
      Add("problem", "libcurl", curl.error().message);
    }
    Result<const sink::DuckdbApi*> duckdb = sink::LoadDuckdb();
    if (duckdb) {
      Add("ok", "duckdb", fmt::format("{} at {}", (*duckdb)->library_version(), (*duckdb)->path));
    } else {
      Add("problem", "duckdb", duckdb.error().message);
    }
    Add(NowNs() > kBuiltAfterNs ? "ok" : "problem", "clock", FormatIsoNs(NowNs()).substr(0, 19) + "Z");
    const fs::path certificates = "/etc/ssl/certs/ca-certificates.crt";
    bool trusted = fs::exists(certificates, problem);
    Add(trusted ? "ok" : "warning", "CA file",
        certificates.string() + (trusted ? "" : " is missing: install ca-certificates before anything is downloaded"));
    mode_t mask = ::umask(0);
    ::umask(mask);
    bool loose = (mask & 022) != 022;
    Add(loose ? "warning" : "ok", "umask",
        fmt::format("{:03o}{}", mask, loose ? ": new files may be written by others" : ""));
  }

  void CheckKeys(const Config& config) {
    for (const ConfigValue& value : config.values()) {
      std::string text = config.Get(value.key).value_or("");
      if (!text.starts_with("file:")) continue;
      Result<KeyReference> reference = ParseKeyReference(text);
      if (!reference) continue;
      Status checked = CheckKeyFile(reference->target);
      Add(checked ? "ok" : "problem", value.key, checked ? reference->Shown() : checked.error().message);
    }
  }

  void CheckLake(Session& session) {
    Result<lake::LakePaths> paths = session.lake();
    if (!paths) return Add("warning", "lake", paths.error().message);
    bool writable = ::access(paths->root.c_str(), W_OK) == 0;
    Add(writable ? "ok" : "warning", "lake",
        paths->root.string() + (writable ? "" : " is read-only: look, do not import"));
    if (Result<uint64_t> free = store::FreeBytes(paths->root)) {
      Add(*free < kLittleDisk ? "warning" : "ok", "disk", Bytes(*free) + " free");
    }
    CheckLocks(*paths);
    CheckLedger(session, *paths);
  }

  // Read from /proc/locks: trying a lock would make a run that starts at this instant fail as busy.
  void CheckLocks(const lake::LakePaths& paths) {
    std::map<ino_t, std::string> holders;  // inode -> process
    std::ifstream locks("/proc/locks");
    for (std::string line; std::getline(locks, line);) {
      std::istringstream words(line);
      std::string number, type, advice, mode, process, place;
      words >> number >> type >> advice >> mode >> process >> place;
      size_t colon = place.rfind(':');
      if (type != "FLOCK" || colon == std::string::npos) continue;
      holders[std::strtoull(place.c_str() + colon + 1, nullptr, 10)] = process;
    }
    std::error_code problem;
    bool any = false;
    for (const fs::directory_entry& entry : fs::directory_iterator(paths.locks(), problem)) {
      struct stat info{};
      if (::stat(entry.path().c_str(), &info) != 0 || !holders.contains(info.st_ino)) continue;
      Add("warning", "lock",
          fmt::format("{} is held by process {}", entry.path().stem().string(), holders[info.st_ino]));
      any = true;
    }
    if (!any) Add("ok", "locks", "none held");
  }

  void CheckLedger(Session& session, const lake::LakePaths& paths) {
    Result<ledger::Ledger*> ledger = session.ledger();
    if (!ledger) return Add("problem", "ledger", ledger.error().ToString() + "; run lode ledger rebuild");
    if (*ledger == nullptr) return Add("ok", "ledger", "none yet: nothing was imported");
    Result<std::vector<ledger::DatasetRow>> datasets = (*ledger)->Datasets();
    if (!datasets) return Add("problem", "ledger", datasets.error().ToString() + "; run lode ledger rebuild");
    int64_t receipts = 0;
    for (const ledger::DatasetRow& dataset : *datasets) {
      Result<std::vector<ledger::Intent>> intents = (*ledger)->Intents(dataset.name);
      if (intents && !intents->empty()) {
        Add("warning", "publish", dataset.name + ": a run was interrupted; the next import finishes or drops it");
      }
      Result<std::vector<ledger::ReceiptRow>> rows = (*ledger)->Receipts(dataset.name);
      if (rows) receipts += static_cast<int64_t>(rows->size());
      if (!rows) Add("problem", "ledger", rows.error().ToString() + "; run lode ledger rebuild");
    }
    Add("ok", "ledger",
        fmt::format("{}, {}", Count(static_cast<int64_t>(datasets->size()), "dataset"), Count(receipts, "receipt")));
    Result<bool> current = sink::ViewsAreCurrent(paths, **ledger);
    if (current) {
      Add(*current ? "ok" : "warning", "views",
          *current ? paths.duckdb().string() : "lake.duckdb is behind; the next import or query brings it up to date");
    }
  }

  std::vector<Finding> findings_;
  int64_t problems_ = 0;
};

}  // namespace

std::unique_ptr<Command> MakeDoctor() { return std::make_unique<DoctorCommand>(); }

}  // namespace lode::cli
