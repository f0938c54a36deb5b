#include <utility>

#include "lode/codec/csv_reader.h"
#include "lode/codec/databento_text.h"
#include "lode/codec/text_decoder.h"
#include "lode/codec/text_rows.h"

namespace lode::codec {
namespace {

class DatabentoCsv final : public TextDecoder<TextRows> {
 public:
  DatabentoCsv(CsvReader reader, const TextOptions& options, const DecodeContext& context)
      : TextDecoder(*options.schema, options, context), reader_(std::move(reader)) {}

  // Maps the header onto the schema; kBadInput names a column that is needed and not there.
  Status Bind() {
    TextRows::FieldSet present;
    for (const std::string& column : reader_.columns()) {
      const int field = rows_.FindField(column);
      fields_.push_back(field);
      if (field >= 0) present.set(static_cast<size_t>(field));
    }
    if (const std::string* missing = rows_.FindMissing(present)) {
      return Fail(ErrorKind::kBadInput, "line 1: header: column '{}' of schema {} is missing", *missing, facts_.schema);
    }
    for (size_t i = 0; i < fields_.size(); ++i) {
      if (fields_[i] < 0) rows_.extra().NoteDrift(reader_.columns()[i]);
    }
    rows_.SetPresent(present);
    return Ok();
  }

 private:
  Result<bool> AddRecord() override {
    LODE_TRY(const bool more, reader_.Next());
    if (!more) return false;
    LODE_TRY(rows_.BeginRow());
    PutLine();
    LODE_TRY(rows_.EndRow({reader_.row(), reader_.line_number(), reader_.offset(), reader_.raw()}));
    return true;
  }

  void PutLine() {
    if (reader_.fault() != nullptr) {
      rows_.Reject({}, {}, reader_.fault());
      return;
    }
    const std::span<const std::string_view> values = reader_.fields();
    for (size_t i = 0; i < values.size(); ++i) {
      if (fields_[i] < 0) {
        const std::string& column = reader_.columns()[i];
        if (rows_.extra().PutText(column, values[i])) continue;
        rows_.Reject(column, values[i], "holds a control character or bytes that are not UTF-8");
        return;
      }
      if (!rows_.Put(fields_[i], values[i])) return;
    }
  }

  CsvReader reader_;
  std::vector<int> fields_;  // field of each column of the file, -1 when the schema has none
};

}  // namespace

Result<std::unique_ptr<Decoder>> OpenDatabentoCsv(std::unique_ptr<ByteSource> bytes, TextOptions options,
                                                  DecodeContext context) {
  LODE_TRY(CsvReader reader, CsvReader::Open(std::move(bytes)));
  auto decoder = std::make_unique<DatabentoCsv>(std::move(reader), options, context);
  LODE_TRY(decoder->Bind());
  return decoder;
}

}  // namespace lode::codec
