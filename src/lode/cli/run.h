// The program: parse, run one command, report, exit code.
#pragma once

namespace lode::cli {

int Run(int argc, const char* const* argv);

}  // namespace lode::cli
