// Precompiled for areas that handle Arrow data, after light_pch.h: parsing these once instead of per file halves the
// build.
#pragma once
#include <arrow/api.h>
#include <arrow/util/decimal.h>
