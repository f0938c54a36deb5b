#include "lode/net/url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lode/net/error_text.h"
#include "lode/net/http.h"
#include "lode/net/redact.h"

namespace lode::net {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Url, OriginsAreSpelledOneWay) {
  EXPECT_EQ(OriginOf("HTTPS://Hist.Databento.com:443/v0/x?y#z").value(), "https://hist.databento.com");
  EXPECT_EQ(OriginOf("http://h:80").value(), "http://h");
  EXPECT_EQ(OriginOf("http://h:443/").value(), "http://h:443");
  EXPECT_EQ(OriginOf("http://[::1]:8080/a").value(), "http://[::1]:8080");
  // A host cannot be smuggled past the comparison.
  EXPECT_EQ(OriginOf("https://good.com\\@evil.com/").value_or("refused"), "refused");
  for (const char* text : {"", "host/path", "ftp://h/", "http://", "https://u:p@h/", "https://u@h/", "http://h/a b",
                           "http://h/\n", "http://h:99999/", "javascript:alert(1)"}) {
    EXPECT_EQ(OriginOf(text).error().kind, ErrorKind::kConfig) << text;
  }
}

TEST(Url, PathsStayAsSpelled) {
  const Url url = ParseUrl("https://h/a//b/../c%2Fd?q=%20&r#frag").value();
  EXPECT_EQ(url.path, "/a//b/../c%2Fd");
  EXPECT_EQ(url.query, "q=%20&r");
  EXPECT_EQ(url.text, "https://h/a//b/../c%2Fd?q=%20&r");
}

TEST(Url, OnesOfAKnownOriginAreWhatLibcurlSays) {
  for (const char* origin : {"http://127.0.0.1:8080", "https://h", "http://[::1]:81", "https://a.b-c.example:8443"}) {
    const Url known = ParseUrl(origin).value();
    for (const char* path :
         {"/", "/a//b/../c_d~e-f.g", "/flatfiles/us_stocks_sip/2024/01/2024-01-02.csv.gz", "/./x/."}) {
      const std::string text = std::string(origin) + path;
      const auto url = UrlOfSameOrigin(known, text);
      ASSERT_TRUE(url) << text;
      const Url said = ParseUrl(text).value();
      EXPECT_EQ(url->text, said.text);
      EXPECT_EQ(url->scheme, said.scheme);
      EXPECT_EQ(url->host, said.host);
      EXPECT_EQ(url->origin, said.origin);
      EXPECT_EQ(url->path, said.path);
      EXPECT_EQ(url->query, said.query);
    }
    // Everything that could mean another server or another request is left to libcurl.
    for (const char* rest : {"", "0/", ".evil.com/", "@evil.com/", "\\@evil.com/", ":1/", "/a?b", "/a#b", "/%2e",
                             "/a b", "/a\\b", "/\n", "/\xc3\xa9", "/a@b", "/a;b"}) {
      EXPECT_FALSE(UrlOfSameOrigin(known, std::string(origin) + rest)) << rest;
    }
    EXPECT_FALSE(UrlOfSameOrigin(known, "https://elsewhere.example/"));
  }
  EXPECT_FALSE(UrlOfSameOrigin({}, "/a"));
}

TEST(Url, LocationsResolve) {
  const Url base = ParseUrl("https://h:8443/a/b?c=d").value();
  EXPECT_EQ(ResolveLocation(base, "/x?y").value().text, "https://h:8443/x?y");
  EXPECT_EQ(ResolveLocation(base, "x").value().text, "https://h:8443/a/x");
  EXPECT_EQ(ResolveLocation(base, "//other/x").value().origin, "https://other");
  EXPECT_EQ(ResolveLocation(base, "http://h/x").value().origin, "http://h");
  for (const char* text : {"", "a b", "gopher://h/", "https://u:p@h/"})
    EXPECT_FALSE(ResolveLocation(base, text)) << text;
}

TEST(Url, ABaseEndsWithoutASlash) {
  for (const auto& [text, base] : {std::pair{"https://api.example.com", "https://api.example.com"},
                                   {"https://api.example.com/", "https://api.example.com"},
                                   {"http://127.0.0.1:80/v1//", "http://127.0.0.1/v1"}}) {
    EXPECT_EQ(ParseBaseUrl(text).value().text, base);
  }
  EXPECT_EQ(ParseBaseUrl("https://api.example.com/v1/").value().path, "/v1");
  EXPECT_FALSE(ParseBaseUrl("https://api.example.com/?key=1"));
  EXPECT_FALSE(ParseBaseUrl("api.example.com"));
}

TEST(Url, LoopbackIsKnown) {
  for (const char* text : {"http://127.0.0.1:9/", "http://127.9.9.9/", "http://[::1]/", "https://LOCALHOST/"}) {
    EXPECT_TRUE(IsLoopback(ParseUrl(text).value())) << text;
  }
  for (const char* text : {"http://127.0.0.1.evil.com/", "http://128.0.0.1/", "https://localhost.com/"}) {
    EXPECT_FALSE(IsLoopback(ParseUrl(text).value())) << text;
  }
}

TEST(Url, EncodesForms) {
  EXPECT_EQ(FormEncode({{"symbols", "ZL.FUT,ES.c.0"}, {"a b", "x+y&z=\xc3\xa9"}}),
            "symbols=ZL.FUT%2CES.c.0&a%20b=x%2By%26z%3D%C3%A9");
  EXPECT_EQ(PercentEncode("a/b~c", true), "a/b~c");
  EXPECT_EQ(PercentEncode("a/b", false), "a%2Fb");
}

TEST(Redactor, FindsBase64AtEveryOffset) {
  const std::string secret = "db-abcdefghijklmnopqrstuvwxyz?>?>?>";
  Redactor redactor;
  redactor.Add(secret);
  for (size_t before = 0; before < 7; ++before) {
    for (size_t after = 0; after < 4; ++after) {
      const std::string encoded = Base64(std::string(before, 'u') + secret + std::string(after, ':'));
      const std::string clean = redactor.Clean(encoded);
      EXPECT_THAT(clean, HasSubstr("***")) << before << after;
      EXPECT_LT(clean.size(), encoded.size() - secret.size()) << before << after;
    }
  }
  Redactor short_one;
  short_one.Add("abc");
  EXPECT_EQ(short_one.Clean("abcabc"), "abcabc");
}

TEST(ErrorText, FindsTheVendorsWords) {
  EXPECT_EQ(MessageOf(R"({"detail": "Authentication failed."})"), "Authentication failed.");
  EXPECT_EQ(MessageOf(R"({"detail":{"case":"c1","message":"m\n  two","docs":"d","payload":{}}})"), "c1: m two");
  EXPECT_EQ(MessageOf(R"({"detail":{"message":"m"}})"), "m");
  EXPECT_EQ(MessageOf(R"({"detail":[{"loc":["query"],"msg":"field required"}]})"), "field required");
  EXPECT_EQ(MessageOf(R"({"status":"ERROR","error":"Unknown API Key"})"), "Unknown API Key");
  EXPECT_EQ(MessageOf(R"({"error":{"code":403,"message":"no"}})"), "no");
  EXPECT_EQ(MessageOf(R"({"error_code":400,"error_message":"Bad Request."})"), "Bad Request.");
  EXPECT_EQ(MessageOf("<?xml version=\"1.0\"?>\n<Error><Code>SlowDown</Code><Message>Reduce.</Message></Error>"),
            "SlowDown: Reduce.");
  EXPECT_EQ(MessageOf("<html><body>504</body></html>"), "an HTML page");
  EXPECT_EQ(MessageOf("upstream \x01\r\n timeout"), "upstream timeout");
  EXPECT_EQ(MessageOf("{broken"), "{broken");
  EXPECT_EQ(MessageOf(" \n"), "");
  const std::string longer = MessageOf(std::string(499, 'x') + "\xc3\xa9\xc3\xa9");
  EXPECT_EQ(longer, std::string(499, 'x') + "...");  // no half character
}

TEST(ErrorText, GuessesHtml) {
  for (const char* text : {"<html", "\xef\xbb\xbf <!DOCTYPE html>", "\n\n<HTML lang"}) {
    EXPECT_EQ(GuessHtml(text), HtmlGuess::kYes) << text;
  }
  for (const char* text : {"{", "<?xml", "<!doctype xml", "\x28\xb5\x2f\xfd", "\x1f\x8b", "[<html"}) {
    EXPECT_EQ(GuessHtml(text), HtmlGuess::kNo) << text;
  }
  for (const char* text : {"", " ", "<", "<!do", "<htm"}) EXPECT_EQ(GuessHtml(text), HtmlGuess::kUndecided) << text;
}

}  // namespace
}  // namespace lode::net
