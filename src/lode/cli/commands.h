// Makers of the commands, one a file: <name>.cc.
#pragma once

#include <memory>

#include "lode/cli/command.h"

namespace lode::cli {

std::unique_ptr<Command> MakeInit();
std::unique_ptr<Command> MakeImport();
std::unique_ptr<Command> MakePlan();
std::unique_ptr<Command> MakeSync();
std::unique_ptr<Command> MakeRun();
std::unique_ptr<Command> MakeInstruments();
std::unique_ptr<Command> MakeTargets();
std::unique_ptr<Command> MakeJobsSubmit();
std::unique_ptr<Command> MakeJobsList();
std::unique_ptr<Command> MakeJobsFetch();
std::unique_ptr<Command> MakeStatus();
std::unique_ptr<Command> MakeGaps();
std::unique_ptr<Command> MakeVerify();
std::unique_ptr<Command> MakeQuery();
std::unique_ptr<Command> MakeExplain();
std::unique_ptr<Command> MakeLoad();
std::unique_ptr<Command> MakeLogs();
std::unique_ptr<Command> MakeScheduleInstall();
std::unique_ptr<Command> MakeScheduleShow();
std::unique_ptr<Command> MakeScheduleRemove();
std::unique_ptr<Command> MakeClean();
std::unique_ptr<Command> MakeLedgerRebuild();
std::unique_ptr<Command> MakeDoctor();
std::unique_ptr<Command> MakeConfigShow();
std::unique_ptr<Command> MakeDatasets();
std::unique_ptr<Command> MakeCalendar();

}  // namespace lode::cli
