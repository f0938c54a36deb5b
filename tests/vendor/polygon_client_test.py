#!/usr/bin/env python3
"""The vendor's own client, massive (PyPI), against the simulator: each table row by row, and that lode has the same.

The client takes another host by its `base` argument; nothing of it is replaced.

usage: polygon_client_test.py --sim PROGRAM --lode PROGRAM [--seed N] [--only PART]
"""
import argparse
import functools
import os
import pathlib
import subprocess
import sys
import tempfile

import duckdb
import massive
from massive.exceptions import BadResponse

import simulator

KEY = "polygon-rest-key-0123456789"
FIRST, LAST, END = "2024-01-02", "2024-02-09", "2024-02-10"  # the last day, and the one after it
TICKERS = ["AAPL", "BRK.A", "KIMpL", "NA", "F"]
BARS = "open close high low volume vwap transactions epoch_ms(window_start)=timestamp"


def between(member, **more):
    return {f"{member}_gte": FIRST, f"{member}_lt": END, "limit": 1000, **more}


def of_each(method):
    """(ticker, row) of a call by ticker."""
    return lambda client: [(ticker, row) for ticker in TICKERS for row in method(client, ticker)]


def bars_of(span):
    return of_each(lambda client, ticker: client.list_aggs(ticker, 1, span, FIRST, LAST, adjusted=False, sort="asc", limit=50_000))


def both_lists(client):
    return [row for active in (True, False) for row in client.list_tickers(market="stocks", active=active, limit=1000)]


# What the client is asked, and which of its attributes are which of lode's columns: `column`, or `expression=attribute`.
TABLES = {
    "dividends": (lambda c: c.list_dividends(**between("ex_dividend_date", sort="ex_dividend_date", order="asc")),
                  "id ticker ex_dividend_date cash_amount currency declaration_date record_date pay_date frequency dividend_type"),
    "splits": (lambda c: c.list_splits(**between("execution_date", sort="execution_date", order="asc")),
               "id ticker execution_date split_from split_to"),
    "ipos": (lambda c: c.vx.list_ipos(sort="listing_date", order="asc", limit=1000,
                                      params={"listing_date.gte": FIRST, "listing_date.lt": END}),
             "ticker listing_date issuer_name ipo_status isin final_issue_price max_shares_offered currency_code last_updated"),
    "short_interest": (lambda c: c.list_short_interest(**between("settlement_date")),
                       "ticker settlement_date short_interest avg_daily_volume days_to_cover"),
    "short_volume": (lambda c: c.list_short_volume(**between("date")),
                     "ticker date short_volume total_volume short_volume_ratio nyse_short_volume"),
    "news": (lambda c: c.list_ticker_news(**between("published_utc", sort="published_utc", order="asc")),
             "id title publisher_name=publisher.name article_url "
             "strftime(published_utc,'%Y-%m-%dT%H:%M:%SZ')=published_utc from_json(tickers,'[\"VARCHAR\"]')=tickers"),
    "grouped_daily": (lambda c: [row for day in sessions() for row in c.get_grouped_daily_aggs(day, adjusted=False)],
                      BARS.replace("window_start", "window_end") + " ticker"),
    "aggregates_day": (bars_of("day"), BARS),
    "aggregates_hour": (bars_of("hour"), BARS),
    "aggregates_minute": (bars_of("minute"), BARS),
    "balance_sheets": (lambda c: c.list_financials_balance_sheets(**between("filing_date")),
                       "cik filing_date period_end fiscal_year fiscal_quarter timeframe total_assets total_liabilities "
                       "total_equity cash_and_equivalents goodwill from_json(tickers,'[\"VARCHAR\"]')=tickers"),
    "cash_flow_statements": (lambda c: c.list_financials_cash_flow_statements(**between("filing_date")),
                             "cik filing_date period_end net_income net_cash_from_operating_activities"),
    "income_statements": (lambda c: c.list_financials_income_statements(**between("filing_date")),
                          "cik filing_date period_end revenue operating_income basic_earnings_per_share "
                          "diluted_earnings_per_share"),
    "financials": (lambda c: c.vx.list_stock_financials(**{**between("filing_date", sort="filing_date", order="asc"), "limit": 100}),
                   "cik company_name filing_date start_date end_date fiscal_period fiscal_year "
                   "CAST(income_statement->>'$.revenues.value'AS\tDOUBLE)=financials.income_statement.revenues.value"),
    "ratios": (lambda c: c.list_financials_ratios(limit=1000), "ticker cik date price market_cap price_to_earnings"),
    "tickers": (both_lists, "ticker name market locale primary_exchange type active currency_name cik "
                            "strftime(delisted_utc,'%Y-%m-%dT%H:%M:%SZ')=delisted_utc "
                            "strftime(last_updated_utc,'%Y-%m-%dT%H:%M:%SZ')=last_updated_utc"),
    "ticker_types": (lambda c: c.get_ticker_types(), "code description asset_class locale"),
    "exchanges": (lambda c: c.get_exchanges(), "id type asset_class locale name mic operating_mic"),
    "market_holidays": (lambda c: c.get_market_holidays(), "date exchange name status "
                        "strftime(open,'%Y-%m-%dT%H:%M:%S.%gZ')=open strftime(close,'%Y-%m-%dT%H:%M:%S.%gZ')=close"),
    "related_companies": (of_each(lambda client, ticker: client.get_related_companies(ticker)), "related_ticker=ticker"),
}
BY_TICKER = ("aggregates_day", "aggregates_hour", "aggregates_minute", "related_companies", "ticker_events")


@functools.cache
def sessions():
    """Weekdays without the two holidays of the range."""
    days = duckdb.execute(f"SELECT d::DATE::VARCHAR FROM range(DATE '{FIRST}', DATE '{END}', INTERVAL 1 DAY) t(d) "
                          "WHERE isodow(d) < 6 AND d::DATE <> '2024-01-15'").fetchall()
    return [day for day, in days]


def attribute(row, path):
    for name in path.split("."):
        row = row.get(name) if isinstance(row, dict) else getattr(row, name, None)
    return row


def in_order(rows):
    return sorted(rows, key=repr)


class Case:
    def __init__(self, sim, arguments):
        self.sim, self.arguments = sim, arguments
        self.client = massive.RESTClient(api_key=KEY, base=sim.url, retries=0)
        sim.faults()

    def lode(self, folder, *words):
        environment = {**os.environ, "POLYGON_API_KEY": KEY, "LODE_SOURCES_POLYGON_BASE_URL": self.sim.url}
        return subprocess.run([self.arguments.lode, "--lake", folder / "lake", "--quiet", *words], env=environment,
                              capture_output=True, text=True, timeout=300)

    def synced(self, folder):
        """A lake that has every table."""
        folder = pathlib.Path(folder)
        (folder / "lake").mkdir()
        config = ""
        for table in [*TABLES, "ticker_events"]:
            config += f'[datasets.{table}]\nsource = "polygon"\nrest = "{table}"\nstart = {FIRST}\n'
            if table in BY_TICKER:
                config += f"symbols = {TICKERS}\n"
        (folder / "lake" / "lode.toml").write_text(config)
        dated = [table for table in TABLES if self.is_dated(table)]
        for words in (("sync", "-e", LAST, *dated), ("sync", *(t for t in [*TABLES, "ticker_events"] if t not in dated))):
            done = self.lode(folder, *words)
            assert done.returncode == 0, done.stderr
        return folder / "lake"

    @staticmethod
    def is_dated(table):
        return table not in ("ratios", "tickers", "ticker_types", "exchanges", "market_holidays", "related_companies",
                             "ticker_events")

    def case_same_as_lode(self):
        """Every table: the client's rows are lode's."""
        with tempfile.TemporaryDirectory() as folder:
            lake = self.synced(folder)
            different = []
            for table, (ask, columns) in TABLES.items():
                pairs = [column.rsplit("=", 1) if "=" in column else (column, column) for column in columns.split(" ")]
                answer = list(ask(self.client))
                if table in BY_TICKER:
                    theirs = [(ticker, *(attribute(row, path) for _, path in pairs)) for ticker, row in answer]
                    pairs = [("ticker", ""), *pairs]
                else:
                    theirs = [tuple(attribute(row, path) for _, path in pairs) for row in answer]
                types = dict(duckdb.execute(f"SELECT name, type FROM (DESCRIBE SELECT * FROM '{lake}/bronze/{table}/**/*.parquet') "
                                            "t(name, type, a, b, c, d)").fetchall())
                selected = [f"CAST({one} AS VARCHAR)" if types.get(one) == "DATE" else one for one, _ in pairs]
                ours = duckdb.execute(f"SELECT {', '.join(selected)} FROM read_parquet('{lake}/bronze/{table}/**/*.parquet', "
                                      "hive_partitioning = false)").fetchall()
                theirs, ours = in_order(theirs), in_order(ours)
                if not theirs or len(theirs) != len(ours) or any(a != b for a, b in zip(theirs, ours)):
                    first = next((pair for pair in zip(theirs, ours) if pair[0] != pair[1]), None)
                    different.append(f"{table}: {len(theirs)} and {len(ours)} rows, first difference {first}")
            assert not different, "\n".join(different)
            events = self.client.get_ticker_events("AAPL")
            theirs = in_order((one["date"], one["ticker_change"]["ticker"], events.cik) for one in events.events)
            ours = duckdb.execute(f"SELECT date::VARCHAR, new_ticker, cik FROM '{lake}/bronze/ticker_events/**/*.parquet' "
                                  "WHERE ticker = 'AAPL'").fetchall()
            assert theirs == in_order(ours) and theirs, (theirs, ours)

    def case_pages(self):
        """The client follows next_url: rows of several pages, each once."""
        self.sim.clear_counts()
        rows = list(self.client.list_dividends(**between("ex_dividend_date", sort="ex_dividend_date", order="asc")))
        asked = self.sim.counts()["requests"]["v3/reference/dividends"]["200"]
        assert len({row.id for row in rows}) == len(rows) and asked == -(-len(rows) // 7), (len(rows), asked)

    def case_adjusted(self):
        """Adjusted is the default, and another price."""
        adjusted, plain = (list(self.client.list_aggs("AAPL", 1, "day", FIRST, LAST, limit=50_000, **more))
                           for more in ({}, {"adjusted": False}))
        assert len(adjusted) == len(plain) and all(2 * a.close == p.close for a, p in zip(adjusted, plain))

    def case_refused(self):
        """A wrong key, and a ticker that is none."""
        for call in (lambda: list(massive.RESTClient(api_key="wrong", base=self.sim.url, retries=0).list_tickers()),
                     lambda: self.client.get_ticker_events("NOSUCH")):
            try:
                call()
                raise AssertionError("an answer")
            except BadResponse as error:
                assert "Unknown API Key" in str(error) or "not found" in str(error), error


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--sim", "--lode"):
        parser.add_argument(name, required=True, type=lambda p: str(pathlib.Path(p).resolve()))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    options = ("--today", "2024-03-05", "--seed", arguments.seed % 1000 + 1, "--polygon-key", KEY, "--polygon-page", 7)
    with simulator.Simulator(arguments.sim, *options) as sim:
        names = [name for name in dir(Case) if name.startswith("case_")]
        cases = [(name, lambda name=name: getattr(Case(sim, arguments), name)()) for name in names]
        return simulator.run_cases(cases, arguments.only)


if __name__ == "__main__":
    sys.exit(main())
