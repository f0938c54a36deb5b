// Arrow's Status and Result in lode's terms.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include "lode/base/result.h"

namespace lode::codec {

// `what` names the step: "write x.parquet". I/O errors are kStorage, the rest kInternal.
inline Status FromArrow(const arrow::Status& status, std::string_view what) {
  if (status.ok()) return Ok();
  return Fail(status.IsIOError() ? ErrorKind::kStorage : ErrorKind::kInternal, "{}: {}", what, status.message());
}

template <typename T>
Result<T> FromArrow(arrow::Result<T> result, std::string_view what) {
  if (!result.ok()) return std::unexpected(std::move(FromArrow(result.status(), what)).error());
  return std::move(result).ValueUnsafe();
}

}  // namespace lode::codec
