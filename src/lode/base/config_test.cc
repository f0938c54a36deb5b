#include "lode/base/config.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "lode/base/config_environment.h"
#include "lode/base/nearest.h"
#include "lode/base/secrets.h"
#include "lode/base/toml_depth.h"

namespace lode {
namespace {

namespace fs = std::filesystem;

// A folder of its own, and an environment without the user's LODE_ variables.
class ConfigTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "lode-config-XXXXXX").string();
    dir_ = ::mkdtemp(pattern.data());
    for (const auto& [name, value] : config::ProcessEnvironment()) ::unsetenv(name.c_str());
    ::setenv("XDG_CONFIG_HOME", (dir_ / "user").c_str(), 1);
  }
  void TearDown() override { fs::remove_all(dir_); }

  fs::path Write(const fs::path& name, std::string_view text, mode_t mode = 0644) {
    fs::path file = dir_ / name;
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
    ::chmod(file.c_str(), mode);
    return file;
  }
  std::string Read(const fs::path& file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
  }
  Result<Config> Load() { return Config::Load({.lake = dir_, .config_file = {}, .env_file = {}, .flags = {}}); }

  fs::path dir_;
};

std::string Refusal(std::string_view toml) {
  Result<Config> config = Config::Parse(toml, "lode.toml");
  if (config) return "accepted";
  EXPECT_EQ(config.error().kind, ErrorKind::kConfig);
  return config.error().ToString();
}

std::string Origin(const Config& config, std::string_view key) {
  for (const ConfigValue& value : config.values()) {
    if (value.key == key) return value.origin;
  }
  return "";
}

TEST(ConfigParse, ReadsTheContractsExample) {
  Result<Config> config = Config::Parse(R"(
[lake]
root = "."
[sources.polygon]
base_url = "https://api.massive.com"
key = "env:POLYGON_API_KEY"
s3_key_id = "env:POLYGON_S3_KEY_ID"
[datasets.futures_1d]
source = "databento"
dataset = "GLBX.MDP3"
schema = "ohlcv-1d"
stype_in = "parent"
symbols = ["ZL.FUT", "ZS.FUT"]
start = 2010-06-06
chunk = { symbols = 3, days = 365 }
sinks = ["duckdb"]
on_bad_record = "quarantine"
[datasets.news]
source = "polygon"
rest = "news"
start = 2017-04-10
[ledger]
url = "sqlite"
[stores.r2]
endpoint = "https://account.r2.cloudflarestorage.com"
bucket = "datasets"
secret = "file:/run/secret"
[pipelines.daily]
steps = ["sync futures_1d", "build", "load --to bigquery"]
[tiers.tier2]
from = "tier3"
window_days = 7
columns = ["symbol", "snapshot_ts", "meta"]
[[alerts]]
on = "lake"
when = "gaps > 0"
)",
                                        "lode.toml");
  ASSERT_TRUE(config) << config.error().ToString();
  const DatasetConfig* futures = config->FindDataset("futures_1d");
  ASSERT_NE(futures, nullptr);
  EXPECT_EQ(futures->dataset, "GLBX.MDP3");
  EXPECT_EQ(futures->symbols, (std::vector<std::string>{"ZL.FUT", "ZS.FUT"}));
  EXPECT_EQ(FormatDay(*futures->start), "2010-06-06");
  EXPECT_EQ(futures->on_bad_record, BadRecordPolicy::kQuarantine);
  EXPECT_EQ(config->Get("datasets.futures_1d.chunk.days"), "365");
  EXPECT_EQ(futures->chunk_symbols, 3);
  EXPECT_EQ(futures->chunk_days, 365);
  EXPECT_EQ(config->FindDataset("news")->chunk_days, std::nullopt);
  EXPECT_EQ(config->Get("alerts.0.when"), "gaps > 0");
  EXPECT_EQ(config->Get("sources.fred.base_url"), "https://api.stlouisfed.org/fred");
  EXPECT_EQ(Origin(*config, "sources.polygon.key"), "file lode.toml:6");
  EXPECT_EQ(Origin(*config, "sources.databento.key"), "default");
}

TEST(ConfigParse, SymbolsMayBeOneTextAListNameOrAPath) {
  Result<Config> config = Config::Parse(R"(
[datasets.a]
source = "databento"
symbols = "@cme_core_26"
calendar = "24/7"
chunk.symbols = 1
[datasets.b]
source = "databento"
symbols = ["@cme_fx", "lists/mine.txt", "ES.FUT,NQ.FUT"]
)",
                                        "lode.toml");
  ASSERT_TRUE(config) << config.error().ToString();
  const DatasetConfig& a = *config->FindDataset("a");
  EXPECT_EQ(a.symbols, std::vector<std::string>{"@cme_core_26"});
  EXPECT_EQ(a.calendar, "24/7");
  EXPECT_EQ(a.chunk_symbols, 1);
  EXPECT_EQ(a.chunk_days, std::nullopt);
  EXPECT_EQ(config->FindDataset("b")->symbols,
            (std::vector<std::string>{"@cme_fx", "lists/mine.txt", "ES.FUT,NQ.FUT"}));
  EXPECT_EQ(config->FindDataset("b")->calendar, "");
}

TEST(ConfigParse, NamesTheNearestKnownKey) {
  EXPECT_EQ(Refusal("[datasets.a]\nsource = \"files\"\nshema = \"trades\"\n"),
            "lode.toml:3: datasets.a.shema: unknown key (did you mean schema?)");
  EXPECT_EQ(Refusal("[source.databento]\n"), "lode.toml:1: source: unknown table (did you mean sources?)");
  EXPECT_EQ(Refusal("[sources.databnto]\n"), "lode.toml:1: sources.databnto: unknown table (did you mean databento?)");
  EXPECT_NE(Refusal("[sources.tardis]\nzzzzzzzz = 1\n").find("(known: api_url, datasets_url, key, key_style)"),
            std::string::npos);
}

TEST(ConfigParse, RefusesBadValuesWithTheirLine) {
  EXPECT_NE(Refusal("a = ").find("lode.toml:1"), std::string::npos);
  EXPECT_NE(Refusal("[datasets.a]\nsource = \"fils\"").find("lode.toml:2: datasets.a.source: no source"),
            std::string::npos);
  EXPECT_NE(Refusal("[datasets.a]\nsource = 1").find("expected a text"), std::string::npos);
  EXPECT_NE(Refusal("[datasets.a]\nsource = \"files\"\nstart = \"2024-02-30\"").find("expected a day"),
            std::string::npos);
  EXPECT_NE(Refusal("[datasets.a]\nsource = \"files\"\nchunk = { days = 0 }").find("whole number"), std::string::npos);
  EXPECT_NE(Refusal("[datasets.a]\nsource = \"files\"\nsymbols = [1]").find("list of texts"), std::string::npos);
  EXPECT_NE(Refusal("[datasets.\"../x\"]\nsource = \"files\"").find("not a dataset name"), std::string::npos);
  EXPECT_NE(Refusal("[datasets.a]\nschema = \"trades\"").find("`source` is missing"), std::string::npos);
  EXPECT_NE(Refusal("[sources.fred]\nbase_url = \"ftp://x\"").find("https://"), std::string::npos);
  EXPECT_NE(Refusal("[sources.fred]\nbase_url = \"https://user:pw@x/\"").find("must not carry"), std::string::npos);
  EXPECT_NE(Refusal("datasets = 3").find("expected a table"), std::string::npos);
  EXPECT_NE(Refusal(std::string(10000, '[')).find("lode.toml:1"), std::string::npos);
}

TEST(ConfigParse, AVeryDeepKeyIsRefusedNotACrash) {
  std::string deep;
  for (int i = 0; i < 200'000; ++i) deep += "a.";
  EXPECT_NE(Refusal(deep + "a = 1").find("a key of more than 16 parts"), std::string::npos);
  EXPECT_NE(Refusal("[" + deep + "a]").find("a key of more than 16 parts"), std::string::npos);
}

TEST(TomlDepth, CountsDotsOfKeysOnly) {
  EXPECT_EQ(config::LongestDottedKey("a.b.c = 1.5\n[d.e]\n"), 2u);
  EXPECT_EQ(config::LongestDottedKey("s = ['A.B.C.D', \"E.F.G.H\"] # x.y.z.w"), 0u);
  EXPECT_EQ(config::LongestDottedKey("s = \"\"\"a.b.c.d\"\"\"\"\"\nk.l = 1"), 1u);
  EXPECT_EQ(config::LongestDottedKey("s = \"\\\"a.b.c.d\"\nk.l = 1"), 1u);
  EXPECT_EQ(config::LongestDottedKey("\"a\" . 'b' .c = 1"), 2u);
  EXPECT_EQ(config::LongestDottedKey("t = {a = \"\"\"x\"\"\"\", b.c.d.e = 1}"), 3u);
  EXPECT_EQ(config::LongestDottedKey("s = '''x.y'''\n\"open a.b.c.d"), 0u);
}

TEST(ConfigParse, NeverRepeatsAKeyThatWasPastedIntoTheFile) {
  std::string refusal = Refusal("[sources.databento]\nkey = \"db-SECRETSECRET\"\n");
  EXPECT_EQ(refusal.find("SECRET"), std::string::npos);
  EXPECT_NE(refusal.find("lode.toml:2: sources.databento.key"), std::string::npos);
}

TEST_F(ConfigTest, EnvironmentBeatsFileBeatsUserFileBeatsDefault) {
  Write("user/lode/lode.toml", "[sources.fred]\nbase_url = \"https://user.example\"\nkey = \"env:MINE\"\n");
  Write("lode.toml", "[sources.fred]\nbase_url = \"https://file.example\"\n[datasets.a_b]\nsource = \"files\"\n");
  ::setenv("LODE_SOURCES_DATABENTO_BASE_URL", "http://127.0.0.1:9", 1);
  ::setenv("LODE_DATASETS_A_B_SYMBOLS", "X,Y", 1);
  ::setenv("LODE_DATASETS_A_B_CHUNK_DAYS", "30", 1);
  ::setenv("LODE_DATASETS_A_B_CALENDAR", "XNYS", 1);
  Result<Config> config = Load();
  ASSERT_TRUE(config) << config.error().ToString();
  EXPECT_EQ(config->Get("sources.fred.base_url"), "https://file.example");
  EXPECT_EQ(config->Get("sources.fred.key"), "env:MINE");
  EXPECT_EQ(config->Get("sources.databento.base_url"), "http://127.0.0.1:9");
  EXPECT_EQ(Origin(*config, "sources.databento.base_url"), "env LODE_SOURCES_DATABENTO_BASE_URL");
  EXPECT_EQ(config->FindDataset("a_b")->symbols, (std::vector<std::string>{"X", "Y"}));
  EXPECT_EQ(config->FindDataset("a_b")->chunk_days, 30);
  EXPECT_EQ(config->FindDataset("a_b")->calendar, "XNYS");
  EXPECT_EQ(Origin(*config, "lake.root"), "flag --lake");
  EXPECT_EQ(config->lake_root(), dir_);
}

TEST_F(ConfigTest, UnknownSettingInTheEnvironmentIsNamed) {
  ::setenv("LODE_SOURCES_DATABENTO_BASEURL", "http://127.0.0.1:9", 1);
  Result<Config> config = Load();
  ::unsetenv("LODE_SOURCES_DATABENTO_BASEURL");
  ASSERT_FALSE(config);
  EXPECT_NE(config.error().message.find("did you mean LODE_SOURCES_DATABENTO_BASE_URL?"), std::string::npos);
}

TEST_F(ConfigTest, AFileOthersMayWriteCannotMakeLodeAct) {
  std::string_view text =
      "[lake]\nroot = \"/elsewhere\"\n[sources.databento]\nbase_url = \"https://evil.example\"\nkey = \"cmd:steal\"\n"
      "[sources.fred]\nkey = \"env:FINE\"\n";
  fs::path file = Write("lode.toml", text, 0666);
  Result<Config> config = Load();
  ASSERT_TRUE(config) << config.error().ToString();
  EXPECT_EQ(config->Get("sources.databento.base_url"), "https://hist.databento.com/v0");
  EXPECT_EQ(config->Get("sources.databento.key"), "env:DATABENTO_API_KEY");
  EXPECT_EQ(config->Get("sources.fred.key"), "env:FINE");
  EXPECT_EQ(config->notices().size(), 3u);
  // The same file is obeyed when the user names it, or when only its owner may write it.
  config = Config::Load({.lake = {}, .config_file = file, .env_file = {}, .flags = {}});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->Get("sources.databento.base_url"), "https://evil.example");
  EXPECT_EQ(config->lake_root(), "/elsewhere");
  ::chmod(file.c_str(), 0600);
  config = Load();
  EXPECT_EQ(config->Get("sources.databento.key"), "cmd:steal");
  EXPECT_TRUE(config->notices().empty());
}

TEST_F(ConfigTest, RelativeRootIsBesideItsFile) {
  fs::path file = Write("etc/lode.toml", "[lake]\nroot = \"../data\"\n");
  Result<Config> config = Config::Load({.lake = {}, .config_file = file, .env_file = {}, .flags = {}});
  ASSERT_TRUE(config) << config.error().ToString();
  EXPECT_EQ(config->lake_root(), dir_ / "data");
}

TEST_F(ConfigTest, EnvironmentFileIsBelowTheProcessEnvironment) {
  fs::path file =
      Write("vars", "# comment\nexport LODE_SOURCES_FRED_BASE_URL='https://b.example'\nLODE_LAKE=/no\n", 0600);
  ::setenv("LODE_LAKE", dir_.c_str(), 1);
  Result<Config> config = Config::Load({.lake = {}, .config_file = {}, .env_file = file, .flags = {}});
  ASSERT_TRUE(config) << config.error().ToString();
  EXPECT_EQ(config->lake_root(), dir_);
  EXPECT_EQ(config->Get("sources.fred.base_url"), "https://b.example");
  EXPECT_TRUE(config->notices().empty());
}

TEST_F(ConfigTest, KeysResolveAlsoFromTheEnvironmentFile) {
  fs::path file = Write("vars", "LODE_TEST_FRED=from-env-file\n", 0600);
  Write("lode.toml", "[sources.fred]\nkey = \"env:LODE_TEST_FRED\"\n");
  Result<Config> config = Config::Load({.lake = dir_, .config_file = {}, .env_file = file, .flags = {}});
  ASSERT_TRUE(config) << config.error().ToString();
  EXPECT_EQ(config->ResolveKey("sources.fred.key").value(), "from-env-file");
  EXPECT_EQ(config->ResolveKey("sources.fred.nothing").error().kind, ErrorKind::kConfig);
  Error error = Load()->ResolveKey("sources.fred.key").error();
  EXPECT_EQ(error.kind, ErrorKind::kConfig);
  EXPECT_EQ(error.ToString(), "sources.fred.key: no key from env:LODE_TEST_FRED: the variable is not set");
}

TEST_F(ConfigTest, ShowsReferencesAndNoSecrets) {
  Write("lode.toml",
        "[sources.fred]\nkey = \"cmd:echo TOPSECRET\"\n[sinks.postgres]\nurl = \"postgresql://u:TOPSECRET@h/d\"\n");
  Result<Config> config = Load();
  ASSERT_TRUE(config) << config.error().ToString();
  for (const ConfigValue& value : config->values()) {
    EXPECT_EQ(value.value.find("TOPSECRET"), std::string::npos) << value.key;
  }
}

TEST_F(ConfigTest, DeclaringADatasetKeepsWhatPeopleWrote) {
  fs::path file = Write("lode.toml", "# mine\n[sources.fred] # why\nkey = \"env:K\"", 0640);
  DatasetConfig dataset{.name = "nq",
                        .source = "files",
                        .dataset = "GLBX.MDP3",
                        .schema = "ohlcv-1m",
                        .stype_in = "parent",
                        .symbols = {"NQ.FUT", "a\"b"},
                        .start = ToDay({2024, 1, 2}),
                        .layout = "",
                        .on_bad_record = BadRecordPolicy::kDefault,
                        .calendar = "XNYS",
                        .chunk_symbols = 2,
                        .chunk_days = 14};
  ASSERT_TRUE(DeclareDataset(file, dataset));
  std::string text = Read(file);
  EXPECT_TRUE(text.starts_with("# mine\n[sources.fred] # why\nkey = \"env:K\"\n\n[datasets.nq]\n"));
  Result<Config> config = Load();
  ASSERT_TRUE(config) << config.error().ToString();
  EXPECT_EQ(config->FindDataset("nq")->symbols, dataset.symbols);
  EXPECT_EQ(config->FindDataset("nq")->start, dataset.start);
  EXPECT_EQ(config->FindDataset("nq")->calendar, dataset.calendar);
  EXPECT_EQ(config->FindDataset("nq")->chunk_symbols, dataset.chunk_symbols);
  EXPECT_EQ(config->FindDataset("nq")->chunk_days, dataset.chunk_days);
  struct stat info{};
  ::stat(file.c_str(), &info);
  EXPECT_EQ(info.st_mode & 0777, 0640u);
  EXPECT_EQ(DeclareDataset(file, dataset).error().kind, ErrorKind::kConfig);
  EXPECT_EQ(Read(file), text);
  EXPECT_EQ(std::distance(fs::directory_iterator(dir_), fs::directory_iterator()), 1);
}

TEST_F(ConfigTest, DeclaringCreatesTheFile) {
  DatasetConfig dataset{.name = "x",
                        .source = "files",
                        .dataset = "",
                        .schema = "",
                        .stype_in = "",
                        .symbols = {},
                        .start = {},
                        .layout = ""};
  ASSERT_TRUE(DeclareDataset(dir_ / "lode.toml", dataset));
  EXPECT_EQ(Read(dir_ / "lode.toml"), "[datasets.x]\nsource = \"files\"\n");
}

TEST_F(ConfigTest, KeyFilesMustBePrivate) {
  EXPECT_TRUE(CheckKeyFile(Write("k", "s", 0600)));
  EXPECT_FALSE(CheckKeyFile(Write("l", "s", 0640)));
  EXPECT_EQ(CheckKeyFile(dir_ / "none").error().kind, ErrorKind::kNotFound);
}

TEST(KeyReferences, AreRecognised) {
  EXPECT_EQ(ParseKeyReference("env:A_1")->target, "A_1");
  EXPECT_EQ(ParseKeyReference("cmd:pass show x")->Shown(), "cmd:pass ...");
  for (const char* bad : {"", "env:", "env:1A", "env:A B", "file:", "cmd:", "cmd:a\nb", "https://x", "db-123"}) {
    EXPECT_FALSE(ParseKeyReference(bad)) << bad;
  }
}

TEST(Sizes, AreRead) {
  EXPECT_EQ(*ParseSize("512MiB"), 512u << 20);
  EXPECT_EQ(*ParseSize("2G"), uint64_t{2} << 30);
  EXPECT_EQ(*ParseSize("1073741824"), uint64_t{1} << 30);
  EXPECT_EQ(*ParseSize("5MB"), 5'000'000u);
  for (const char* bad : {"", "M", "-1", "1.5G", "5 M", "99999999999999999999", "9999999999G", "5X"}) {
    EXPECT_FALSE(ParseSize(bad)) << bad;
  }
}

TEST(Nearness, FindsTypos) {
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3u);
  EXPECT_EQ(EditDistance("ab", "ba"), 1u);
  EXPECT_EQ(Nearest("staus", {"sync", "status", "gaps"}), "status");
  EXPECT_EQ(Nearest("xyz", {"sync", "status", "gaps"}), "");
}

}  // namespace
}  // namespace lode
