#include "lode/net/s3_xml.h"

#include <gtest/gtest.h>

#include "lode/net/xml.h"

namespace lode::net {
namespace {

TEST(Xml, ReadsElementsTextAndReferences) {
  const XmlElement root = ParseXml(
                              "\xef\xbb\xbf<?xml version=\"1.0\"?><!-- c --><s:A xmlns='u' b=\"x>y\"> <B>1 &amp; "
                              "&#x41;&#233;</B><C/><B><![CDATA[<raw>&amp;]]></B></s:A>\n")
                              .value();
  EXPECT_EQ(root.name, "A");
  ASSERT_EQ(root.children.size(), 3U);
  EXPECT_EQ(root.TextOf("B"), "1 & A\xc3\xa9");
  EXPECT_EQ(root.children[2].text, "<raw>&amp;");
  EXPECT_EQ(root.Find("D"), nullptr);
  EXPECT_EQ(root.TextOf("D"), "");
}

TEST(Xml, RefusesWhatIsMalformedOrDangerous) {
  for (const char* text : {"",
                           " ",
                           "text",
                           "<a>",
                           "<a></b>",
                           "<a/><b/>",
                           "</a>",
                           "<a>&nbsp;</a>",
                           "<a>&#0;</a>",
                           "<a>&#xD800;</a>",
                           "<a>&#x110000;</a>",
                           "<a>&amp</a>",
                           "<a b=\"x></a>",
                           "<a <b/></a>",
                           "<>",
                           "<a/>text",
                           "<a><![CDATA[x</a>",
                           "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
                           "<a></a",
                           "<a/",
                           "<!-- x"}) {
    EXPECT_FALSE(ParseXml(text)) << text;
  }
  std::string deep, wide = "<a>";
  for (int i = 0; i < 100'000; ++i) deep += "<a>";
  for (int i = 0; i < 200'000; ++i) wide += "<b/>";
  EXPECT_FALSE(ParseXml(deep));
  EXPECT_FALSE(ParseXml(wide + "</a>"));
  EXPECT_EQ(XmlEscaped("a<b>&\"'"), "a&lt;b&gt;&amp;&quot;&apos;");
}

TEST(Xml, EveryCutIsRefused) {
  const std::string whole = "<A x='1'><B>t&lt;</B><!-- c --><C/></A>";
  ASSERT_TRUE(ParseXml(whole));
  for (size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(ParseXml(whole.substr(0, size))) << size;
}

std::string Listing(const std::string& inner) { return "<ListBucketResult>" + inner + "</ListBucketResult>"; }

TEST(S3Xml, Listings) {
  const auto page = ParseListing(Listing("<IsTruncated>true</"
                                         "IsTruncated><NextContinuationToken>t+/=</NextContinuationToken>"
                                         "<Contents><Key>a/b+c%2F&#x1;&amp;</Key><Size>7</Size><ETag>&quot;e&quot;</"
                                         "ETag><LastModified>x</LastModified></Contents>"
                                         "<CommonPrefixes><Prefix>p q/</Prefix></CommonPrefixes>"))
                        .value();
  ASSERT_EQ(page.objects.size(), 1U);
  EXPECT_EQ(page.objects[0].key, "a/b+c%2F\x01&");
  EXPECT_EQ(page.objects[0].size, 7U);
  EXPECT_EQ(page.objects[0].etag, "\"e\"");
  EXPECT_EQ(page.common_prefixes, std::vector<std::string>{"p q/"});
  EXPECT_EQ(page.next_token, "t+/=");
  const auto plain =
      ParseListing(Listing("<IsTruncated>false</IsTruncated><Contents><Key>a%2F+</Key><Size>0</Size></Contents>"))
          .value();
  EXPECT_EQ(plain.objects[0].key, "a%2F+");
  EXPECT_TRUE(plain.next_token.empty());
  for (const char* inner : {"", "<IsTruncated>true</IsTruncated>", "<IsTruncated>false</IsTruncated><Contents/>",
                            "<IsTruncated>false</IsTruncated><Contents><Key>a</Key><Size>-1</Size></Contents>"}) {
    EXPECT_FALSE(ParseListing(Listing(inner))) << inner;
  }
  EXPECT_FALSE(ParseListing("<Other/>"));
}

TEST(S3Xml, Uploads) {
  EXPECT_EQ(
      ParseUploadId("<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>").value(),
      "u");
  EXPECT_FALSE(ParseUploadId("<InitiateMultipartUploadResult/>"));
  EXPECT_EQ(ParseCompleted("<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>").value(),
            "e");
  EXPECT_FALSE(ParseCompleted("<CompleteMultipartUploadResult/>"));
  EXPECT_EQ(ParseCompleted("<Error><Code>InternalError</Code><Message>m</Message></Error>").error().message,
            "S3 answer: InternalError: m");
  EXPECT_EQ(S3ErrorCode("<Error><Code>NoSuchKey</Code></Error>"), "NoSuchKey");
  EXPECT_EQ(S3ErrorCode("nonsense"), "");
}

}  // namespace
}  // namespace lode::net
