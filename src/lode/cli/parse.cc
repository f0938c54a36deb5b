#include "lode/cli/parse.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <vector>

#include "lode/base/nearest.h"

namespace lode::cli {
namespace {

class AppArguments : public Arguments {
 public:
  explicit AppArguments(CLI::App& app) : app_(app) {}

  void Positional(const std::string& name, std::vector<std::string>& words, int at_least, int at_most,
                  const std::string& help) override {
    CLI::Option* option = app_.add_option(name, words, help)->type_name("");
    if (at_least > 0) option->required();
    option->expected(std::max(at_least, 1), at_most == 0 ? 1 << 29 : at_most);
  }
  void Option(const std::string& names, const std::string& value_name, std::string& value,
              const std::string& help) override {
    app_.add_option(names, value, help)->type_name(value_name);
  }
  void Flag(const std::string& names, bool& value, const std::string& help) override {
    app_.add_flag(names, value, help);
  }

 private:
  CLI::App& app_;
};

void DeclareGlobals(CLI::App& app, GlobalOptions& options) {
  app.add_option("--lake", options.lake, "lake folder (else LODE_LAKE, else the current folder)")->type_name("DIR");
  app.add_option("--config", options.config, "configuration instead of the lake's lode.toml")->type_name("FILE");
  app.add_option("--env-file", options.env_file, "NAME=VALUE lines added to the environment")->type_name("FILE");
  app.add_flag("--json", options.json, "NDJSON events on stdout (docs/exit-codes.md)");
  app.add_flag("-q,--quiet", options.quiet, "warnings and errors only");
  app.add_flag("-v,--verbose", options.verbose, "say more on stderr");
  app.add_option("--memory", options.memory, "memory budget, e.g. 512MiB")->type_name("SIZE")->envname("LODE_MEMORY");
  app.add_option("--tz", options.tz, "time zone of displayed instants")->type_name("ZONE")->envname("LODE_TZ");
}

std::vector<std::string> Words(std::string_view name) {
  std::vector<std::string> words;
  for (size_t start = 0; start <= name.size();) {
    size_t end = std::min(name.find(' ', start), name.size());
    words.emplace_back(name.substr(start, end - start));
    start = end + 1;
  }
  return words;
}

// The CLI11 application of lode's table of commands.
class Parser {
 public:
  Parser() {
    app_.name("lode");
    app_.set_help_flag("-h,--help", "print help");
    app_.add_flag("--version", version_, "print the version");
    app_.allow_extras();
    DeclareGlobals(app_, options_);
    for (const CommandEntry& entry : Commands()) {
      CLI::App* leaf = &app_;
      std::vector<std::string> words = Words(entry.name);
      for (const std::string& word : words) leaf = Child(*leaf, word);
      leaf->description(std::string(entry.summary));
      leaf->footer("Global options: lode --help");
      leaves_.push_back({&entry, leaf, entry.create()});
      AppArguments arguments(*leaf);
      leaves_.back().command->Declare(arguments);
    }
  }

  Result<ParsedLine> Parse(int argc, const char* const* argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
      return Help();
    } catch (const CLI::ParseError& problem) {
      LODE_TRY(CheckExtras());  // a mistyped flag often shows first as a missing value
      return Fail(ErrorKind::kUsage, "{}{}", problem.what(), Usage());
    }
    if (version_) return ParsedLine{options_, nullptr, nullptr, "lode " LODE_VERSION "\n"};
    LODE_TRY(CheckExtras());
    for (Leaf& leaf : leaves_) {
      if (leaf.app->parsed()) return ParsedLine{options_, leaf.entry, std::move(leaf.command), {}};
    }
    if (!app_.get_subcommands().empty()) return Fail(ErrorKind::kUsage, "{}", MissingWord(*app_.get_subcommands()[0]));
    return ParsedLine{options_, nullptr, nullptr, ProgramHelp()};
  }

 private:
  struct Leaf {
    const CommandEntry* entry;
    CLI::App* app;
    std::unique_ptr<Command> command;
  };

  static CLI::App* Child(CLI::App& parent, const std::string& word) {
    for (CLI::App* known : parent.get_subcommands([](CLI::App*) { return true; })) {
      if (known->get_name() == word) return known;
    }
    CLI::App* child = parent.add_subcommand(word);
    child->fallthrough();
    child->allow_extras();
    return child;
  }

  CLI::App* Deepest() {
    CLI::App* app = &app_;
    while (!app->get_subcommands().empty()) app = app->get_subcommands()[0];
    return app;
  }

  ParsedLine Help() {
    CLI::App* app = Deepest();
    std::string text = app == &app_ ? ProgramHelp() : app->help(ParentPath(*app));
    return ParsedLine{options_, nullptr, nullptr, std::move(text)};
  }

  std::string Usage() {
    CLI::App* app = Deepest();
    return app == &app_ ? "" : fmt::format(" (see lode {} --help)", Path(*app));
  }

  std::string ParentPath(const CLI::App& app) {
    return app.get_parent() == &app_ ? "lode" : "lode " + Path(*app.get_parent());
  }

  std::string Path(const CLI::App& app) {
    const CLI::App* parent = app.get_parent();
    if (parent == nullptr || parent == &app_) return app.get_name();
    return Path(*parent) + " " + app.get_name();
  }

  static std::vector<std::string> ChildNames(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::App* child : app.get_subcommands({})) names.push_back(child->get_name());
    return names;
  }

  std::string MissingWord(const CLI::App& app) {
    return fmt::format("lode {}: say which: {}", app.get_name(), fmt::join(ChildNames(app), ", "));
  }

  Status CheckExtras() {
    std::vector<std::string> extras = app_.remaining(true);
    if (extras.empty()) return Ok();
    CLI::App* app = Deepest();
    auto flag = std::ranges::find_if(extras, [](const std::string& word) { return word.starts_with('-'); });
    if (flag != extras.end()) {
      std::vector<std::string> known;
      for (const CLI::App* holder : {app, &app_}) {
        for (const CLI::Option* option : holder->get_options()) {
          for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
        }
      }
      std::string name = flag->substr(0, flag->find('='));
      return Fail(ErrorKind::kUsage, "unknown flag {}{}{}", name, DidYouMean(name, known), Usage());
    }
    std::vector<std::string> names = ChildNames(*app);
    if (names.empty()) return Fail(ErrorKind::kUsage, "unexpected argument {}{}", extras[0], Usage());
    std::string parent = app == &app_ ? "" : app->get_name() + " ";
    return Fail(ErrorKind::kUsage, "unknown command {}{}{} (lode --help lists them)", parent, extras[0],
                DidYouMean(extras[0], names));
  }

  CLI::App app_{"lode"};
  GlobalOptions options_;
  bool version_ = false;
  std::vector<Leaf> leaves_;
};

}  // namespace

Result<ParsedLine> ParseCommandLine(int argc, const char* const* argv) {
  if (argc == 2 && std::string_view(argv[1]) == "help") return ParsedLine{{}, nullptr, nullptr, ProgramHelp()};
  try {
    Parser parser;
    return parser.Parse(argc, argv);
  } catch (const std::exception& problem) {
    return Fail(ErrorKind::kInternal, "command line: {}", problem.what());
  }
}

std::string ProgramHelp() {
  std::string text =
      "lode keeps a market-data lake complete, correct and cheap to run.\n\n"
      "Usage: lode [--lake DIR] COMMAND [arguments]\n";
  std::string_view group;
  for (const CommandEntry& entry : Commands()) {
    if (entry.group != group) text += fmt::format("\n{}\n", entry.group);
    group = entry.group;
    text += fmt::format("  {:<18}{}\n", entry.name, entry.summary);
  }
  text +=
      "\nGlobal options, before or after the command\n"
      "  --lake DIR        the lake (else LODE_LAKE, the folder of --config, the current folder)\n"
      "  --config FILE     configuration instead of the lake's lode.toml\n"
      "  --env-file FILE   NAME=VALUE lines added to the environment\n"
      "  --json            NDJSON events on stdout (docs/exit-codes.md)\n"
      "  -q, --quiet       warnings and errors only\n"
      "  -v, --verbose     say more on stderr\n"
      "  --memory SIZE     memory budget, default 512MiB\n"
      "  --tz ZONE         time zone of displayed instants\n"
      "  --version         print the version\n"
      "\nlode COMMAND --help tells more. Start with: lode --lake DIR init\n";
  return text;
}

}  // namespace lode::cli
