// libcurl, loaded on first use: it brings some 25 libraries, which take longer to load than many commands take to run.
// The library stays for the life of the process.
#pragma once

#include <curl/curl.h>

#include "lode/base/result.h"

namespace lode::net {

// The functions lode calls, and no others.
#define LODE_CURL_FUNCTIONS(X) \
  X(easy_cleanup)              \
  X(easy_getinfo)              \
  X(easy_init)                 \
  X(easy_reset)                \
  X(easy_setopt)               \
  X(easy_strerror)             \
  X(free)                      \
  X(getdate)                   \
  X(global_init)               \
  X(multi_add_handle)          \
  X(multi_assign)              \
  X(multi_cleanup)             \
  X(multi_info_read)           \
  X(multi_init)                \
  X(multi_remove_handle)       \
  X(multi_setopt)              \
  X(multi_socket_action)       \
  X(slist_append)              \
  X(slist_free_all)            \
  X(url)                       \
  X(url_cleanup)               \
  X(url_get)                   \
  X(url_set)                   \
  X(url_strerror)              \
  X(version)

struct CurlApi {
#define LODE_DECLARE(name) decltype(&::curl_##name) name = nullptr;
  LODE_CURL_FUNCTIONS(LODE_DECLARE)
#undef LODE_DECLARE
};

// kUnsupported when the system has no libcurl.so.4, or one that lacks a function.
Result<const CurlApi*> LoadCurl();

// For code that runs only after a LoadCurl that went well; ends the process otherwise.
const CurlApi& Curl();

}  // namespace lode::net
