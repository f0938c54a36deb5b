#include "lode/cli/commands.h"

#include <array>

namespace lode::cli {
namespace {

constexpr std::array kCommands = std::to_array<CommandEntry>({
    {"init", "Set up", "make a lake: folders and a commented lode.toml", MakeInit},
    {"config show", "Set up", "every setting and where it comes from", MakeConfigShow},
    {"doctor", "Set up", "check program, lake, disk, clock and key files", MakeDoctor},
    {"import", "Bring data in", "take vendor files already on disk into a dataset", MakeImport},
    {"plan", "Bring data in", "what is missing, and what asking for it costs; changes nothing", MakePlan},
    {"sync", "Bring data in", "ask the vendor for what is missing", MakeSync},
    {"run", "Bring data in", "the steps of a pipeline declared in lode.toml, one after the other", MakeRun},
    {"schedule install", "Bring data in", "run pipelines by themselves: systemd timers in UTC", MakeScheduleInstall},
    {"schedule show", "Bring data in", "when pipelines run, and whether that is installed", MakeScheduleShow},
    {"schedule remove", "Bring data in", "take the timers of this lake away", MakeScheduleRemove},
    {"instruments", "Bring data in", "instrument definitions of Tardis' exchanges, with canonical keys",
     MakeInstruments},
    {"targets", "Bring data in", "which symbols and data types of the definitions can be downloaded", MakeTargets},
    {"jobs submit", "Bring data in", "order what is missing as a batch job of Databento's", MakeJobsSubmit},
    {"jobs list", "Bring data in", "batch jobs at the vendor", MakeJobsList},
    {"jobs fetch", "Bring data in", "wait for ordered jobs, download and import them", MakeJobsFetch},
    {"datasets", "Look", "datasets, declared and present", MakeDatasets},
    {"status", "Look", "what is there, what is missing", MakeStatus},
    {"gaps", "Look", "missing days as ranges; exit code 4 when there are any", MakeGaps},
    {"explain", "Look", "the whole story of one cell", MakeExplain},
    {"calendar", "Look", "sessions, early closes and holidays of an exchange", MakeCalendar},
    {"query", "Look", "SQL over the lake: one view a dataset", MakeQuery},
    {"logs", "Look", "the newest run log", MakeLogs},
    {"load", "Hand on", "bring the tables of a warehouse up to the lake", MakeLoad},
    {"verify", "Keep whole", "bytes against the receipts, and what the tables say", MakeVerify},
    {"clean", "Keep whole", "remove old files of a layer; never what a later layer needs", MakeClean},
    {"ledger rebuild", "Keep whole", "make the ledger again from receipts", MakeLedgerRebuild},
});

}  // namespace

std::span<const CommandEntry> Commands() { return kCommands; }

}  // namespace lode::cli
