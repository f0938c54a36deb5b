#include "lode/cli/run.h"

int main(int argc, char** argv) { return lode::cli::Run(argc, argv); }
