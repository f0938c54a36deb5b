#include "lode/codec/page_compressor.h"

#include <parquet/exception.h>

#include <array>
#include <new>
#include <utility>

namespace lode::codec {
namespace {

using Settings = std::array<std::pair<ZSTD_cParameter, int>, 6>;

// Search tables of 64 KiB stay in the first caches; level 3 clears 768 KiB a page for at most 1 % fewer bytes.
constexpr Settings kByteDeltas = {{{ZSTD_c_strategy, ZSTD_fast},
                                   {ZSTD_c_hashLog, 14},
                                   {ZSTD_c_chainLog, 13},
                                   {ZSTD_c_minMatch, 4},
                                   {ZSTD_c_targetLength, 0},
                                   {ZSTD_c_windowLog, 0}}};
constexpr Settings kByteStreams = {{{ZSTD_c_strategy, ZSTD_fast},
                                    {ZSTD_c_hashLog, 13},
                                    {ZSTD_c_chainLog, 13},
                                    {ZSTD_c_minMatch, 7},
                                    {ZSTD_c_targetLength, 0},
                                    {ZSTD_c_windowLog, 16}}};
constexpr Settings kWholeValues = {{{ZSTD_c_strategy, ZSTD_dfast},
                                    {ZSTD_c_hashLog, 14},
                                    {ZSTD_c_chainLog, 13},
                                    {ZSTD_c_minMatch, 5},
                                    {ZSTD_c_targetLength, 0},
                                    {ZSTD_c_windowLog, 0}}};
// Blocks of 4 KiB: each has its own code, fitted to the instruments of its rows.
constexpr Settings kNearIndices = {{{ZSTD_c_strategy, ZSTD_fast},
                                    {ZSTD_c_hashLog, 12},
                                    {ZSTD_c_chainLog, 12},
                                    {ZSTD_c_minMatch, 7},
                                    {ZSTD_c_targetLength, 0},
                                    {ZSTD_c_windowLog, 12}}};
// Random bits: a search that gives up at once, so that the page is stored.
constexpr Settings kIncompressible = {{{ZSTD_c_strategy, ZSTD_fast},
                                       {ZSTD_c_hashLog, 12},
                                       {ZSTD_c_chainLog, 12},
                                       {ZSTD_c_minMatch, 7},
                                       {ZSTD_c_targetLength, 64},
                                       {ZSTD_c_windowLog, 0}}};
constexpr Settings kOther = {{{ZSTD_c_strategy, ZSTD_dfast},
                              {ZSTD_c_hashLog, 14},
                              {ZSTD_c_chainLog, 13},
                              {ZSTD_c_minMatch, 4},
                              {ZSTD_c_targetLength, 0},
                              {ZSTD_c_windowLog, 0}}};

const Settings& SettingsOf(PageContent content) {
  switch (content) {
    case PageContent::kByteDeltas: return kByteDeltas;
    case PageContent::kByteStreams: return kByteStreams;
    case PageContent::kWholeValues: return kWholeValues;
    case PageContent::kNearIndices: return kNearIndices;
    case PageContent::kIncompressible: return kIncompressible;
    case PageContent::kOther: break;
  }
  return kOther;
}

size_t Checked(size_t result) {
  if (ZSTD_isError(result) != 0) throw parquet::ParquetException("zstd: ", ZSTD_getErrorName(result));
  return result;
}

}  // namespace

PageCompressor::PageCompressor() : context_(ZSTD_createCCtx()) {
  if (context_ == nullptr) throw std::bad_alloc();
  Checked(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1));
}

std::span<const uint8_t> PageCompressor::Compress(std::span<const uint8_t> page, PageContent content) {
  for (const auto& [setting, value] : SettingsOf(content)) {
    Checked(ZSTD_CCtx_setParameter(context_.get(), setting, value));
  }
  if (const size_t bound = ZSTD_compressBound(page.size()); bound > frame_.size()) frame_.resize(bound);
  const size_t size = Checked(ZSTD_compress2(context_.get(), frame_.data(), frame_.size(), page.data(), page.size()));
  return std::span(frame_).first(size);
}

}  // namespace lode::codec
