#include "lode/codec/vendor_csv.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "lode/codec/csv_reader.h"
#include "lode/codec/text_decoder.h"
#include "lode/codec/text_values.h"
#include "lode/codec/vendor_rows.h"

namespace lode::codec {
namespace {

// "asks[2].price" for "asks[3].price"; nullopt for names without an index or with index 0.
std::optional<std::string> LevelBefore(std::string_view name) {
  const size_t open = name.find('['), close = name.find(']');
  uint64_t level = 0;
  if (open == std::string_view::npos || close == std::string_view::npos || close < open ||
      !ParseDigits(name.substr(open + 1, close - open - 1), level) || level == 0) {
    return std::nullopt;
  }
  return fmt::format("{}{}{}", name.substr(0, open + 1), level - 1, name.substr(close));
}

class VendorCsv final : public TextDecoder<VendorRows> {
 public:
  VendorCsv(CsvReader reader, const TableSchema& schema, const DecodeContext& context)
      : TextDecoder(schema, schema, context), reader_(std::move(reader)), schema_(schema) {}

  Status Bind() {
    if (reader_.columns().empty()) return Ok();  // an empty file
    for (const std::string& column : reader_.columns()) {
      const auto before = LevelBefore(column);
      if (before && reader_.Find(*before) < 0) {
        return Fail(ErrorKind::kBadInput, "line 1: header: column '{}' without '{}': a gap in the book's levels",
                    Excerpt(column), Excerpt(*before));
      }
    }
    for (const Column& column : schema_.columns) {
      if (IsVendorColumn(column) && reader_.Find(column.vendor_name()) < 0) {
        return Fail(ErrorKind::kBadInput, "line 1: header: column '{}' of schema {} is missing", column.vendor_name(),
                    schema_.name);
      }
    }
    return rows_.Bind(reader_.columns());
  }

 private:
  Result<bool> AddRecord() override {
    LODE_TRY(const bool more, reader_.Next());
    facts_.ended_open = reader_.ended_open();
    if (more) LODE_TRY(rows_.Add(reader_));
    return more;
  }

  CsvReader reader_;
  const TableSchema& schema_;
};

}  // namespace

Result<std::unique_ptr<Decoder>> OpenVendorCsv(std::unique_ptr<ByteSource> bytes, const TableSchema& schema,
                                               DecodeContext context) {
  LODE_TRY(CsvReader reader,
           CsvReader::Open(std::move(bytes), {.may_be_empty = schema.source == "tardis", .may_end_open = true}));
  auto decoder = std::make_unique<VendorCsv>(std::move(reader), schema, context);
  LODE_TRY(decoder->Bind());
  return decoder;
}

}  // namespace lode::codec
