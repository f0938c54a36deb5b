#include "lode/net/curl.h"

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>

namespace lode::net {
namespace {

constexpr const char* kLibrary = "libcurl.so.4";

Result<CurlApi> Load() {
  void* library = ::dlopen(kLibrary, RTLD_LAZY | RTLD_LOCAL);
  if (library == nullptr) return Fail(ErrorKind::kUnsupported, "{}; run ./setup", ::dlerror());
  CurlApi api;
#define LODE_RESOLVE(name)                                                                  \
  api.name = reinterpret_cast<decltype(api.name)>(::dlsym(library, "curl_" #name));         \
  if (api.name == nullptr) {                                                                \
    return Fail(ErrorKind::kUnsupported, "{} is too old: it has no curl_" #name, kLibrary); \
  }
  LODE_CURL_FUNCTIONS(LODE_RESOLVE)
#undef LODE_RESOLVE
  const CURLcode begun = api.global_init(CURL_GLOBAL_DEFAULT);
  if (begun != CURLE_OK) return Fail(ErrorKind::kInternal, "libcurl: {}", api.easy_strerror(begun));
  return api;
}

}  // namespace

Result<const CurlApi*> LoadCurl() {
  static const Result<CurlApi> loaded = Load();
  if (!loaded) return std::unexpected(loaded.error());
  return &*loaded;
}

const CurlApi& Curl() {
  const Result<const CurlApi*> loaded = LoadCurl();
  if (!loaded) {
    std::fprintf(stderr, "%s\n", loaded.error().message.c_str());
    std::abort();
  }
  return **loaded;
}

}  // namespace lode::net
