#include "lode/base/time.h"

#include <chrono>

namespace lode {
namespace {

// Civil-calendar arithmetic after Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms".
constexpr int32_t DaysFromCivil(int year, int month, int day) {
  year -= month <= 2;
  const int era = (year >= 0 ? year : year - 399) / 400;
  const int year_of_era = year - era * 400;
  const int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

// Reads exactly `width` digits at `position`; -1 when any is not a digit.
int Digits(std::string_view text, size_t position, size_t width) {
  int value = 0;
  for (size_t i = position; i < position + width; ++i) {
    const char c = text[i];
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

// Days since the epoch of "YYYY-MM-DD" at the front of `text`, false when it is not a date.
bool ReadDate(std::string_view text, int32_t& days) {
  if (text.size() < 10 || text[4] != '-' || text[7] != '-') return false;
  const int year = Digits(text, 0, 4), month = Digits(text, 5, 2), day = Digits(text, 8, 2);
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > DaysInMonth(year, month)) return false;
  days = DaysFromCivil(year, month, day);
  return true;
}

void PutDigits(char* out, int width, int64_t value) {
  for (int i = width - 1; i >= 0; --i, value /= 10) out[i] = static_cast<char>('0' + value % 10);
}

}  // namespace

YearMonthDay ToYearMonthDay(Day day) {
  const int z = day.since_epoch + 719'468;
  const int era = (z >= 0 ? z : z - 146'096) / 146'097;
  const int day_of_era = z - era * 146'097;
  const int year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int shifted_month = (5 * day_of_year + 2) / 153;
  const int month = shifted_month + (shifted_month < 10 ? 3 : -9);
  return {year_of_era + era * 400 + (month <= 2), month, day_of_year - (153 * shifted_month + 2) / 5 + 1};
}

Day ToDay(const YearMonthDay& date) { return Day{DaysFromCivil(date.year, date.month, date.day)}; }

int DaysInMonth(int year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[month - 1];
}

Day DayOf(int64_t ns) {
  int64_t days = ns / kNsPerDay;
  if (ns % kNsPerDay < 0) --days;
  return Day{static_cast<int32_t>(days)};
}

Result<Day> ParseDay(std::string_view text) {
  int32_t days = 0;
  if (text.size() != 10 || !ReadDate(text, days)) {
    return Fail(ErrorKind::kBadInput, "'{}' is not a day (YYYY-MM-DD)", text.substr(0, 40));
  }
  return Day{days};
}

std::string FormatDay(Day day) {
  const auto [year, month, day_of_month] = ToYearMonthDay(day);
  std::string text = "0000-00-00";
  PutDigits(text.data(), 4, year);
  PutDigits(text.data() + 5, 2, month);
  PutDigits(text.data() + 8, 2, day_of_month);
  return text;
}

Result<int64_t> ParseIsoNs(std::string_view text) {
  const auto bad = [&] { return Fail(ErrorKind::kBadInput, "'{}' is not an ISO-8601 UTC time", text.substr(0, 40)); };
  int32_t days = 0;
  if (!ReadDate(text, days)) return bad();
  if (days < -106'751 || days > 106'750) return Fail(ErrorKind::kBadInput, "time '{}' is outside 1678..2262", text);
  int64_t ns = int64_t{days} * kNsPerDay;
  if (text.size() == 10) return ns;
  if (text.back() == 'Z') text.remove_suffix(1);
  if (text.size() < 19 || (text[10] != 'T' && text[10] != ' ') || text[13] != ':' || text[16] != ':') return bad();
  const int hour = Digits(text, 11, 2), minute = Digits(text, 14, 2), second = Digits(text, 17, 2);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return bad();
  ns += (hour * 3600LL + minute * 60LL + second) * kNsPerSecond;
  if (text.size() == 19) return ns;
  const size_t fraction = text.size() - 20;
  if (text[19] != '.' || fraction < 1 || fraction > 9) return bad();
  int64_t part = Digits(text, 20, fraction);
  if (part < 0) return bad();
  for (size_t i = fraction; i < 9; ++i) part *= 10;
  return ns + part;
}

std::string FormatIsoNs(int64_t ns) {
  const Day day = DayOf(ns);
  int64_t rest = ns - day.start_ns();
  std::string text = FormatDay(day) + "T00:00:00.000000000Z";
  PutDigits(text.data() + 20, 9, rest % kNsPerSecond);
  rest /= kNsPerSecond;
  PutDigits(text.data() + 17, 2, rest % 60);
  PutDigits(text.data() + 14, 2, rest / 60 % 60);
  PutDigits(text.data() + 11, 2, rest / 3600);
  return text;
}

int64_t NowNs() {
  using std::chrono::duration_cast, std::chrono::nanoseconds, std::chrono::system_clock;
  return duration_cast<nanoseconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace lode
